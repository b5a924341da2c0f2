"""Sources: every log, how far it is read, and the lines that no rule understood."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult

from flowmon.model.answers import SourceRow
from flowmon.store.filter import Filter
from flowmon.store.protocol import Reader
from flowmon.tui.format import age, instant, number, plural, rate, share, size
from flowmon.tui.look import Look
from flowmon.tui.screens.base import Page
from flowmon.tui.text import Line, clean
from flowmon.tui.widgets.columns import Column, plain
from flowmon.tui.widgets.document import DocLine, Document, labelled
from flowmon.tui.widgets.table import LineTable


def _state(row: SourceRow, look: Look, width: int) -> Line:
    glyphs = look.glyphs
    if row.error:
        return [(f"{glyphs.alert} failed", "bold bad")]
    if row.lag_bytes > 65536:
        return [(f"{glyphs.busy} reading", "warn")]
    if row.format is None and (row.lines or row.size):
        return [(f"{glyphs.alert} unknown", "warn")]
    return [(f"{glyphs.ok} read", "good")]


def _path(row: SourceRow, look: Look, width: int) -> Line:
    text = clean(row.path)
    return [(text if len(text) <= width else "…" + text[len(text) - width + 1 :], "text")]


def _read(row: SourceRow, look: Look, width: int) -> Line:
    if not row.size:
        return [("–", "faint")]
    part = min(1.0, row.position / row.size)
    return [(f"{int(part * 100)} %", "text" if part >= 1 else "warn")]


def _lag(row: SourceRow, look: Look, width: int) -> Line:
    return [(size(row.lag_bytes), "warn" if row.lag_bytes > 65536 else "text" if row.lag_bytes else "faint")]


def _unmatched(row: SourceRow, look: Look, width: int) -> Line:
    return [(number(row.unmatched), "warn" if row.unmatched else "faint")]


def _last(row: SourceRow, look: Look, width: int) -> Line:
    return [(age(row.last_line_at, look.now), "text")]


def source_columns() -> list[Column[SourceRow]]:
    """All that is known of a log."""
    return [
        Column("state", "state", 9, _state, priority=1),
        Column("path", "log", 28, _path, priority=1, grow=4, text=lambda row: row.path),
        Column("host", "host", 8, lambda row, look, width: plain(row.host, "muted"), priority=5, grow=1, most=20),
        Column("format", "format", 10, lambda row, look, width: plain(row.format), priority=2, grow=2, most=30),
        Column("read", "read", 5, _read, align="right", priority=3),
        Column("lag", "behind", 6, _lag, align="right", priority=6),
        Column("size", "size", 5, lambda row, look, width: [(size(row.size), "muted")], "right", 9),
        Column("rate", "lines/s", 7, lambda row, look, width: [(rate(row.lines_per_second), "text")], "right", 7),
        Column("lines", "lines", 9, lambda row, look, width: [(number(row.lines), "muted")], "right", 8),
        Column("unmatched", "unmatched", 9, _unmatched, align="right", priority=4),
        Column("last", "last line", 9, _last, align="right", priority=5, ages=True),
    ]  # fmt: skip


class SourcesPage(Page[list[SourceRow]]):
    """Every log that is read, and all about the one under the cursor."""

    PLACE = "sources"

    def body(self) -> ComposeResult:
        yield LineTable("Sources", source_columns(), lambda row: row.path, id="sources")
        yield Document(self._about, id="about")

    @property
    def table(self) -> LineTable[SourceRow]:
        """The table of logs."""
        return self.query_one("#sources", LineTable)

    def question(self) -> Callable[[Reader, Filter | None], list[SourceRow]]:
        return lambda reader, by: reader.sources()

    def show(self, answer: list[SourceRow]) -> None:
        self.table.empty = [
            [("No log is being read.", "warn")],
            [("Name files or folders: ", "muted"), ("flowmon /var/log/mail.log", "text")],
            [("Or let your account read the logs of this host: it may need the group adm.", "muted")],
        ]
        failed = sum(1 for row in answer if row.error)
        self.table.detail = [
            (f"  {plural(len(answer), 'log')}", "muted"),
            (f", {failed} failed" if failed else "", "bold bad"),
            ("  the filter does not apply here" if self.app.filter_text else "", "muted"),
        ]
        self.table.show(sorted(answer, key=lambda row: (row.error is None, row.path)))

    @on(LineTable.Opened, "#sources")
    def _opened(self, event: LineTable.Opened) -> None:
        event.stop()
        self.query_one(Document).focus()

    @on(LineTable.Moved, "#sources")
    def _moved(self, event: LineTable.Moved) -> None:
        event.stop()
        self.query_one(Document).rewrite()

    def _about(self, width: int, look: Look) -> list[DocLine]:
        row = self.table.current
        rule = look.glyphs.rule
        if row is None:
            return [DocLine([(rule * width, "rule")])]
        title = clean(row.path)
        lines = [DocLine([(title, "title"), (" ", ""), (rule * max(0, width - len(title) - 2), "rule")], copy=row.path)]
        if row.error:
            lines += labelled("Not read", row.error, width, "bold bad", copy=row.error)
        if row.notice:
            lines += labelled("Note", row.notice, width, "warn", copy=row.notice)
        place = f"byte {number(row.position)} of {number(row.size)}"
        lines += labelled("Position", f"{place}, {plural(row.lines, 'line')}", width)
        if row.last_line_at is not None:
            lines += labelled("Last line", instant(row.last_line_at, look.zone), width)
        if row.read_at is not None:
            lines += labelled("Last read", instant(row.read_at, look.zone), width)
        if not row.lines:
            return lines
        part = row.unmatched / row.lines if row.lines else 0.0
        told = f"{number(row.unmatched)} unmatched ({share(part)}), {number(row.foreign)} of other programs"
        lines += labelled("Lines", told, width)
        if not row.samples:
            return [*lines, *labelled("Unmatched", "none: every line of a known program was understood", width, "good")]
        for place_, sample in enumerate(row.samples):
            lines += labelled("Unmatched" if place_ == 0 else "", sample, width, "warn", copy=sample)
        advice = "Copy a line with y, then see `flowmon parsers explain LINE` and `flowmon parsers new NAME`."
        return [*lines, *labelled("What to do", advice, width, "muted")]

    def copied(self) -> tuple[str | None, str]:
        focused = self.focused
        if isinstance(focused, Document):
            return focused.current.copy if focused.current else None, "the line"
        return self.table.current.path if self.table.current else None, "the path"

    def on_mount(self) -> None:
        self.table.focus()
