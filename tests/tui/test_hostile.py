"""Log text is shown, never obeyed; terminals without Unicode or colour are served."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from textual.strip import Strip

from flowmon.tui.glyphs import ASCII, UNICODE
from flowmon.tui.text import clean, fit, fit_line, to_ascii, wrap
from flowmon.tui.thrift import ThriftyUpdate
from flowmon.tui.widgets.lines import changed
from tests.tui.conftest import MakeApp
from tests.tui.driving import lines, press, text
from tests.tui.fakes import FakeReader
from tests.tui.mail import HOSTILE


def test_clean_leaves_nothing_that_a_terminal_obeys() -> None:
    hostile = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2010), *range(0x2028, 0x202F))))
    assert clean(hostile).isprintable()
    assert clean("\x1b]52;c;aGk=\x07") == "␛]52;c;aGk=␇"
    assert clean("Grüße 你好 [bold]x[/]") == "Grüße 你好 [bold]x[/]"


@pytest.mark.parametrize("width", range(1, 14))
def test_fit_keeps_the_width_in_cells(width: int) -> None:
    for sample in ("", "ab", "abcdefgh", "你好你好你好", "a你b好", "e\u0301e\u0301e\u0301e\u0301"):
        assert cell_len(fit(sample, width)) == width
        assert sum(cell_len(part) for part, _ in fit_line([(sample, ""), (sample, "")], width)) == width


def test_wrap_ends_where_there_is_no_room() -> None:
    assert wrap("abc", -1) == wrap("abc", 0) == ["ab", "c"]
    assert wrap("日本", 1) == ["日", "本"]


def test_wrap_loses_nothing_and_keeps_the_width() -> None:
    sample = "status=deferred (connect to " + "x" * 70 + "[2001:db8::1]:25: Connection timed out) 你好你好你好"
    pieces = wrap(sample, 20)
    assert all(cell_len(piece) <= 20 for piece in pieces)
    assert "".join(pieces).replace(" ", "") == sample.replace(" ", "")


def test_to_ascii_keeps_the_width() -> None:
    sample = "Grüße → 你好 … ● ─ é"
    assert to_ascii(sample).isascii()
    assert cell_len(to_ascii(sample)) == cell_len(sample)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_signs_are_one_cell_wide_and_differ(glyphs: object) -> None:
    assert glyphs in (UNICODE, ASCII)
    signs = (UNICODE if glyphs is UNICODE else ASCII).status
    assert all(cell_len(sign) == 1 for sign in signs.values())
    assert len(set(signs.values())) == len(signs)


async def test_hostile_text_is_shown_as_it_is(make_app: MakeApp, reader: FakeReader) -> None:
    async with make_app().run_test(size=(200, 40)) as pilot:
        for keys in (["1"], ["3"], ["3", "down", "down", "enter", "r"], ["4", "end"], ["5", "down"]):
            await press(pilot, *keys)
            shown = text(pilot)
            assert "\x1b" not in shown
            assert "\u202e" not in shown
            assert "[bold red]not markup[/]" in shown
            await press(pilot, "escape")
    assert "\x1b" in HOSTILE


async def test_a_hostile_filter_is_shown_as_it_is(make_app: MakeApp, reader: FakeReader) -> None:
    reader.message_rows[0] = type(reader.message_rows[0])(
        **{name: getattr(reader.message_rows[0], name) for name in reader.message_rows[0].__struct_fields__}
        | {"envelope_sender": "[red]@\x1b[2Jx.example"}
    )
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "right", "right", "enter", "y")
        assert "\x1b" not in text(pilot)
        assert "[red]@" in lines(pilot)[1]


async def test_without_unicode_only_ascii_is_printed(make_app: MakeApp) -> None:
    async with make_app(ascii=True).run_test(size=(120, 40)) as pilot:
        for keys in (["1"], ["2"], ["3"], ["3", "down", "down", "enter"], ["escape", "4"], ["5"]):
            await press(pilot, *keys)
            assert text(pilot).isascii()


async def test_sixteen_colours_use_the_terminals_own(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM")
    app = make_app()
    assert app.theme == "flowmon-16"
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "3")
        strips = pilot.app.screen._compositor.render_strips()
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        assert {style.color.type.name for style in styles if style.color} <= {"DEFAULT", "STANDARD"}


@pytest.mark.parametrize(
    ("old", "new", "ranges"),
    [
        ("abc", "abc", []),
        ("abc", "abX", [(2, 3)]),
        ("a" + "." * 30 + "b", "X" + "." * 30 + "Y", [(0, 1), (31, 32)]),
        ("a....b", "X....Y", [(0, 6)]),
        ("你好ab", "你xyab", [(2, 4)]),
    ],
)
def test_only_changed_cells_are_painted(old: str, new: str, ranges: list[tuple[int, int]]) -> None:
    assert changed(Strip([Segment(old)]), Strip([Segment(new[:2]), Segment(new[2:])])) == ranges


def test_a_partial_update_is_cut_at_both_ends() -> None:
    strips = [{0: Strip([Segment("0123456789")])}]
    update = ThriftyUpdate(strips, [(0, 4, 6)], [[10]])
    assert update.render_segments(Console(force_terminal=True)) == "\x1b[1;5H45"
