"""Common Event Format: values with blanks, escapes, labels, and a syslog header before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowmon.parsing.cef import parse

FRONT = r"CEF:0|Cisco|C390 \| Appliance|14.2|EVENT|Log Event|5|"


def test_fields() -> None:
    found = parse(
        f"<14>Nov 24 10:00:02 esa1 {FRONT}startTime=Tue Nov 24 10:00:00 2026 cs4Label=ExternalMsgID cs4='<m@x>' "
        r"msg='a \=b\\c' empty= ESASPFVerdict={'mailfrom': {'result': 'Pass'}} last=1"
    )
    assert found == {
        "logged": "Nov 24 10:00:02", "logger": "esa1", "vendor": "Cisco", "product": "C390 | Appliance",
        "version": "14.2", "signature": "EVENT", "name": "Log Event", "severity": "5",
        "start": "Tue Nov 24 10:00:00 2026", "cs4Label": "ExternalMsgID", "cs4": "<m@x>", "ExternalMsgID": "<m@x>",
        "msg": "a =b\\c", "empty": "", "ESASPFVerdict": "{'mailfrom': {'result': 'Pass'}}", "last": "1",
    }


def test_a_label_does_not_take_the_place_of_a_key() -> None:
    found = parse(f"{FRONT}suser=anna@far.example cs1Label=suser cs1=kim@far.example")
    assert found is not None
    assert found["suser"] == "anna@far.example"


@pytest.mark.parametrize("line", ["", "CEF:", "CEF:0|a|b|c", "no event", "CEF:x|a|b|c|d|e|f|g=1"])
def test_no_event(line: str) -> None:
    assert parse(line) is None


@given(st.text(max_size=300))
def test_any_text_is_read_or_not(text: str) -> None:
    found = parse(FRONT + text)
    assert found is not None
    assert found["vendor"] == "Cisco"
