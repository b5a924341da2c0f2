"""Columns of a table: what they show, how wide, and which go first when room is short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flowmon.tui.look import Look
from flowmon.tui.text import Line, clean

Row = TypeVar("Row")


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column of a table of `Row`."""

    key: str
    title: str
    width: int
    """Cells; the least where the column may grow."""
    cell: Callable[[Row, Look, int], Line]
    """The cell's text for a row and a width, sanitised."""
    align: str = "left"
    priority: int = 5
    """1 stays longest; the highest number goes first when the table is narrow."""
    grow: int = 0
    """Share of the room left over; 0 keeps its width."""
    most: int = 200
    """No wider than this."""
    term: Callable[[Row], str | None] | None = None
    """The filter term that Enter adds from this cell."""
    text: Callable[[Row], str | None] | None = None
    """What `y` copies from this cell."""
    ages: bool = False
    """Whether the cell tells of a time that goes on, by the second at first."""


def plain(text: str | None, tone: str = "text") -> Line:
    """A cell of log text, made harmless."""
    return [(clean(text) if text else "–", tone if text else "faint")]


GAP = 2
"""Cells between two columns."""


def layout(columns: Sequence[Column[Row]], width: int) -> list[tuple[Column[Row], int]]:
    """The columns that fit in `width`, in their order, each with its width."""
    shown = list(columns)
    while len(shown) > 1 and _least(shown) > width:
        shown.remove(max(shown, key=lambda column: (column.priority, shown.index(column))))
    widths = {column.key: column.width for column in shown}
    _share(shown, widths, width - _least(shown))
    if len(shown) == 1:
        widths[shown[0].key] = min(widths[shown[0].key], width)
    return [(column, widths[column.key]) for column in shown]


def _least(columns: Sequence[Column[Row]]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


def _share(columns: Sequence[Column[Row]], widths: dict[str, int], room: int) -> None:
    """Give the room left over to the columns that may grow, by their shares, up to what they take at most."""
    while room > 0:
        growing = [column for column in columns if column.grow and widths[column.key] < column.most]
        total = sum(column.grow for column in growing)
        if not total:
            return
        given = 0
        for column in growing:
            part = min(max(1, room * column.grow // total), column.most - widths[column.key], room - given)
            widths[column.key] += part
            given += part
        room -= given
