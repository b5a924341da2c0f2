"""The collector: one direction, source → reader → tracker → joiner → rows → store.

Folding (what needs the log: reading, rules, tracker) and keeping (what needs the store: joining, rows, commits) meet in
batches. They work in one process for live logs; for large history in two, so that a second core has its share.
"""

from flowmon.collecting.collector import BULK_COMMIT_SECONDS, COMMIT_SECONDS, Collector

__all__ = ["BULK_COMMIT_SECONDS", "COMMIT_SECONDS", "Collector"]
