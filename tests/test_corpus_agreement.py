"""Records of services, and what Sekoia's intake formats read in them, against what flowmon makes of them.

Where flowmon differs, the difference stands here with its reason. Skipped where the corpus is not beside the checkout.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from flowmon.model.event import Event, Verdict
from tests.test_corpus import CORPUS, _events

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not (CORPUS / "INDEX.md").exists(), reason="no corpus of real log lines beside the checkout"),
]

Row = dict[str, Any]
HEADER = "the address of a header: flowmon tells the envelope's"
PARTS = "about parts of a message, or a copy for the archive: nothing of its way"
ARGUED: dict[str, dict[tuple[int, str], str]] = {
    "checkpoint-hec/sekoia-checkpoint_hec": {
        (line, "id"): "the service's own ID of the message; that of Exchange is kept where the message is told"
        for line in range(1, 10)
    },
    "hornetsecurity/sekoia-hornetsecurity-365-mail-protection": {},
    "m365-message-trace/sekoia-message-trace": {},
    "mimecast/sekoia-mimecast-email-security": {(8, "time"): PARTS},
    "proofpoint/sekoia-proofpoint-pod": {
        (2, "from"): HEADER, (2, "to"): HEADER, (3, "to"): HEADER,
        (5, "time"): PARTS, (7, "time"): PARTS, (5, "id"): PARTS, (6, "id"): PARTS, (7, "id"): PARTS,
    } | {(line, "id"): "flowmon takes sendmail's queue ID, by which the delivery is told" for line in (2, 3, 4)},
    "retarus/sekoia-retarus_email_security": {
        (2, "from"): HEADER, (3, "from"): HEADER, (5, "from"): HEADER, (6, "time"): "no date: 2021-10-1",
    },
    "trendmicro-tmes/sekoia-email-security": {
        (2, "to"): "the addresses of To beside the recipient of this record", (5, "from"): HEADER,
    },
    "vade/sekoia-vade_cloud": {},
}
STATUS = {
    "delivered": {"delivered", "relayed"}, "bounced": {"bounced"}, "quarantined": {"quarantined"},
    "drop": {"discarded"}, "discard": {"discarded"}, "rej": {"rejected"}, "hld": {"held"},
    "gettingstatus": {"queued"}, "quarantine_email": {"quarantined"}, "scanning in sandbox": {"queued"},
}
"""What an action means, where it tells a status."""


@pytest.fixture(autouse=True)
def _in_utc(utc: None) -> None:
    """Stamps without a zone are in the zone of this host."""


@pytest.mark.parametrize("name", ARGUED)
def test_records_of_services(name: str) -> None:
    base = CORPUS / name
    log = next(path for path in (base.with_suffix(".jsonl"), base.with_suffix(".log")) if path.exists())
    lines = log.read_text(encoding="utf-8").splitlines()
    rows = json.loads((base.parent / f"{base.name}.expected.json").read_text(encoding="utf-8"))
    assert rows
    found = {
        (row["line"], what): (wanted, have)
        for row in rows for what, wanted, have in _compared(row["expected"], _events(lines[row["line"] - 1]))
        if not wanted <= have
    }
    assert {at: pair for at, pair in found.items() if at not in ARGUED[name]} == {}
    assert ARGUED[name].keys() - found.keys() == set(), "argued, and equal by now"


def _compared(row: Row, events: list[Event]) -> Iterator[tuple[str, set[Any], set[Any]]]:
    """What is told, what the other reads there, and what flowmon does. A verdict need not say whose mail it is."""
    mail = row.get("email", {})
    if "@timestamp" in row:
        at = datetime.fromisoformat(row["@timestamp"]).timestamp()
        yield "time", {round(at, 2)}, {round(event.at, 2) for event in events}
    action = str(row.get("event", {}).get("action", "")).lower()
    if action in STATUS:
        have = {str(status) for status in _values(events, "status")}
        yield "status", {"so"} if STATUS[action] else set(), {"so"} if have & STATUS[action] else have
    if "local_id" in mail:
        yield "id", {mail["local_id"]}, _values(events, "queue_id")
    if all(isinstance(event, Verdict) for event in events):
        return
    yield "from", _addresses(mail, "from"), _values(events, "envelope_sender")
    yield "to", _addresses(mail, "to"), {one for text in _values(events, "recipient") for one in text.split()}
    if mail.get("message_id"):
        yield "message-id", {mail["message_id"].strip("<>")}, _values(events, "message_id")
    told = {name: _values(events, name) for name in ("subject", "client")}
    if "subject" in mail and told["subject"]:
        yield "subject", {mail["subject"]}, told["subject"]
    if "ip" in row.get("source", {}) and told["client"]:
        yield "client", {f"[{row['source']['ip']}]"}, {client[client.index("[") :] for client in told["client"]}


def _addresses(mail: Row, whose: str) -> set[str]:
    found = mail.get(whose, {}).get("address", [])
    return {found} if isinstance(found, str) else set(found)


def _values(events: list[Event], field: str) -> set[Any]:
    return {value for event in events for value in [getattr(event, field, None)] if value not in (None, "")}
