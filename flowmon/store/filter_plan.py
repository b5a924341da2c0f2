"""How a condition is best asked: by looking up its messages, or by testing each message for it; or of the tallies.

SQLite cannot know which keys many messages have. We ask the index, which costs a few milliseconds.
"""

from __future__ import annotations

import re

from flowmon.store.filter_match import LOOKED_UP, Condition
from flowmon.store.terms import BEGINNING

_LOOKED_UP = re.compile(rf"\(*m\.id IN \({re.escape(LOOKED_UP)}\)\)*")
_COLUMN = re.compile(r"\bm\.(\w+)")


def looked_up(condition: Condition) -> str | None:
    """The query of the messages that a condition looks up in the index, each once; None for another condition."""
    return LOOKED_UP if _LOOKED_UP.fullmatch(condition[0]) else None


def as_test(condition: Condition) -> str | None:
    """The same look-up as a test of one message: quicker where most messages have the key. None for what begins so:
    to gather all such terms for each message would take hours."""
    if not looked_up(condition) or BEGINNING in str(condition[1][0]):
        return None
    return f"EXISTS ({LOOKED_UP} AND rowid = m.id)"


def of_tallies(condition: Condition) -> bool:
    """Whether the tallies, as `m`, can tell how many messages a condition holds for."""
    return set(_COLUMN.findall(condition[0])) == {"statuses"}
