"""What is said of a queue, and of mail that waits in one, beside its numbers."""

from __future__ import annotations

from flowmon.model.answers import QueueRow


def retry_source(*, exact: bool) -> str:
    """Where the time of the next try is from, in words."""
    return "as the MTA has it" if exact else "estimated from the tries so far"


def differences(queue: QueueRow) -> list[str]:
    """Where the MTA's own list and the log differ, in words."""
    told = []
    if queue.only_in_queue:
        told.append(f"{queue.only_in_queue} only in the queue itself: no log line read here tells of it")
    if queue.only_in_log:
        told.append(f"{queue.only_in_log} only in the log: not in the queue any more, and no line tells how it left")
    return told
