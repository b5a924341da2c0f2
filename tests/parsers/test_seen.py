"""A line that two logs of a host tell counts once, also where only one of them has fractions of a second."""

import pytest

from flowmon.parsing.seen import Seen

LINE = "4D2C3A1B5F: client=client.example.org[192.0.2.1]"
Tellings = list[tuple[str, float]]


def new(tellings: Tellings) -> list[bool]:
    seen = Seen()
    return [not seen.again(log, at, "31", LINE) for log, at in tellings]


@pytest.mark.parametrize(("tellings", "expected"), [
    ([("mail.log", 100.0), ("journal", 100.7)], [True, False]),
    ([("mail.log", 100.0), ("journal", 101.002)], [True, False]),
    ([("journal", 101.002), ("mail.log", 100.0)], [True, False]),
    ([("mail.log", 100.0), ("journal", 101.5)], [True, True]),
    ([("journal", 101.5), ("mail.log", 100.0)], [True, True]),
    ([("mail.log", 100.0), ("mail.info", 101.0)], [True, True]),
    ([("mail.log", 100.0), ("mail.log", 101.0), ("journal", 100.4), ("journal", 101.1)], [True, True, False, False]),
    ([("mail.log", 100.0), ("journal", 100.1), ("mail.log", 101.0), ("journal", 101.1)], [True, False, True, False]),
    ([("journal", 100.1), ("journal", 101.1), ("mail.log", 100.0), ("mail.log", 101.0)], [True, True, False, False]),
    ([("mail.log", 100.0), ("journal", 101.002), ("journal", 101.004)], [True, False, True]),
])  # fmt: skip
def test_what_is_told_again(tellings: Tellings, expected: list[bool]) -> None:
    assert new(tellings) == expected
