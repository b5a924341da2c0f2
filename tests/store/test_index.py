"""What stands in the store beside the rows of messages: terms, packed texts, tallies, sums of failures."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowmon.errors import StoreError, StoreReadError
from flowmon.model.flow import Fate, Flow, Hop
from flowmon.model.words import DeliveryStatus
from flowmon.store import packed, terms
from flowmon.store.batch import Batch
from flowmon.store.failure_sums import SECONDS
from flowmon.store.filter import parse
from flowmon.store.finding import Finding
from flowmon.store.packed import Packed
from flowmon.store.reader import SqliteReader
from flowmon.store.rows import make
from flowmon.store.schema import KEYS, Key
from flowmon.store.terms import match, term, value_of
from flowmon.store.writer import Writer
from flowmon.tracking.hosts import KnownHosts
from tests.store.flows import flow_of

D = DeliveryStatus
KNOWN = KnownHosts()


@given(st.sampled_from(Key), st.text())
@example(Key.QUEUE_ID, "4bXyz1")
@example(Key.MESSAGE_ID, "^a~2a\n\0\"' x@Host")
def test_a_term_tells_its_value_again(kind: Key, value: str) -> None:
    assert value_of(term(kind, value)) == value


@given(st.lists(st.tuples(st.sampled_from(Key), st.text(st.characters(codec="utf-8"), min_size=1)), min_size=1))
def test_the_index_takes_terms_as_they_are(keys: list[tuple[Key, str]]) -> None:
    db = sqlite3.connect(":memory:")
    db.executescript(KEYS)
    db.execute("INSERT INTO keys (rowid, terms) VALUES (1, ?)", ("\n".join(term(*key) for key in keys),))
    assert {value for (value,) in db.execute("SELECT term FROM key_terms")} == {term(*key) for key in keys}
    for kind, value in keys:
        for asked in (match([(kind, value)]), match([(kind, value[:1])], beginning=True)):
            assert db.execute("SELECT rowid FROM keys WHERE keys MATCH ?", (asked,)).fetchall() == [(1,)]
    db.close()


def test_the_terms_of_a_flow_are_those_of_its_kept_form() -> None:
    flow = flow_of(7, 1.0, D.BOUNCED, sender="A\nb@One.example")
    assert terms.of(flow).split("\n") == [
        "aa~0ab@one.example", "cone.example", "gmx1", "e^m7@one.example", "f7", "bb@two.example", "dtwo.example",
        "hmx.two.example", "h192.0.2.2",
    ]


def test_terms_are_made_by_later_versions_as_they_were() -> None:
    """What is taken out of the index is made again from the body: where this fails, raise SCHEMA_VERSION with it."""
    fates = {
        "to@x.example": Fate("to@x.example", D.RELAYED, 2.0, "Orig+a@Y.example", "mx.x.example.[192.0.2.1]:25",
                             "250 2.0.0 Ok: queued as 4F1C2A", since=1.0),
        "gone@x.example": Fate("gone@x.example", D.BOUNCED, 2.0, None, "[2001:db8::25]",
                               "550 5.1.1 <gone@x.example> queued as NOTHING", since=1.0),
        "in@z.example": Fate("in@z.example", D.DELIVERED, 2.0, None, "local", "250 2.0.0 <in@z.example> fQ+aBc12 Saved",
                             since=1.0),
    }
    refused = Hop(2, "mx2", "postfix", None, 1.0, 1.0, client="out.s.example[198.51.100.3]", refused="RCPT",
                  sender="S@s.example", recipients="r@x.example",
                  fates={"r@x.example": Fate("r@x.example", D.REJECTED, 1.0, None, None, "450 4.2.0 <r@x.example>: "
                                             "Recipient address rejected: Greylisted", since=1.0)})
    first = Hop(1, "mx1", "postfix", "4aBc", 1.0, 2.0, left_at=2.0, sender="S@s.example", message_id="M.1$x@s.example",
                fates=fates, network_message_id="0f3a")
    assert terms.of(Flow(1, [first])).split("\n") == OF_A_HOP
    assert terms.of(Flow(2, [refused])).split("\n") == OF_A_REFUSAL


OF_A_HOP = [
    "as@s.example", "cs.example", "gmx1", "e^m.1~24x@s.example", "f4^ab^c", "i0f3a",
    "bto@x.example", "dx.example", "borig+a@y.example", "dy.example", "hmx.x.example", "h192.0.2.1",
    "j4^f1^c2^a", "bgone@x.example", "h2001:db8::25", "bin@z.example", "dz.example", "jf^q+a^bc12",
]
OF_A_REFUSAL = [
    "as@s.example", "cs.example", "gmx2", "br@x.example", "dx.example", "kout.s.example", "k198.51.100.3", "kout",
]


def test_texts_are_packed_once_there_is_a_dictionary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "SAMPLES", 100)
    texts = [f"Nov 24 10:00:{n % 60:02} mx1 postfix/smtp[{n}]: to=<user{n}@two.example>".encode() for n in range(200)]
    writing = Packed(lambda: None)
    writing.learn(texts[:50])
    assert writing.pack(texts[0]) == texts[0]
    writing.learn(texts[50:100])
    kept = [writing.pack(text) for text in texts]
    assert sum(map(len, kept)) < sum(map(len, texts)) / 2
    dictionary = writing.learnt
    assert dictionary is not None
    reading = Packed(lambda: dictionary)
    assert [reading.unpack(one) for one in kept] == texts
    assert reading.unpack(texts[0]) == texts[0], "what came before the dictionary stands as it is"
    with pytest.raises(StoreReadError, match="has lost the dictionary"):
        Packed(lambda: None).unpack(kept[0])
    with pytest.raises(StoreReadError, match="is damaged"):
        reading.unpack(kept[0][:-3])


def test_the_first_texts_of_a_command_are_kept_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "SAMPLES", 100)
    texts = [f"Nov 24 10:00:{n % 60:02} mx1 postfix/smtp[{n}]: to=<user{n}@two.example>".encode() for n in range(100)]
    writing = Packed(lambda: None, as_they_are=int(1.5 * sum(map(len, texts))))
    writing.learn(texts)
    writing.learn(texts)
    assert (writing.pack(texts[0]), writing.learnt) == (texts[0], None)
    writing.learn(texts)
    assert len(writing.pack(texts[0])) < len(texts[0])


def test_a_dictionary_of_a_commit_that_failed_is_kept_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "SAMPLES", 100)
    writer = Writer(tmp_path / "store.db")
    rows = [make(flow_of(id, float(id), D.RELAYED), KNOWN, 0.0) for id in range(1, 301)]
    writer.db.execute("CREATE TEMP TRIGGER full BEFORE INSERT ON main.blocks BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(StoreError):
        writer.commit(Batch(rows=rows, blocks=[(1, 1, b"x")]))
    writer.commit(Batch(rows=rows))
    assert writer.meta("bodies") is not None
    writer.close()
    reader = SqliteReader(tmp_path / "store.db")
    assert len(list(reader.messages())) == 300
    reader.close()


def _raw(db: sqlite3.Connection) -> tuple[Any, ...]:
    """Tallies, sums and terms, counted from the rows themselves."""
    tallies = db.execute("SELECT CAST(last_at / 60 AS INTEGER), status, statuses, count(*) FROM messages "
                         "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3").fetchall()
    sums = db.execute(
        f"SELECT problem, reason, next_hop, status, CAST(at / {SECONDS} AS INTEGER), count(*), sum(recipients), "
        "min(first_at), max(at) FROM failures GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5").fetchall()
    return tallies, sums


def _kept(db: sqlite3.Connection) -> tuple[Any, ...]:
    return (db.execute("SELECT * FROM tallies ORDER BY 1, 2, 3").fetchall(),
            db.execute("SELECT * FROM failure_sums ORDER BY 1, 2, 3, 4, 5").fetchall())


def test_a_message_that_two_batches_say_is_gone_is_taken_out_once(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    flows = [flow_of(id, 60.0, D.RELAYED) for id in (1, 2)]
    writer.commit(Batch(rows=[make(flow, KNOWN, 0.0) for flow in flows]))
    batch = Batch(gone=[2])  # the joiner tells so until a commit: the next batch has it too
    batch.take_in(Batch(gone=[2]))
    writer.commit(batch)
    found = dict(writer.db.execute("SELECT term, doc FROM key_terms"))
    assert found == dict.fromkeys([*terms.of(flows[0]).split("\n"), "zj"], 1)
    assert _kept(writer.db) == _raw(writer.db)
    writer.close()


@pytest.mark.parametrize("remembered", [0, 8_000])
def test_index_and_sums_follow_the_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembered: int
) -> None:
    monkeypatch.setattr("flowmon.store.standing._REMEMBERED", remembered)
    chance = random.Random(5)
    writer = Writer(tmp_path / "store.db")
    flows: dict[int, Flow] = {}
    for commit in range(40):
        for _ in range(8):
            id = chance.randint(1, 80) if flows and chance.random() < 0.5 else max(flows, default=0) + 1
            status = chance.choice((D.RELAYED, D.BOUNCED, D.DEFERRED))
            flows[id] = flow_of(id, chance.uniform(0, 20_000), status, sender=f"s{chance.randint(1, 5)}@one.example",
                              host=f"mx{chance.randint(1, 3)}", ended=status is not D.DEFERRED)
        gone = [id for id in flows if chance.random() < 0.03]
        for id in gone:
            del flows[id]
        writer.commit(Batch(rows=[make(flow, KNOWN, 0.0) for flow in flows.values() if chance.random() < 0.3
                                  or not writer.load(flow.id)], gone=gone, meta={"now": float(commit)}))
        flows = {id: found for id in flows if (found := writer.load(id)) is not None}
    before = len(flows)
    deleted = writer.retain(before=10_000.0, megabytes=1000)
    db = writer.db
    left = [id for (id,) in db.execute("SELECT id FROM messages ORDER BY id")]
    assert 0 < deleted == before - len(left)
    assert _kept(db) == _raw(db)
    statuses = {id: told for id, *told in db.execute("SELECT id, statuses, open FROM messages")}
    texts = [text for id in left for text in (terms.of(flows[id]), terms.of_statuses(*statuses[id]))]
    expected = Counter(key for text in texts for key in text.split("\n"))
    assert dict(db.execute("SELECT term, doc FROM key_terms")) == expected
    for key in ("gmx1", "as1@one.example"):
        having = [id for (id,) in db.execute("SELECT rowid FROM keys WHERE keys MATCH ?", (f'"{key}"',))]
        assert having == [id for id in left if key in terms.of(flows[id]).split("\n")]
    db.execute("INSERT INTO keys (keys) VALUES ('integrity-check')")
    writer.close()


@pytest.mark.parametrize("text", [
    "host:mx1", "host:mx*", "host:mx2 status:deferred", "from:s1", "-host:mx1", "status:bounced", "host:mx1 or from:s2",
    "id:M7@one.example", "host:mx1 from:s1 -status:relayed", "status:bounced,deferred -host:mx1",
    "(host:mx2 or from:s1) status:failed", "host:mx1 status:open", "host:mx2 -(from:s1 status:bounced)",
    "host:mx1 time:>1970-01-01T00:01:50Z", "-host:mx1 time:>1970-01-01T00:01:50Z",
])
@pytest.mark.parametrize("newest", [1, 20, 150])
def test_a_page_shows_what_a_filter_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, newest: int
) -> None:
    monkeypatch.setattr("flowmon.store.finding.MANY", 30)
    monkeypatch.setattr("flowmon.store.finding._SHORT", 5)
    monkeypatch.setattr("flowmon.store.finding._WINDOWS", (40, 100))
    chance = random.Random(8)
    writer = Writer(tmp_path / "store.db")
    statuses = (D.RELAYED, D.BOUNCED, D.DEFERRED)
    flows = [flow_of(id, float((id if chance.random() < 0.9 else 500) // 3), chance.choice(statuses),
                   sender=f"s{chance.randint(1, 4)}@one.example", host=chance.choice(("mx1", "mx1", "mx2")))
             for id in range(1, 400)]
    writer.commit(Batch(rows=[make(flow, KNOWN, 0.0) for flow in flows]))
    db = writer.db
    finding = Finding(lambda sql, parameters: db.execute(sql, parameters).fetchall())
    filter = parse(text)
    assert filter is not None
    order = "ORDER BY m.last_at DESC, m.id DESC LIMIT"
    where, bound = finding.page(filter, 0.0, newest)
    shown = db.execute(f"SELECT m.id FROM messages m{where} {order} {newest}", bound).fetchall()
    condition, parameters = filter.sql(0.0)
    assert shown == db.execute(f"SELECT m.id FROM messages m WHERE {condition} {order} {newest}", parameters).fetchall()
    count = db.execute(f"SELECT count(*) FROM messages m WHERE {condition}", parameters).fetchone()[0]
    assert finding.count(filter, 0.0) == count
    writer.close()


def test_statuses_that_few_have_are_found_by_their_own_index(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    for text in ("status:deferred", "status:open", "status:failed", "status:held,deferred"):
        filter = parse(text)
        assert filter is not None
        condition, parameters = filter.sql(0.0)
        plan = [row[3] for row in writer.db.execute(
            f"EXPLAIN QUERY PLAN SELECT m.id FROM messages m WHERE {condition}", parameters)]
        assert any("USING INDEX messages_" in step or "USING COVERING INDEX messages_" in step for step in plan), plan
    writer.close()


def _between(
    reader: SqliteReader, monkeypatch: pytest.MonkeyPatch, writer: Writer, batch: Batch, behind: str
) -> None:
    """A commit that comes behind the first question of a reader that holds some SQL."""
    ask, waiting = reader._all, [batch]

    def asked(sql: str, parameters: Any = ()) -> list[Any]:
        found = ask(sql, parameters)
        if behind in sql and waiting:
            writer.commit(waiting.pop())
        return found

    monkeypatch.setattr(reader, "_all", asked)
    monkeypatch.setattr(reader, "_finding", Finding(asked))


def test_a_report_that_goes_while_it_is_looked_for_breaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(tmp_path / "store.db")
    flow = flow_of(1, 60.0, D.BOUNCED)
    flow.hops[0].reports = ["2"]
    writer.commit(Batch(rows=[make(one, KNOWN, 0.0) for one in (flow, flow_of(2, 61.0, D.RELAYED))]))
    reader = SqliteReader(tmp_path / "store.db")
    _between(reader, monkeypatch, writer, Batch(gone=[2]), "MATCH")
    detail = reader.detail(1)
    assert detail is not None
    assert detail.reports == [2]
    again = reader.detail(1)
    assert again is not None
    assert again.reports == []
    reader.close()
    writer.close()


def test_a_page_shows_no_message_that_came_to_the_front_while_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowmon.store.finding.MANY", 30)
    monkeypatch.setattr("flowmon.store.finding._WINDOWS", (40,))
    writer = Writer(tmp_path / "store.db")
    flows = [flow_of(id, float(id), D.RELAYED, host="mx1" if id < 100 else "mx2") for id in range(1, 401)]
    writer.commit(Batch(rows=[make(flow, KNOWN, 0.0) for flow in flows]))
    reader = SqliteReader(tmp_path / "store.db")
    filter = parse("-host:mx1")
    expected = [row.id for row in reader.rows(filter, limit=10)]
    old = make(flow_of(1, 500.0, D.RELAYED, host="mx1"), KNOWN, 0.0)
    _between(reader, monkeypatch, writer, Batch(rows=[old]), "rowid >=")
    assert [row.id for row in reader.rows(filter, limit=10)] == expected
    assert [row.id for row in reader.rows(filter, limit=10)] == expected
    reader.close()
    writer.close()


def test_a_damaged_body_leaves_no_transaction_open(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    writer.commit(Batch(rows=[make(flow_of(id, 60.0, D.RELAYED), KNOWN, 0.0) for id in (1, 2)]))
    writer.db.execute("UPDATE messages SET body = x'28b52ffd00' WHERE id = 1")
    writer.close()
    writer = Writer(tmp_path / "store.db")
    with pytest.raises(StoreReadError):
        writer.retain(before=100.0, megabytes=1000)
    assert not writer.db.in_transaction
    writer.commit(Batch(rows=[make(flow_of(3, 60.0, D.RELAYED), KNOWN, 0.0)]))
    assert _kept(writer.db) == _raw(writer.db)
    writer.close()


def test_what_stands_of_long_lists_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowmon.store.standing._LONG", 20)
    writer = Writer(tmp_path / "store.db")
    for status in (D.DEFERRED, D.RELAYED):
        flow = flow_of(1, 60.0, status, sender=f"{status}@one.example", ended=status is D.RELAYED)
        writer.commit(Batch(rows=[make(flow, KNOWN, 0.0)]))
    assert not writer._standing._remembered
    assert dict(writer.db.execute("SELECT term, doc FROM key_terms")) == dict.fromkeys(
        [*terms.of(flow).split("\n"), "zj"], 1)
    assert _kept(writer.db) == _raw(writer.db)
    writer.close()
