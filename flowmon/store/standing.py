"""What stands of each message beside its row: its terms in the index, and its one in the tallies.

Neither can be taken back without knowing what was put there, and neither says so itself: what stands of the rows that
were written last is remembered, that of older ones is made again from the row.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

from flowmon.store import terms
from flowmon.store.packed import Packed
from flowmon.store.rows import MESSAGE_COLUMNS, Rows, decode

_OPEN = MESSAGE_COLUMNS.index("open")
_REMEMBERED = 8_000
"""Messages: those that change soon after they were written, as their next lines come."""
_LONG = 4_000
"""Characters of terms that are not remembered: messages to whole lists would take all memory."""


Tally = tuple[int, int, int]
"""Minute, status and statuses: see the table."""
Stood = tuple[str, Tally]
"""What stands of one message: its terms, and its one in the tallies."""


def _with_statuses(keys: str, statuses: int, open: int) -> str:
    """All terms of a message; none where it has no keys, as statuses alone are told by columns."""
    return f"{keys}\n{terms.of_statuses(statuses, open)}" if keys else ""


class Standing:
    """Keeps index and tallies in step with the rows of messages, within the caller's transaction."""

    def __init__(self, bodies: Packed, *, keyed: bool) -> None:
        """`keyed`: messages in the store may have terms."""
        self._bodies = bodies
        self._keyed = keyed
        self._remembered: dict[int, Stood] = {}

    def write(self, db: sqlite3.Connection, rows: Iterable[Rows], new_from: int) -> None:
        """Put in what rows have to stand for, in the place of what stood; before they are written.

        Args:
            new_from: of rows below this id the store may have an earlier form.
        """
        remembered = self._remembered
        tallies: Counter[Tally] = Counter()
        out: list[tuple[int, str]] = []
        in_: list[tuple[int, str]] = []
        for row in rows:
            id, keys = row.id, row.terms
            message: Any = row.message
            tally = (int(message[2] // 60), message[3], message[4])
            text = ""
            if keys:
                text = _with_statuses(keys, message[4], message[_OPEN])
                self._keyed = True
            stood = self._of(db, id) if id < new_from else None
            if len(keys) <= _LONG:
                remembered[id] = text, tally
            else:
                remembered.pop(id, None)
            if stood is None:
                tallies[tally] += 1
                in_.append((id, text))
                continue
            before, stood_in = stood
            if stood_in != tally:
                tallies[tally] += 1
                tallies[stood_in] -= 1
            if before != text:
                in_.append((id, text))
                out.append((id, before))
        self._apply(db, out, in_, tallies)
        over = len(remembered) - _REMEMBERED
        if over > 0:
            for id in [*islice(remembered, over + _REMEMBERED // 10)]:
                del remembered[id]

    def take_out(self, db: sqlite3.Connection, ids: Iterable[int]) -> None:
        """Take out what stands of messages that go; before they are deleted. Batches put together name some again."""
        stood = [(id, *found) for id in set(ids) if (found := self._of(db, id)) is not None]
        tallies: Counter[Tally] = Counter()
        tallies.subtract(tally for _, _, tally in stood)
        self._apply(db, [(id, text) for id, text, _ in stood], [], tallies)
        for id, _, _ in stood:
            self._remembered.pop(id, None)

    def doubt(self) -> None:
        """A transaction was taken back: nothing that is remembered need be so."""
        self._remembered.clear()

    def _of(self, db: sqlite3.Connection, id: int) -> Stood | None:
        found = self._remembered.get(id)
        if found is not None:
            return found
        row = db.execute("SELECT last_at, status, statuses, body, open FROM messages WHERE id = ?", (id,)).fetchone()
        if row is None:
            return None
        keys = terms.of(decode(id, self._bodies.unpack(row[3]))) if self._keyed else ""
        return _with_statuses(keys, row[2], row[4]), (int(row[0] // 60), row[1], row[2])

    def _apply(
        self, db: sqlite3.Connection, out: Iterable[tuple[int, str]], in_: Iterable[tuple[int, str]],
        tallies: Counter[Tally],
    ) -> None:
        if self._keyed:
            db.executemany("INSERT INTO keys (keys, rowid, terms) VALUES ('delete', ?, ?)", out)
            db.executemany("INSERT INTO keys (rowid, terms) VALUES (?, ?)", in_)
        db.executemany(
            "INSERT INTO tallies VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
            [(*key, n) for key, n in tallies.items() if n],
        )
        db.executemany("DELETE FROM tallies WHERE minute = ? AND status = ? AND statuses = ? AND n = 0",
                       [key for key, n in tallies.items() if n < 0])
