"""What the store answers: the rows of screens and commands, and the JSON of `flowmon messages`.

Times are aware datetimes in UTC, spans are seconds. `None` means unknown or not applicable, never zero.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from flowmon.model.words import (
    Certainty,
    DeliveryStatus,
    Direction,
    LinkBasis,
    Problem,
    Role,
    Scenario,
    Stage,
)


class Delays(msgspec.Struct, frozen=True):
    """Where the time of a hop went, in seconds; None where the log does not tell."""

    before_queue: float | None = None
    queue: float | None = None
    connect: float | None = None
    transmit: float | None = None


class Hop(msgspec.Struct, frozen=True):
    """One message in one queue of one host."""

    host: str
    role: Role | None
    stage: Stage | None
    queue_id: str | None
    arrived_at: datetime
    left_at: datetime | None
    """None while the host still has it."""
    next_hop: str | None
    link: LinkBasis | None
    """What joins this hop to the one before; None for the first."""
    certainty: Certainty | None
    delays: Delays


class Recipient(msgspec.Struct, frozen=True):
    """A final recipient: after alias, list and group expansion."""

    recipient: str
    original_recipient: str | None
    status: DeliveryStatus
    problem: Problem | None
    reason: str | None
    reply_code: int | None
    enhanced_status: str | None
    diagnostic: str | None
    """The reply or text that decided, as logged."""
    attempts: int
    host: str
    """The host that holds it, or held it last."""
    relay: str | None
    delay_seconds: float | None
    path: list[str]
    transient: list[Problem]
    """Classes of temporary failures met before the final status; empty while it is queued or deferred."""
    next_retry_at: datetime | None = None
    """When it is tried again, while it is deferred: estimated from the spacing of past tries."""
    retry_is_exact: bool = False
    """`next_retry_at` is the MTA's own time, no estimate."""


class Message(msgspec.Struct, frozen=True):
    """One message, as `flowmon messages --format jsonl` prints it."""

    message_id: str | None
    envelope_sender: str | None
    subject: str | None
    size: int | None
    client: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    scenario: Scenario | None
    direction: Direction | None
    status: DeliveryStatus
    problem: Problem | None
    reason: str | None
    recipients: list[Recipient]
    hops: list[Hop]


class Attempt(msgspec.Struct, frozen=True):
    """Equal tries of one recipient at one hop, folded: how often, from when to when, with what reply."""

    recipient: str
    host: str
    queue_id: str | None
    relay: str | None
    status: DeliveryStatus
    problem: Problem | None
    reason: str | None
    diagnostic: str | None
    count: int
    first_at: datetime
    last_at: datetime
    reply_id: str | None = None
    """The next hop's own id for it, from its reply: the last trace of what leaves our logs."""


class Verdict(msgspec.Struct, frozen=True):
    """What a filter said of the message."""

    at: datetime
    host: str
    filter: str
    """Name of the filter: rspamd, postgrey, ..."""
    action: str
    score: float | None
    detail: str | None


class Evidence(msgspec.Struct, frozen=True):
    """One log line: where it stands, and its text where the file can be read no more."""

    at: datetime | None
    host: str
    path: str
    offset: int
    """Byte offset of the line's start; in the unpacked text for compressed files."""
    text: str | None
    """Kept text; None when it must be read from the file."""


WHOLE = "TOTAL"
"""The component that stands for the whole server."""


class Latency(msgspec.Struct, frozen=True):
    """How long a part of a server took, where the server tells (Exchange's message-info)."""

    host: str
    queue_id: str | None
    component: str
    """Its code, as logged, or WHOLE."""
    words: str
    seconds: float


class Detail(msgspec.Struct, frozen=True):
    """Everything of one message: what the Message screen and `flowmon trace` show."""

    id: int
    message: Message
    attempts: list[Attempt]
    verdicts: list[Verdict]
    evidence: list[Evidence]
    reports: list[int]
    """Rows of the reports (DSNs) that servers made about this message."""
    report_of: int | None
    """Row of the message that this one reports about."""
    submitted: str | None
    """Plain words: how its client handed it in, where the log tells."""
    cause: str | None
    """Plain words: why it is where it is; of a recipient that still waits before the others. None where nothing is
    wrong."""
    next_step: str | None
    """Plain words: what to do next."""
    ways: list[list[int]] = []
    """For each recipient of the message the places in its `hops` of those on the way there, in order: several on one
    host are one step of `path`."""
    login: str | None = None
    """The account of a login that was refused."""
    client_program: str | None = None
    """With what the client handed it in: Outlook, ActiveSync, ...; None where the log does not tell."""
    latencies: list[Latency] = []
    """Hop by hop; of each the whole, then the parts, the longest first."""


class MessageRow(msgspec.Struct, frozen=True):
    """One line of the Messages screen."""

    id: int
    first_seen_at: datetime
    last_seen_at: datetime
    envelope_sender: str | None
    recipient: str | None
    """The worst recipient; None where none is known."""
    recipient_count: int
    status: DeliveryStatus
    problem: Problem | None
    reason: str | None
    host: str
    """The host that holds it, or held it last."""
    hops: int
    attempts: int
    size: int | None
    subject: str | None
    client: str | None = None
    login: str | None = None
    """The account of a login that was refused."""


AGE_BUCKET_MINUTES = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
"""Upper bounds of the age matrix, in minutes; one more bucket holds what is older (as qshape has it)."""


class Unlogged(msgspec.Struct, frozen=True):
    """A message that an MTA lists in its queue and no log line tells of."""

    queue_id: str
    envelope_sender: str
    recipients: list[str]
    arrived_at: datetime
    reason: str | None


class QueueRow(msgspec.Struct, frozen=True):
    """One queue: what one host holds for one next hop."""

    next_hop: str
    """The relay tried last, else the recipient's domain."""
    host: str
    messages: int
    deferred: int
    held: int
    oldest_at: datetime
    in_per_minute: float | None
    out_per_minute: float | None
    velocity: float | None
    """Out minus in, per minute: negative while the queue grows."""
    next_retry_at: datetime | None
    """An estimate from the spacing of past attempts."""
    last_error: str | None
    problem: Problem | None
    reason: str | None
    trend: list[int]
    """Messages held at the end of each of the last minutes, oldest first."""
    ages: list[int]
    """Messages by age, one per bucket of AGE_BUCKET_MINUTES and one for older."""
    cause: str | None = None
    """Plain words: why it waits; None where no failure is known."""
    next_step: str | None = None
    """Plain words: what to do."""
    retry_is_exact: bool = False
    """`next_retry_at` is the MTA's own time, no estimate."""
    listed_at: datetime | None = None
    """When the host's MTA was asked what it holds; None where it is not asked, and all is told by logs."""
    only_in_queue: int = 0
    """Of `messages`: those that the MTA lists and no log line tells of."""
    only_in_log: int = 0
    """Beside `messages`: those that the log left here, and the MTA does not list."""
    unlogged: list[Unlogged] = []
    """The oldest of those only in the queue."""


class ProblemRow(msgspec.Struct, frozen=True):
    """Failures of one reason towards one next hop."""

    problem: Problem
    reason: str
    next_hop: str | None
    messages: int
    recipients: int
    first_at: datetime
    last_at: datetime
    trend: list[int]
    """New failures in equal parts of the covered time, oldest first."""
    senders: list[str]
    """The most frequent senders, at most five."""
    sample_recipients: list[str]
    """The most frequent recipients, at most five."""
    sample_reply: str | None
    open: int
    """Messages that still wait (deferred, held, queued)."""
    cause: str
    next_step: str


class SourceRow(msgspec.Struct, frozen=True):
    """One log and how far it is read."""

    path: str
    host: str | None
    format: str | None
    """Names of the formats its lines were recognised as, joined by `+`; None while unknown."""
    position: int
    size: int
    lag_bytes: int
    lines: int
    unmatched: int
    """Lines of a known program that no rule matched."""
    foreign: int
    """Lines of programs that are none of ours."""
    lines_per_second: float | None
    last_line_at: datetime | None
    """Time written on the last line read."""
    read_at: datetime | None
    """When flowmon last read from it."""
    error: str | None
    """What keeps it from being read, with the remedy."""
    samples: list[str]
    """The last lines that no rule matched, at most five."""
    notice: str | None = None
    """What is strange about it, though it is read."""


class Health(msgspec.Struct, frozen=True):
    """The health line of the Overview."""

    collecting: bool
    """A collector holds the store and has reported in the last seconds."""
    backlog_bytes: int
    """Not read yet, over all sources."""
    lag_seconds: float | None
    """How far the newest folded line is behind the clock, where the sources are live."""
    lines_per_second: float | None
    unparsed_share: float
    """0 to 1: unmatched lines among those of known programs."""
    sources: int
    stale_sources: int
    """Sources without a new line for long, compared with their usual rhythm."""
    failed_sources: int
    open_messages: int
    notices: list[str]


class Totals(msgspec.Struct, frozen=True):
    """Log facts with pflogsumm's names and meanings, whatever was folded into messages."""

    received: int = 0
    delivered: int = 0
    forwarded: int = 0
    deferred: int = 0
    """Messages with at least one deferral."""
    deferrals: int = 0
    bounced: int = 0
    rejected: int = 0
    reject_warnings: int = 0
    held: int = 0
    discarded: int = 0
    bytes_received: int = 0
    bytes_delivered: int = 0
