"""The reading side of the SQLite store: answers for screens and commands.

One connection per thread; none ever blocks the collector (WAL).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

import msgspec

from flowmon.errors import StoreError
from flowmon.model import answers
from flowmon.model.flow import Flow
from flowmon.model.outcomes import Outcomes
from flowmon.model.words import STATUS_BY_SEVERITY, DeliveryStatus, Problem
from flowmon.store import assemble, completing, evidence, failing, listings, overview, troubles
from flowmon.store.advice import next_step, not_named, of_its_queue, on_its_way, without_end
from flowmon.store.assemble import instant
from flowmon.store.filter import Filter
from flowmon.store.finding import Finding
from flowmon.store.lock import CollectorState, collector_runs, collector_says
from flowmon.store.matching import About, about_recipients, first_matching, waiting
from flowmon.store.packed import Packed
from flowmon.store.reports import Reports
from flowmon.store.rows import decode
from flowmon.store.schema import SCHEMA_VERSION, Key
from flowmon.store.terms import match, value_of
from flowmon.tracking.diagnosis import explain
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.refusals import refused_login

_LIVE_SECONDS = 86_400.0
"""A log whose newest line is older is one of the past. The mail of a server that fell silent over night still waits."""
_ORDERS = {
    "last_seen": (("m.last_at", True),), "first_seen": (("m.first_at", True),), "sender": (("m.sender", True),),
    "status": (("m.status", False), ("m.first_at", True)), "size": (("m.size", True),),
    "attempts": (("m.attempts", True),), "age": (("m.first_at", False),),
    "delay": (("m.last_at - m.first_at", True),),
    "recipient": (("m.recipient", True),), "reason": (("m.reason", True),),
}
"""Columns, each with whether it goes the way that is asked for, or against it."""
_WAYS = {True: "DESC", False: "ASC"}
_ROW = (
    "SELECT m.id, m.first_at, m.last_at, m.sender, m.recipient, m.recipients, m.status, m.problem, m.reason, m.host, "
    "m.hops, m.attempts, m.size, m.subject, m.client, m.login FROM messages m"
)


_MOVE_AWAY = "move it away, `flowmon collect` fills it again from the logs"


def _remedy(fault: sqlite3.Error) -> str:
    text = str(fault)
    if "malformed" in text or "not a database" in text:
        return _MOVE_AWAY
    return "start `flowmon collect` first, or name a log"


_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


def _of_one_commit(
    answer: Callable[Concatenate[SqliteReader, _Asked], _Answer],
) -> Callable[Concatenate[SqliteReader, _Asked], _Answer]:
    """An answer of several questions, all asked of the same commit: what one finds is there for the next."""

    @wraps(answer)
    def whole(self: SqliteReader, /, *args: _Asked.args, **named: _Asked.kwargs) -> _Answer:
        db = self.db
        if db.in_transaction:
            return answer(self, *args, **named)
        self._all("BEGIN")
        try:
            return answer(self, *args, **named)
        finally:
            if db.in_transaction:  # a fault ends it
                db.execute("ROLLBACK")

    return whole


class SqliteReader:
    """Answers from the store at `path`. Raises StoreError when it cannot be opened or is of another version."""

    def __init__(self, path: Path, *, temporary: bool = False) -> None:
        self.path = path
        self._temporary = temporary
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._bodies = Packed(lambda: self._meta("bodies"))
        self._texts = Packed(lambda: self._meta("texts"))
        self._finding = Finding(self._all)
        self._collector = CollectorState(path)
        self._listed: tuple[bytes | None, listings.Listings] = (None, listings.NOTHING)
        version = self._meta("schema")
        if version != SCHEMA_VERSION:
            raise StoreError(f"{path}: the store has version {version}, this flowmon reads {SCHEMA_VERSION}: "
                             "move the file away, `flowmon collect` fills it again from the logs")

    @property
    def db(self) -> sqlite3.Connection:
        """This thread's connection."""
        found: sqlite3.Connection | None = getattr(self._local, "db", None)
        if found is None:
            try:
                found = self._open()
            except sqlite3.Error as fault:
                raise StoreError(f"{self.path}: cannot be opened: {fault}; {_remedy(fault)}") from None
            self._local.db = found
            self._connections.append(found)
        return found

    def _connect(self, how: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(os.fsencode(self.path))}?{how}", uri=True, isolation_level=None, check_same_thread=False
        )

    def _open(self) -> sqlite3.Connection:
        """A connection. Raises sqlite3.Error.

        A store that nobody writes has no shared-memory file, and who may only read it cannot make one: it is read as
        it stands.
        """
        found = self._connect("mode=ro")
        try:
            found.execute("SELECT 1 FROM meta LIMIT 1").fetchall()
        except sqlite3.OperationalError:
            found.close()
            if collector_runs(self.path):
                raise
            found = self._connect("mode=ro&immutable=1")
        found.execute("PRAGMA query_only=ON")
        found.create_function("value_of", 1, value_of, deterministic=True)
        return found

    def _all(self, sql: str, parameters: Any = ()) -> list[Any]:
        try:
            return self.db.execute(sql, parameters).fetchall()
        except sqlite3.Error as fault:
            raise StoreError(f"{self.path}: cannot be read: {fault}") from None

    def _meta(self, name: str) -> Any:
        rows = self._all("SELECT value FROM meta WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    def _where(self, filter: Filter | None) -> tuple[str, list[Any]]:
        return self._finding.where(filter, self._clock())

    def _clock(self) -> float:
        wall, newest = time.time(), float(self._meta("now") or 0.0)
        if not newest or (self._meta("live") and wall - newest < _LIVE_SECONDS):
            return wall
        return newest  # a log of the past: ages are told as of its last line

    def known(self) -> KnownHosts:
        """What the collector knows of hosts."""
        body = self._meta("known")
        return msgspec.msgpack.decode(body, type=KnownHosts) if body else KnownHosts()

    # --- answers ------------------------------------------------------------------------------------------------

    def version(self) -> int:
        number = int(self._all("PRAGMA data_version")[0][0])
        if self._temporary:
            return number
        return number * 4 + self._collector.number()  # what it cannot commit: that it ended, or that it cannot write

    def now(self) -> datetime:
        return instant(self._clock())

    def health(self) -> answers.Health:
        collecting = self._temporary or collector_runs(self.path)
        trouble = collector_says(self.path) if collecting else None
        found = overview.health(self._all, self._meta, collecting=collecting, trouble=trouble, wall=time.time())
        faults = self.queue_faults()
        return msgspec.structs.replace(found, notices=[*found.notices, *faults]) if faults else found

    @_of_one_commit
    def throughput(self, parts: int, filter: Filter | None = None) -> list[Outcomes]:
        now = self._clock()
        bounds = filter.period(now) if filter is not None else (None, None)
        only_time = filter is not None and not filter.without_time()
        return overview.throughput(self._all, parts, now, None if only_time else self._narrowed(filter), bounds)

    @_of_one_commit
    def count(self, filter: Filter | None = None) -> int:
        if filter is None:
            return sum(n for _, n in self.by_status())
        return self._finding.count(filter, self._clock())

    def _narrowed(self, filter: Filter | None) -> overview.Where | None:
        return self._finding.narrowed(filter, self._clock())

    @_of_one_commit
    def rows(
        self, filter: Filter | None = None, *, order: str = "last_seen", descending: bool = True, limit: int = 200,
        offset: int = 0,
    ) -> list[answers.MessageRow]:
        newest = offset + limit if order == "last_seen" and descending else None
        where, parameters = self._finding.page(filter, self._clock(), newest)
        by = ", ".join(f"{column} {_WAYS[descending is up]}" for column, up in _ORDERS[order])
        limits = f"LIMIT {int(limit)} OFFSET {int(offset)}"  # written out: SQLite plans by it
        order_by = f"ORDER BY {by}, m.id {_WAYS[descending]}"  # first the ids alone: all that is found is sorted
        sql = f"{_ROW} WHERE m.id IN (SELECT m.id FROM messages m{where} {order_by} {limits}) {order_by}"
        about = about_recipients(filter)
        found = [
            answers.MessageRow(
                id=r[0], first_seen_at=instant(r[1]), last_seen_at=instant(r[2]), envelope_sender=r[3], recipient=r[4],
                recipient_count=r[5], status=STATUS_BY_SEVERITY[r[6]], problem=Problem(r[7]) if r[7] else None,
                reason=r[8], host=r[9], hops=r[10], attempts=r[11], size=r[12], subject=r[13],
                client=r[14], login=r[15],
            )
            for r in self._all(sql, parameters)
        ]
        if not about:
            return found
        known, now = self.known(), float(self._meta("now") or 0.0)
        return [
            self._told_of(row, about, assemble.message(self._flow(row.id, self._body(row.id)), known, now))
            if row.recipient_count > 1 else row for row in found
        ]

    @staticmethod
    def _told_of(row: answers.MessageRow, about: About, message: answers.Message) -> answers.MessageRow:
        """A row as told of the recipient that a filter is about."""
        one = first_matching(message, about)
        return row if one is None else msgspec.structs.replace(
            row, recipient=one.recipient, status=one.status, problem=one.problem, reason=one.reason, host=one.host,
        )

    def _flow(self, id: int, body: bytes) -> Flow:
        try:
            return decode(id, self._bodies.unpack(body))
        except msgspec.MsgspecError as fault:
            raise StoreError(f"{self.path}: message {id} is damaged: {fault}; {_MOVE_AWAY}") from None

    def _body(self, id: int) -> bytes:
        body: bytes = self._all("SELECT body FROM messages WHERE id = ?", (id,))[0][0]
        return body

    def messages(self, filter: Filter | None = None) -> Iterator[answers.Message]:
        where, parameters = self._where(filter)
        known, now, listed = self.known(), float(self._meta("now") or 0.0), self._listings()
        sql = f"SELECT m.id, m.body FROM messages m{where} ORDER BY m.first_at, m.id"
        try:
            for row in self.db.execute(sql, parameters):
                yield assemble.message(self._flow(*row), known, now, listed)
        except sqlite3.Error as fault:
            raise StoreError(f"{self.path}: cannot be read: {fault}") from None

    @_of_one_commit
    def detail(self, id: int) -> answers.Detail | None:
        rows = self._all("SELECT body FROM messages WHERE id = ?", (id,))
        if not rows:
            return None
        flow = self._flow(id, rows[0][0])
        known, now, listed = self.known(), float(self._meta("now") or 0.0), self._listings()
        found = assemble.diagnosed(flow, known, now)
        message, ways = assemble.message_with_ways(flow, found, known, now, listed)
        about = waiting(message) or message  # what waits can still be helped
        said = of_its_queue(about, self._all) or (
            explain(about.reason, about.problem, about.status) if about.reason is not None else None) or on_its_way(
            about, flow.hops[0].arrived_at, troubles.by_way(self._meta("troubles"))) or without_end(flow) or (
            not_named(flow) if about is message else None)
        reports, report_of = Reports(self._all, self._flow).of(flow)
        return answers.Detail(
            id=id, message=message, attempts=list(assemble.attempts(flow)), verdicts=assemble.verdicts(flow),
            evidence=evidence.of(flow, self._all, self._texts.unpack), reports=reports, report_of=report_of,
            submitted=assemble.submitted(flow),
            cause=said.cause if said else None, next_step=next_step(flow, found, said, now, listed),
            login=refused_login(flow), ways=ways, latencies=list(assemble.latencies(flow)),
            client_program=next((hop.protocol for hop in flow.hops if hop.protocol is not None), None),
        )

    def message_id(self, id: int) -> str | None:
        rows = self._all("SELECT body FROM messages WHERE id = ?", (id,))
        return assemble.message_id(self._flow(id, rows[0][0])) if rows else None

    def find(self, what: str) -> list[int]:
        text = what.strip()
        bare = text.removeprefix("<").removesuffix(">")
        lower = bare.lower()
        asked = match([(Key.MESSAGE_ID, bare), (Key.QUEUE_ID, bare), (Key.SENDER, lower), (Key.RECIPIENT, lower),
                       (Key.NETWORK_MESSAGE_ID, lower.replace("-", ""))])
        rows = self._all("SELECT id FROM messages WHERE id IN (SELECT rowid FROM keys WHERE keys MATCH ?) "
                         "ORDER BY last_at DESC", (asked,))
        return [r[0] for r in rows]

    def values(self, key: str, start: str) -> list[str]:
        return completing.values(self._all, key, start)

    @_of_one_commit
    def queues(self, filter: Filter | None = None) -> list[answers.QueueRow]:
        return overview.queues(self._all, self._clock(), self._narrowed(filter),
                               troubles.by_way(self._meta("troubles")), self._listings(), listings.fits(filter))

    def queue_faults(self) -> list[str]:
        """What keeps MTAs' own queues from being read, for people."""
        return self._listings().faults()

    def _listings(self) -> listings.Listings:
        """What MTAs listed last; decoded once for each listing."""
        heads = self._meta("listings")
        if heads != self._listed[0]:
            self._listed = (heads, listings.kept(heads, self._all("SELECT host, mta, body FROM listed")))
        return self._listed[1]

    @_of_one_commit
    def problems(self, filter: Filter | None = None) -> list[answers.ProblemRow]:
        return failing.problems(self._all, self._narrowed(filter), summed=not self._temporary)

    def sources(self) -> list[answers.SourceRow]:
        return overview.sources(self._all)

    def totals(self, filter: Filter | None = None) -> answers.Totals:
        return overview.totals(self._all, self._where(filter) if filter else None, self._flow)

    def by_status(self, filter: Filter | None = None) -> list[tuple[DeliveryStatus, int]]:
        """Messages by the status of their worst recipient, worst first."""
        where, parameters = self._where(filter)
        counted = "sum(m.n) FROM tallies" if filter is None else "count(*) FROM messages"
        sql = f"SELECT m.status, {counted} m{where} GROUP BY m.status ORDER BY m.status"
        return [(STATUS_BY_SEVERITY[status], n) for status, n in self._all(sql, parameters)]

    @_of_one_commit
    def span(self, filter: Filter | None = None) -> tuple[datetime, datetime] | None:
        """When the first message came and the last was told of; None without any."""
        where, parameters = self._where(filter)
        # two questions: an index answers each, and none answers both
        (((first,),), ((last,),)) = (self._all(f"SELECT {what} FROM messages m{where}", parameters)
                                     for what in ("min(m.first_at)", "max(m.last_at)"))
        return (instant(first), instant(last)) if first is not None else None

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        self._connections.clear()


