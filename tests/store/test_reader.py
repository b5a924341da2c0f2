"""What the store answers, on a filled one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from flowmon.commands import opening
from flowmon.config import Config
from flowmon.model.words import DeliveryStatus, Problem
from flowmon.store.evidence import read_line
from flowmon.store.filter import parse
from flowmon.store.reader import SqliteReader

ALL = 5
"""A fork, the report about it, one held, one released, one refused login."""


def _ids(reader: SqliteReader, filter: str) -> list[str | None]:
    return sorted((m.message_id for m in reader.messages(parse(filter))), key=str)


@pytest.mark.parametrize(("filter", "expected"), [
    ("from:carol@acme.example", ["<m0@acme.example>", None]),  # None: her login failed
    ("from:@acme.example", ["<m0@acme.example>", None]),
    ("from:@far.example", ["<m0@far.example>", "<m1@far.example>"]),
    ("from:<>", ["<E1xVo0g-00000B-1A@hub.acme.example>"]),
    ("to:dave@acme.example", ["<m0@acme.example>"]),
    ("to:@sink.example", ["<m0@acme.example>", "<m0@far.example>", "<m1@far.example>"]),
    ("host:box", ["<E1xVo0g-00000B-1A@hub.acme.example>", "<m0@acme.example>"]),
    ("next:mx.sink.example", ["<m0@acme.example>", "<m0@far.example>"]),
    ("status:bounced", ["<m0@acme.example>"]),
    ("status:deferred", ["<m0@acme.example>"]),
    ("status:held", ["<m1@far.example>"]),
    ("status:relayed -status:bounced", ["<m0@far.example>"]),
    ("problem:authentication", [None]),
    ("problem:delivery reason:mailbox-full", ["<m0@acme.example>"]),
    ("id:m1@far.example", ["<m1@far.example>"]),
    ("id:B60000001", ["<m1@far.example>"]),
    ("id:1xVo0f-00000A-2i", ["<m0@acme.example>"]),
    ("from:nobody@nowhere.example", []),
])
def test_filter(reader: SqliteReader, filter: str, expected: list[str | None]) -> None:
    assert _ids(reader, filter) == sorted(expected, key=str)
    assert reader.count(parse(filter)) == len(expected)
    assert len(reader.rows(parse(filter))) == len(expected)


def test_counts_agree(reader: SqliteReader) -> None:
    rows = reader.rows()
    assert reader.count() == len(rows) == len(list(reader.messages())) == ALL
    assert Counter(row.status for row in rows) == {
        DeliveryStatus.BOUNCED: 1, DeliveryStatus.DELIVERED: 1, DeliveryStatus.RELAYED: 1, DeliveryStatus.HELD: 1,
        DeliveryStatus.REJECTED: 1,
    }


def test_rows_say_what_messages_say(reader: SqliteReader) -> None:
    for row in reader.rows():
        detail = reader.detail(row.id)
        assert detail is not None
        message = detail.message
        assert (row.status, row.problem, row.reason) == (message.status, message.problem, message.reason)
        assert row.envelope_sender == message.envelope_sender
        assert row.recipient_count == len(message.recipients)
        assert row.hops == len(message.hops)


@pytest.mark.parametrize("order", [
    "last_seen", "first_seen", "sender", "status", "size", "attempts", "age", "delay", "recipient", "reason",
])
def test_orders(reader: SqliteReader, order: str) -> None:
    there = [row.id for row in reader.rows(order=order, descending=True)]
    back = [row.id for row in reader.rows(order=order, descending=False)]
    assert there == back[::-1]
    assert len(set(there)) == ALL


def test_order_of_time_and_of_harm(reader: SqliteReader) -> None:
    first = [row.first_seen_at for row in reader.rows(order="first_seen", descending=False)]
    assert first == sorted(first)
    worst = reader.rows(order="status")
    assert (worst[0].status, worst[-1].status) == (DeliveryStatus.BOUNCED, DeliveryStatus.DELIVERED)


def test_pages(reader: SqliteReader) -> None:
    whole = [row.id for row in reader.rows()]
    pages = [row.id for offset in range(0, ALL, 2) for row in reader.rows(limit=2, offset=offset)]
    assert pages == whole


def test_find(reader: SqliteReader) -> None:
    (fork,) = reader.find("<m0@acme.example>")
    assert reader.find("m0@acme.example") == reader.find("B10000000") == reader.find("1xVo0f-00000A-2i") == [fork]
    assert reader.find("dave@acme.example") == reader.find("DAVE@acme.example") == [fork]
    assert len(reader.find("carol@acme.example")) == 3
    assert reader.find("nothing") == []


def test_detail(reader: SqliteReader, logs: Path) -> None:
    (fork,) = reader.find("<m0@acme.example>")
    detail = reader.detail(fork)
    assert detail is not None
    assert detail.cause
    assert detail.next_step
    assert len(detail.reports) == 1
    assert [(a.recipient, a.host, a.status) for a in detail.attempts if a.problem] == [
        ("x@sink.example", "gw", DeliveryStatus.DEFERRED), ("dave@acme.example", "hub", DeliveryStatus.BOUNCED),
    ]
    assert reader.detail(987_654) is None


def test_evidence_is_the_line_in_the_log(reader: SqliteReader, logs: Path) -> None:
    (fork,) = reader.find("<m0@acme.example>")
    detail = reader.detail(fork)
    assert detail is not None
    texts = []
    for line in detail.evidence:
        text = line.text if line.text is not None else read_line(line)
        assert text is not None
        assert Path(line.path).read_bytes()[line.offset :].startswith(text.encode())
        texts.append(text)
    assert len(texts) == len(set(texts))
    for part in ("B10000000: client=", "1xVo0f-00000A-2i ** dave@acme.example", "C10000000: to=<bob@acme.example>"):
        assert sum(part in text for text in texts) == 1


def test_lines_of_failures_outlive_their_log(reader: SqliteReader, logs: Path) -> None:
    (fork,) = reader.find("<m0@acme.example>")
    for path in logs.rglob("*"):
        if path.is_file():
            path.unlink()
    detail = reader.detail(fork)
    assert detail is not None
    assert all(line.text for line in detail.evidence)


def test_queues(reader: SqliteReader) -> None:
    rows = {(q.host, q.next_hop): q for q in reader.queues()}
    assert sum(q.deferred for q in rows.values()) == 1
    assert sum(q.held for q in rows.values()) == 1
    deferred = rows["gw", "mx.sink.example"]
    assert (deferred.messages, deferred.problem, deferred.reason) == (1, Problem.DELIVERY, "timeout")
    assert deferred.last_error is not None
    assert reader.queues(parse("status:held")) == [rows["gw", "sink.example"]]


def test_problems(reader: SqliteReader) -> None:
    found = {(p.problem, p.reason): p for p in reader.problems()}
    assert set(found) == {
        (Problem.DELIVERY, "mailbox-full"), (Problem.DELIVERY, "timeout"), (Problem.POLICY, "hold"),
        (Problem.AUTHENTICATION, "smtp-auth"),
    }
    for problem in found.values():
        assert problem.messages == 1
        assert problem.cause
        assert problem.next_step
    assert found[Problem.DELIVERY, "timeout"].open == 1
    assert found[Problem.DELIVERY, "mailbox-full"].sample_recipients == ["dave@acme.example"]


def test_totals_of_all_and_of_a_part(reader: SqliteReader) -> None:
    assert reader.totals().received == 7
    assert reader.totals(parse("from:@far.example")).held == 2
    assert reader.totals(parse("from:@far.example")).received == 2


def test_sources(reader: SqliteReader, logs: Path) -> None:
    rows = {row.path: row for row in reader.sources()}
    assert set(rows) == {str(path) for path in logs.rglob("*") if path.is_file()}
    for path, row in rows.items():
        assert (row.position, row.lag_bytes, row.error) == (Path(path).stat().st_size, 0, None)
        assert row.lines == Path(path).read_bytes().count(b"\n")
        assert row.unmatched == 0


def test_health_of_a_store_whose_collector_ended(reader: SqliteReader) -> None:
    health = reader.health()
    assert (health.collecting, health.failed_sources, health.open_messages) == (False, 0, 2)


def test_mail_that_waits_for_other_mail_is_told_why_that_failed(tmp_path: Path, utc: None) -> None:
    """Exim tries a host once; what comes meanwhile waits without a try of its own."""
    log = tmp_path / "mainlog"
    log.write_text(
        "2026-11-24 10:00:00 1xVo0r-00003J-1o <= a@acme.example H=in.acme.example [192.0.2.9] P=esmtp S=900\n"
        "2026-11-24 10:00:01 1xVo0r-00003J-1o == x@far.example R=dnslookup T=remote_smtp defer (111): "
        "Connection refused\n"
        "2026-11-24 10:00:02 1xVo0t-00003K-1o <= b@acme.example H=in.acme.example [192.0.2.9] P=esmtp S=900\n"
        "2026-11-24 10:00:02 1xVo0t-00003K-1o == y@far.example R=dnslookup T=remote_smtp defer (-54): "
        "retry time not reached for any host for 'far.example'\n"
    )
    with opening.reader([f"out={log}"], Config()) as reader:
        rows = {row.recipient: row for row in reader.rows()}
        detail = reader.detail(rows["y@far.example"].id)
        (queue,) = reader.queues()
    assert rows["y@far.example"].reason == "retry-wait"
    assert detail is not None
    assert "other mail from out to far.example failed" in (detail.cause or "")
    assert "Connection refused" in (detail.cause or "")
    assert "port 25" in (detail.next_step or "")
    assert (queue.messages, queue.reason) == (2, "refused")
