"""What to do next where the state of a message says more than the reason of its failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flowmon.model.answers import Message, Recipient
from flowmon.model.flow import Flow
from flowmon.model.words import OPEN_STATUSES, DeliveryStatus, Problem
from flowmon.store.assemble import instant
from flowmon.store.listings import IDS, Listings
from flowmon.store.troubles import Troubles, hindrance
from flowmon.tracking.diagnosis import Explanation, diagnose, explain
from flowmon.tracking.flows import lost
from flowmon.tracking.scenario import domain_of
from flowmon.tracking.summary import Outcome, at_work, frozen, unnamed, untold

RETRY_WAIT = "retry-wait"
"""The reason of mail that waits only because other mail failed."""
Ask = Callable[[str, Any], list[Any]]

_D = DeliveryStatus
_AT_HAND = {
    ("postfix", _D.HELD): "postcat -vq {id} shows it, postsuper -H {id} releases it, postsuper -d {id} deletes it",
    ("postfix", _D.DEFERRED): "postqueue -i {id} tries it at once",
    ("exim", _D.DEFERRED): "exim -M {id} tries it at once",
    ("sendmail", _D.DEFERRED): "sendmail -v -qI{id} tries it at once",
    ("opensmtpd", _D.DEFERRED): "smtpctl schedule {id} tries it at once",
}
"""By format and status: the MTA's own commands (postsuper(1), postqueue(1), exim(8), sendmail(8), smtpctl(8))."""


_COMMANDS_MOST = 3


def next_step(
    flow: Flow, found: Iterable[Outcome], said: Explanation | None, now: float, listings: Listings
) -> str | None:
    """What to do next: the step for mail that is frozen, or was lost sight of (at `now`, log time), else what was
    `said` of its failure, with the MTA's own command wherever it waits by the outcomes `found`, the worst first; None
    where nothing need be done."""
    special = _thaw(flow) or _look_there(flow, now)
    if special is not None or said is None:
        return special
    commands: dict[str, str] = {}
    for outcome in found:
        if command := _at_hand(outcome, listings):
            commands.setdefault(command, outcome.recipient)
    told = [
        f"On {command}" if len(commands) == 1 else f"For {recipient}, on {command}"
        for command, recipient in list(commands.items())[:_COMMANDS_MOST]
    ]
    more = len(commands) - len(told)
    return " ".join([said.next_step, *told, *([f"And so for {more} more."] if more else [])])


def _at_hand(outcome: Outcome, listings: Listings) -> str | None:
    """The command of the MTA that a recipient waits at, behind its host; None where it does not wait, its MTA has none,
    or does not have the message any more.

    What is no queue ID of that MTA comes into no command: it is to be pasted into a shell. It is for the MTA's default
    queue: logs do not tell how to reach another.
    """
    hop, queue_id = outcome.hop, outcome.hop.queue_id or ""
    if outcome.status not in OPEN_STATUSES or hop.system not in IDS or not IDS[hop.system].fullmatch(queue_id):
        return None
    listed = listings.messages.get((hop.host, queue_id))
    if listed is None and listings.would_list(hop.host, queue_id) and hop.last_at < listings.read_at[hop.host]:
        return None
    status = _D.HELD if listed is not None and listed.held else outcome.status
    command = _AT_HAND.get((hop.system, status))
    return f"{hop.host}: {command.format(id=queue_id)}." if command is not None else None


def of_its_queue(about: Message | Recipient, ask: Ask) -> Explanation | None:
    """Why mail waits that was not tried because other mail to the same place failed: as that other mail tells it."""
    if not isinstance(about, Recipient) or about.reason != RETRY_WAIT:
        return None
    rows = ask(
        "SELECT error, problem, reason FROM queue WHERE host = ? AND next_hop = ? AND reason NOT IN (?, 'unknown') "
        "AND error IS NOT NULL ORDER BY arrived_at DESC LIMIT 1", (about.host, domain_of(about.recipient), RETRY_WAIT),
    )
    if not rows:
        return None
    error, problem, reason = rows[0]
    said = explain(reason, Problem(problem), DeliveryStatus.DEFERRED)
    return Explanation(
        f"It was not tried itself: other mail from {about.host} to {domain_of(about.recipient)} failed, and the next "
        f"try is not due yet. Of that mail: {str(error).rstrip('.; ')}. {said.cause}", said.next_step,
    )


def on_its_way(about: Message | Recipient, since: float, troubles: Troubles) -> Explanation | None:
    """Why mail waits that no line tells a try of, though its host cannot reach the next hop; None where nothing tells.

    `since` (epoch seconds): when the mail came.
    """
    if not isinstance(about, Recipient) or about.status is not DeliveryStatus.QUEUED:
        return None
    found = hindrance(troubles, about.host, domain_of(about.recipient), since)
    if found is None:
        return None
    why = diagnose(found.text, permanent=False)
    said = explain(why.reason, why.problem, DeliveryStatus.DEFERRED)
    return Explanation(
        f"No try of this message is told, but {found.host} had trouble with its connection to {found.next_hop} at "
        f"{instant(found.at).astimezone():%H:%M:%S}: {str(found.text).rstrip('.; ')}. {said.cause}", said.next_step,
    )


def _thaw(flow: Flow) -> str | None:
    """What to do where a message is frozen; None where it is not."""
    hop = next((hop for hop in flow.hops if frozen(hop)), None)
    if hop is None:
        return None
    how = f": exim -Mt {hop.queue_id}, or remove it: exim -Mrm {hop.queue_id}"
    return (
        f"It is frozen on {hop.host}: it is not tried again by itself. Mend the cause, then thaw it there"
        f"{how if IDS['exim'].fullmatch(hop.queue_id or '') else ', or remove it'}"
    )


def without_end(flow: Flow) -> Explanation | None:
    """Why it is not known what became of mail that a server was done with; None for other mail."""
    hop = next((hop for hop in flow.hops if untold(hop)), None)
    return None if hop is None else Explanation(
        f"{hop.host} was done with it at {instant(hop.left_at or hop.last_at).astimezone():%H:%M:%S}, and no line read "
        f"here tells what became of it: lines are missing, or were not understood.",
        f"Look for {hop.queue_id} in the logs of {hop.host}; syslog and journald drop lines above a rate. Ask the next "
        f"hop for its Message-ID.",
    )


def not_named(flow: Flow) -> Explanation | None:
    """Why mail waits of which each recipient that is named is done with; None for other mail."""
    outcome = unnamed(flow)
    if outcome is None:
        return None
    hop = outcome.hop
    return Explanation(
        f"{hop.host} took it for {hop.recipient_count} recipients and names {len(hop.fates)} of them so far: the "
        f"others were not tried yet, or their lines are missing.",
        f"If it stays so, look for {hop.queue_id} in the queue of {hop.host}: it names who it is for.",
    )


def _look_there(flow: Flow, now: float) -> str | None:
    """What to do where a message was lost sight of; None where it was not."""
    hop = next((hop for hop in flow.hops if at_work(hop) and lost(hop, now)), None)
    return None if hop is None else (
        f"No line has told of it since {instant(hop.last_at).astimezone():%Y-%m-%d %H:%M}, longer than a queue keeps "
        f"mail: the log of its end is missing here. Look into the queue and the older logs of {hop.host}."
    )
