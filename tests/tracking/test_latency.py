"""Latency lists of Exchange: parts, parts of parts, several servers in one row."""

from __future__ import annotations

from pathlib import Path

from flowmon.model.way import inside
from flowmon.parsing.converters import latency
from flowmon.tracking.latency import parts, words
from tests.golden import reading

NESTED = (
    "2026-11-24T09:00:00.000Z;SRV=FE01.contoso.example:TOTAL-FE=0.016|SMR=0.012(SMRPI=0.009(SMRPI-Front End "
    "Agent=0.008));LSRV=EX01.contoso.example:TOTAL-HUB=65.250|SMR=0.127(SMRDE=0.004|SMRC=0.122)|CAT=0.3|"
    "QDE=64.700|SMSC-PEN=0.5|XYZ=0.02"
)


def test_the_list_is_that_of_the_server_that_wrote_the_row() -> None:
    own = latency(NESTED)
    assert own is not None
    assert list(parts(own)) == [("TOTAL", 65.25), ("SMR", 0.127), ("CAT", 0.3), ("QDE", 64.7), ("XYZ", 0.02)]


def test_without_a_mark_the_last_server_wrote_it() -> None:
    assert latency("2026-11-24T09:00:00.000Z;SRV=A:TOTAL-HUB=1;SRV=B:TOTAL-DEL=2|SDD=2") == "TOTAL-DEL=2|SDD=2"
    assert latency("2026-11-24T09:00:00.000Z") is None
    assert latency("04I: ") is None


def test_words_of_a_code() -> None:
    assert words("QDE") == "queue to the outside"
    assert words("XYZ") == "XYZ"


def test_each_hop_tells_what_took_longest_in_it(tmp_path: Path) -> None:
    with reading.read([str(reading.copied("exchange_two_servers", tmp_path))]) as reader:
        (row,) = reader.find("7f3a.1@ex01.contoso.example")
        detail = reader.detail(row)
    assert detail is not None
    assert [inside(detail, hop) for hop in detail.message.hops] == [
        "submission assistant 128ms", "receiving by SMTP 100ms", "categorizer 100ms", "store driver, delivery 150ms",
    ]
    assert [(one.component, one.seconds) for one in detail.latencies][:2] == [("TOTAL", 0.3), ("SA", 0.128)]
