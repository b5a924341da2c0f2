"""What is wrong with a log, in words with a remedy."""

from __future__ import annotations

import getpass
import grp
import os
import re
import stat

_GAP = re.compile(rb"\0++")
_CONTROL = re.compile(rb"[\x01-\x07\x0e-\x1a\x1c-\x1f\x7f]")
"""What no text log holds; a tab, line ends and colours (ESC) are text."""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an unnamed user id, as in a container
        return "USER"


def _reading_group(path: str) -> str | None:
    """The group that may read `path` or the nearest folder above that can be asked; adm where none is told, None where
    no group may."""
    place = path
    while True:
        try:
            facts = os.stat(place)
        except OSError:
            parent = os.path.dirname(place)
            if parent == place:
                return "adm"
            place = parent
            continue
        if not facts.st_mode & stat.S_IRGRP:
            return None if place == path else "adm"
        if facts.st_gid == 0:
            return "adm"
        try:
            return grp.getgrgid(facts.st_gid).gr_name
        except KeyError:
            return "adm"


def explain(path: str, error: OSError) -> str:
    """Say why `path` cannot be read and what to do about it."""
    if isinstance(error, PermissionError):
        group = _reading_group(path)
        if group is None:
            return f"{path}: permission denied: only its owner may read it: run with sudo, or have its group let in"
        return (
            f"{path}: permission denied: ask for group {group} (sudo usermod -aG {group} {_user()}, then log in again)"
            " or run with sudo"
        )
    if isinstance(error, FileNotFoundError):
        return f"{path}: no such file or folder: check the path"
    if isinstance(error, IsADirectoryError):
        return f"{path}: a folder stands where the log should be: name the file in it, or the folder as PATH"
    return f"{path}: cannot be read ({error.strerror or error}): check the file and its disk"


def deleted(path: str) -> str:
    """That a log was deleted while it is read."""
    return (f"{path}: was deleted; what wrote it may still write there, unseen by others: have syslog (or the server "
            "itself) open its log anew; the new file is read when it comes")


def cut_line(path: str) -> str:
    """That a line was too long."""
    return f"{path}: a line of more than 64 KiB was cut, the rest of it is not read"


def gap(path: str) -> str:
    """That NULs stand between the lines."""
    return f"{path}: NUL bytes stand where lines should be, as a power failure leaves them: lines may be missing there"


def not_text(path: str, block: bytes) -> str | None:
    """Why a file that begins with `block` is no log; None if it looks like text."""
    if block.startswith((b"\xff\xfe", b"\xfe\xff")):  # files are recoded; a pipe, or what was compressed, is not
        return f"{path} is not a text log flowmon can read: it is UTF-16; convert it (iconv -f UTF-16 -t UTF-8)"
    if block.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")):
        endings = ".gz, .bz2, .xz, .zst"
        return f"{path} is not a text log: it is compressed; give it its ending ({endings}) or unpack it first"
    if b"\0" in block and not _is_text_with_gaps(block):
        return f"{path} is not a text log: it holds binary data; name the log file itself"
    return None


def _is_text_with_gaps(block: bytes) -> bool:
    """Whether a block with NULs is a log that a power failure tore: lines of text, with few gaps in them.

    In text of 16 bits every letter has a NUL, in a binary file they stand among other control characters.
    """
    text = block.replace(b"\0", b"")
    gaps = len(_GAP.findall(block))
    return (
        bool(text) and gaps <= 1 + block.count(b"\n") // 2 and _CONTROL.search(text) is None
        and block[257:262] != b"ustar"
    )
