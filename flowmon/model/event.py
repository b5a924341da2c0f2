"""Events: one normalised fact that one log line tells about a message on a host.

Each kind is its own small frozen struct, built by position in the hot path: first the six fields of `Event`, which the
framing knows, then the fields of the kind, in the order of their declaration. What a parser file may capture is
exactly a field of its rule's kind.
"""

from __future__ import annotations

import msgspec

from flowmon.model.words import DeliveryStatus


class Event(msgspec.Struct, frozen=True, gc=False):
    """What every fact has."""

    at: float
    """Seconds since the epoch."""
    host: str
    """Lower case, without domain unless the configuration says otherwise."""
    system: str
    """Name of the format that told it: postfix, exim, ..."""
    queue_id: str | None
    """Unique only with its host, and only for a time."""
    session: str | None
    """Process or SMTP/LMTP session on the host."""
    position: int
    """Where the line stands: number of the file in the upper bits, byte offset in the lower 44."""


class Arrival(Event, frozen=True, gc=False):
    """A server takes a message into its queue."""

    client: str | None = None
    """Who connected, as logged: `name[address]`, `name [address]` or a name."""
    login: str | None = None
    envelope_sender: str | None = None
    size: int | None = None
    message_id: str | None = None
    recipient: str | None = None
    """Recipients known at arrival, separated by spaces; final ones come with the attempts."""
    original_recipient: str | None = None
    parent_id: str | None = None
    """Queue ID on the same host of the message that this one reports about, or was made from."""
    protocol: str | None = None
    subject: str | None = None
    network_message_id: str | None = None
    origin: str | None = None
    """`smtp`, `pickup`, `mailbox`, `report`, `agent`: how it came in; `service`: a record for each recipient tells it,
    under an id that no reply names (exports of services in the cloud). None when the log does not tell."""


SERVICE = "service"
"""The origin of what exports of services in the cloud tell: see `Arrival.origin`."""


class Identity(Event, frozen=True, gc=False):
    """The Message-ID of a message, and other header fields."""

    message_id: str | None = None
    subject: str | None = None
    recipient: str | None = None
    envelope_sender: str | None = None
    original_recipient: str | None = None


class Queued(Event, frozen=True, gc=False):
    """The queue manager has it."""

    envelope_sender: str | None = None
    size: int | None = None
    recipient_count: int | None = None


class Attempt(Event, frozen=True, gc=False):
    """A try to deliver to one recipient, with its outcome."""

    recipient: str | None = None
    status: DeliveryStatus | None = None
    """None: a failed try that is followed by another in the same run (the next MX). Without a recipient: of all that
    are still open."""
    original_recipient: str | None = None
    relay: str | None = None
    """Who was tried: `name[address]:port`, `name [address]`, a transport such as `local`; None for nobody."""
    enhanced_status: str | None = None
    diagnostic: str | None = None
    delay: float | None = None
    delays: str | None = None
    """Postfix's four delays `a/b/c/d`, in seconds; Exchange's latency list, `CODE=seconds|...`."""
    message_id: str | None = None
    envelope_sender: str | None = None
    transport: str | None = None
    """What delivered: an Exim transport, a Sendmail mailer, `lmtp`, `mailbox`."""
    network_message_id: str | None = None
    subject: str | None = None
    size: int | None = None
    domain: str | None = None
    """Without a recipient: only those of this domain."""
    copy_number: str | None = None
    """Without a recipient: which copy it was of, from 1, where it goes on in one for each domain or recipient."""
    recipient_count: int | None = None
    """Without a recipient: how many took it; where more are open and the log does not tell which, it is of none."""
    deferred_count: int | None = None
    """How many others the same try put off, which other lines name."""


class Numbered(Attempt, frozen=True, gc=False):
    """A recipient that the log gives a number: named with it once, then tried by it.

    Without a status it is no try: with `recipient` it says whose number it is, else what the next host answered.
    """

    number: str | None = None
    """Counted from 0 in one message; None where the session is the number of the delivery."""


class Refusal(Event, frozen=True, gc=False):
    """A server refuses at SMTP, or a rule holds or discards: before or at the end of DATA."""

    client: str | None = None
    envelope_sender: str | None = None
    recipient: str | None = None
    status: DeliveryStatus | None = None
    """rejected, held, discarded, quarantined; None for a warning only."""
    diagnostic: str | None = None
    command: str | None = None
    """The SMTP command refused: AUTH, MAIL, RCPT, DATA, END-OF-MESSAGE."""
    login: str | None = None
    message_id: str | None = None
    helo: str | None = None
    subject: str | None = None


class Ended(Event, frozen=True, gc=False):
    """The server has done with it."""

    status: DeliveryStatus | None = None
    """None: done as its attempts say; else what became of all recipients that were still open."""


class Change(Event, frozen=True, gc=False):
    """The whole message changes state: held, released, expired, removed by an operator, frozen."""

    status: DeliveryStatus | None = None
    """held, queued (released), expired, removed, discarded."""
    diagnostic: str | None = None
    recipient: str | None = None
    """Only this recipient; None for all that are open."""


class Report(Event, frozen=True, gc=False):
    """A server made a report (DSN) about the message `queue_id`."""

    report_id: str | None = None
    """Queue ID of the report on the same host."""
    report_message_id: str | None = None
    about_message_id: str | None = None
    """Message-ID of the message that it is about, where the line does not tell its queue ID."""


class Copy(Event, frozen=True, gc=False):
    """The message `queue_id` goes on under another queue ID on the same host (forwarded, requeued, forked)."""

    copy_id: str | None = None


class Verdict(Event, frozen=True, gc=False):
    """What a filter says."""

    action: str | None = None
    score: float | None = None
    detail: str | None = None
    reason: str | None = None
    """A reason of the diagnosis, where the filter's line tells the cause: dmarc, spf, greylist, virus, ..."""
    message_id: str | None = None
    client: str | None = None
    envelope_sender: str | None = None
    recipient: str | None = None


class Probe(Event, frozen=True, gc=False):
    """`queue_id` was an address probe (Postfix verify): no message."""


class Session(Event, frozen=True, gc=False):
    """A connection opens or closes: ends what belonged to the last one of the same process.

    With a queue ID: the connection that brought this message to a filter before the queue.
    """

    client: str | None = None


class Line(Event, frozen=True, gc=False):
    """A line of the SMTP session in which `queue_id` came or went: it is shown with it, and changes nothing.

    With a session: what this session was refused before is of the same message.
    """


class Notice(Event, frozen=True, gc=False):
    """A server's own trouble: fatal, panic, disk full; with a next hop, how the way there is, for all mail."""

    text: str | None = None
    """None, with a next hop: the way there is free (again)."""
    next_hop: str | None = None
    """A domain or host, as the queue is named after."""


KINDS: dict[str, type[Event]] = {
    "arrival": Arrival,
    "identity": Identity,
    "queued": Queued,
    "attempt": Attempt,
    "numbered": Numbered,
    "refusal": Refusal,
    "ended": Ended,
    "change": Change,
    "report": Report,
    "copy": Copy,
    "verdict": Verdict,
    "probe": Probe,
    "session": Session,
    "line": Line,
    "notice": Notice,
}
"""Kinds by the name that parser files use."""

COMMON = Event.__struct_fields__
"""Fields that the framing fills."""
