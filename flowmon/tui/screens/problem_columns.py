"""Columns of problems: the short form of the Overview's panels, and all that is known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import msgspec

from flowmon.model.answers import ProblemRow
from flowmon.tui.format import age, number
from flowmon.tui.glyphs import PROBLEM_TONES, sparkline, summed
from flowmon.tui.look import Look
from flowmon.tui.terms import term
from flowmon.tui.text import Line, clean
from flowmon.tui.widgets.columns import Column, plain


def problem_key(row: ProblemRow) -> tuple[str, str, str | None]:
    """What makes a group of failures the same one."""
    return row.problem.value, row.reason, row.next_hop


def _recipients(row: ProblemRow, look: Look, width: int) -> Line:
    return [(number(row.recipients), "muted")]


def _waiting(row: ProblemRow, look: Look, width: int) -> Line:
    return [(number(row.open), "warn" if row.open else "faint")]


def _trend(row: ProblemRow, look: Look, width: int) -> Line:
    return [(sparkline(summed(row.trend, width), width, look.glyphs), PROBLEM_TONES[row.problem])]


def _reason(row: ProblemRow, look: Look, width: int) -> Line:
    return [(clean(row.reason), PROBLEM_TONES[row.problem])]


def by_reason(rows: Sequence[ProblemRow]) -> list[ProblemRow]:
    """The groups of one reason as one, whatever their next hops; the most messages first."""
    groups: dict[tuple[str, str], list[ProblemRow]] = {}
    for row in rows:
        groups.setdefault((row.problem.value, row.reason), []).append(row)
    return sorted((_summed(group) for group in groups.values()), key=lambda row: -row.messages)


def _summed(group: list[ProblemRow]) -> ProblemRow:
    if len(group) == 1:
        return group[0]
    return msgspec.structs.replace(
        max(group, key=lambda row: row.messages),
        next_hop=None,
        messages=sum(row.messages for row in group),
        recipients=sum(row.recipients for row in group),
        open=sum(row.open for row in group),
        first_at=min(row.first_at for row in group),
        last_at=max(row.last_at for row in group),
        trend=[sum(parts) for parts in zip_longest(*(row.trend for row in group), fillvalue=0)],
    )


def panel_columns() -> list[Column[ProblemRow]]:
    """What a panel of the Overview has room for."""
    return [
        Column(
            "reason", "reason", 9, _reason, priority=2, grow=2, most=16,
            term=lambda row: term("reason", row.reason), text=lambda row: row.reason,
        ),
        Column(
            "next", "next hop", 10, lambda row, look, width: plain(row.next_hop, "muted"), priority=4, grow=3,
            term=lambda row: term("next", row.next_hop), text=lambda row: row.next_hop,
        ),
        Column("trend", "trend", 6, _trend, priority=3, grow=1, most=12),
        Column("messages", "mail", 4, lambda row, look, width: [(number(row.messages), "text")], "right", 1),
    ]  # fmt: skip


def _last(row: ProblemRow, look: Look, width: int) -> Line:
    return [(age(row.last_at, look.now), "text")]


def _first(row: ProblemRow, look: Look, width: int) -> Line:
    return [(age(row.first_at, look.now), "muted")]


def problem_columns() -> list[Column[ProblemRow]]:
    """All that is known of a group of failures."""
    return [
        Column(
            "problem", "problem", 14, lambda row, look, width: [(row.problem.value, PROBLEM_TONES[row.problem])],
            priority=3, term=lambda row: term("problem", row.problem.value), text=lambda row: row.problem.value,
        ),
        Column(
            "reason", "reason", 14, _reason, priority=1, grow=1, most=20,
            term=lambda row: term("reason", row.reason), text=lambda row: row.reason,
        ),
        Column(
            "next", "next hop", 14, lambda row, look, width: plain(row.next_hop), priority=2, grow=3, most=40,
            term=lambda row: term("next", row.next_hop), text=lambda row: row.next_hop,
        ),
        Column("messages", "messages", 8, lambda row, look, width: [(number(row.messages), "text")], "right", 1),
        Column("recipients", "recipients", 10, _recipients, align="right", priority=7),
        Column("open", "waiting", 7, _waiting, align="right", priority=4),
        Column("last", "last", 6, _last, align="right", priority=5, ages=True),
        Column("first", "first", 6, _first, align="right", priority=8, ages=True),
        Column("trend", "trend", 10, _trend, priority=6, grow=2, most=30),
    ]  # fmt: skip
