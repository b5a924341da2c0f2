"""What names of folders and files say: which host a log is of, and which files are logs."""

from __future__ import annotations

import os
import re

from flowmon.sources.family import place
from flowmon.sources.file_names import storable
from flowmon.sources.opened import open_log

PROGRAM_FOLDERS = frozenset({
    "amavis", "amavisd", "apache", "apache2", "archive", "clamav", "cyrus", "dovecot", "exchange", "exim", "exim4",
    "haraka", "journal", "log", "logging", "logs", "mail", "maildrop", "mailman", "messagetracking", "nginx", "old",
    "opendkim", "opendmarc", "opensmtpd", "policyd", "postfix", "postgrey", "postsrsd", "private", "protocollog",
    "rotated", "rspamd", "sendmail", "smtpreceive", "smtpsend", "spamassassin", "spamd", "sympa", "syslog",
    "transportroles", "var",
})  # fmt: skip
"""Folders that say which program wrote, not which host (in small letters)."""

_DATE = re.compile(r"\d+(?:[-_.]\d+){0,2}")
_ADDRESS = re.compile(r"\d+(?:\.\d+){3}")
_LOG_ENDINGS = frozenset({"", ".log", ".txt", ".csv", ".json", ".jsonl", ".info", ".warn", ".err"})
_NO_LOGS = re.compile(
    r"(?:readme|index|license|manifest|makefile|changelog|sha\d+sums|md5sums|truth)\b.*", re.IGNORECASE
)
_TIME_FIRST = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:<\d{1,3}>1? ?)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:|\d{4}-\d\d-\d\d[T ]\d\d:|#Software)"
)


def host_below(folder: str, path: str) -> str | None:
    """The host that a file below `folder` is of: the first folder on the way that is no date; None for a program's."""
    for part in os.path.relpath(path, folder).split(os.sep)[:-1]:
        if part.lower() in PROGRAM_FOLDERS:
            return None
        if _ADDRESS.fullmatch(part) or not _DATE.fullmatch(part):
            return storable(part)
    return None


def is_log_name(name: str) -> bool | None:
    """Whether a file of this name is a log; None: only its first bytes can tell."""
    if name.startswith(".") or name.endswith(("~", ".swp")) or _NO_LOGS.fullmatch(name):
        return False
    ending = os.path.splitext(place(name).family)[1].lower()
    return True if ending in _LOG_ENDINGS else None


def begins_like_log(path: str) -> bool:
    """Whether the first line of a file begins with a time. Raises SourceError if it cannot be read or is no text."""
    log = open_log(path)
    try:
        return _TIME_FIRST.match(log.head) is not None
    finally:
        log.close()
