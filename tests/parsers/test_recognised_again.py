"""A log whose first lines were another program's is recognised again, and no line of it is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowmon.store.reader import SqliteReader
from tests.golden.live import Live, builtin

FIRST = "Nov 24 10:00:00 gw kernel: eth0: link is up\n"
EXIM = "".join(
    f"2026-11-24 10:{n:02}:01 1vNq{n:02}-0001xY-2B <= anna@far.example H=mx.far.example [203.0.113.9] P=esmtp S=900\n"
    f"2026-11-24 10:{n:02}:02 1vNq{n:02}-0001xY-2B => kim <kim@acme.example> R=local T=mailbox\n"
    f"2026-11-24 10:{n:02}:02 1vNq{n:02}-0001xY-2B Completed\n"
    for n in range(10, 50)
)


def _read(
    tmp_path: Path, pieces: list[str], *, restart: bool = False
) -> tuple[int, list[str], tuple[int, int, int, str]]:
    """How many messages, their statuses, and lines, not understood, foreign and format of the log."""
    log, store = tmp_path / "main.log", tmp_path / "store.db"
    log.touch()
    catalogue = builtin()
    live = Live(catalogue, store, log)
    for piece in pieces:
        with log.open("a") as out:
            out.write(piece)
        live.fold()
        live.commit()
        if restart:
            live.end()
            live = Live(catalogue, store, log)
    live.end()
    reader = SqliteReader(store)
    messages = list(reader.messages(None))
    source = reader.sources()[0]
    reader.close()
    return len(messages), sorted({str(m.status) for m in messages}), (
        source.lines, source.unmatched, source.foreign, str(source.format))


@pytest.mark.parametrize("size", [70, 2_000, 100_000])
def test_lines_that_were_not_understood_are_read_as_what_they_are(tmp_path: Path, utc: None, size: int) -> None:
    pieces = [FIRST, *(EXIM[at : at + size] for at in range(0, len(EXIM), size))]
    assert _read(tmp_path, pieces) == (40, ["delivered"], (121, 0, 1, "exim"))


def test_a_restart_between_loses_only_what_was_counted_before(tmp_path: Path, utc: None) -> None:
    pieces = [FIRST, EXIM[:300], EXIM[300:]]
    count, statuses, (lines, unmatched, foreign, format) = _read(tmp_path, pieces, restart=True)
    assert (statuses, lines, foreign, format) == (["delivered"], 121, 1, "exim")
    assert count >= 39
    assert unmatched <= 4


def test_a_format_stays_where_no_other_understands_more(tmp_path: Path, utc: None) -> None:
    def sent(of: str) -> str:
        return "".join(
            f"Nov 24 10:{n:02}:01 mx1 postfix/smtp[7]: {of}{n:02}: to=<kim@acme.example>, "
            f"relay=mx.acme.example[203.0.113.7]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n"
            for n in range(10, 50)
        )

    noise = "".join(f"{n:02} something that nobody knows\n" for n in range(60))
    told = _read(tmp_path, [sent("4D2C3A"), noise, sent("4D2C3B")])
    assert told == (80, ["relayed"], (140, 60, 0, "syslog"))
