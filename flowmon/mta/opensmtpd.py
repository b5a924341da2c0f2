"""OpenSMTPD: `smtpctl show queue` (smtpctl(8)): one line an envelope, fields between bars.

The envelope's id begins with that of its message, by which the log calls it. Needs root.
"""

from __future__ import annotations

from collections.abc import Iterator

from flowmon.model.listed import Listed
from flowmon.mta.commands import MtaError, Run

_FIELDS = 14
"""id, address family, type, flags, sender, recipient, destination, creation, expiry, last try, tries, state, seconds to
the next try, error."""


def listed(run: Run, now: float) -> list[Listed]:
    """What waits. Raises MtaError."""
    return list(read(run("smtpctl", "show", "queue"), now))


def read(text: str, now: float) -> Iterator[Listed]:
    """The messages of a listing made `now` (epoch seconds), their envelopes together. Raises MtaError."""
    messages: dict[str, list[list[str]]] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        fields = line.split("|", _FIELDS - 1)
        if len(fields) < _FIELDS:
            raise MtaError(f"`smtpctl show queue` printed what is no envelope: {line[:80]}")
        messages.setdefault(fields[0][:8], []).append(fields)
    for queue_id, envelopes in messages.items():
        first = envelopes[0]
        waits = [int(e[12]) for e in envelopes if e[11] == "pending" and e[12].isdecimal()]
        held = all(e[11] in ("hold", "holdq", "suspended") for e in envelopes)
        reason = next((e[13] for e in envelopes if e[13]), None)
        yield Listed(
            queue_id=queue_id, envelope_sender=first[4] if first[2] != "bounce" else "",
            recipients=[e[5] for e in envelopes], arrived_at=float(first[7]), held=held,
            deferred=reason is not None and not held, next_retry_at=now + min(waits) if waits else None, reason=reason,
        )
