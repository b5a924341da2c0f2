"""Themes: ours are whole, the user's are added, broken ones are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color

from flowmon.tui.palette import Palette
from flowmon.tui.themes import DEFAULT_THEME, SIXTEEN_COLOURS, load_themes, own_folder
from tests.tui.conftest import MakeApp
from tests.tui.driving import notified, press, text

ALL = ("flowmon-dark", "flowmon-dusk", "flowmon-light", "flowmon-frost", "high-contrast", "colour-blind")
"""Two dark, two light, one of high contrast, one for people who see red and green alike; beside that of 16 colours."""
TONES = ("text", "muted", "good", "good2", "info", "warn", "bad", "bad2", "accent", "key", "heading")


def test_ours_are_whole() -> None:
    themes, notices = load_themes([own_folder()])
    assert notices == []
    assert set(themes) == {*ALL, DEFAULT_THEME, SIXTEEN_COLOURS}


def contrast(one: Color, other: Color) -> float:
    """As WCAG reckons it."""

    def light(color: Color) -> float:
        parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("back", ["", "cursor", "bar"])
async def test_every_tone_can_be_read(make_app: MakeApp, name: str, back: str) -> None:
    app = make_app(theme=name)
    palette = Palette(app.current_theme, app.get_css_variables())
    for tone in TONES:
        style = palette.style(tone, back)
        assert style.color is not None
        assert style.bgcolor is not None
        found = contrast(Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor))
        least = 3.0 if tone == "muted" or back == "cursor" else 4.5
        assert found >= least, f"{tone} on {back or 'the screen'}: {found:.1f}"


async def test_a_broken_theme_is_told_and_the_others_serve(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\nprimary = "#336699"\n')
    (tmp_path / "syntax.toml").write_text('name = "broken\n')
    (tmp_path / "key.toml").write_text('name = "k"\nprimary = "#336699"\nprimry = "#000000"\n')
    (tmp_path / "colour.toml").write_text('name = "c"\nprimary = "bluish"\n')
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    app = make_app(theme="mine", theme_folders=[tmp_path])
    assert app.theme == "mine"
    assert len(app.notices) == 4
    assert any("primry" in notice for notice in app.notices)
    assert any("bluish" in notice for notice in app.notices)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "n")
        assert "syntax.toml" in text(pilot)


def test_an_unknown_theme_is_told(make_app: MakeApp) -> None:
    app = make_app(theme="nope")
    assert app.theme == DEFAULT_THEME
    assert "There is no theme nope" in app.notices[0]


async def test_another_theme_repaints_everything(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3")
        pilot.app.theme = "flowmon-light"
        await press(pilot, "down")
        strips = pilot.app.screen._compositor.render_strips()
        grounds = {
            segment.style.bgcolor.triplet.hex
            for strip in strips
            for segment in strip
            if segment.style and segment.style.bgcolor and segment.style.bgcolor.triplet
        }
        assert "#15181f" not in grounds
        assert "#fbfaf7" in grounds


async def test_a_theme_that_changes_on_disk_is_taken_at_once(make_app: MakeApp, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('name = "mine"\nprimary = "#336699"\nforeground = "#ffffff"\nbackground = "#000000"\n')
    app = make_app(theme="mine", theme_folders=[tmp_path])
    async with app.run_test(size=(120, 40)) as pilot:
        mine.write_text('name = "mine"\nprimary = "#336699"\nforeground = "#ffff00"\nbackground = "#000000"\n')
        app._look_at_themes()
        await pilot.pause()
        color = app.look.palette.style("text").color
        assert color is not None
        assert color.triplet is not None
        assert color.triplet.blue < 16, "yellow now, where it was white"
        mine.write_text('name = "mine"\nprimary = "greenish"\n')
        app._look_at_themes()
        await pilot.pause()
        assert "greenish" in notified(pilot)
        assert app.theme == "mine", "a fault changes no colour"


def test_failed_and_well_differ_for_the_colour_blind() -> None:
    """By lightness or blueness: what red-green blindness leaves."""
    themes, _ = load_themes([own_folder()])
    theme = themes["colour-blind"]
    well, failed = Color.parse(theme.success or ""), Color.parse(theme.error or "")
    assert abs(well.b - failed.b) > 100
