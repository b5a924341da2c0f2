"""What is said of a queue beside its numbers."""

from __future__ import annotations

from flowmon.model.answers import QueueRow


def differences(queue: QueueRow) -> list[str]:
    """Where the MTA's own list and the log differ, in words."""
    told = []
    if queue.only_in_queue:
        told.append(f"{queue.only_in_queue} only in the queue itself: no log line read here tells of it")
    if queue.only_in_log:
        told.append(f"{queue.only_in_log} only in the log: not in the queue any more, and no line tells how it left")
    return told
