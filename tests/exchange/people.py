"""Who writes to whom in the runs, and what they write."""

from __future__ import annotations

from tests.exchange.writer import Message

NOT_FOUND = "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found"
BOARD = "board@contoso.example"
ANNA, BEN, CLEO, PAT = "anna@contoso.example", "ben@contoso.example", "cleo@contoso.example", "pat@fabrikam.example"


def message(*recipients: str, sender: str = ANNA, number: int = 1) -> Message:
    """A message with ids of its own."""
    return Message(sender, list(recipients), f"<7f3a.{number}@ex01.contoso.example>",
                   f"5b0c6a1e-77aa-4c1d-9d0e-08da9a5f1e{number:02d}")
