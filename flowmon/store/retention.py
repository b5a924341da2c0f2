"""What a store lets go: finished messages by age, then the oldest while it is too large, and what told of them."""

from __future__ import annotations

import sqlite3

from flowmon.store import failure_sums
from flowmon.store.standing import Standing

_SLICE = 2_000
"""Messages deleted in one transaction: readers and the next commit wait no longer than that takes."""
_BLOCK_SLICE = 200


def retain(db: sqlite3.Connection, standing: Standing, *, before: float, megabytes: float) -> int:
    """Delete finished messages older than `before` (epoch seconds), then the oldest while the store is too large.

    Gives how many. Open messages stay. Raises sqlite3.Error; what was deleted until then stays deleted.
    """
    deleted = _older(db, standing, before)
    while _size(db) > megabytes * 1e6:
        row = db.execute(
            "SELECT last_at FROM messages WHERE open = 0 ORDER BY last_at LIMIT 1 "
            "OFFSET (SELECT count(*) / 10 FROM messages WHERE open = 0)"
        ).fetchone()
        if row is None:
            break
        deleted += _older(db, standing, row[0] + 1e-3)
    return deleted


def _size(db: sqlite3.Connection) -> int:
    """Bytes in use: pages that are free are filled again."""
    pages, free, size = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _older(db: sqlite3.Connection, standing: Standing, before: float) -> int:
    deleted = 0
    while count := _messages(db, standing, before):
        deleted += count
    minute = int(before // 60)
    for table in ("facts", "queue_history"):
        db.execute(f"DELETE FROM {table} WHERE minute < ?", (minute,))
    _blocks(db, before)
    return deleted


def _messages(db: sqlite3.Connection, standing: Standing, before: float) -> int:
    ids = db.execute(f"SELECT id FROM messages WHERE last_at < ? AND open = 0 LIMIT {_SLICE}", (before,)).fetchall()
    if ids:
        db.execute("BEGIN IMMEDIATE")
        gone = [id for (id,) in ids]
        standing.take_out(db, gone)
        sums = failure_sums.of_messages(db, gone)
        for table in ("queue", "failures", "lines"):
            db.executemany(f"DELETE FROM {table} WHERE message = ?", ids)
        db.executemany("DELETE FROM messages WHERE id = ?", ids)
        failure_sums.make_again(db, sums)
        db.execute("COMMIT")
    return len(ids)


def _blocks(db: sqlite3.Connection, before: float) -> None:
    """Delete raw lines older than the oldest finished message that is kept. One that is open for longer does not hold
    them all, or a message on hold would fill the store."""
    row = db.execute("SELECT first_at FROM messages WHERE open = 0 ORDER BY first_at LIMIT 1").fetchone()
    oldest = row[0] if row is not None else before
    while db.execute(
        f"DELETE FROM blocks WHERE position IN (SELECT position FROM blocks WHERE at < ? LIMIT {_BLOCK_SLICE})",
        (oldest,),
    ).rowcount > 0:
        pass
