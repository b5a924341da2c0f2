"""Which messages a filter finds: as a condition, few by their ids, or a page of the newest.

SQLite cannot know how many messages have a key or a status. We look before we ask: what few messages have is looked up
once; where many do, the newest messages are walked and tested until the page is full.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_left
from typing import Any

from flowmon.store import filter_plan
from flowmon.store.filter import Filter
from flowmon.store.overview import Ask, Where

MANY = 20_000
"""So many messages, or fewer, are few."""
_SHORT = 1_000
"""So few are sorted as they are for any page."""
_WINDOWS = (2_000, 8_000)
"""Of the newest messages, among which a page is looked for before all that is found is gathered and sorted."""
_WIDEST = 200_000
"""The largest window that is chosen by how many messages are found; as many are looked at in a quarter of a second."""
_SPREAD = 4
"""So many times its size the ids of a window may lie apart to be gathered at once; those below are outliers."""
_OLD = 100
"""Outliers that are asked for one by one."""


class Finding:
    """Finds in one store. Safe for several threads, as its `ask` is."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._local = threading.local()

    def where(self, filter: Filter | None, now: float) -> Where:
        """The condition of a filter at `now`, in seconds since the epoch, with its WHERE; "" for none."""
        if filter is None:
            return "", []
        condition, parameters = filter.sql(now)
        return f" WHERE {condition}", list(parameters)

    def count(self, filter: Filter, now: float) -> int:
        """How many messages a filter finds."""
        of_tallies = filter_plan.of_tallies(filter)
        if of_tallies is not None:
            return int(self._ask(f"SELECT total(n) FROM tallies WHERE {of_tallies[0]}", of_tallies[1])[0][0])
        excluded = filter.excluded
        if excluded is not None:
            return int(self._ask("SELECT total(n) FROM tallies", ())[0][0]) - self.count(excluded, now)
        where, parameters = self.where(filter, now)
        if filter_plan.is_look_up(where):
            return int(self._ask(f"SELECT count(*) FROM ({filter_plan.LOOKED_UP})", parameters)[0][0])
        few = self._few(where, parameters)
        if few is not None:
            return len(few)
        return int(self._ask(f"SELECT count(*) FROM messages m{where}", parameters)[0][0])

    def narrowed(self, filter: Filter | None, now: float) -> Where | None:
        """The condition of a filter: by the messages themselves where they are few; None without a filter."""
        if filter is None:
            return None
        where = self.where(filter, now)
        few = self._few(*where)
        return where if few is None else _these(few)

    def page(self, filter: Filter | None, now: float, newest: int | None) -> Where:
        """A condition for a page of what a filter finds: it holds for the first `newest` messages by their last line,
        and for no other message; for all that are found where `newest` is None."""
        if filter is None:
            return "", []
        where, parameters = self.where(filter, now)
        few = self._few(where, parameters)
        if few is not None and len(few) <= _SHORT:
            return _these(few)
        for size in self._windows(where, parameters, few, newest) if newest is not None else ():
            inside = self._inside(where, parameters, size)
            if inside is None:
                break
            if self._ask(f"SELECT 1 FROM messages m{inside[0]} LIMIT 1 OFFSET {newest}", inside[1]):
                return inside
        return (where, parameters) if few is None else _these(few)

    def _windows(self, where: str, parameters: list[Any], few: list[int] | None, newest: int) -> list[int]:
        """Sizes of windows to look for a page in; the last one by how many are found, where that can be told."""
        found = len(few) if few is not None else 0
        if few is None and filter_plan.is_look_up(where):
            found = self._ask(f"SELECT count(*) FROM ({filter_plan.LOOKED_UP})", parameters)[0][0]
        if not found:
            return list(_WINDOWS)
        total = self._ask("SELECT total(n) FROM tallies", ())[0][0]
        size = int(1.5 * newest * total / found)
        return [*(one for one in _WINDOWS if 2 * one > size), *([size] if _WINDOWS[-1] < size <= _WIDEST else [])]

    def _inside(self, where: str, parameters: list[Any], size: int) -> Where | None:
        """The same condition for so many of the newest messages; None where there are no more of them.

        Their ids are the highest but for some that wait for long: what is looked up is gathered from those ids on, and
        the others are asked for one by one.
        """
        newest = self._ask("SELECT id, last_at FROM messages ORDER BY last_at DESC LIMIT ?", (size,))
        if len(newest) < size:
            return None
        ids = sorted(id for id, _ in newest)
        outliers = min(bisect_left(ids, ids[-1] - _SPREAD * size), _OLD)
        old, first = ids[:outliers], ids[outliers]
        bound = list(parameters)
        for place in filter_plan.look_ups(where):
            found = self._ask(f"{filter_plan.LOOKED_UP} AND rowid >= {first}", (parameters[place],))
            found += self._ask(
                f"SELECT value FROM json_each(?) WHERE EXISTS ({filter_plan.LOOKED_UP} AND rowid = value)",
                (json.dumps(old), parameters[place]),
            ) if not filter_plan.is_beginning(parameters[place]) else self._ask(
                f"{filter_plan.LOOKED_UP} AND rowid < {first}", (parameters[place],))
            bound[place] = json.dumps([id for (id,) in found])
        return f"{filter_plan.with_ids(where)} AND m.last_at > ?", [*bound, newest[-1][1]]

    def _few(self, where: str, parameters: list[Any]) -> list[int] | None:
        """The messages that match, where they are few: found once for their count and for their rows."""
        key = (where, tuple(parameters), self._ask("PRAGMA data_version", ())[0][0])
        asked, found = getattr(self._local, "few", (None, None))
        if asked != key:
            sql = filter_plan.LOOKED_UP if filter_plan.is_look_up(where) else f"SELECT m.id FROM messages m{where}"
            found = None if self._common(where, parameters) else [
                id for (id,) in self._ask(f"{sql} LIMIT {MANY + 1}", parameters)]
            if found is not None and len(found) > MANY:
                found = None
            self._local.few = (key, found)
        return found

    def _common(self, where: str, parameters: list[Any]) -> bool:
        """Whether a condition looks up keys that many messages have: all would be gathered to find the first."""
        return any(
            self._ask(f"SELECT 1 FROM ({filter_plan.LOOKED_UP}) LIMIT 1 OFFSET {MANY}", (parameters[place],))
            for place in filter_plan.look_ups(where)
        )


def _these(ids: list[int]) -> Where:
    return " WHERE m.id IN (SELECT value FROM json_each(?))", [json.dumps(ids)]
