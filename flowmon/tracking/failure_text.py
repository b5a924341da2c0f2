"""What a log says of a failure, taken apart: the reply itself, its codes, the command it answers, and its bare words.

The reply comes wrapped in the words of the program that logged it; these are taken off first, innermost last. What
names somebody (addresses, hosts, links, message ids) is taken out before a rule reads the words, so that neither a
recipient called `spam` nor a help link decides.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

MAX_CHARACTERS = 2000

_ENHANCED = r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?!\.?[0-9])"
_START = re.compile(rf"\W{{0,2}}([2-5][0-5][0-9])(?=[ \-#]|$)(?:[ -]\(?#?({_ENHANCED}))?")
_ANYWHERE = re.compile(rf"(?<![0-9.])([245][0-5][0-9])[ -]#?({_ENHANCED})")
_ENHANCED_ALONE = re.compile(rf"^\W{{0,2}}({_ENHANCED})|\(#({_ENHANCED})\)|(?:dsn=|Status: ?)({_ENHANCED})")

_AT_CONNECT = "refused to talk to me: "
_AT_LOGIN = "AUTH failure ("
"""Sendmail's words; it tells of a login under the ID of a message, whose command is not known otherwise."""
_WRAPPERS = tuple((literal, re.compile(pattern, re.DOTALL)) for literal, pattern in (
    ("temporarily suspended: ", r"delivery temporarily suspended: (?P<reply>.*)"),
    ("{LED=", r"\{LED=(?P<reply>[^{}]*)\}"),
    ("returned '", r"[Ss]erver returned '(?P<reply>[^']*)'"),
    ("returned an error -> ", r"returned an error -> (?P<reply>.*)"),
    ('responded with: "', r'responded with: "(?P<reply>[^"]*)'),
    (" said: ", r"(?:host|server) (?P<host>\S+)(?: \[[^\]]*\])? said: (?P<reply>.*?)"
                r"(?: \(in reply to (?P<command>[^)]*)\)|$)"),
    (_AT_LOGIN, r"^AUTH failure \([^)]*\): (?P<reply>.*)"),
    (_AT_CONNECT, r"(?:host (?P<host>\S+) )?refused to talk to me: (?P<reply>.*)"),
    ("SMTP error from remote mail", r"SMTP error from remote mail(?:er| server) after "
                                    r"(?P<command>[^:]*(?::<[^>]*>[^:]*)?): (?:host \S+ \[[^\]]*\]: )?(?P<reply>.*)"),
    ("(reason: ", r"\(reason: (?P<reply>.*?)\)?$"),
    ("Remote host said: ", r"Remote host said: (?P<reply>.*)"),
    ("smtp;", r"smtp; ?(?P<reply>[245][0-9][0-9].*)"),
    ("Deferred: ", r"^Deferred: (?P<reply>.*)"),
))
_OWN_FILTER = re.compile(r"\bmilter[-:]|^Milter\b|^milter\b", re.ASCII)
_LOOPBACK = re.compile(r"(?:^|\[)(?:127\.|::1\b|IPv6:::1\b|localhost\b)")

_TRAILER = re.compile(r"; from=<[^>]*>.*?(?:helo=<[^>]*>|$)")
_QUOTED_PART = re.compile(r"^.*? from \S+\[[^\]]*\]; from=<[^>]*>.*?helo=<[^>]*>: ")
_NOISE = re.compile(
    r"""(?P<component>\b(?:RESOLVER|QUEUE|ROUTING|SMTPSEND|STOREDRV|CAT|AGENT|APPROVAL|SUBMISSION)\.[A-Za-z][\w.]*)
    | (?:Received-SPF|DKIM-Signature|Authentication-Results|ARC-[A-Z][\w-]+):[^\r\n]*
    | \b(?:spf|dkim|dmarc|arc)=(?:pass|none|neutral)\b
    | (?<=ser:[ ])"[^"]*"
    | <[^<>\s]*[@\[][^<>\s]*>
    | (?<![\w.+=/-])[\w.+=/-]++@[\w.-]+
    | \bname=\S+
    | (?<![\w.-])[\w.-]++\[[0-9a-fA-F.:]+\](?::[0-9]+)?
    | (?<![\w.])\[?[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b\]?
    | (?P<link>https?://\S+ | www\.\S+ | (?<![\w.-])(?:[\w-]++\.){1,9}(?:[a-z]{2,}|[A-Z]{2,})\b)
    """,
    re.VERBOSE | re.ASCII,
)
_TELLING_NAME = re.compile(
    r"spamhaus|spamcop|barracudacentral|dnsbl|\brbl|sorbs|abuseat|uceprotect|ipcheck|open-?spf(?=\.\w+/why)"
)

_COMMANDS = (
    ("rcpt", "RCPT"), ("mail", "MAIL"), ("end", "END"), ("data", "DATA"), ("bdat", "END"), ("auth", "AUTH"),
    ("starttls", "STARTTLS"), ("initial conn", "CONNECT"), ("conn", "CONNECT"), ("ehlo", "EHLO"), ("helo", "EHLO"),
)


class Said(msgspec.Struct, frozen=True):
    """A failure text taken apart."""

    words: str
    """What rules read: lower case, without names of persons, hosts and pages."""
    reply_code: int | None
    enhanced_status: str | None
    command: str | None
    """CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA or END (the end of the data)."""
    by_us: bool
    """The text shows that a filter of ours spoke: a milter, or a proxy on the loopback address."""


@lru_cache(maxsize=8192)
def take_apart(text: str) -> Said:
    """Unwrap a logged failure and read its codes and words."""
    reply, command, by_us, aside = _unwrap(text[:MAX_CHARACTERS])
    code, enhanced = _codes(reply)
    words = f"{_one_line(reply, code, enhanced)} {aside}"
    return Said(" ".join(_NOISE.sub(_without, words).lower().split()), code, enhanced, command, by_us)


def reply_code(text: str | None) -> int | None:
    """The SMTP reply code in a logged text."""
    return take_apart(text).reply_code if text else None


def enhanced_status(text: str | None) -> str | None:
    """The enhanced status code in a logged text; an address or a version that looks like one is none."""
    return take_apart(text).enhanced_status if text else None


def command_word(command: str | None) -> str | None:
    """One word for an SMTP command as a log names it (`RCPT TO`, `END-OF-MESSAGE`, `end of data`)."""
    if not command:
        return None
    lower = command.lower().removeprefix("pipelined ")
    return next((word for start, word in _COMMANDS if lower.startswith(start)), None)


def _unwrap(text: str) -> tuple[str, str | None, bool, str]:
    """The innermost reply, the command it answers, whether our own filter spoke, and words of the wrapper to keep."""
    command: str | None = None
    aside = ""
    by_us = _OWN_FILTER.search(text) is not None
    if "_" in text and " " not in text.strip():
        text = text.replace("_", " ")
    text = _QUOTED_PART.sub("", text)
    for _ in range(4):
        literal, found = next(
            ((literal, m) for literal, p in _WRAPPERS if literal in text and (m := p.search(text))), ("", None)
        )
        if found is None:
            break
        parts = found.groupdict()
        command = command_word(parts.get("command")) or command
        by_us = by_us or _LOOPBACK.search(parts.get("host") or "") is not None
        if literal == _AT_CONNECT:
            command, aside = "CONNECT", _AT_CONNECT
        elif literal == _AT_LOGIN:
            command = "AUTH"
        text = parts["reply"]
    return _TRAILER.sub("", text).strip(), command, by_us, aside


def _codes(reply: str) -> tuple[int | None, str | None]:
    found = _START.match(reply) or _ANYWHERE.search(reply)
    code = int(found[1]) if found else None
    if found and found[2]:
        return code, found[2]
    alone = _ENHANCED_ALONE.search(reply)
    return code, alone[alone.lastindex or 0] if alone else None


def _one_line(reply: str, code: int | None, enhanced: str | None) -> str:
    """The lines of a reply joined: the prefix that each line repeats is taken out."""
    if code is None or f"{code}-" not in reply:
        return reply
    again = rf"(?:^|\s|\\r|\\n){code}[- ](?:{re.escape(enhanced)}\s+)?" if enhanced else rf"(?:^|\s|\\r|\\n){code}[- ]"
    return re.sub(again, " ", reply)


def _without(noise: re.Match[str]) -> str:
    """What remains of a name: an Exchange component entirely, of a link or host only the block list it names.

    (Or that it explains an SPF result.)
    """
    if noise["component"]:
        return noise[0]
    listed = _TELLING_NAME.search(noise["link"].lower()) if noise["link"] else None
    return f" {listed[0]} " if listed else " "
