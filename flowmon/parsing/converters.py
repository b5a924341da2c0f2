"""Named converters: how a captured text becomes the value of an Event field. Few, and in code.

A parser file names them in `convert`: `convert = { delay = "number", relay = "peer" }`. Each takes the captured text
and gives the value, or None for what means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from math import isfinite

from flowmon.parsing.lists import split_list

_SPAN = re.compile(
    r"(?:(\d+)[+d] ?)?(?:(\d+):)?(\d+):(\d\d)(?:\.\d+)?|(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?"
    r"(?:([\d.]+)s)?"
)


_REPLY_CODE = re.compile(r"[245]\d\d[ -]")

_DIGITS_KEPT = 18

_SAME = lru_cache(maxsize=2048)
"""For what lines tell again and again: peers and times."""


def number(text: str) -> float | None:
    """A decimal number; None for what is none, or none that can be compared."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def integer(text: str) -> int | None:
    """A whole number; None for what is none, or none that a store can hold (64 bits)."""
    try:
        value = int(text) if len(text) <= _DIGITS_KEPT else None
    except ValueError:
        return None
    return value


def digits(text: str) -> int | None:
    """The same, quicker, where the pattern lets digits only through."""
    return int(text) if len(text) <= _DIGITS_KEPT else None


@_SAME
def span(text: str) -> float | None:
    """Seconds of `12`, `1.5s`, `1m3s`, `00:01:02` or `1+00:01:02` (days)."""
    if text.replace(".", "", 1).isdigit():
        return float(text)
    match = _SPAN.fullmatch(text)
    if match is None or not text:
        return None
    days, hours, minutes, seconds, w, d, h, m, s = match.groups()
    if seconds is not None:
        return int(days or 0) * 86400.0 + int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return int(w or 0) * 604800.0 + int(d or 0) * 86400 + int(h or 0) * 3600 + int(m or 0) * 60 + float(s or 0)


def peer(text: str) -> str | None:
    """Who was tried; None for `none` and the empty text."""
    return None if text in ("none", "") else text


def address(text: str) -> str:
    """An address without angle brackets: `<a@b>` and `a@b` are the same; `<>` is the null sender, the empty text."""
    return text[1:-1] if text[:1] == "<" and text[-1:] == ">" else text


def identifier(text: str) -> str | None:
    """A Message-ID without its angle brackets; None for an empty one."""
    text = text.strip().removeprefix("<").removesuffix(">").strip()
    return text or None


def text_or_none(text: str) -> str | None:
    """The text without blanks around it; None when nothing is left."""
    return text.strip() or None


def lower(text: str) -> str | None:
    """Lower case; None when empty."""
    return text.lower() or None


def guid(text: str) -> str | None:
    """A GUID in lower case without dashes and braces; None when empty."""
    return text.strip("{} ").replace("-", "").lower() or None


def underscores(text: str) -> str:
    """Text in which blanks were written as underscores."""
    return text.replace("_", " ")


def addresses(text: str) -> str | None:
    """A list separated by `;`, as addresses separated by blanks."""
    return " ".join(address(item.strip()) for item in split_list(text)) or None


_SCOPE = re.compile(r"%\w+(?=\]|\Z)")


def unmarked(text: str) -> str | None:
    """What stands before the mark `##`: the address of `address##Receive, Deliver`."""
    return text.partition("##")[0].strip() or None


def socket(text: str) -> str | None:
    """`[address]` of `address:port`, with or without brackets round the address."""
    address = text.rpartition(":")[0].strip("[]")
    return f"[{address}]" if address else None


def bracketed(text: str) -> str | None:
    """`[address]` of an address that stands alone, as others are written; None for an empty one."""
    bare = text.strip().strip("[]")
    return f"[{bare}]" if bare else None


def endpoint(text: str) -> str | None:
    """`name[address]` without the scope of the address and without what is empty."""
    text = _SCOPE.sub("", text).replace("[]", "")
    return text or None


_PAIR = re.compile(
    r"\[?([^\s,()\[\]]+)\]?(?:(?:, ?| )(?:\w+=|reverse dns host |at )?|[ (]+)[(\[]?([^\s,()\[\]]+)[)\]]?", re.ASCII
)


@_SAME
def name_and_address(text: str) -> str | None:
    """`name[address]` of a name and an address side by side in any order: `A host=N`, `A (N)`, `N. [A]`, `N at A`."""
    match = _PAIR.fullmatch(text)
    if match is None:
        return text.strip().rstrip(".") or None
    first, second = match.groups()
    if _ADDRESS.fullmatch(first):
        first, second = second, first
    name = "" if first in (second, "<unknown>") else first.rstrip(".")
    return f"{name}[{second.removeprefix('IPv6:')}]"


_UNPROVED = re.compile(r"\([^)]*\) ?|DS (?=\[)")


def proved(text: str) -> str | None:
    """A peer without the name that it only claimed: `name (claimed) [address]:port`; nor Exim's mark of DNSSEC."""
    return _UNPROVED.sub("", text, count=1).strip() or None


_ADDRESS = re.compile(r"(?:IPv6:)?[0-9a-fA-F]*:[0-9a-fA-F:.]+|\d{1,3}(?:\.\d{1,3}){3}|local", re.ASCII)


_SESSION = re.compile(r"[0-9A-F]{16};(?=\d{3}[ -])", re.ASCII)


def reply(text: str) -> str | None:
    """The reply of the next hop, without the session's id that may stand before it."""
    return _SESSION.sub("", text, count=1).strip() or None


def latency(text: str) -> str | None:
    """The latency list of the server that wrote a row, of Exchange's `time;SRV=server:list;LSRV=server:list`."""
    segments = [one for one in text.split(";") if "SRV=" in one[:5] and ":" in one]
    own = next((one for one in segments if one.startswith("LSRV=")), segments[-1] if segments else "")
    return own.partition(":")[2].strip()[:_LATENCY_LENGTH] or None


_LATENCY_LENGTH = 1000
_INNER = re.compile(r"\((?:Retry|Fail|Resubmit) : (.+)\)\s*", re.DOTALL)


def hindrance(text: str) -> str | None:
    """What went wrong, of an Exchange connection's end `Messages: 0 Bytes: 0 (Retry : why)`, and of a failed
    connection, `Failed connection to address:port (error)[state of the target]`; any other text as it is."""
    match = _INNER.search(text)
    return (match.group(1) if match else text.partition("[Target")[0]).strip() or None


_SYMBOL = re.compile(r"\b(\w++)\((-?[\d.]+)\)", re.ASCII)
_SYMBOLS_KEPT = 8


def symbols(text: str) -> str | None:
    """Of a filter's symbols with their weights, `NAME(1.50){...},...`, those that speak against the message."""
    weights = [(name, number(weight) or 0.0) for name, weight in _SYMBOL.findall(text)]
    against = sorted((w for w in weights if w[1] > 0), key=lambda w: -w[1])[:_SYMBOLS_KEPT]
    return ", ".join(f"{name} {weight:g}" for name, weight in against) or None


_QUOTED = re.compile(r'"([^"]*)"\Z')


def comma_addresses(text: str) -> str | None:
    """A list separated by commas, as addresses separated by blanks; each may stand in quotes."""
    return " ".join(address(_QUOTED.sub(r"\1", item.strip())) for item in text.split(",")).strip() or None


_TEXTS = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)


def quoted_texts(text: str) -> str | None:
    """Texts in quotes, `'550', ['5.1.1 One', "two"]`, as one reply: `550 5.1.1 One two`; a code of 000 is none."""
    texts = [one or other for one, other in _TEXTS.findall(text)]
    return " ".join(texts[1:] if texts[:1] == ["000"] else texts).strip() or None


def untyped(text: str) -> str | None:
    """What stands behind the type of a field of a status notification (RFC 3464): `smtp;550 …`, `rfc822;a@b`."""
    kind, semicolon, rest = text.partition(";")
    return (rest if semicolon and kind.strip().lower() in _TYPES else text).strip() or None


_TYPES = ("smtp", "rfc822", "dns", "utf-8", "x-unix", "unknown")
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])", re.ASCII)


def last_reply(text: str) -> str | None:
    """Of parts separated by `;`, the last that begins with a reply code; the text itself where none does."""
    return next((part for part in reversed(text.split(";")) if _REPLY_CODE.match(part)), text) or None


def enhanced_status(text: str) -> str | None:
    """The first enhanced status code in a reply."""
    match = _ENHANCED.search(text[:400])
    return match.group(1) if match else None


CONVERTERS: dict[str, Callable[[str], object]] = {
    "digits": digits,
    "number": number,
    "integer": integer,
    "span": span,
    "peer": peer,
    "address": address,
    "identifier": identifier,
    "text": text_or_none,
    "lower": lower,
    "guid": guid,
    "underscores": underscores,
    "addresses": addresses,
    "unmarked": unmarked,
    "endpoint": endpoint,
    "socket": socket,
    "bracketed": bracketed,
    "proved": proved,
    "name_and_address": name_and_address,
    "comma_addresses": comma_addresses,
    "symbols": symbols,
    "quoted_texts": quoted_texts,
    "reply": reply,
    "last_reply": last_reply,
    "hindrance": hindrance,
    "latency": latency,
    "enhanced_status": enhanced_status,
    "untyped": untyped,
}
"""By the name that parser files use."""
