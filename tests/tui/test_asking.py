"""What every screen may ask: which filter, of which time, into which file."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from flowmon.tui.filters import FilterBook
from tests.tui.conftest import MakeApp
from tests.tui.driving import Driver, app_of, lines, notified, press, settle, terms, text, write
from tests.tui.fakes import FakeReader


async def test_a_time_window_is_chosen_for_all_screens(make_app: MakeApp, reader: FakeReader) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "w", "down", "down", "enter")
        assert terms(pilot) == ["time:last-1h"]
        assert ("throughput", "time:last-1h") in reader.asked
        await press(pilot, "2", "w", "up", "enter")
        assert terms(pilot) == ["time:last-15m"], "one time takes the place of the other"
        await press(pilot, "w", "home", "enter")
        assert terms(pilot) == []


async def test_the_window_in_force_is_marked_and_has_the_cursor(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        for filter, name in (("", "all"), ("time:last-6h status:open", "6 hours"), ("time:8:00-9:00", "from – to …")):
            app_of(pilot).set_filter(filter)
            await press(pilot, "w")
            assert f"▌✔ {name} " in text(pilot)
            await press(pilot, "escape")
        await press(pilot, "w", "enter")
        assert pilot.app.screen.query_one(Input).value == "8:00-9:00", "it can be changed"


async def test_a_time_of_ones_own(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await press(pilot, "w", "end", "enter")
        await ask(pilot, "10 o'clock")
        assert "is no time" in text(pilot)
        assert "2026-11-24T10:00..2026-11-24T11:00 " in text(pilot), "a fault is told to its end"
        await ask(pilot, "10:00-11:00")
        assert terms(pilot) == ["time:10:00-11:00"]


async def ask(pilot: Driver, value: str) -> None:
    """Write into a question and take it."""
    pilot.app.screen.query_one(Input).value = value
    await press(pilot, "enter")


async def test_filters_are_saved_by_name_and_kept_in_history(make_app: MakeApp, tmp_path: Path) -> None:
    saved, history = tmp_path / "config" / "filters.toml", tmp_path / "state" / "filters.txt"
    async with make_app(filters=FilterBook(saved, history)).run_test(size=(120, 40)) as pilot:
        await press(pilot, "slash")
        await write(pilot, 'subject:"a \\"b\\"" status:open')
        await press(pilot, "enter", "s")
        await ask(pilot, "stuck mail")
        await press(pilot, "backspace", "backspace")
        assert terms(pilot) == []
    book = FilterBook(saved, history)
    assert book.saved == {"stuck mail": 'subject:"a \\"b\\"" status:open'}
    assert book.history[0] == 'subject:"a \\"b\\"" status:open'
    async with make_app(filters=book).run_test(size=(120, 40)) as pilot:
        await press(pilot, "f")
        assert "stuck mail" in text(pilot)
        await press(pilot, "enter")
        assert terms(pilot) == ['subject:"a \\"b\\""', "status:open"]
        await press(pilot, "f", "d", "escape")
    assert FilterBook(saved, history).saved == {}


async def test_without_a_filter_there_is_none_to_save(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "s")
        assert "There is no filter to save" in notified(pilot)


async def test_what_a_person_wrote_wrongly_is_told_and_not_overwritten(tmp_path: Path) -> None:
    saved = tmp_path / "filters.toml"
    saved.write_text('stuck = "status:open\n')
    book = FilterBook(saved)
    assert "Mend or remove" in book.notices[0]
    book.save("new", "status:held")
    assert saved.read_text() == 'stuck = "status:open\n'
    saved.write_text('stuck = "statis:open"\n')
    assert 'did you mean "status"' in FilterBook(saved).notices[0]


async def test_tab_completes_keys_words_and_values(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "slash")
        await write(pilot, "-sta")
        assert "Tab status:" in lines(pilot)[2]
        await press(pilot, "tab")
        await write(pilot, "deferred,he")
        await press(pilot, "tab")
        await write(pilot, " host:e")
        assert "edge" in lines(pilot)[2]
        assert "edge2" in lines(pilot)[2]
        await press(pilot, "tab", "enter")
        assert terms(pilot) == ["-status:deferred,held", "host:edge"]


async def test_tab_goes_on_to_the_next_proposal_and_shift_tab_back(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "slash")
        line = pilot.app.screen.query_one(Input)
        await write(pilot, "host:e")
        for key, value in (("tab", "edge"), ("tab", "edge2"), ("tab", "edge"), ("shift+tab", "edge2")):
            await press(pilot, key)
            assert line.value == f"host:{value}"
            assert "Tab edge  edge2" in lines(pilot)[2], "they stay in sight"
        await write(pilot, " status:def")
        await pilot.press("tab", "tab")
        assert line.value == "host:edge2 status:deferred", "the only one stays"
        await write(pilot, " host:e")
        await pilot.press("shift+tab")
        assert line.value == "host:edge2 status:deferred host:edge2", "the last one first"


async def test_up_brings_back_what_was_used_before(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        for filter in ("status:held", "status:open"):
            await press(pilot, "slash")
            await write(pilot, filter)
            await press(pilot, "enter", "backspace")
        app_of(pilot).drill("messages", "queue:relay1/mx.partner.example")
        await press(pilot, "escape", "slash")
        await write(pilot, "to:x")
        await press(pilot, "up", "up")
        assert pilot.app.screen.query_one(Input).value == "status:held"
        await press(pilot, "up", "down")
        assert pilot.app.screen.query_one(Input).value == "status:open"
        await press(pilot, "down")
        assert pilot.app.screen.query_one(Input).value == "to:x", "what was being written is not lost"


async def test_a_click_on_a_chip_takes_its_term_away(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        app_of(pilot).set_filter("status:held host:edge")
        await settle(pilot)
        await pilot.click(offset=(lines(pilot)[1].index("status:held") + 2, 1))
        assert terms(pilot) == ["host:edge"]


@pytest.mark.parametrize(("place", "head"), [("2", "next_hop,host"), ("4", "problem,reason"), ("3", "first_seen_at")])
async def test_what_is_shown_goes_into_a_file(make_app: MakeApp, tmp_path: Path, place: str, head: str) -> None:
    file = tmp_path / "out.csv"
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, place, "e")
        await ask(pilot, str(file))
        await settle(pilot)
        assert str(file) in notified(pilot)
        await press(pilot, "e")
        await ask(pilot, str(file))
        assert "choose another name" in text(pilot), "nothing is overwritten"
    written = file.read_text().splitlines()
    assert written[0].startswith(head)
    assert len(written) > 1
    assert not any("\x1b" in line or line.startswith(("=", "+")) for line in written)


async def test_a_message_goes_into_a_file_as_it_reads(make_app: MakeApp, tmp_path: Path) -> None:
    file = tmp_path / "message.txt"
    async with make_app().run_test(size=(80, 24)) as pilot:
        await press(pilot, "3", "down", "down", "enter", "e")
        await ask(pilot, str(file))
        await settle(pilot)
    written = file.read_text()
    assert "Next step" in written
    assert "Raw lines" in written
    assert "\x1b" not in written


async def test_a_folder_that_is_not_there_is_said(make_app: MakeApp, tmp_path: Path) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "e")
        await ask(pilot, str(tmp_path / "no" / "out.csv"))
        assert "there is no such folder" in text(pilot)


async def test_a_text_is_found_in_the_lines_of_a_message(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await press(pilot, "3", "down", "down", "enter", "slash")
        await ask(pilot, "TIMELINE")
        assert any("Timeline" in line for line in lines(pilot))
        await press(pilot, "slash")
        await ask(pilot, "no such text")
        assert "No line holds no such text" in notified(pilot)


async def test_keys_of_the_configuration_take_the_place_of_ours(make_app: MakeApp) -> None:
    app = make_app(keys={"go.queues": "f2", "filter.edit": "slash, ctrl+f", "go.quues": "x"})
    assert any("go.quues: did you mean go.queues?" in notice for notice in app.notices)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "f2")
        assert app_of(pilot).place == "queues"
        await press(pilot, "ctrl+f")
        await write(pilot, "status:held")
        await press(pilot, "enter", "question_mark")
        assert "F2" in text(pilot)
        assert terms(pilot) == ["status:held"]


async def test_follow_goes_to_the_newest(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "pagedown", "down")
        assert "following" not in lines(pilot)[2]
        await press(pilot, "F")
        assert "following" in lines(pilot)[2]
