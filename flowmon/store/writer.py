"""The writing side of the SQLite store: one writer, any readers (WAL).

Each commit is whole: messages that changed (open ones too), positions of the lines that were folded into them, and
what the tracker and the readers need to go on. A collector that is killed loses nothing and doubles nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from flowmon.errors import StoreError, StoreReadError
from flowmon.model.flow import Flow
from flowmon.model.listed import Listing
from flowmon.model.words import STATUS_BY_SEVERITY, DeliveryStatus
from flowmon.sources.file_names import original, storable
from flowmon.store import evidence, failure_sums, retention
from flowmon.store.batch import Batch, FileRow, SourceState
from flowmon.store.lock import CollectorLock
from flowmon.store.packed import UNPACKED_FOR_A_WHILE, Packed
from flowmon.store.queue_history import QueueHistory
from flowmon.store.rows import MESSAGE_COLUMNS, decode
from flowmon.store.schema import EARLY_INDEXES, INDEXES, KEYS, SCHEMA_VERSION, TABLES, Key
from flowmon.store.standing import Standing
from flowmon.store.terms import match
from flowmon.tracking.hosts import KnownHosts

_INSERT_MESSAGE = (
    f"INSERT INTO messages ({', '.join(MESSAGE_COLUMNS)}) VALUES ({', '.join('?' * len(MESSAGE_COLUMNS))})"
)
_REPLACE_MESSAGE = _INSERT_MESSAGE.replace("INSERT", "INSERT OR REPLACE", 1)
_KINDS = {
    "message-id": Key.MESSAGE_ID, "queue-id": Key.QUEUE_ID, "reply-id": Key.REPLY_ID,
    "network-message-id": Key.NETWORK_MESSAGE_ID, "put-off": Key.PUT_OFF,
}


class Writer:
    """Writes a store. `temporary`: one that a command fills and reads. `for_screen`: one whose collector a screen
    started, and which another screen may go on with."""

    def __init__(self, path: Path, *, temporary: bool = False, for_screen: bool = False) -> None:
        self.path = path
        self.temporary = temporary
        self._lock = None if temporary else CollectorLock(path, for_screen=for_screen)
        self._stored_before = 0
        """Rows below this id may stand in the store already."""
        self._history = QueueHistory()
        self._bodies = Packed(lambda: self.meta("bodies"), as_they_are=UNPACKED_FOR_A_WHILE if temporary else 0)
        self._texts = Packed(lambda: self.meta("texts"))
        self._standing = Standing(self._bodies, keyed=not temporary)
        try:
            self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._prepare()
        except StoreError:
            self.close()
            raise
        except sqlite3.Error as fault:
            self.close()
            raise StoreError(f"{path}: cannot be opened as a store: {fault}; {_remedy_of_opening(fault)}") from None

    def say(self, trouble: str | None) -> None:
        """Tell readers what keeps the collector from writing; None when nothing does."""
        if self._lock is not None:
            self._lock.say(trouble)

    def _prepare(self) -> None:
        db = self.db
        if self.temporary:
            db.execute("PRAGMA page_size=16384")
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("PRAGMA journal_mode=OFF")
            db.execute("PRAGMA synchronous=OFF")
            db.execute("PRAGMA cache_size=-8000")
        else:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute("PRAGMA busy_timeout=5000")
            db.execute("PRAGMA cache_size=-8000")
            db.execute("PRAGMA wal_autocheckpoint=2000")
        db.executescript(TABLES + KEYS + EARLY_INDEXES)
        version = self.meta("schema")
        if version is not None and version != SCHEMA_VERSION:
            raise StoreError(
                f"{self.path}: the store has version {version}, this flowmon writes {SCHEMA_VERSION}: "
                "move the file away, it is filled again from the logs"
            )
        if not self.temporary:
            db.executescript(INDEXES)
        db.execute("INSERT OR REPLACE INTO meta VALUES ('schema', ?)", (SCHEMA_VERSION,))
        row = db.execute("SELECT max(id) FROM messages").fetchone()
        self._stored_before = (row[0] or 0) + 1

    def _ask(self, sql: str, parameters: Any = ()) -> Iterator[Any]:
        try:
            yield from self.db.execute(sql, parameters)
        except sqlite3.Error as fault:
            raise StoreReadError(f"{self.path}: cannot be read: {fault}; {_remedy(fault)}") from None

    def meta(self, name: str) -> Any:
        """A value kept beside the messages; None when there is none."""
        return next((r[0] for r in self._ask("SELECT value FROM meta WHERE name = ?", (name,))), None)

    # --- commits ------------------------------------------------------------------------------------------------

    def commit(self, batch: Batch) -> None:
        """Write a batch as one transaction. Raises StoreError (disk full, ...); then nothing of it is written."""
        db = self.db
        with self._writing():
            db.execute("BEGIN IMMEDIATE")
            self._messages(batch)
            db.executemany(
                "INSERT INTO facts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                batch.facts,
            )
            db.executemany(
                "INSERT OR REPLACE INTO sources VALUES (?, ?)",
                [(s.path, _encoded(s)) for s in batch.sources],
            )
            db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)",
                           [(f.number, f.path, f.host, f.body) for f in batch.files])
            texts = [(position, message, text.encode("utf-8", "replace")) for position, message, text in batch.lines]
            self._texts.learn([text for _, _, text in texts])
            db.executemany("INSERT OR IGNORE INTO lines VALUES (?, ?, ?)",
                           [(position, message, self._texts.pack(text)) for position, message, text in texts])
            self._rehome(batch)
            newest = batch.meta.get("now") or 0.0
            db.executemany("INSERT OR IGNORE INTO blocks VALUES (?, ?, ?, ?)",
                           [(p, n, newest, zlib.compress(data, 1)) for p, n, data in batch.blocks])
            learnt = {"bodies": self._bodies.learnt, "texts": self._texts.learnt}
            meta = batch.meta | {name: content for name, content in learnt.items() if content is not None}
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(meta.items()))
            db.execute("COMMIT")
        self._bodies.learnt = self._texts.learnt = None
        self._stored_before = max([self._stored_before, *(r.id + 1 for r in batch.rows)])

    def take_listing(self, listing: Listing) -> None:
        """Keep what an MTA lists of its queue, in place of what it listed before. Raises StoreError."""
        key = (listing.host, listing.mta)
        heads = msgspec.msgpack.decode(self.meta("listings") or b"\x90", type=list[Listing])
        heads = [one for one in heads if (one.host, one.mta) != key]
        heads.append(msgspec.structs.replace(listing, messages=[]))
        with self._writing():
            self.db.execute("BEGIN IMMEDIATE")
            self.db.execute("DELETE FROM listed WHERE host = ? AND mta = ?", key)
            self.db.executemany("INSERT INTO listed VALUES (?, ?, ?)",
                                [(*key, msgspec.msgpack.encode(one)) for one in listing.messages])
            self.db.execute("INSERT OR REPLACE INTO meta VALUES ('listings', ?)", (msgspec.msgpack.encode(heads),))
            self.db.execute("COMMIT")

    def keep_listings(self, keep: Collection[tuple[str, str]]) -> None:
        """Forget the queues of MTAs that are asked no more. Raises StoreError."""
        heads = msgspec.msgpack.decode(self.meta("listings") or b"\x90", type=list[Listing])
        kept = [one for one in heads if (one.host, one.mta) in keep]
        if len(kept) == len(heads):
            return
        with self._writing():
            self.db.execute("BEGIN IMMEDIATE")
            for one in heads:
                if one not in kept:
                    self.db.execute("DELETE FROM listed WHERE host = ? AND mta = ?", (one.host, one.mta))
            self.db.execute("INSERT OR REPLACE INTO meta VALUES ('listings', ?)", (msgspec.msgpack.encode(kept),))
            self.db.execute("COMMIT")

    def _messages(self, batch: Batch) -> None:
        db = self.db
        stored = self._stored_before
        again = [(r.id,) for r in batch.rows if r.id < stored]
        again += [(id,) for id in batch.gone]
        before: set[tuple[str, str, int]] = set()
        sums: set[failure_sums.Sum] = set()
        if again:
            if not self.temporary:
                for (id,) in again:
                    before.update(db.execute("SELECT host, next_hop, message FROM queue WHERE message = ?", (id,)))
                sums = failure_sums.of_messages(db, [id for (id,) in again])
            for table in ("queue", "failures"):
                db.executemany(f"DELETE FROM {table} WHERE message = ?", again)
        self._standing.take_out(db, batch.gone)
        db.executemany("DELETE FROM messages WHERE id = ?", [(id,) for id in batch.gone])
        self._standing.write(db, batch.rows, stored)
        self._bodies.learn([r.body for r in batch.rows])
        pack = self._bodies.pack
        db.executemany(_INSERT_MESSAGE, [(*r.message, pack(r.body)) for r in batch.rows if r.id >= stored])
        db.executemany(_REPLACE_MESSAGE, [(*r.message, pack(r.body)) for r in batch.rows if r.id < stored])
        queue = [q for r in batch.rows if r.queue for q in r.queue]
        db.executemany("INSERT INTO queue VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", queue)
        failures = [f for r in batch.rows if r.failures for f in r.failures]
        db.executemany("INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", failures)
        if not self.temporary:
            failure_sums.add(db, failures, sums)
            failure_sums.make_again(db, sums)
            after = {(str(q[1]), str(q[2]), r.id) for r in batch.rows for q in r.queue}
            self._history.note(db, before, after, float(batch.meta.get("now") or time.time()))

    def _rehome(self, batch: Batch) -> None:
        """Give kept lines of messages that were merged into others to those; drop what was no message's after all."""
        gone = [(id,) for id in batch.gone]
        lines = [r[0] for id in gone for r in self.db.execute("SELECT position FROM lines WHERE message = ?", id)]
        if lines:
            self.db.executemany("UPDATE lines SET message = ? WHERE position = ?", evidence.rehome(lines, batch.rows))
            self.db.executemany("DELETE FROM lines WHERE message = ?", gone)

    def finish(self) -> None:
        """For a temporary store: build the indexes, last."""
        self.db.executescript(INDEXES)

    # --- going on after a restart -----------------------------------------------------------------------------------

    def lookup(self, kind: str, value: str) -> list[int]:
        """Rows of the messages that a key leads to."""
        key = _KINDS.get(kind)
        if key is None or self.temporary:
            return []
        return [r[0] for r in self._ask("SELECT rowid FROM keys WHERE keys MATCH ?", (match([(key, value)]),))]

    def taken(self, sender: str, recipient: str, since: float, until: float) -> list[int]:
        """Rows of the first messages of a sender to a recipient that came between these times (epoch seconds)."""
        both = f"{match([(Key.RECIPIENT, recipient.lower())])} AND {match([(Key.SENDER, sender.lower())])}"
        return [r[0] for r in self._ask(
            "SELECT id FROM messages WHERE id IN (SELECT rowid FROM keys WHERE keys MATCH ?) "
            "AND sender = ? AND first_at BETWEEN ? AND ? ORDER BY first_at LIMIT 8",
            (both, sender.lower(), since, until))]

    def _flow(self, id: int, body: bytes) -> Flow:
        return decode(id, self._bodies.unpack(body))

    def load(self, id: int) -> Flow | None:
        """The flow of a row; None when it is not there."""
        return next((self._flow(id, r[0]) for r in self._ask("SELECT body FROM messages WHERE id = ?", (id,))), None)

    def unfinished(self, since: float) -> Iterator[Flow]:
        """Flows that are open, and those that changed after `since` (epoch seconds)."""
        for row in self._ask(
            "SELECT id, body FROM messages WHERE id IN (SELECT id FROM messages WHERE open > 0 "
            "UNION SELECT id FROM messages WHERE last_at >= ?) ORDER BY id", (since,)
        ):
            yield self._flow(*row)

    def open_rows(self) -> list[int]:
        """Rows of the flows that are open."""
        return [r[0] for r in self._ask("SELECT id FROM messages WHERE open > 0")]

    def refused(self, since: float) -> Iterator[Flow]:
        """Flows that were refused after `since` (epoch seconds), newest first: the client may try again."""
        place = STATUS_BY_SEVERITY.index(DeliveryStatus.REJECTED)
        for row in self._ask(
            f"SELECT id, body FROM messages WHERE (statuses & {1 << place}) != 0 AND status = {place} AND last_at >= ? "
            "ORDER BY last_at DESC LIMIT 20000", (since,),
        ):
            yield self._flow(*row)

    def with_domain(self, domain: str) -> list[int]:
        """Rows of the messages from or to a domain."""
        either = match([(Key.SENDER_DOMAIN, domain), (Key.RECIPIENT_DOMAIN, domain)])
        return [r[0] for r in self._ask("SELECT rowid FROM keys WHERE keys MATCH ?", (either,))]

    def known(self) -> KnownHosts:
        """What was known of hosts at the last commit."""
        body = self.meta("known")
        return msgspec.msgpack.decode(body, type=KnownHosts) if body else KnownHosts()

    def sources(self) -> dict[str, SourceState]:
        """The sources as of the last commit, by the path of each as it is on disk."""
        found = (msgspec.msgpack.decode(r[0], type=SourceState) for r in self._ask("SELECT body FROM sources"))
        return {original(s.path): s for s in found}

    def files(self) -> list[FileRow]:
        """The files that positions point into."""
        return [FileRow(*r) for r in self._ask("SELECT number, path, host, body FROM files ORDER BY number")]

    def retain(self, *, before: float, megabytes: float) -> int:
        """Delete finished messages older than `before` (epoch seconds), then the oldest while the store is too large.

        Gives how many. Open messages stay. Raises StoreError.
        """
        with self._writing():
            return retention.retain(self.db, self._standing, before=before, megabytes=megabytes)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Turns what SQLite raises into a StoreError; after any fault an open transaction is taken back."""
        try:
            yield
        except BaseException as fault:
            self._standing.doubt()
            self._history.doubt()
            with contextlib.suppress(sqlite3.Error):  # the fault may have rolled back already
                self.db.execute("ROLLBACK")
            if isinstance(fault, sqlite3.Error):
                raise StoreError(f"{self.path}: cannot be written: {fault}; {_remedy(fault)}") from None
            raise

    def close(self) -> None:
        """Close the store and let go of its lock."""
        db = getattr(self, "db", None)
        if db is not None:
            db.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _encoded(state: SourceState) -> bytes:
    try:
        return msgspec.msgpack.encode(state)
    except UnicodeEncodeError:  # a file name that is not UTF-8
        texts = {name: getattr(state, name) or "" for name in ("error", "notice")}
        told = {name: storable(text) for name, text in texts.items() if text}
        return msgspec.msgpack.encode(msgspec.structs.replace(state, **told))


def _remedy_of_opening(fault: sqlite3.Error) -> str:
    if "no such module" in str(fault):
        return "use a Python whose SQLite has FTS5, as those of all distributions and of python.org do"
    return "move it away and start again"


def _remedy(fault: sqlite3.Error) -> str:
    text = str(fault)
    if "full" in text:
        return "free some space or choose another place with --store; nothing is lost, it goes on when there is room"
    if "readonly" in text or "permission" in text:
        return "check who owns the file and its folder"
    return "check the disk; if the file is damaged move it away, it is filled again from the logs"
