"""The one filter: written, added from cells, taken away, and refused with its place."""

from __future__ import annotations

from tests.tui.conftest import MakeApp
from tests.tui.driving import app_of, lines, press, settle, terms, text, write
from tests.tui.fakes import FakeReader


async def test_it_is_written_for_all_screens(make_app: MakeApp, reader: FakeReader) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "slash")
        await write(pilot, "from:anna@corp.example")
        await press(pilot, "enter")
        assert "2 messages, newest first" in text(pilot)
        assert "2 match" in lines(pilot)[1]
        await press(pilot, "2")
        assert ("queues", "from:anna@corp.example") in reader.asked
        assert "from:anna@corp.example" in lines(pilot)[1]


async def test_enter_on_a_cell_adds_its_value_and_backspace_takes_it_away(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "right", "right", "enter")
        assert terms(pilot) == ["from:anna@corp.example"]
        await press(pilot, "right", "enter")
        assert terms(pilot) == ["from:anna@corp.example", "status:delivered"]
        await press(pilot, "backspace")
        assert terms(pilot) == ["from:anna@corp.example"]
        await press(pilot, "backspace", "backspace")
        assert terms(pilot) == []
        assert "399 messages" in text(pilot)


async def test_x_excludes_what_the_cell_holds(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "right", "x")
        assert terms(pilot) == ["-status:delivered"]


async def test_a_fault_is_shown_below_its_place_and_the_text_is_kept(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "slash")
        await write(pilot, "from:x reson:y")
        await press(pilot, "enter")
        written, told = lines(pilot)[1], lines(pilot)[2]
        assert "from:x reson:y" in written
        assert told.index("^") == written.index("reson")
        assert 'did you mean "reason"' in told
        assert terms(pilot) == []
        await press(pilot, "delete")
        assert "from:x eson:y" in lines(pilot)[1], "it can be corrected"
        await press(pilot, "escape", "slash")
        assert "reson" not in lines(pilot)[1], "what was left is no draft of the next one"


async def test_a_long_fault_is_told_to_its_end(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        for before in ("", "from:somebody@corp.example "):  # below its place, and where there is no room for that
            await press(pilot, "slash")
            await write(pilot, f"{before}time:noon")
            told = " ".join(" ".join(lines(pilot)[2:6]).split())
            assert "2026-11-24T10:00..2026-11-24T11:00" in told
            await press(pilot, "escape")
            assert lines(pilot)[2].startswith(" ● live"), "its lines are given back"


async def test_escape_leaves_the_filter_as_it_was(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "slash")
        await write(pilot, "status:held")
        await press(pilot, "escape")
        assert terms(pilot) == []
        await press(pilot, "down")
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "messages"


async def test_an_or_is_put_in_parentheses_before_a_term_narrows_it(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        app = app_of(pilot)
        await settle(pilot)
        app.set_filter("host:a or host:b")
        app.drill("messages", "status:open")
        await settle(pilot)
        assert app.filter_text == "(host:a or host:b) status:open"
        await press(pilot, "escape")
        assert app.filter_text == "host:a or host:b"


async def test_nothing_matches_says_so(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3")
        app_of(pilot).set_filter("from:nobody@nowhere.example")
        await settle(pilot)
        assert "Nothing matches from:nobody@nowhere.example" in text(pilot)
        assert "Backspace removes the last term" in text(pilot)
