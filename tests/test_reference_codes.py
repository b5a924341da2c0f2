"""Every row of the reference's tables of codes and texts is in the data: what a row says is what flowmon says.

Skipped where the reference is not beside the checkout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from flowmon.tracking.diagnosis import diagnose
from tests.parsers.reading import SHARED

REFERENCE = SHARED / "reference" / "status-codes.md"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not REFERENCE.exists(), reason="no reference of status codes beside the checkout"),
]

Meaning = tuple[str, str | None]
"""Problem, and reason where the row names one."""

_MEANING = re.compile(r"\b(delivery|routing|authentication|policy|spam)\b(?: / ([\w-]+))?")
_CODE = re.compile(r"(?:(\d{3}|\d{3}/\d{3}) )?([45x]\.\d+\.\d+|[A-Z]{2}-\d{3})|\b([45]\d\d)\b")

WHOLE = {
    'too many "received" headers': ["too many Received headers"],
    "very low reputation of the sending ip / domain": [
        "very low reputation of the sending ip", "very low reputation of the sending domain"],
    "no PTR / forward-reverse mismatch": ["no PTR record", "PTR record: forward and reverse mismatch"],
    "unresolvable RFC.5321 / RFC.5322 from domain": [
        "unresolvable RFC.5321 from domain", "unresolvable RFC.5322 from domain"],
    "sender is unauthenticated; DMARC policy": ["sender is unauthenticated", "refused by the DMARC policy"],
    "greylisted (451 Internal resources / \"moderate spam\" texts unverified)": ["greylisted"],
    "blocked using zen.spamhaus.org; open resolver error": ["blocked using zen.spamhaus.org"],
    "dd this user doesn't have a … account; mailbox not found": [
        "dd This user doesn't have a yahoo.com account", "mailbox not found"],
    "likely unsolicited; low reputation; several From; missing Message-ID; non-compliant headers": [
        "likely unsolicited mail", "low reputation", "missing Message-ID", "non-compliant headers"],
    "over quota / inactive or unknown / no longer on server": [],
}
"""Gists that cannot be taken apart by their signs: the texts that they stand for. The parts of the last one have a code
each, and stand among the samples of the rules."""

FINER = {
    ("routing", "host-unknown"): {("routing", "null-mx"), ("routing", "dns-failure")},
    ("delivery", "system-full"): {("delivery", "busy")},
    ("routing", "expired"): {("delivery", "unknown")},
    ("spam", "virus"): {("spam", "spam")},
}
"""What flowmon says where a row names several reasons in one, or the reason that tells more: a null MX is one of its
own, what is temporary is no unknown domain, of mail that expired the last failure tells (rule 5), and what tries to
trick people is no virus."""

ANOTHER_CODE = {"504 5.7.40": "the row says of this code that it means another thing"}


def _rows(section: int) -> Iterator[list[str]]:
    text = REFERENCE.read_text(encoding="utf-8")
    part = next(part for part in re.split(r"^## ", text, flags=re.MULTILINE) if part.startswith(f"{section}."))
    rows = [line.strip().strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    assert len(rows) > 12, "the table is not where it was"
    for row in rows[2:]:
        yield [cell.strip() for cell in row]


def _meanings(cell: str) -> list[Meaning]:
    return [(problem, reason or None) for problem, reason in _MEANING.findall(cell)]


def _differs(found: tuple[str, str], wanted: list[Meaning]) -> bool:
    alike = {*wanted, *(finer for one in wanted for finer in FINER.get((one[0], one[1] or ""), ()))}
    return not any(found[0] == problem and reason in (None, found[1]) for problem, reason in alike)


def _said(text: str | None, *, status: str | None = None, permanent: bool) -> tuple[str, str]:
    found = diagnose(text, enhanced_status=status, permanent=permanent)
    return found.problem.value, found.reason


def test_enhanced_codes() -> None:
    wrong = []
    count = 0
    for cells in _rows(3):
        wanted = _meanings(cells[3])
        for group, subject, detail in re.findall(r"([*\d])\.(\d+)\.(\d+)", cells[0]) if wanted else ():
            for one in "45" if group == "*" else group:
                count += 1
                found = _said(None, status=f"{one}.{subject}.{detail}", permanent=one == "5")
                if _differs(found, wanted):
                    wrong.append(f"{one}.{subject}.{detail} is {found}, not {wanted}")
    assert wrong == []
    assert count > 120


def _texts(gist: str) -> list[str]:
    if gist in WHOLE:
        return WHOLE[gist]
    return [part.strip() for part in re.split(r"; | / ", gist)]


def test_provider_texts() -> None:
    wrong = []
    count = 0
    for provider, codes, gist, meaning, *_ in _rows(5):
        wanted = _meanings(meaning)
        mark = "".join(re.findall(r"\[[A-Z]+\d+\] ?", codes)[:1])
        behind = {"Gmail": " - gsmtp", "Exchange Online": " [x.prod.protection.outlook.com]"}.get(provider, "")
        before = ""
        for reply, status, bare in _CODE.findall(codes) if wanted else ():
            if status[:1].isupper():
                before = reply or before  # `421 RP-001, RP-002`: the reply code stands for all
            for code in (reply or bare or before).split("/"):
                digit = (code or status)[0]
                whole = f"{code} {status.replace('x', digit)}".strip()
                for text in _texts(gist) if whole not in ANOTHER_CODE else ():
                    count += 1
                    found = _said(f"{whole} {mark}{text}{behind}", permanent=digit == "5")
                    if _differs(found, wanted):
                        wrong.append(f"{provider} {whole} {mark}{text}: {found}, not {wanted}")
    assert wrong == []
    assert count > 100


def test_text_rules() -> None:
    wrong = []
    count = 0
    for number, gists, meaning in _rows(6):
        wanted = _meanings(meaning)
        for gist in re.findall(r'(?:[^,"]|"[^"]*")+', gists):
            words = re.sub(r"\((\w+)\) ", r"\1 ", gist).strip()
            for text in WHOLE.get(words, [words.strip('"').replace(" … ", " the sender ")]):
                count += 1
                found = _said(f"550 {text}", permanent=True)
                if _differs(found, wanted):
                    wrong.append(f"{number} {text}: {found}, not {wanted}")
    assert wrong == []
    assert count > 120


def test_check_list() -> None:
    wrong = []
    rows = list(_rows(8))
    for number, quoted, group, meaning in rows:
        match = re.fullmatch(r"`(.*)`(?: \((?:dsn )?([45]\.\d+\.\d+)\))?", quoted)
        assert match is not None, quoted
        found = _said(match[1], status=match[2], permanent=group == "perm")
        if _differs(found, _meanings(meaning)[:1]):
            wrong.append(f"{number} {match[1]}: {found}, not {meaning}")
    assert wrong == []
    assert len(rows) == 20
