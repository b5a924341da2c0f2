"""What is shown follows the store: at once, calmly, and only where it may."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from flowmon.errors import StoreError
from flowmon.model.answers import MessageRow
from flowmon.model.words import DeliveryStatus
from tests.tui.conftest import MakeApp
from tests.tui.driving import app_of, lines, poll, press, settle, text
from tests.tui.fakes import FakeReader
from tests.tui.mail import HEALTH, STUCK, message_row


def new_message(number: int) -> MessageRow:
    return message_row(number, DeliveryStatus.QUEUED, f"new{number}@corp.example", "ben@corp.example")


async def test_a_new_message_appears_with_the_next_poll(make_app: MakeApp, reader: FakeReader) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3")
        reader.message_rows.insert(0, new_message(1000))
        await poll(pilot)
        assert "new1000@corp" not in text(pilot), "nothing is asked while the version stands"
        reader.commit()
        await poll(pilot)
        assert "new1000@corp" in text(pilot)
        assert lines(pilot)[4].startswith("▌ "), "at the top the cursor follows the newest"


async def test_the_timer_polls(make_app: MakeApp, reader: FakeReader) -> None:
    async with make_app(refresh_seconds=0.01).run_test(size=(120, 40)) as pilot:
        await press(pilot, "3")
        reader.message_rows.insert(0, new_message(1000))
        reader.commit()
        for _ in range(100):
            await pilot.pause(0.01)
            if "new1000@corp" in text(pilot):
                return
        raise AssertionError("the new message was not shown")


async def test_nothing_is_asked_or_painted_while_nothing_changes(make_app: MakeApp, reader: FakeReader) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        reader.asked.clear()
        for _ in range(5):
            await poll(pilot)
        assert reader.asked == []


async def test_away_from_the_top_the_row_stays_where_it_is(make_app: MakeApp, reader: FakeReader) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "pagedown", "down")
        before = next((place, line) for place, line in enumerate(lines(pilot)) if line.startswith("▌ 0"))
        for number in range(1000, 1005):
            reader.message_rows.insert(0, new_message(number))
        reader.commit()
        await poll(pilot)
        after = next((place, line) for place, line in enumerate(lines(pilot)) if line.startswith("▌ 0"))
        assert after[0] == before[0]
        assert after[1][:60] == before[1][:60]


async def test_only_the_window_is_asked_for(make_app: MakeApp, reader: FakeReader) -> None:
    delivered = DeliveryStatus.DELIVERED
    reader.message_rows = [message_row(n, delivered, f"s{n}@a.example", "b@c.example") for n in range(5000)]
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "end")
        assert "s4999@a.example" in text(pilot)
        await press(pilot, "pageup", "pageup")
        assert "s4931@a.example" in text(pilot)
        assert max(limit for limit, _ in reader.windows) <= 120
        assert max(offset for _, offset in reader.windows) > 4800


async def test_a_screen_that_was_not_laid_out_yet_asks_for_all_its_rows(make_app: MakeApp, reader: FakeReader) -> None:
    reader.message_rows = [new_message(n) for n in range(200)]
    async with make_app().run_test(size=(120, 100)) as pilot:
        await settle(pilot)
        reader.windows.clear()
        await press(pilot, "3")
        assert reader.windows[0][0] >= 100
        assert "new94@corp" in lines(pilot)[98]


async def test_pause_keeps_what_is_shown(make_app: MakeApp, reader: FakeReader) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "space")
        assert "paused" in lines(pilot)[0]
        reader.message_rows.insert(0, new_message(1000))
        reader.commit()
        await poll(pilot)
        assert "new1000@corp" not in text(pilot)
        await press(pilot, "p")
        assert "paused" not in lines(pilot)[0]
        assert "new1000@corp" in text(pilot)


async def test_a_dead_collector_is_told_on_every_screen(make_app: MakeApp, reader: FakeReader) -> None:
    reader.state = msgspec.structs.replace(HEALTH, collecting=False)
    async with make_app(notices=["Theme x is broken"]).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "The collector has stopped" in text(pilot)
        assert "Theme x is broken" in text(pilot)
        await press(pilot, "2")
        assert "not collecting" in lines(pilot)[0]
        await press(pilot, "n")
        assert "The collector has stopped" in text(pilot)


async def test_a_failing_question_is_told_and_the_screen_goes_on(make_app: MakeApp, reader: FakeReader) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3")
        reader.fault = StoreError("store.db: disk I/O error [/bold]")
        reader.commit()
        await poll(pilot)
        assert "query failed" in lines(pilot)[0]
        assert "anna@corp.exa" in text(pilot), "what was shown stays"
        await press(pilot, "4")
        assert "The store could not answer: store.db: disk I/O error [/bold]" in text(pilot)
        await press(pilot, "3")
        reader.fault = None
        reader.commit()
        await poll(pilot)
        assert "live" in lines(pilot)[0]


async def test_history_is_told_while_it_is_read(make_app: MakeApp, reader: FakeReader) -> None:
    reader.state = msgspec.structs.replace(HEALTH, backlog_bytes=20_000_000)
    reader.message_rows = []
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3")
        assert "history 52 %" in lines(pilot)[0]
        assert "Reading history: 52 %" in text(pilot)


async def test_empty_panels_say_why(make_app: MakeApp, reader: FakeReader) -> None:
    reader.queue_rows, reader.problem_rows, reader.message_rows, reader.details = [], [], [], {}
    async with make_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "No mail is waiting." in text(pilot)
        assert "no failure" in text(pilot)
        assert "No message has been seen yet." in text(pilot)
        await press(pilot, "4")
        assert "Nothing has failed." in text(pilot)
        reader.source_rows = []
        await press(pilot, "5")
        assert "No log is being read." in text(pilot)


async def test_a_smaller_terminal_takes_columns_away(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(160, 40)) as pilot:
        await press(pilot, "3")
        assert "subject" in text(pilot)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert "subject" not in text(pilot)
        assert "status" in text(pilot)
        assert all(len(line) <= 80 for line in lines(pilot))


async def test_copy_goes_to_the_terminal(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "y")
        assert app_of(pilot).clipboard == "ben@corp.example", "no log tells its message-id"
        await press(pilot, "down", "down", "y")
        assert app_of(pilot).clipboard == STUCK.message.message_id is not None
        await press(pilot, "up", "up")
        await press(pilot, "right", "right", "y")
        assert app_of(pilot).clipboard == "anna@corp.example"


async def test_a_screen_first_opened_in_a_pause_shows_ages_of_its_beginning(
    make_app: MakeApp, reader: FakeReader
) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "space")
        reader.clock += timedelta(minutes=30)
        await press(pilot, "2")
        queue = next(line for line in lines(pilot) if "gmail.com" in line)
        assert " 3m " in queue
        await press(pilot, "space")
        queue = next(line for line in lines(pilot) if "gmail.com" in line)
        assert " 33m " in queue


async def test_what_the_store_could_not_answer_is_told_to_its_end(make_app: MakeApp, reader: FakeReader) -> None:
    reader.fault = StoreError("/var/lib/flowmon/store.db: the database disk image is malformed; " + "x" * 90)
    async with make_app().run_test(size=(80, 24)) as pilot:
        await press(pilot, "2")
        pilot.app.clear_notifications()
        await settle(pilot)
        told = "".join("".join(line.split()) for line in lines(pilot)[4:10])
        assert "malformed;" + "x" * 90 in told


async def test_a_notice_is_told_in_two_lines_and_the_rest_by_a_key(make_app: MakeApp, reader: FakeReader) -> None:
    reader.state = msgspec.structs.replace(HEALTH, notices=["word " * 20 + "end"])
    async with make_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "end" in lines(pilot)[4]
        assert "Throughput" in lines(pilot)[5]
        reader.state = msgspec.structs.replace(HEALTH, notices=["word " * 40, "another"])
        reader.commit()
        await poll(pilot)
        assert "n: 1 more" in lines(pilot)[4]
        assert "Throughput" in lines(pilot)[5]
