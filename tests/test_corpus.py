"""Real log lines, and what other projects say that they mean, against what flowmon makes of them.

Where flowmon differs, the difference stands here with its reason. Skipped where the corpus is not beside the checkout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from flowmon.commands import opening
from flowmon.config import Config
from flowmon.model.event import Arrival, Attempt, Event, Notice, Refusal, Session
from flowmon.parsing.catalogue import Catalogue
from tests.golden.reading import told
from tests.parsers.reading import REFERENCE, SHARED, ShortNames, catalogue

CORPUS = SHARED / "corpus"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not (CORPUS / "INDEX.md").exists(), reason="no corpus of real log lines beside the checkout"),
]

Row = dict[str, Any]


@pytest.fixture(autouse=True)
def _in_utc(utc: None) -> None:
    """Stamps without a zone are in the zone of this host."""


def _rows(name: str) -> list[tuple[str, Row]]:
    """Lines of a log that an expected parse tells of, each with what it tells."""
    lines = (CORPUS / f"{name}.log").read_text(encoding="utf-8").splitlines()
    rows: list[Row] = json.loads((CORPUS / f"{name}.expected.json").read_text(encoding="utf-8"))
    return [(row["data"] if "data" in row else lines[row["line"] - 1], row) for row in rows]


@cache
def _formats() -> Catalogue:
    return catalogue()


def _events(line: str) -> list[Event]:
    """What flowmon makes of one line alone; [] where no format fits."""
    data = line.encode() + b"\n"
    found = _formats().reader(data, hosts=ShortNames(), host="here", zone=UTC, reference=REFERENCE)
    events: list[Event] = []
    if found is not None:
        found[1].feed(data, 0, events.append)
    return events


def _argued(line: str, reasons: dict[str, str]) -> str | None:
    """Why flowmon may differ on a line: the reason of the first pattern that is found in it."""
    return next((reason for pattern, reason in reasons.items() if re.search(pattern, line)), None)


def _differences(name: str, reasons: dict[str, str], wrong: list[str]) -> list[str]:
    """Lines that differ without a reason, and reasons that no line needs."""
    used = {pattern for line in wrong for pattern in reasons if re.search(pattern, line)}
    return [f"{name}: {line}" for line in wrong if _argued(line, reasons) is None] + [
        f"{name}: no line differs by {pattern!r} any more" for pattern in reasons.keys() - used
    ]


# --- fail2ban: what must be a refusal or a failed login, when, and of which client -----------------------------------

SESSIONS: dict[str, dict[str, str]] = {
    "postfix/fail2ban-postfix": {
        r"improper command pipelining": "bad manners of a client; what was refused for it has its own line",
        r"too many errors after": "the end of a session whose refusals have their own lines",
        r"warning: hostname \S+ does not resolve": "names and addresses that disagree refuse nothing",
        r"disconnect from .* auth=0/1": "the login that failed has its own line, the warning before this one",
        r"lost connection after": "the client went away: nothing was refused",
        r"PREGREET|HANGUP after|COMMAND \w+ LIMIT": "tests of postscreen; what it refuses has its own line",
        r"rate limit exceeded": "anvil's warning; the 421 or 450 that follows has its own line",
    },
    "exim/fail2ban-exim": {
        r"^\S+\.example\.com exim\[\d+\]: ": "a journal's line without a time before the program: no header of any log",
        r"^\S+ \S+ info exim\[": "a syslog header of no known form: its level stands where the host should",
        r"sender verify fail for": "why the next line will refuse a recipient; that line is the refusal",
        r"SMTP call from .* dropped: too many": "the end of a session whose refused commands have their own lines",
        r"no MAIL in SMTP connection": "a session in which no mail was tried",
        r"closed by DROP in ACL": "the end of a session; what the ACL dropped has its own line",
        r"no (?:host name|IP address) found": "names and addresses that disagree refuse nothing",
    },
    "sendmail/fail2ban-sendmail-auth": {
        r"possible SMTP attack": "a count of failed logins, each of which has its own line",
    },
    "assp/fail2ban-assp": {
        r"SSL negotiation with client failed": "no session began: nothing was refused",
    },
    "courier/fail2ban-courier-smtp": {},
    "cyrus/fail2ban-cyrus-imap": {},
    "domino/fail2ban-domino-smtp": {},
    "kerio/fail2ban-kerio": {
        r"Administration login": "to administrate is to send no mail and to read none",
        r"found in DNS blacklist [^,]+, mail from <[^>]*> to <[^>]*>$":
            "the list may count for the spam score only; what is refused says `rejected`",
    },
    "qmail/fail2ban-qmail": {},
    "sieve/fail2ban-sieve": {},
}
HARMLESS_THERE = {
    r"Connection lost to authentication server": "our own fault, so that nobody is banned; but the login did fail",
    r"Invalid authentication mechanism": "banned in one of fail2ban's modes only; the login failed in each",
}
"""Failed logins that fail2ban does not hold against the client."""


@pytest.mark.parametrize("name", SESSIONS)
def test_what_is_refused(name: str) -> None:
    wrong = []
    for line, row in _rows(name):
        if row["match"]:
            refusals = [event for event in _events(line) if isinstance(event, Refusal) and event.status == "rejected"]
            if not any(row["host"] in (event.client or "") and _same_time(event.at, row) for event in refusals):
                wrong.append(line)
        elif any(isinstance(event, Refusal) for event in _events(line)) and not _argued(line, HARMLESS_THERE):
            wrong.append(line)
    assert _differences(name, SESSIONS[name], wrong) == []


def _same_time(at: float, row: Row) -> bool:
    """Whether times agree; to the year only where the line has one (fail2ban takes 2004 or 2005 for lines without)."""
    day, _, clock = row["time"].partition("T")
    year, month, of_month = (int(part) for part in day.split("-"))
    told_at = datetime.fromtimestamp(at, UTC)
    same = (told_at.month, told_at.day, told_at.strftime("%H:%M:%S")) == (month, of_month, clock)
    return same and (year == told_at.year or year in (2004, 2005))


# --- OSSEC: what a line is about ------------------------------------------------------------------------------------

ABOUT: dict[str, dict[str, list[type[Event]]]] = {
    "dovecot/ossec-dovecot": {"fatal error": [Notice], "dovecot is starting": [], "session disconnected": []},
    "exim/ossec-exim": {
        "auth failure": [Refusal], "exim connection": [], "exim connection lost": [], "exim syntax/protocol error": [],
    },
    "opensmtpd/ossec-opensmtpd": {
        "message failed": [Refusal], "new session": [Session], "message accepted": [Arrival],
        "session closed": [Session], "disconnect": [Session], "no ssl": [Session], "started tls": [],
    },
    "postfix/ossec-postfix": {
        "reject rcpt": [Refusal], "domain not found": [Refusal],
        "SMTP connection aborted by remote client (SSL_accept).": [],
        "SMTP connection aborted by remote client (after CONNECT).": [],
    },
}


@pytest.mark.parametrize("name", ABOUT)
def test_what_a_line_is_about(name: str) -> None:
    compared = [(row["section"], line) for line, row in _rows(name) if row["section"] in ABOUT[name]]
    assert {section for section, _ in compared} == ABOUT[name].keys()
    assert {line: [type(event) for event in _events(line)] for _, line in compared} == {
        line: ABOUT[name][section] for section, line in compared
    }


def test_failed_logins_of_dovecot_count_once() -> None:
    """By the login process, with its client; what `auth` says of the same login is not told again."""
    failed = [line for line, row in _rows("dovecot/ossec-dovecot") if "auth failed" in row["section"]]
    assert [bool(_events(line)) for line in failed] == ["-login: " in line for line in failed]
    assert any("-login: " in line for line in failed)


# --- Postfix ---------------------------------------------------------------------------------------------------------

STATUS = {"sent": ("relayed", "delivered", "discarded"), "deferred": ("deferred",), "bounced": ("bounced",)}


def test_every_field_of_a_delivery() -> None:
    """The parsed records of maillogger."""
    log = CORPUS / "postfix/homoluctus-maillog.log"
    lines = log.read_text(encoding="utf-8").splitlines()
    attempts = [event for line in lines for event in _events(line) if isinstance(event, Attempt)]
    rows = [row for row in json.loads(log.with_suffix(".expected.json").read_text(encoding="utf-8")) if row]
    have = [
        (a.queue_id, a.recipient, a.relay or "none", a.delays, a.enhanced_status, a.diagnostic,
         datetime.fromtimestamp(a.at, UTC).strftime("%m%d%H%M%S"))
        for a in attempts
    ]
    assert have == [
        (r["mail_id"], r["to_address"], r["relay"], r["delays"], r["dsn"], r["description"], r["datetime"][4:])
        for r in rows
    ]
    assert [a.status in STATUS[r["status"]] for a, r in zip(attempts, rows, strict=True)] == [True] * len(rows)


NOT_SO = {
    r"to=[^<,]": "not as Postfix writes it: addresses stand in angle brackets",
    r"undeliverable": "an address probe is no message",
    r"message-id=(?:=|<>)": "no Message-ID, or an encoded one: nothing to compare",
}


def test_fields_of_every_daemon() -> None:
    """The captures of postfix-grok-patterns: bodies without a header, which is put before them here."""
    wrong = []
    for body, row in _rows("postfix/whyscream-grok.messages"):
        program = row["file"].split("/")[1].rsplit("_", 1)[0]
        line = f"Nov 24 10:44:26 mx1 postfix/{program}[126]: {body}"
        if not _agrees(_events(line), row["results"]):
            wrong.append(body)
    assert _differences("postfix/whyscream-grok", NOT_SO, wrong) == []


def _agrees(events: list[Event], captured: Row) -> bool:
    status, queue_id = captured.get("postfix_status"), captured.get("postfix_queueid")
    if status is not None:
        pairs = dict(re.findall(r"(\w[\w-]*)=<?([^,>]*)>?", captured.get("postfix_keyvalue_data", "")))
        if status not in STATUS:
            return any(getattr(event, "status", None) == status for event in events)
        return any(
            isinstance(e, Attempt) and e.status in STATUS[status] and e.queue_id == queue_id
            and e.enhanced_status == pairs["dsn"] and e.recipient == pairs["to"]
            for e in events
        )
    if captured.get("postfix_action") in ("reject", "discard", "milter-reject"):
        return any(isinstance(e, Refusal) and captured["postfix_client_ip"] in (e.client or "") for e in events)
    if "postfix_message-id" in captured:
        return any(getattr(e, "message_id", None) == captured["postfix_message-id"].strip("<>") for e in events)
    if queue_id not in (None, "NOQUEUE") and events and not any(e.queue_id == queue_id for e in events):
        return False
    client = captured.get("postfix_client_ip")
    told = [str(one) for one in (getattr(e, "client", None) for e in events) if one]
    return client is None or not told or any(client in one for one in told)


# --- gateways --------------------------------------------------------------------------------------------------------


def _told(path: Path) -> list[Row]:
    with opening.reader([f"here={path}"], Config()) as reader:
        return told(reader)


def test_refused_before_the_queue_of_proxmox_mail_gateway() -> None:
    """pmg-log-tracker: client, sender, recipient and time of each entry."""
    base = CORPUS / "proxmox-mail-gateway/pmg-before_queue_syntax_reject"
    text = base.with_suffix(".expected.txt").read_text(encoding="utf-8")
    entries = list(_entries(text))
    messages = _told(base.with_suffix(".log"))
    assert len(messages) == len(entries) == 1
    for message, entry in zip(messages, entries, strict=True):
        assert message["client"] == entry["client"]
        assert message["envelope_sender"] == entry["from"]
        assert [(r["recipient"], r["status"]) for r in message["recipients"]] == [(entry["to"], "rejected")]
        at = datetime.fromisoformat(message["first_seen_at"])
        then = datetime.fromtimestamp(int(entry["ctime"], 16), UTC)
        # the tracker's day is its host's zone and year; the minute is the log's
        assert (at.month, at.day, at.minute, at.second) == (then.month, then.day, then.minute, then.second)


def _entries(text: str) -> Iterator[Row]:
    for block in re.split(r"(?m)^SMTPD: ", text)[1:]:
        client = re.search(r"(?m)^CLIENT: (.*)$", block)
        to = re.search(r"(?m)^TO:([0-9A-F]+):\S+: from <(.*)> to <(.*)>$", block)
        assert client is not None
        assert to is not None
        yield {"client": client[1], "ctime": to[1], "from": to[2], "to": to[3]}


def test_quarantined_by_proxmox_mail_gateway() -> None:
    """The filter's line decides, under an ID that is that of the queue: the reply to Postfix only says that it came."""
    (message,) = _told(CORPUS / "proxmox-mail-gateway/pmg-misleading_lines.log")
    assert [(r["status"], r["reason"]) for r in message["recipients"]] == [("quarantined", "spam")]
    assert message["client"] == "unknown[1.2.3.4]"


def test_lives_of_cisco_esa() -> None:
    """One message whole; of another the end is missing, of a third the begin."""
    messages = {m["hops"][0]["queue_id"]: m for m in _told(CORPUS / "cisco-esa/elastic-text-mail.log")}
    whole = messages["6"]
    assert [(r["status"], r["relay"]) for r in whole["recipients"]] == [("relayed", "1.128.3.4")]
    assert "1.128.3.4" in whole["client"]
    assert [r["status"] for r in messages["204841507"]["recipients"]] == ["queued"]
    assert messages["204841507"]["size"] == 94020
    assert messages["68119155"]["recipients"] == []  # whose number 0 is stood in lines that are not there
    assert messages["68119155"]["subject"] == "redacted subject"


def test_consolidated_events_of_cisco_esa() -> None:
    """Addresses, outcome and both times, as the other project reads them. Events without any time (two of its own
    making) are no messages here: what has no time has no place."""
    rows = [row["expected"] for _, row in _rows("cisco-esa/sekoia-cisco-esa") if "@timestamp" in row["expected"]]
    found = _told(CORPUS / "cisco-esa/sekoia-cisco-esa.log")
    status = {"delivered": "relayed", "bounced": "bounced", "dq": "held"}
    wanted = sorted(
        (row["event"].get("start", row["event"]["end"]), row["event"]["end"], row["email"].get("from", {}).get(
            "address", [None])[0], sorted(row["email"].get("to", {}).get("address", [])), row["event"]["action"])
        for row in rows
    )
    have = sorted(
        (_second(m["first_seen_at"]), _second(m["last_seen_at"]), m["envelope_sender"],
         sorted(r["recipient"] for r in m["recipients"]),
         next(word for word, meaning in status.items() if meaning == m["status"])) for m in found
    )
    assert have == wanted


def _second(at: str) -> str:
    return f"{at[:19]}Z"


def test_exchange_records() -> None:
    """The two records of the Kinesis agent's test: what an agent notes and a shadow copy are no messages."""
    assert _told(CORPUS / "exchange-msgtrk/kinesis-agent-exchange2013.csv") == []
