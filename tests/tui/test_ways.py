"""The ways through the screens: by number, into a queue, a problem, a message, its raw lines, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowmon.tui.widgets.keybar import KeyBar
from flowmon.tui.widgets.table import LineTable
from tests.tui.conftest import MakeApp
from tests.tui.driving import app_of, lines, press, settle, terms, text
from tests.tui.fakes import FakeReader
from tests.tui.mail import raw_detail


@pytest.mark.parametrize(
    ("key", "place", "told"),
    [
        ("1", "overview", "Throughput"),
        ("2", "queues", "Waiting by age"),
        ("3", "messages", "399 messages, newest first"),
        ("4", "problems", "Next step"),
        ("5", "sources", "Permission denied"),
    ],
)
@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_each_screen_opens_with_its_key(
    make_app: MakeApp, key: str, place: str, told: str, size: tuple[int, int]
) -> None:
    async with make_app().run_test(size=size) as pilot:
        await press(pilot, key)
        assert app_of(pilot).place == place
        assert told in text(pilot)
        assert "live" in text(pilot)


async def test_from_a_queue_to_its_raw_lines_and_back(make_app: MakeApp, reader: FakeReader, tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text("first line\nMar 10 09:40:30 relay1 postfix/smtp[7]: the line itself\n")
    reader.details[1] = raw_detail(log, 11)
    async with make_app().run_test(size=(120, 40)) as pilot:
        app = app_of(pilot)
        await press(pilot, "2", "down", "enter")
        assert app.place == "messages"
        assert terms(pilot) == ["queue:relay1/mbx2.corp.example"]
        await press(pilot, "enter")
        assert "waits on relay1 for 3h07" in text(pilot)
        await press(pilot, "r")
        assert ":2 Mar 10 09:40:30 relay1 postfix/smtp[7]: the line itself" in text(pilot)
        await press(pilot, "escape")
        assert app.place == "messages"
        assert app.terms
        await press(pilot, "escape")
        assert app.place == "queues"
        assert terms(pilot) == []
        assert "▌ mbx2.corp.example" in text(pilot), "the cursor is where it was"


@pytest.mark.parametrize("place", ["1", "2"])
async def test_escape_finds_the_cursor_where_it_was(make_app: MakeApp, place: str) -> None:
    async with make_app(refresh_seconds=0.1).run_test(size=(120, 40)) as pilot:
        await press(pilot, place, "down", "down")
        table = pilot.app.screen.query_one("#queues", LineTable)
        assert table.cursor == 2
        await press(pilot, "enter")
        await pilot.pause(0.3)
        await press(pilot, "escape")
        await pilot.pause(0.3)
        assert table.cursor == 2


async def test_from_a_problem_to_its_messages(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "4", "enter")
        app = app_of(pilot)
        assert app.place == "messages"
        assert terms(pilot) == ["problem:delivery", "reason:refused", "next:mx.partner.example"]


async def test_panels_of_the_overview_lead_on(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "tab", "tab", "enter")
        assert terms(pilot) == ["problem:routing", "reason:dns-failure", "next:nowhere.example"]


async def test_a_report_leads_to_its_message(make_app: MakeApp, reader: FakeReader) -> None:
    import msgspec

    reader.details[1] = msgspec.structs.replace(reader.details[3], id=1, report_of=3)
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "enter")
        assert "this is a report about another message" in text(pilot)
        await press(pilot, *["down"] * 9, "enter")
        assert "this is a report about another message" not in text(pilot)
        await press(pilot, "escape")
        assert "this is a report about another message" in text(pilot)


async def test_next_message_goes_down_the_list(make_app: MakeApp, reader: FakeReader) -> None:
    reader.details = dict.fromkeys((1, 2), reader.details[3])
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "enter", "n")
        assert "waits on relay1" in text(pilot)
        await press(pilot, "n")
        assert "no longer here" in text(pilot)
        await press(pilot, "b")
        assert "waits on relay1" in text(pilot)
        await press(pilot, "escape")
        assert "▌ 09:41:08  ➜ relayed" in text(pilot) or "▌ 09:41" in text(pilot)


async def test_help_shows_every_key_and_sign(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 110)) as pilot:
        await press(pilot, "3", "question_mark")
        shown = text(pilot)
        keys = ("Go to Overview", "Sort by something else", "Take the last term away", "PgDn")
        for told in (*keys, "⊘ rejected", "age>1h"):
            assert told in shown
        await press(pilot, "escape")
        assert "Sort by something else" not in text(pilot)


async def test_a_key_pressed_twice_does_no_harm(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await press(pilot, "3", "3", "escape", "escape", "1", "1", "question_mark", "2", "escape")
        assert app_of(pilot).place == "overview"


async def test_a_number_leaves_the_filter_of_a_drill_behind(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "enter")
        assert terms(pilot)
        await press(pilot, "4")
        assert terms(pilot) == []
        await press(pilot, "2", "enter", "right", "enter", "1")
        assert terms(pilot), "a term of one's own keeps the filter"


async def test_a_number_leaves_a_drill_behind_after_the_number_of_where_it_led(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "4", "enter")
        drilled = terms(pilot)
        await press(pilot, "3")
        assert drilled == terms(pilot) != []
        await press(pilot, "2")
        assert terms(pilot) == []


@pytest.mark.parametrize("size", [(300, 80), (200, 50), (100, 30), (80, 24), (60, 16), (40, 10), (20, 5), (3, 4)])
async def test_every_screen_stands_in_every_size(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        for key in ("1", "2", "3", "enter", "escape", "4", "5"):
            await press(pilot, key)
            await pilot.resize_terminal(*size)
            await settle(pilot)
            found = text(pilot).splitlines()
            assert len(found) == size[1]
            assert all(len(line) <= size[0] for line in found)
            assert any(line.strip() for line in found)


async def test_the_way_out_stands_on_the_narrowest_screen(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(40, 20)) as pilot:
        await press(pilot, "3", "down", "down", "enter")
        assert lines(pilot)[-1].startswith(" Esc Back  / Find ")
        assert lines(pilot)[-1].endswith(" q Quit  ? Help  ")
        await press(pilot, "escape", "slash")
        assert lines(pilot)[-1].startswith(" Esc Leave the filter  ")


async def test_the_key_bar_tells_the_way_out(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await press(pilot, "2", "down", "enter", "enter")
        bar = pilot.app.screen.query_one(KeyBar)

        def told() -> str:
            return "".join(segment.text for segment in bar.render_line(0)).strip()

        assert "  Esc Back  " in told()
        assert told().endswith("q Quit  ? Help")
        await press(pilot, "question_mark")
        await settle(pilot)
        assert told() == "Esc Close"
        await press(pilot, "escape")
        await settle(pilot)
        assert "  Esc Back  " in told()
