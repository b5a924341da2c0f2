"""Real servers: those of a running lab, when FLOWMON_LAB holds the command that runs another inside one of its hosts.

    FLOWMON_LAB="lab exec DIR" pytest tests/mta/test_lab.py
"""

from __future__ import annotations

import os
import re
import shlex
import time

import pytest

from flowmon.mta.asker import Mta, ask
from flowmon.mta.commands import Run, runner

LAB = os.environ.get("FLOWMON_LAB", "")
pytestmark = pytest.mark.skipif(not LAB, reason="needs a running lab: FLOWMON_LAB is not set")

HOSTS = [
    ("edge", "postfix", lambda run: set(re.findall(r"^([0-9A-F]{6,})", run("postqueue", "-p"), re.M))),
    ("mbx", "postfix", lambda run: set(re.findall(r"^([0-9A-F]{6,})", run("postqueue", "-p"), re.M))),
    ("relay", "exim", lambda run: set(re.findall(r"\b(\w{6}-\w{6,11}-\w{2,4})\b", run("exim4", "-bpr")))),
    ("smr", "sendmail", lambda run: {f[2:] for f in run("ls", "/var/spool/mqueue").split() if f.startswith("qf")}),
    ("osr", "opensmtpd", lambda run: {line[:8] for line in run("smtpctl", "show", "queue").splitlines() if line}),
]


@pytest.mark.parametrize(("host", "kind", "ids"), HOSTS, ids=[host for host, _, _ in HOSTS])
def test_the_list_is_what_the_server_has(host: str, kind: str, ids: object) -> None:
    assert callable(ids)
    through = (*shlex.split(LAB), host, "--")
    run: Run = runner(through)
    before: set[str] = ids(run)
    listing = ask(Mta(host, kind, None, through))
    after: set[str] = ids(run)
    assert listing is not None
    assert listing.error is None
    found = {message.queue_id for message in listing.messages}
    assert before & after <= found <= before | after
    for message in listing.messages:
        assert message.recipients
        assert time.time() - 86_400 < message.arrived_at < time.time() + 60
        if message.next_retry_at is not None:
            assert abs(message.next_retry_at - time.time()) < 7_200
