"""The queue that an MTA lists beside the one of the log: from the command to the table."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowmon.collecting import Collector
from flowmon.commands.collect import Live, to_ask
from flowmon.config import Config, load
from flowmon.model.listed import Listing
from flowmon.mta.asker import Asker, Mta, ask
from flowmon.sources import discover
from flowmon.store import filter as language
from flowmon.store import listings
from flowmon.store.listings import Listings
from flowmon.store.reader import SqliteReader
from flowmon.store.writer import Writer
from flowmon.tracking.names import HostNames
from tests.golden import live
from tests.mta import samples

AT = 1795642450
"""When the first message of the sample came: 2026-11-25 21:34:10 UTC."""
LOG = """\
2026-11-25T21:34:10.000000+00:00 edge postfix/qmgr[7]: E7C2E216371: from=<erin@lab.test>, size=1433, nrcpt=1 (queue active)
2026-11-25T21:34:20.000000+00:00 edge postfix/smtp[8]: E7C2E216371: to=<lee39@close.direct.example>, relay=mx-close.sinknet.example[198.51.100.22]:25, delay=10, delays=0/0/10/0, dsn=4.4.2, status=deferred (lost connection with mx-close.sinknet.example[198.51.100.22] while sending end of data -- message may be sent more than once)
2026-11-25T21:34:11.000000+00:00 edge postfix/qmgr[7]: AAAAA216371: from=<bob@lab.test>, size=1433, nrcpt=1 (queue active)
2026-11-25T21:34:21.000000+00:00 edge postfix/smtp[8]: AAAAA216371: to=<x@close.direct.example>, relay=mx-close.sinknet.example[198.51.100.22]:25, delay=10, delays=0/0/10/0, dsn=4.4.2, status=deferred (lost connection)
"""  # noqa: E501 - log lines


def script(folder: Path, listing: str, tries: str = "") -> str:
    """A wrapper that stands for the MTA's commands, as `docker exec` would."""
    (folder / "listing").write_text(listing)
    (folder / "tries").write_text(tries)
    path = folder / "through"
    path.write_text(
        f'#!/bin/sh\ncase "$*" in postqueue*) cat {folder}/listing;; *queue_directory) echo /queue;; postconf*) ;; '
        f'find*) cat {folder}/tries;; '
        "*) echo no such command >&2; exit 69;; esac\n"
    )
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def reader(tmp_path: Path, utc: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteReader]:
    """A store of the log above, and of what the sample lists."""
    log = tmp_path / "mail.log"
    log.write_text(LOG)
    store = tmp_path / "store.db"
    writer = Writer(store)
    mta = Mta("edge", "postfix", None, (script(tmp_path, samples.POSTFIX, samples.POSTFIX_TRIES),))
    collector = Collector(writer, live.builtin(), discover([str(log)]), Config(), live=True)
    asker = Asker([mta], 3600)
    stop = threading.Event()
    thread = threading.Thread(target=Live(collector, stop, asker).run)
    thread.start()
    found = SqliteReader(store)
    until = time.monotonic() + 10
    while not (found.count() == 2 and found._listings().messages) and time.monotonic() < until:
        time.sleep(0.02)
    monkeypatch.setattr(listings, "SETTLED_SECONDS", 0.0)
    yield found
    stop.set()
    asker.stop()
    thread.join(10)
    found.close()
    writer.close()
    assert not thread.is_alive()


def test_both_sides_are_one_queue(reader: SqliteReader) -> None:
    queues = {(q.host, q.next_hop): q for q in reader.queues()}
    one = queues["edge", "mx-close.sinknet.example"]
    assert (one.messages, one.only_in_log, one.only_in_queue) == (1, 1, 0)
    assert one.next_retry_at is not None
    assert (one.next_retry_at.timestamp(), one.retry_is_exact) == (1795642498.0, True)
    assert one.listed_at is not None
    assert (one.cause, one.next_step) != (None, None)


def test_a_message_has_the_next_try_that_its_mta_lists(reader: SqliteReader) -> None:
    waits, unlisted = reader.messages()
    (one,), (other,) = waits.recipients, unlisted.recipients
    assert one.next_retry_at is not None
    assert (one.next_retry_at.timestamp(), one.retry_is_exact) == (1795642498.0, True)
    assert (other.next_retry_at, other.retry_is_exact) == (None, False), "one try tells of no spacing"
    detail = reader.detail(reader.find("E7C2E216371")[0])
    assert detail is not None
    assert detail.message == waits


def test_what_no_line_tells_of_is_shown(reader: SqliteReader) -> None:
    queues = {(q.host, q.next_hop): q for q in reader.queues()}
    held = queues["edge", "lab.test"]
    assert (held.messages, held.held, held.only_in_queue) == (1, 1, 1)
    assert [(m.queue_id, m.envelope_sender) for m in held.unlogged] == [("D65B52162D1", "")]
    assert queues["edge", "servfail.direct.example"].only_in_queue == 1


@pytest.mark.parametrize(
    ("text", "hops"),
    [
        ("host:edge status:held", ["lab.test"]),
        ("from:<>", ["lab.test"]),
        ("to:@servfail.direct.example", ["servfail.direct.example"]),
        ("-to:@servfail.direct.example status:held,queued", ["lab.test"]),
        ("from:erin or servfail", ["mx-close.sinknet.example", "servfail.direct.example"]),
        ("size>1k status:held", []),
        ("from:erin reason:nothing", []),
        ("to:lee39 size<1", []),
        ("host:other", []),
        ("queue:edge/lab.test", ["lab.test"]),
        ("queue:edge/servfail.* or queue:other/lab.test", ["servfail.direct.example"]),
    ],
)
def test_the_filter_holds_for_them_too(reader: SqliteReader, text: str, hops: list[str]) -> None:
    assert sorted(q.next_hop for q in reader.queues(language.parse(text))) == hops


def test_a_newer_list_takes_the_place_of_the_older(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    mta = Mta("edge", "postfix", None, (script(tmp_path, samples.POSTFIX),))
    first = ask(mta)
    assert first is not None
    writer.take_listing(first)
    writer.take_listing(Listing("edge", "postfix", first.read_at + 30, []))
    reader = SqliteReader(tmp_path / "store.db")
    assert reader.queues() == []
    writer.take_listing(first)
    assert len(reader.queues()) == 3
    writer.keep_listings([])
    assert reader.queues() == []
    reader.close()
    writer.close()


def test_an_mta_that_cannot_be_asked_is_a_notice(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    answer = ask(Mta("edge", "exim", None, (script(tmp_path, ""),)))
    assert answer is not None
    writer.take_listing(answer)
    reader = SqliteReader(tmp_path / "store.db")
    assert reader.health().notices == [f"The queue of edge (exim) cannot be read: {answer.error}"]
    assert "no such command" in (answer.error or "")
    assert "queue.read = false" in (answer.error or "")
    reader.close()
    writer.close()


def test_an_mta_that_was_only_looked_for_need_not_be_there() -> None:
    assert ask(Mta("edge", "postfix", None, ("no-such-wrapper",), named=False)) is None


def test_whom_to_ask(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[[mta]]\nkind = "exim"\nhost = "relay.lab.test"\nthrough = ["docker", "exec", "mail"]\n')
    config = load(file)
    names = HostNames(config, "here.lab.test")
    assert to_ask(["/var/log/x"], config, names) == [Mta("relay", "exim", None, ("docker", "exec", "mail"))]
    assert [mta.host for mta in to_ask([], Config(), names)] == ["here"] * 3
    assert to_ask(["/var/log/x"], Config(), names) == [], "logs from elsewhere say nothing of this host's queue"
    file.write_text("[queue]\nread = false\n")
    assert to_ask([], load(file), names) == []


def test_a_message_that_the_filter_leaves_out_is_not_called_unknown_to_the_log(reader: SqliteReader) -> None:
    """The log puts it down as a timeout, the list's own words as something else: it is the same message."""
    for text in ("reason:none", "from:erin reason:unknown", "reason:refused"):
        assert [q.unlogged for q in reader.queues(language.parse(text)) if "E7C2E216371" in str(q.unlogged)] == []


@pytest.mark.parametrize(("mta", "error", "listed"), [
    ("postfix", None, True), ("postfix /etc/postfix-out", None, True), ("exim", None, False),
    ("postfix", "asleep", False),
])
def test_only_an_mta_that_answered_and_has_such_ids_can_miss_it(mta: str, error: str | None, listed: bool) -> None:
    assert Listings([Listing("edge", mta, 100.0, [], error)]).would_list("edge", "E7C2E216371") is listed


def test_one_instance_that_fails_leaves_all_in_doubt() -> None:
    both = [Listing("edge", "postfix", 100.0), Listing("edge", "postfix /etc/postfix-out", 100.0, [], "asleep")]
    assert not Listings(both).would_list("edge", "E7C2E216371")
    assert not Listings(both[:1]).would_list("mbx", "E7C2E216371")


@pytest.mark.parametrize(("kind", "queue_id"), [
    ("postfix", "4fkQzR1Xy0z1Bc3"), ("exim", "1xWKcr-00000n-2X"), ("exim", "1rQ0Yb-00000002Abc-1XyZ"),
    ("sendmail", "6APLZICR000133"), ("opensmtpd", "23dc2fe0"),
])
def test_ids_of_each_mta_are_known(kind: str, queue_id: str) -> None:
    assert Listings([Listing("h", kind, 1.0)]).would_list("h", queue_id)
