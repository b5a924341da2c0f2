"""How a condition is best asked: by looking up its messages, or by testing each message for it.

SQLite cannot know which keys many messages have. We ask the key index, which costs less than a millisecond.
"""

from __future__ import annotations

import re

from flowmon.store.filter_sql import Condition

_ARM = "SELECT message FROM keys WHERE "
_LOOKED_UP = re.compile(r"\(*m\.id IN \((SELECT message FROM keys WHERE [^()]*)\)\)*", re.DOTALL)
_ONE_KEY = f"{_ARM}kind = ? AND value = ?"


def looked_up(condition: Condition) -> str | None:
    """The query of the messages that a condition looks up by keys; None for a condition of another kind."""
    found = _LOOKED_UP.fullmatch(condition[0])
    return found[1] if found and "failures" not in found[1] else None


def one_key(condition: Condition) -> str | None:
    """The query of a condition that holds for the messages with one key: it finds each of them once."""
    query = looked_up(condition)
    return query if query == _ONE_KEY else None


def as_test(query: str) -> str:
    """The same look-up as a test of one message: quicker where most messages have the key."""
    arms = " OR ".join(f"({arm.removeprefix(_ARM)})" for arm in query.split(" UNION ALL "))
    return f"EXISTS (SELECT 1 FROM keys WHERE message = m.id AND ({arms}))"
