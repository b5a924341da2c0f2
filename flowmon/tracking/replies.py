"""The next hop's own id in its reply, and the names and addresses in what a log says of a peer.

Reply forms, from the programs' own texts: Postfix `queued as X`, Exim `OK id=X`, Sendmail and OpenSMTPD
`X Message accepted for delivery`, Gmail `OK TIME X - gsmtp`, Dovecot LMTP `<user> SESSION Saved`, Exchange and
Outlook.com `[InternalId=n, Hostname=h]`, Haraka `Message Queued (X)`, Proxmox Mail Gateway `2.5.0 OK (X)`, Cisco ESA
`ok:  Message X accepted`, Amavis with the inner reply last.
"""

from __future__ import annotations

import re
from functools import lru_cache

_FORMS = tuple((literal, re.compile(pattern, re.ASCII)) for literal, pattern in (
    ("queued as ", r"queued as ([\w.-]+)"),
    (" Saved", r"> (\S{8,}) Saved"),
    ("OK id=", r"OK id=([\w-]+)"),
    ("[InternalId=", r"\[InternalId=(\d+)"),
    (" Message accepted for delivery", r"(?<![\w-])([\w-]{8,}) Message accepted for delivery"),
    ("2.5.0 OK (", r"2\.5\.0 OK \(([0-9A-F]{6,})\)"),
    ("ok:  Message ", r"ok:  Message (\d+) accepted"),
    ("Message Queued (", r"Message Queued \(([\w.-]+)\)"),
))
_QUEUED_AS = _FORMS[0][1]
_GMAIL = re.compile(r"OK +(?:DMARC:\w+ +)?\d+ ([\w.-]+) - gsmtp", re.ASCII)


def reply_id(text: str | None) -> str:
    """The queue ID that a reply names, to join hops by; "" for none. The last one counts: a filter quotes the reply of
    the hop behind it. Gmail's is none: its logs are nobody's, and half of all replies may be its."""
    if text is None or text[-5:] == "gsmtp":
        return ""
    last = text.rfind("queued as ")
    if last >= 0 and (match := _QUEUED_AS.fullmatch(text, last)) is not None:
        return match[1]  # most replies end so: nothing else can stand behind it
    found, place = "", -1
    for literal, pattern in _FORMS:
        if literal in text:
            for match in pattern.finditer(text):
                if match.start() > place:
                    found, place = match[1], match.start()
    return found


def last_trace(text: str | None) -> str:
    """The next hop's own id for the mail that it took, whoever that is; "" for none."""
    gmail = _GMAIL.search(text) if text is not None else None
    return gmail[1] if gmail is not None else reply_id(text)


@lru_cache(maxsize=10_000)
def peer_names(text: str | None) -> tuple[str, ...]:
    """Name and address, lower case, in `name[address]:port`, `name. [address]`, `address (name)` or a bare name.

    What is no host (a transport such as `local`, a socket path) gives nothing.
    """
    if not text:
        return ()
    if "[" in text:
        name, _, rest = text.partition("[")
        address = rest.partition("]")[0]
    elif "(" in text:
        address, _, rest = text.partition("(")
        name = rest.partition(")")[0]
    else:
        name, address = text, ""
    found = []
    for part in (name, address):
        part = part.strip(" .").removeprefix("smtp://").removeprefix("IPv6:").lower()
        if part and part not in ("unknown", "none", "local", "virtual") and "/" not in part and (
            "." in part or ":" in part or part == name.strip(" .").lower()
        ):
            found.append(part)
    return tuple(found)


@lru_cache(maxsize=10_000)
def relay_name(text: str | None) -> str | None:
    """A short name for a relay, to group by: its host name, else its address, else the text."""
    if not text:
        return None
    names = peer_names(text)
    return names[0] if names else text.partition("[")[0].strip() or text
