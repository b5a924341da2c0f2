"""The way to a next hop as logs of connections tell it: the newest word counts, and only for mail that met it."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from flowmon.model.event import Notice
from flowmon.model.flow import Trouble
from flowmon.store.troubles import RETRY_SECONDS, by_way, hindrance, kept
from flowmon.tracking import incidents
from flowmon.tracking.tracker import Tracker
from tests.golden import reading


def _notice(at: float, text: str | None, next_hop: str = "fabrikam.example") -> Notice:
    return Notice(at, "ex01", "exchange-connectivity", None, None, 0, text, next_hop)


@pytest.mark.parametrize("order", permutations([
    _notice(1.0, "refused"), _notice(2.0, None), _notice(3.0, "timed out"),
]))
def test_the_newest_word_counts_in_any_order(order: tuple[Notice, ...]) -> None:
    tracker = Tracker()
    for notice in order:
        tracker.fold(notice)
    assert list(tracker.troubles.values()) == [Trouble("ex01", "fabrikam.example", 3.0, "timed out")]
    assert not tracker.notices


def test_the_oldest_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents, "TROUBLES_KEPT", 2)
    tracker = Tracker()
    for at, name in enumerate(("a.example", "b.example", "c.example")):
        tracker.fold(_notice(float(at), "refused", name))
    assert [next_hop for _, next_hop in tracker.troubles] == ["b.example", "c.example"]


def test_only_mail_that_met_it_is_hindered() -> None:
    body = msgspec.msgpack.encode([Trouble("ex01", "fabrikam.example", 1000.0, "refused"),
                                   Trouble("ex01", "free.example", 1000.0, None)])
    troubles = by_way(body)
    assert hindrance(troubles, "ex01", "Fabrikam.example", 1000.0 + RETRY_SECONDS) == kept(body)[0]
    assert hindrance(troubles, "ex01", "fabrikam.example", 1001.0 + RETRY_SECONDS) is None
    assert hindrance(troubles, "ex01", "free.example", 900.0) is None
    assert hindrance(troubles, "ex02", "fabrikam.example", 900.0) is None
    assert hindrance(by_way(None), "ex01", None, 0.0) is None


def test_a_message_that_waits_says_why(tmp_path: Path, utc: None) -> None:
    with reading.read([str(reading.copied("exchange_queue_in_retry", tmp_path))]) as reader:
        told = {d.message.recipients[0].recipient: d for d in map(reader.detail, reader.find("anna@contoso.example"))
                if d is not None}
        stuck, free = told["pat@fabrikam.example"], told["lee@tailspin.example"]
    assert stuck.cause is not None
    assert stuck.next_step is not None
    assert stuck.cause.startswith(
        "No try of this message is told, but ex01 had trouble with its connection to fabrikam.example at 09:10:14: "
        "Failed connection to 203.0.113.50:25 (TimedOut:0000274C). ")
    assert "port 25" in stuck.next_step
    assert free.cause is None
    assert free.next_step is None
