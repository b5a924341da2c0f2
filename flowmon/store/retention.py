"""What a store lets go: finished messages by age, then the oldest while it is too large, and what told of them.

The index grows when messages are taken out of it: what says so takes as much room as they did, until the parts that the
index consists of are merged. If messages were let go while the store is too large, and no more, all of them would go.
"""

from __future__ import annotations

import sqlite3

from flowmon.store import failure_sums
from flowmon.store.standing import Standing

_SLICE = 2_000
"""Messages deleted in one transaction: readers and the next commit wait no longer than that takes."""
_BLOCK_SLICE = 200
_MERGED_PAGES = 1_000
"""Of the index in one transaction."""
_MUCH = 0.25
"""Messages that were let go, by those that are left: the index is merged though there is room."""


def retain(db: sqlite3.Connection, standing: Standing, *, before: float, megabytes: float) -> int:
    """Delete finished messages older than `before` (epoch seconds), then the oldest while the store is too large.

    Gives how many. Open messages stay. Raises sqlite3.Error; what was deleted until then stays deleted.
    """
    deleted = _older(db, standing, before)
    while True:
        over = _size(db) > megabytes * 1e6
        gone = _indexed_still(db)
        if gone and (over or gone > _MUCH * db.execute("SELECT total(n) FROM tallies").fetchone()[0]):
            _merge_index(db)
        elif over and (upto := _oldest_tenth(db)) is not None:
            deleted += _older(db, standing, upto)
        else:
            return deleted


def _size(db: sqlite3.Connection) -> int:
    """Bytes in use: pages that are free are filled again."""
    pages, free, size = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _oldest_tenth(db: sqlite3.Connection) -> float | None:
    """The time before which a tenth of the finished messages ended; None without any."""
    row = db.execute(
        "SELECT last_at FROM messages WHERE open = 0 ORDER BY last_at LIMIT 1 "
        "OFFSET (SELECT count(*) / 10 FROM messages WHERE open = 0)"
    ).fetchone()
    return row[0] + 1e-3 if row is not None else None


def _indexed_still(db: sqlite3.Connection) -> int:
    """Messages deleted since the index was merged."""
    row = db.execute("SELECT value FROM meta WHERE name = 'indexed_still'").fetchone()
    return int(row[0]) if row is not None else 0


def _merge_index(db: sqlite3.Connection) -> None:
    """Merge all parts of the index to one, in which nothing is left of what was taken out."""
    pages = -_MERGED_PAGES  # below zero: all parts, not only those that are alike in size
    while True:
        before = db.total_changes
        db.execute("INSERT INTO keys (keys, rank) VALUES ('merge', ?)", (pages,))
        if db.total_changes - before < 2:  # so SQLite tells that there was nothing to do
            break
        pages = _MERGED_PAGES
    db.execute("DELETE FROM meta WHERE name = 'indexed_still'")


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
        db.execute("INSERT INTO meta VALUES ('indexed_still', ?) ON CONFLICT DO UPDATE "
                   "SET value = value + excluded.value", (len(ids),))
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
