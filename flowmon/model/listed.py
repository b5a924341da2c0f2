"""What an MTA's own queue holds, as the MTA itself lists it."""

from __future__ import annotations

import msgspec


class Listed(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message in the queue of an MTA. Times are seconds since the epoch."""

    queue_id: str
    envelope_sender: str
    """"" is the null sender."""
    recipients: list[str]
    """Those that still wait."""
    arrived_at: float
    held: bool = False
    """Held, frozen or quarantined: not tried until somebody releases it."""
    deferred: bool = False
    """At least one try failed, or the MTA tells why it waits."""
    next_retry_at: float | None = None
    """Exact; None where the MTA does not tell."""
    reason: str | None = None
    """Why it waits, in the MTA's words."""
    size: int | None = None


class Listing(msgspec.Struct, frozen=True):
    """What one MTA listed, or why it could not."""

    host: str
    mta: str
    """postfix, exim, sendmail or opensmtpd; behind a blank its configuration, where that is not the usual one."""
    read_at: float
    messages: list[Listed] = []
    error: str | None = None
    """What went wrong, with the remedy; then `messages` is empty and says nothing."""

    @property
    def kind(self) -> str:
        """The MTA alone."""
        return self.mta.partition(" ")[0]
