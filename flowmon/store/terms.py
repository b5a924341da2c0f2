"""Terms: how the keys of messages stand in the store's index, a full-text table of SQLite (FTS5).

A term is a letter for the kind and the value; the terms of a message are one text, a line each. SQLite keeps for
each term the messages that have it: 12 bytes a key, merged in the background, where a table with an index took 60 and
went to a random place for each. FTS5 folds capitals and ends a term at punctuation, so what it would change is
written in another way, sign by sign: what begins with a value still begins with its term.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from string import ascii_letters

from flowmon.model.flow import Fate, Flow
from flowmon.store.schema import Key
from flowmon.tracking.linking import HANDED
from flowmon.tracking.refusals import client_names, refused_login
from flowmon.tracking.replies import last_trace, peer_names

_STRANGE = re.compile(r"([^a-z0-9\-_.@+=:/\n\x80-\U0010ffff])")
"""What FTS5 would change; it takes every sign that is not ASCII for part of a word."""
_MARKED = re.compile(r"\^(.)|~(..)", re.DOTALL)
BEGINNING = " *"
"""Behind a term, in what FTS5 is asked: all that begin so. No term has a blank in it."""
SWAPPED = frozenset({Key.QUEUE_ID})
"""Kinds in whose values capitals and small letters are swapped: most of their letters are capitals."""
_LETTERS = {kind: chr(96 + kind) for kind in Key}
_STATUS = "z"
"""Before the letter of a status's place in STATUS_BY_SEVERITY."""
_OPEN = f"{_STATUS}+"
_SENDER, _RECIPIENT, _SENDER_DOMAIN, _RECIPIENT_DOMAIN, _MESSAGE_ID, _QUEUE_ID, _HOST, _NEXT_HOP, _NETWORK_ID, \
    _REPLY_ID, _PUT_OFF = _LETTERS.values()


_SWAP = str.maketrans(ascii_letters, ascii_letters.swapcase())


_MARKED_AS = {sign: f"^{sign.lower()}" if sign.isalpha() else f"~{ord(sign):02x}" for sign in map(chr, range(128))}


def _marked(text: str) -> str:
    """A text of one term or several with each strange sign written in another way."""
    parts = _STRANGE.split(text)  # strange signs stand between the others: all of it without a call for each sign
    if len(parts) == 1:
        return text
    parts[1::2] = map(_MARKED_AS.__getitem__, parts[1::2])
    return "".join(parts)


def _unmarked(sign: re.Match[str]) -> str:
    return sign[1].upper() if sign[1] else chr(int(sign[2], 16))


def _written(key: str) -> str:
    return _marked(key).replace("\n", "~0a")


def _swapped(id: str) -> str:
    """A queue ID: see SWAPPED."""
    return id.swapcase() if id.isascii() else id.translate(_SWAP)


def term(kind: Key, value: str) -> str:
    """The term of a value."""
    return _LETTERS[kind] + _written(_swapped(value) if kind in SWAPPED else value)


def value_of(term: str) -> str:
    """The value of a term."""
    value = _MARKED.sub(_unmarked, term[1:])
    return _swapped(value) if term[:1] == _QUEUE_ID else value


def match(terms: Iterable[tuple[Key, str]], *, beginning: bool = False) -> str:
    """What FTS5 is asked for messages with any of these keys; `beginning`: whose values begin so."""
    star = BEGINNING if beginning else ""
    return " OR ".join(f'"{term(kind, value)}"{star}' for kind, value in terms)


def match_statuses(places: Iterable[int]) -> str:
    """What FTS5 is asked for messages of which a recipient has any of these statuses."""
    return " OR ".join(f'"{_STATUS}{chr(97 + place)}"' for place in places)


def match_open(places: Iterable[int]) -> str:
    """The same for messages that are not at an end."""
    return f'"{_OPEN}" AND ({match_statuses(places)})'


@lru_cache(maxsize=1_024)
def of_statuses(statuses: int, open: int) -> str:
    """The terms, a line each, of a message's statuses (bits) and of its being open: see the columns.

    They stand in the index to be looked up together with keys: what many messages have, but few have both, is found in
    no other way at once.
    """
    letters = [f"{_STATUS}{chr(97 + place)}" for place in range(statuses.bit_length()) if statuses >> place & 1]
    return "\n".join([*letters, _OPEN] if open else letters)


def of(flow: Flow) -> str:
    """The terms of a message as one text. It hangs on nothing but the flow: to be taken out of the index, a message's
    terms are made again."""
    keys: dict[str, None] = {}
    sender = next((hop.sender for hop in flow.hops if hop.sender is not None), None)
    if sender is None:
        sender = refused_login(flow)
    if sender is not None:
        _address(keys, sender, _SENDER, _SENDER_DOMAIN)
    for hop in flow.hops:
        keys[_HOST + hop.host] = None
        if hop.message_id is not None:
            keys[_MESSAGE_ID + hop.message_id] = None
        if hop.queue_id is not None:
            keys[_QUEUE_ID + _swapped(hop.queue_id)] = None
        if hop.network_message_id is not None:
            keys[_NETWORK_ID + hop.network_message_id] = None
        for fate in hop.fates.values():
            _fate(keys, fate)
        if hop.refused is not None:
            for name in client_names(hop):
                keys[_PUT_OFF + name] = None
        for recipient in hop.recipients.split() if hop.recipients else ():
            _address(keys, recipient, _RECIPIENT, _RECIPIENT_DOMAIN)
    text = "\n".join(keys)
    if text.count("\n") >= len(keys):
        return "\n".join(map(_written, keys))
    return _marked(text)


def _fate(keys: dict[str, None], fate: Fate) -> None:
    _address(keys, fate.recipient, _RECIPIENT, _RECIPIENT_DOMAIN)
    if fate.original:
        _address(keys, fate.original, _RECIPIENT, _RECIPIENT_DOMAIN)
    if fate.relay is not None:
        keys.update(_next_hops(fate.relay))
    if trace := fate.reply_id or (last_trace(fate.diagnostic) if fate.status in HANDED else ""):
        keys[_REPLY_ID + trace] = None


@lru_cache(maxsize=2_000)
def _next_hops(relay: str) -> dict[str, None]:
    """The terms of a relay; not to be changed."""
    return {_NEXT_HOP + name: None for name in peer_names(relay)}


def _address(keys: dict[str, None], address: str, whole: str, domain: str) -> None:
    lower = address.lower()
    keys[whole + lower] = None
    at = lower.rfind("@")
    if at >= 0:
        keys[domain + lower[at + 1 :]] = None
