"""Postfix: `postqueue -j`, one JSON object a message (postqueue(1)).

The time of the next try is the modification time of the message's file below `deferred` (Postfix's queue manager moves
it into the future); `find` tells it where this account may look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from flowmon.model.listed import Listed
from flowmon.mta.commands import Run, optional


class _Recipient(msgspec.Struct):
    address: str
    delay_reason: str | None = None


class _Entry(msgspec.Struct):
    queue_name: str
    queue_id: str
    arrival_time: float
    sender: str
    recipients: list[_Recipient] = []
    message_size: int | None = None


def listed(run: Run, config: str | None = None) -> list[Listed]:
    """What waits, in all instances where no configuration is named. Raises MtaError."""
    others = optional(run, "postconf", "-h", "multi_instance_directories").split() if config is None else []
    return [message for instance in (config, *others) for message in _of_instance(run, instance)]


def _of_instance(run: Run, config: str | None) -> list[Listed]:
    where = ("-c", config) if config else ()
    text = run("postqueue", *where, "-j")
    folder = optional(run, "postconf", *where, "-h", "queue_directory").strip()
    retries = tries(optional(run, "find", f"{folder}/deferred", "-type", "f", "-printf", "%f %T@\\n")) if folder else {}
    return list(read(text, retries))


def tries(text: str) -> dict[str, float]:
    """Queue IDs and the times of their next tries, of lines `ID SECONDS`."""
    found = {}
    for line in text.splitlines():
        queue_id, _, at = line.partition(" ")
        try:
            found[queue_id] = float(at)
        except ValueError:
            continue  # no such line: `find` told of a file that went away meanwhile
    return found


def read(text: str, retries: Mapping[str, float]) -> Iterator[Listed]:
    """The messages of a listing. Raises msgspec.DecodeError for what is none."""
    decode = msgspec.json.Decoder(_Entry).decode
    for line in text.splitlines():
        if not line.strip():
            continue
        entry = decode(line)
        reason = next((one.delay_reason for one in entry.recipients if one.delay_reason), None)
        deferred = entry.queue_name == "deferred" or reason is not None
        yield Listed(
            queue_id=entry.queue_id, envelope_sender="" if entry.sender == "MAILER-DAEMON" else entry.sender,
            recipients=[one.address for one in entry.recipients], arrived_at=entry.arrival_time,
            held=entry.queue_name == "hold", deferred=deferred,
            next_retry_at=retries.get(entry.queue_id) if entry.queue_name == "deferred" else None,
            reason=reason, size=entry.message_size,
        )
