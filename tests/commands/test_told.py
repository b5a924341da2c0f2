"""What is said on standard error obeys no log and no file name."""

from __future__ import annotations

from pathlib import Path

from tests.commands.conftest import Run


def test_a_file_name_commands_no_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mail.log").write_text("Nov 24 10:00:00 mx1 postfix/qmgr[1]: 4B1000001: removed\n")
    for arguments in ((tmp_path / "mail.log", tmp_path / "no\x1b[31m"), (tmp_path / "no\x1b[31m",)):
        done = run("messages", *arguments)
        assert "no\N{REPLACEMENT CHARACTER}[31m: no such file" in done.err
        assert "\x1b" not in done.err
