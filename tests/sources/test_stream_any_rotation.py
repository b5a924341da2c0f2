"""Whatever happens to a log, in whatever order: each appended line is given exactly once."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowmon.sources import LogStream
from tests.sources.folder import LogFolder, take

_ENDINGS = (".gz", ".bz2", ".xz", ".zst")

_ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 40)),
        st.tuples(st.just("late"), st.integers(1, 3)),
        st.tuples(st.just("rotate"), st.just(0)),
        st.tuples(st.just("copytruncate"), st.just(0)),
        st.tuples(st.just("create"), st.just(0)),
        st.tuples(st.just("compress"), st.integers(0, 2)),
        st.tuples(st.just("read"), st.integers(1, 3000)),
        st.tuples(st.just("drain"), st.just(0)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=25,
)


class _Run:
    def __init__(self, folder: Path) -> None:
        self.log = LogFolder(folder)
        self.stream = self.log.stream()
        self.written: list[bytes] = []
        self.got: list[bytes] = []
        self.late_possible = False

    def act(self, action: str, number: int) -> None:
        live = self.log.live
        first = self.log.folder / "mail.log.1"
        if action == "append":
            self.written.append(self.log.append(number))
            self.late_possible = False
        elif action == "late" and self.late_possible and first.exists():
            self.written.append(self.log.append(number, first))
        elif action == "rotate" and live.exists():
            self.log.rotate()
            self.late_possible = True
        elif action == "copytruncate" and live.exists():
            self.log.copytruncate()
            self.late_possible = False
        elif action == "create":
            live.touch()
        elif action == "compress":
            self.compress(_ENDINGS[number])
        elif action == "read":
            chunk = self.stream.read(number)
            self.got += [chunk.data] if chunk is not None else []
        elif action == "drain":
            self.got.append(take(self.stream))
        elif action == "restart":
            self.restart()

    def compress(self, ending: str) -> None:
        for number in range(30, 0, -1):
            plain = self.log.folder / f"mail.log.{number}"
            if plain.exists():
                self.log.pack(number, ending)
                self.late_possible = self.late_possible and number != 1
                return

    def restart(self) -> None:
        place = self.stream.position()
        self.stream.close()
        self.stream = LogStream(str(self.log.live))
        self.stream.seek(place)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_ACTIONS)
def test_each_line_exactly_once(actions: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = _Run(Path(folder))
        for action, number in actions:
            run.act(action, number)
        run.got.append(take(run.stream, final=True))
        run.stream.close()
        assert b"".join(run.got) == b"".join(run.written)
