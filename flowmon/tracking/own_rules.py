"""A user's own diagnosis rules: files of the form that docs/diagnosis.md tells, proved by their samples when read.

What is wrong in a file is a DiagnosisFileError with file, rule and remedy. Patterns are the user's and may be any:
each match is guarded by a timeout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from flowmon import toml_file
from flowmon.errors import DiagnosisFileError
from flowmon.model.words import Problem
from flowmon.parsing.guarded import GuardedPattern
from flowmon.suggest import nearest
from flowmon.tracking.diagnosis import Reason, Rule, deciding_rule, reasons, use_own
from flowmon.tracking.failure_text import take_apart

_CODE = re.compile(r"[x45]\.[0-9]{1,3}\.[0-9]{1,3}(?:-[0-9]{1,3})?")
_REASON = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class OwnRule(Rule, frozen=True, forbid_unknown_fields=True):
    """A rule whose pattern may be any."""

    def pattern(self) -> GuardedPattern | None:
        """What `matches` is searched with, under a timeout."""
        return None if self.matches is None else _guarded(self.matches)


class OwnRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file."""

    rule: tuple[OwnRule, ...] = ()
    reason: tuple[Reason, ...] = ()


@cache
def _guarded(pattern: str) -> GuardedPattern:
    return GuardedPattern(pattern)


def put_in_force(files: Iterable[Path]) -> list[str]:
    """Use the rules of these files in this process, the first file's first; what was wrong with those left out."""
    taken: list[OwnRules] = []
    faults: list[str] = []
    for file in files:
        try:
            taken.append(load(file))
        except DiagnosisFileError as fault:
            faults.append(str(fault))
    use_own(tuple(rule for own in taken for rule in own.rule), tuple(one for own in taken for one in own.reason))
    return faults


def is_one(path: Path) -> bool:
    """Whether a TOML file is one with diagnosis rules: its rules say what they mean, or it names reasons."""
    try:
        content = toml_file.read(path, DiagnosisFileError)
    except DiagnosisFileError:
        return False
    rules = content.get("rule")
    first = rules[0] if isinstance(rules, list) and rules else None
    return "reason" in content or (isinstance(first, dict) and "means" in first)


def load(path: Path) -> OwnRules:
    """Read one file and prove it. Raises DiagnosisFileError."""
    content = toml_file.read(path, DiagnosisFileError)
    try:
        own = msgspec.convert(content, OwnRules)
    except msgspec.ValidationError as fault:
        where = _place(path, content, str(fault))
        raise DiagnosisFileError(f"{where}: {fault}; docs/diagnosis.md has the keys") from None
    _check(own, path)
    return own


def _place(path: Path, content: dict[str, object], fault: str) -> str:
    """The file, and the rule that a fault of msgspec's is in."""
    found = re.search(r"\$\.(rule|reason)\[(\d+)\]", fault)
    tables = content.get(found[1]) if found else None
    table = tables[int(found[2])] if found and isinstance(tables, list) else None
    if found is None or not isinstance(table, dict):
        return f"{path}"
    return f"{path}: {found[1]} {table.get('name', int(found[2]) + 1)!r}"


def _check(own: OwnRules, path: Path) -> None:
    """Raises DiagnosisFileError for the first fault."""
    named: dict[str, set[Problem]] = {}
    for reason in own.reason:
        where = f"{path}: reason {reason.name!r}"
        if not _REASON.fullmatch(reason.name):
            raise DiagnosisFileError(f"{where}: write a name of small letters, digits and hyphens, like mail-window")
        if not reason.cause or not reason.next_step:
            raise DiagnosisFileError(f"{where}: `cause` and `next_step` are sentences for people; write them")
        named.setdefault(reason.name, set()).add(reason.problem)
    seen: set[str] = set()
    for rule in own.rule:
        where = f"{path}: rule {rule.name!r}"
        if rule.name in seen:
            raise DiagnosisFileError(f"{where}: two rules have this name: give each its own")
        seen.add(rule.name)
        _check_meaning(rule, where, named)
        _check_conditions(rule, where)
        if not rule.samples:
            raise DiagnosisFileError(f"{where}: no `samples`: each rule needs a reply that proves it")
    for rule in own.rule:
        for sample in rule.samples:
            taken = deciding_rule(sample, among=own.rule)
            if taken is rule:
                continue
            why = f"is taken by rule {taken.name!r} above it; change the order or the conditions" if taken else (
                f"is not taken; its words are {take_apart(sample).words!r}, its codes {_codes(sample)}: "
                "correct the conditions or the sample"
            )
            raise DiagnosisFileError(f"{path}: rule {rule.name!r}: the sample {sample!r} {why}")


def _codes(sample: str) -> str:
    said = take_apart(sample)
    return f"{said.reply_code or 'none'} and {said.enhanced_status or 'none'}"


def _check_meaning(rule: OwnRule, where: str, named: dict[str, set[Problem]]) -> None:
    problem, slash, reason = rule.means.partition("/")
    words = [str(word) for word in Problem]
    if not slash or problem not in words:
        raise DiagnosisFileError(
            f"{where}: `means` is {rule.means!r}; write PROBLEM/REASON, the problem one of {', '.join(words)}"
        )
    if reason not in named and reason not in reasons():
        near = nearest(reason, [*named, *reasons()])
        guess = f"did you mean {near!r}? " if near else ""
        raise DiagnosisFileError(f"{where}: no reason {reason!r}: {guess}Or name it in a [[reason]] of this file")


def _check_conditions(rule: OwnRule, where: str) -> None:
    if not (rule.codes or rule.replies or rule.any or rule.all or rule.matches):
        raise DiagnosisFileError(f"{where}: it would take every reply: give it codes, replies, any, all or matches")
    for code in rule.codes:
        if not _CODE.fullmatch(code):
            raise DiagnosisFileError(f'{where}: `codes`: {code!r}: write "5.7.26", "x.7.26" or "5.7.606-649"')
    for gist in (*rule.any, *rule.all, *rule.none):
        if not gist or gist != gist.lower():
            raise DiagnosisFileError(f"{where}: {gist!r}: replies are compared in lower case; write {gist.lower()!r}")
    try:
        rule.pattern()
    except re.error as fault:
        raise DiagnosisFileError(f"{where}: `matches` is no regular expression: {fault}; correct it") from None
