"""What each queue held, and what came into it and left it, by the minute: for rates and trends."""

from __future__ import annotations

import sqlite3
from collections.abc import Set

Held = tuple[str, str, int]
"""Host, next hop, and the row of a message that waits on the one for the other."""


class QueueHistory:
    """Keeps the history in step with the queue, within the caller's transaction.

    All that waits is counted once a minute, and between that only what moved: where much waits, a count with each
    commit would take a third of a core.
    """

    def __init__(self) -> None:
        self._minute = -1
        """For which all was counted last."""

    def note(self, db: sqlite3.Connection, before: Set[Held], after: Set[Held], now: float) -> None:
        """Note at `now` (epoch seconds) what messages held in queues before they changed, and what they hold since."""
        minute = int(now // 60)
        counted = minute == self._minute
        moved: dict[tuple[str, str], list[int]] = {}
        for host, next_hop, _ in after - before:
            moved.setdefault((host, next_hop), [0, 0])[0] += 1
        for host, next_hop, _ in before - after:
            moved.setdefault((host, next_hop), [0, 0])[1] += 1
        db.executemany(
            "INSERT INTO queue_history VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET messages = "
            "messages + excluded.messages, arrived = arrived + excluded.arrived, left = left + excluded.left",
            [(minute, *queue, came - went if counted else 0, came, went) for queue, (came, went) in moved.items()],
        )
        if not counted:
            self._minute = minute
            db.execute("UPDATE queue_history SET messages = 0 WHERE minute = ?", (minute,))  # of what is empty by now
            db.execute(
                "INSERT INTO queue_history SELECT ?, host, next_hop, count(DISTINCT message), 0, 0 FROM queue "
                "WHERE true GROUP BY host, next_hop ON CONFLICT DO UPDATE SET messages = excluded.messages",
                (minute,),
            )

    def doubt(self) -> None:
        """A transaction was taken back: the count of this minute may be gone with it."""
        self._minute = -1
