"""This host's mail logs, where no PATH was given."""

from __future__ import annotations

import glob
import os
import re

from flowmon.sources.discovery import Discovery, Wish
from flowmon.sources.faults import explain

_LOGS = (
    "mail.log", "maillog", "mail", "postfix.log", "postfix", "exim4", "exim", "exim_mainlog", "exim_rejectlog",
    "sendmail.log", "opensmtpd.log", "smtpd.log", "rspamd", "rspamd.log", "dovecot*.log", "dovecot", "postgrey.log",
    "postgrey", "amavis.log", "amavis", "amavisd.log", "amavisd",
)  # fmt: skip
"""Below /var/log: a file is read with its past, a folder as a whole."""
_FALLBACKS = (("mail.info",), ("syslog", "messages"))
"""Read only when none before was found: they repeat those, or hold all the system says."""


def _maillog_file(main_cf: str) -> str | None:
    """Where Postfix writes its log itself (`maillog_file` in main.cf); None if it does not, or says no plain path."""
    try:
        with open(main_cf, encoding="utf-8", errors="replace") as lines:
            text = lines.read()
    except FileNotFoundError:
        return None
    values = re.findall(r"^maillog_file[ \t]*=[ \t]*(\S*)", text, re.MULTILINE)
    return values[-1] if values and values[-1].startswith("/") else None


def discover_local(root: str = "/") -> Discovery:
    """Find this host's mail logs and say what was found.

    Args:
        root: what stands for the root of the file system.
    """
    base = os.path.abspath(root)
    folder = os.path.join(base, "var", "log")
    problems: list[str] = []
    found: list[str] = []
    for pattern in _LOGS:
        found += sorted(glob.glob(os.path.join(glob.escape(folder), pattern)))
    try:
        own = _maillog_file(os.path.join(base, "etc", "postfix", "main.cf"))
    except OSError as error:
        own = None
        problems.append(explain(os.path.join(base, "etc/postfix/main.cf"), error))
    if own is not None and own.startswith("/dev/"):
        problems.append(
            f"{own}: Postfix writes its log there (maillog_file), where it cannot be read again:"
            " pipe it in (… | flowmon -), or set maillog_file to a file"
        )
    elif own is not None:
        path = os.path.join(base, own.lstrip("/"))
        if os.path.exists(path):
            found.append(path)
        else:
            problems.append(f"{path}: Postfix is told to log there (maillog_file), but there is no such file yet")
    discovery = _look(found)
    for names in _FALLBACKS:
        if discovery.streams:
            break
        more = [path for name in names if os.path.exists(path := os.path.join(folder, name))]
        discovery = _look(found + more)
    discovery.problems[:0] = problems
    if not discovery.streams and not discovery.problems:
        discovery.problems.append(
            f"{folder}: no mail log found: name one (flowmon PATH), or, where only the journal has it,"
            " journalctl -f -o short-iso -n 100000 | flowmon -"
        )
    return discovery


def _look(paths: list[str]) -> Discovery:
    discovery = Discovery([Wish(path, None) for path in paths], past_of_files=True)
    # A folder of a program that is installed and never wrote is nothing to complain of here.
    discovery.problems = [problem for problem in discovery.problems if "no mail log below" not in problem]
    return discovery
