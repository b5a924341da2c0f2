"""Finding this host's mail logs, below a made-up root."""

from __future__ import annotations

import os
from pathlib import Path

from flowmon.sources import discover_local


def _host(root: Path, *names: str) -> list[str]:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"Nov 24 10:00:00 mx1 postfix/qmgr[1]: a line\n")
    discovery = discover_local(str(root))
    assert len(discovery.notes) == len(discovery.streams)
    return sorted(os.path.relpath(stream.key, root) for stream in discovery.streams)


def test_a_debian_host(tmp_path: Path) -> None:
    assert _host(
        tmp_path, "var/log/mail.log", "var/log/mail.log.1", "var/log/mail.info", "var/log/syslog",
        "var/log/exim4/mainlog", "var/log/exim4/rejectlog", "var/log/rspamd/rspamd.log", "var/log/dovecot-info.log",
        "var/log/nginx/access.log",
    ) == [
        "var/log/dovecot-info.log", "var/log/exim4/mainlog", "var/log/exim4/rejectlog", "var/log/mail.log",
        "var/log/rspamd/rspamd.log",
    ]  # fmt: skip


def test_mail_info_where_there_is_no_mail_log(tmp_path: Path) -> None:
    assert _host(tmp_path, "var/log/mail.info", "var/log/syslog") == ["var/log/mail.info"]


def test_syslog_when_there_is_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "var/log/mail").mkdir(parents=True)
    assert _host(tmp_path, "var/log/messages") == ["var/log/messages"]


def test_postfix_writes_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "etc/postfix").mkdir(parents=True)
    (tmp_path / "etc/postfix/main.cf").write_text("# maillog_file = /no\nmaillog_file = /srv/logs/postfix.out\n")
    assert _host(tmp_path, "srv/logs/postfix.out") == ["srv/logs/postfix.out"]


def test_postfix_in_a_container_logs_to_no_file(tmp_path: Path) -> None:
    (tmp_path / "etc/postfix").mkdir(parents=True)
    (tmp_path / "etc/postfix/main.cf").write_text("maillog_file = /dev/stdout\n")
    assert "maillog_file" in discover_local(str(tmp_path)).problems[0]


def test_no_mail_log_at_all(tmp_path: Path) -> None:
    discovery = discover_local(str(tmp_path))
    assert discovery.streams == []
    assert "journalctl" in discovery.problems[0]
