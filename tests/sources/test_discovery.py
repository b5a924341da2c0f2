"""Which logs PATH arguments mean, of which hosts, and what is said about the others."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from flowmon.sources import Discovery, LogStream, StdinStream, discover
from flowmon.sources.discovery import parse_path
from tests.sources.folder import take

LINE = b"Nov 24 10:00:00 mx1 postfix/qmgr[1]: a line\n"


def put(path: Path, data: bytes = LINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def found(discovery: Discovery, top: Path) -> dict[str, str | None]:
    discovery.close()
    return {os.path.relpath(stream.key, top): stream.host for stream in discovery.streams}


def test_hosts_are_the_first_folders_but_never_programs_or_dates(tmp_path: Path) -> None:
    for name in (
        "gate/mail.log", "gate/rspamd/rspamd.log", "gate/dovecot.log", "store/mail.log", "hub2/exim4/mainlog",
        "exim4/mainlog", "2026/11/24/far/maillog", "10.0.0.1/mail.log",
    ):  # fmt: skip
        put(tmp_path / name)
    discovery = discover([str(tmp_path)])
    assert discovery.problems == []
    assert len(discovery.notes) == 8
    assert found(discovery, tmp_path) == {
        "gate/mail.log": "gate",
        "gate/rspamd/rspamd.log": "gate",
        "gate/dovecot.log": "gate",
        "store/mail.log": "store",
        "hub2/exim4/mainlog": "hub2",
        "exim4/mainlog": None,
        "2026/11/24/far/maillog": "far",
        "10.0.0.1/mail.log": "10.0.0.1",
    }


def test_a_folder_that_holds_logs_itself_names_no_host(tmp_path: Path) -> None:
    put(tmp_path / "mail.log")
    put(tmp_path / "rspamd" / "rspamd.log")
    put(tmp_path / "more" / "x.log")
    assert set(found(discover([str(tmp_path)]), tmp_path).values()) == {None}


def test_host_given_with_the_path_wins(tmp_path: Path) -> None:
    put(tmp_path / "a" / "mail.log")
    put(tmp_path / "b" / "mail.log")
    wanted = [str(tmp_path), f"mx9={tmp_path / 'b'}", f"mx8.example.net={tmp_path / 'a' / 'mail.log'}"]
    assert found(discover(wanted), tmp_path) == {"b/mail.log": "mx9", "a/mail.log": "mx8.example.net"}


def test_a_path_with_an_equals_sign_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a=b.log")
    monkeypatch.chdir(tmp_path)
    assert parse_path("a=b.log").host is None
    assert parse_path("a=c.log") == (str(tmp_path / "c.log"), "a")
    assert parse_path("mx1=-") == ("-", "mx1")


def test_only_logs_are_taken_from_a_folder(tmp_path: Path) -> None:
    for name in (
        "mail.log",
        "old.txt",
        "msg.csv",
        "trace.jsonl",
        "mainlog",
        "mx1.example.com",
        "MSGTRK2026112410-1.LOG",
    ):
        put(tmp_path / name)
    put(tmp_path / "mail.log.1")
    put(tmp_path / "mail.log.2.gz", gzip.compress(LINE))
    put(tmp_path / "empty.log", b"")
    for name in (".hidden.log", "README", "index.txt", "mail.log~", "truth.jsonl"):
        put(tmp_path / name)
    put(tmp_path / "settings.cf", b"key = value\n")
    put(tmp_path / "wtmp", b"\0\0\0")
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "nowhere.log").symlink_to(tmp_path / "missing")
    assert sorted(found(discover([str(tmp_path)]), tmp_path)) == [
        "MSGTRK*.LOG", "empty.log", "mail.log", "mainlog", "msg.csv", "mx1.example.com", "old.txt", "trace.jsonl",
    ]  # fmt: skip


def test_nothing_is_read_twice(tmp_path: Path) -> None:
    live = put(tmp_path / "mail.log")
    os.link(live, tmp_path / "again.log")
    (tmp_path / "link.log").symlink_to(live)
    (tmp_path / "loop").symlink_to(tmp_path)
    discovery = discover([str(tmp_path), str(live), str(tmp_path / "link.log")])
    assert len(discovery.streams) == 1


def test_named_files_are_read_and_no_others(tmp_path: Path) -> None:
    oldest = put(tmp_path / "mail.log.3.gz", gzip.compress(b"3\n"))
    older = put(tmp_path / "mail.log.2", b"2\n")
    old = put(tmp_path / "mail.log.1", b"1\n")
    live = put(tmp_path / "mail.log", b"0\n")

    def read(*paths: Path, past: bool = False) -> bytes:
        discovery = discover([str(path) for path in paths], past_of_files=past)
        (stream,) = discovery.streams
        data = take(stream) if isinstance(stream, LogStream) else b""
        discovery.close()
        return data

    assert read(live) == b"0\n"
    assert read(live, past=True) == b"3\n2\n1\n0\n"
    assert read(live, old) == b"1\n0\n"
    assert read(older) == b"2\n"
    assert read(oldest, older) == b"3\n2\n"


def test_a_named_file_is_followed_through_its_rotation(tmp_path: Path) -> None:
    put(tmp_path / "mail.log.1", b"old\n")
    live = put(tmp_path / "mail.log", b"a\n")
    (stream,) = discover([str(live)]).streams
    assert isinstance(stream, LogStream)
    assert take(stream) == b"a\n"
    (tmp_path / "mail.log.1").rename(tmp_path / "mail.log.2")
    live.rename(tmp_path / "mail.log.1")
    put(live, b"b\n")
    assert take(stream) == b"b\n"
    place = stream.position()
    stream.seek(place)
    assert take(stream) == b""
    stream.close()


def test_what_is_left_out_of_a_folder_is_told_once(tmp_path: Path) -> None:
    put(tmp_path / "mail.log")
    put(tmp_path / "wtmp", b"\0\0\0")
    put(tmp_path / "logo.png", b"\x89PNG\0\0")
    put(tmp_path / "old.log.zst", b"\x28\xb5\x2f\xfd")
    put(tmp_path / "cut.log.gz", gzip.compress(LINE)[:4])
    discovery = discover([str(tmp_path)])
    assert len(discovery.streams) == 1
    text = "\n".join(sorted(discovery.problems))
    for part in ("old.log.zst", "cut.log.gz"):
        assert part in text
    assert len(discovery.problems) == 2
    assert [note for note in discovery.notes if "left out" in note] == [
        f"left out: {tmp_path / 'wtmp'} is not a text log: it holds binary data; name the log file itself"
    ]
    discovery.rescan()
    assert discovery.problems == discovery.notes == []
    discovery.close()


def test_problems_name_path_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    binary = put(tmp_path / "binary.log", b"\x7fELF\0\0")
    discovery = discover([str(tmp_path / "empty"), str(binary), str(tmp_path / "missing")])
    assert discovery.streams == []
    assert len(discovery.problems) == 3
    text = "\n".join(discovery.problems)
    assert "empty: no mail log below" in text
    assert "name a file" in text
    assert "binary.log is not a text log" in text
    assert "missing: no such file or folder: check the path" in text


def test_unreadable_logs_are_told_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "mail.log")

    def refuse(path: str, _flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    for path in (tmp_path, tmp_path / "mail.log"):
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", refuse)
            discovery = discover([str(path)])
        assert "usermod -aG" in discovery.problems[0]
        assert len(discovery.problems) == len(discovery.streams) == 1


def test_rescan_finds_what_is_new(tmp_path: Path) -> None:
    put(tmp_path / "a" / "mail.log")
    discovery = discover([str(tmp_path)])
    assert discovery.rescan() == []
    put(tmp_path / "b" / "mail.log")
    (tmp_path / "a" / "mail.log").rename(tmp_path / "a" / "mail.log.1")
    put(tmp_path / "a" / "mail.log")
    (new,) = discovery.rescan()
    assert new.host == "b"
    assert new in discovery.streams
    assert str(tmp_path / "b") in discovery.folders


def test_stdin_and_named_pipes(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    discovery = discover([f"mx1={pipe}", "-"])
    assert [type(stream) for stream in discovery.streams] == [StdinStream, StdinStream]
    assert discovery.streams[0].host == "mx1"
    discovery.close()
