"""Every real log of the corpus is read without a crash, and a line of a known program that no rule takes is argued.

Skipped where the corpus is not beside the checkout.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowmon.commands import opening
from flowmon.config import Config
from flowmon.errors import SourceError
from tests.golden.reading import told
from tests.parsers.reading import SHARED, catalogue, read

CORPUS = SHARED / "corpus"
LOGS = sorted(
    str(path.relative_to(CORPUS)) for path in CORPUS.glob("*/*")
    if path.suffix in (".log", ".csv", ".jsonl") and ".expected." not in path.name
)

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not LOGS, reason="no corpus of real log lines beside the checkout"),
]

NOT_UNDERSTOOD = {
    "cisco-esa/sekoia-cisco-esa.log": (r"^(?!.* (?:start|startTime|end|endTime)=)", "events without any time"),
    "dovecot/ossec-dovecot.log": (r"^\w{3} \d+ \S+ (?:Warn|Info): ", "Dovecot 1's own header: it named no program"),
    "exim/exim-testsuite-even.mainlog.log": (r"\*\* FAIL cannot route this one", "an address with blanks, unquoted"),
    "foreign/ossec-syslog.log": (r"^2015 2015 ", "a stamp of no form: the year stands twice, before the month"),
    "domino/fail2ban-domino-smtp.log": (r"^2016-11-07 22:21:23 .*192\.0\.2\.5$", "ends before it says anything"),
    "office365/wazuh-office365.log": (r'"actor":"wazuh"', "the agent's own record, without any time"),
    "proofpoint/sekoia-proofpoint-pod.jsonl": (r'^\{"msgParts"(?!.*"ts")', "about parts of a message, without a time"),
    "retarus/sekoia-retarus_email_security.jsonl": (r'"rmxId": "0001"', "the day 2021-10-1"),
}
"""Logs with lines that count as not understood: what these look like, and why."""

NO_FORMAT = {
    "powermta": "accounting whose columns hold no time",
    "postfix/whyscream-grok.messages.log": "bodies without headers: test_corpus.py gives them some",
    "opensmtpd/vultr-openbsd-guide.log": "one line, cut off in the middle",
}
"""What no format fits, by log or folder, and what it is. Such a log may get a format any day."""


@pytest.fixture(autouse=True)
def _in_utc(utc: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stamps without a zone are in the zone of this host; of lines that are not understood all are looked at."""
    monkeypatch.setattr("flowmon.parsing.reader.SAMPLES_KEPT", 10_000)


@pytest.mark.parametrize("log", LOGS)
def test_every_line_is_understood(log: str) -> None:
    path = CORPUS / log
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        data += b"\n"
    try:
        label, reader, _ = read(data, catalogue())
    except AssertionError:
        assert log in NO_FORMAT or log.partition("/")[0] in NO_FORMAT, "no format fits"
        return
    pattern, reason = NOT_UNDERSTOOD.get(log, ("", ""))
    samples = [line for line in reader.counters.samples if not (reason and re.search(pattern, line))]
    assert samples == [], label
    assert bool(reason) == bool(reader.counters.unmatched), "argued, and understood by now"


@pytest.mark.parametrize("log", LOGS)
def test_every_log_is_answered(log: str, tmp_path: Path) -> None:
    """No crash, and each message has a first and a last time in order."""
    lines = (CORPUS / log).read_bytes().splitlines(keepends=True)[:3000]
    if log.startswith("exim/exim-testsuite"):  # thousands of hops with a handful of IDs
        lines = lines[:1000]
    path = tmp_path / "log"
    path.write_bytes(b"".join(lines))
    try:
        with opening.reader([f"here={path}"], Config()) as reader:
            messages = told(reader)
    except SourceError:
        assert log in NO_FORMAT or log.partition("/")[0] in NO_FORMAT, "no format fits"
        return
    for message in messages:
        assert message["first_seen_at"] <= message["last_seen_at"]
