"""A table of messages in Textual's own DataTable, whose rows change as often as ours: to be compared with.

    python -m tests.bench.datatable HZ
"""

from __future__ import annotations

import random
import sys

from textual.app import App, ComposeResult
from textual.coordinate import Coordinate
from textual.widgets import DataTable

COLUMNS = ("news", "status", "from", "to", "delay", "reason", "host", "tries")


class Table(App[None]):
    """Twenty rows, all of them news at each tick."""

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns(*COLUMNS)
        for _ in range(20):
            table.add_row(*self.row())
        table.focus()
        self.set_interval(1 / float(sys.argv[1]), self.tick)

    def row(self) -> list[str]:
        """A message."""
        number = random.randrange(10**6)
        return ["21:34", "delivered", f"user{number % 500}@ours.example", f"kim{number % 700}@far.example", "0.4s", "",
                "mx1", str(number % 9)]

    def tick(self) -> None:
        """Each row shows another message."""
        table = self.query_one(DataTable)
        for y in range(20):
            for x, cell in enumerate(self.row()):
                table.update_cell_at(Coordinate(y, x), cell)


if __name__ == "__main__":
    Table().run()
