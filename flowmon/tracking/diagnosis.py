"""Why mail failed: from what a log says to a problem, a reason, and words on cause and next step.

The knowledge is in `diagnosis.toml`, the words for people in `diagnosis_reasons.toml`. The first of these that knows
decides: a rule of the user's own, a provider's rule, a rule on the words, the enhanced code, the reply code with the
command it answers; else it is `delivery / unknown`. Of a refused login only a rule of the user's own and the rules for
logins are asked; else it is `authentication / smtp-auth`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from string import ascii_letters, digits
from typing import Any, Protocol, TypeVar

import msgspec

from flowmon.model.words import DeliveryStatus, Problem
from flowmon.tracking.failure_text import command_word, enhanced_status, reply_code, take_apart

__all__ = [
    "Diagnosis", "Explanation", "Rule", "deciding_rule", "diagnose", "enhanced_status", "explain",
    "knowledge", "reasons", "reply_code", "use_own",
]

_GIVEN_UP = (
    "The queue gave up and told the sender: nothing is waiting any more. Have it sent again once the cause is gone."
)


class Diagnosis(msgspec.Struct, frozen=True):
    """Problem and reason of one failure."""

    problem: Problem
    reason: str
    by_us: bool = False
    """A filter of ours decided, as its text shows (a milter, a proxy on the loopback address)."""


class Explanation(msgspec.Struct, frozen=True):
    """A reason in plain words."""

    cause: str
    next_step: str


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A condition on codes and words, with what it means. All parts that are given must hold."""

    name: str
    means: str
    """`problem/reason`."""
    samples: tuple[str, ...]
    codes: tuple[str, ...] = ()
    """Enhanced codes: `5.7.26`, any class `x.7.26`, a range of details `5.7.606-649`."""
    replies: tuple[int, ...] = ()
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    matches: str | None = None
    """A pattern that counts as one more of `any`."""
    temporary: bool | None = None

    def pattern(self) -> Pattern | None:
        """What `matches` is searched with."""
        return None if self.matches is None else _compiled(self.matches)


class Pattern(Protocol):
    """What can be searched for in words."""

    def search(self, text: str, /) -> Any: ...


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reason under one problem; the first of its name is its usual one."""

    name: str
    problem: Problem
    cause: str
    next_step: str
    here: Explanation | None = None
    """The words where a server of ours turned it away; None where they are the same."""

    def words(self, status: DeliveryStatus | None) -> Explanation:
        """Cause and next step for mail of this status."""
        if status is DeliveryStatus.EXPIRED:
            return Explanation(self.cause, _GIVEN_UP)
        if self.here is not None and status is DeliveryStatus.REJECTED:
            return self.here
        return Explanation(self.cause, self.next_step)


class ReplyMeaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What bare reply codes mean after some commands; without commands, after any."""

    replies: tuple[int, ...]
    means: str
    commands: tuple[str, ...] = ()


class Knowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that `diagnosis.toml` holds."""

    codes: dict[str, str]
    reply: tuple[ReplyMeaning, ...]
    login: tuple[Rule, ...]
    provider: tuple[Rule, ...]
    text: tuple[Rule, ...]


class Reasons(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that `diagnosis_reasons.toml` holds."""

    reason: tuple[Reason, ...]


_own: list[tuple[tuple[Rule, ...], tuple[Reason, ...]]] = []
"""What `use_own` gave, for this process."""
_LOGIN = "AUTH"
"""The command of a login: what answers it tells of the login, though its words may be those of other failures."""
_FAILED = re.compile(r"[45]\.[0-9]{1,3}\.[0-9]{1,3}")
_File = TypeVar("_File", Knowledge, Reasons)


class _Case(msgspec.Struct, frozen=True):
    """What is known of one failure."""

    words: str
    reply_code: int | None
    enhanced_status: str | None
    command: str | None
    permanent: bool | None


def diagnose(
    text: str | None,
    *,
    enhanced_status: str | None = None,
    reply_code: int | None = None,
    command: str | None = None,
    permanent: bool | None = None,
) -> Diagnosis:
    """The problem and reason of a failure, from the text an MTA logged and what else is known.

    The codes of the text itself count before `enhanced_status` (which some programs make up); the first digit of the
    reply code, then the class of the enhanced code count before `permanent`.
    """
    return _diagnose(_of_nobody(text) if text else "", enhanced_status, reply_code, command, permanent)


_LOCAL_PART = ascii_letters + digits + "_.+=-"
_DOMAIN = ascii_letters + digits + "_.-"
_IP = re.compile(r"\[(?:(?:[0-9]+\.){3}[0-9]+|[0-9a-fA-F]*:[0-9a-fA-F:]+)\]")

_IP_IN_LINK = re.compile(r"(?<=[/=])(?:(?:[0-9]+\.){3}[0-9]+|[0-9a-fA-F]+:[0-9a-fA-F]*:[0-9a-fA-F:]*)")


def _of_nobody(text: str) -> str:
    """The text with stand-ins for mail and IP addresses, also those in links: the same reply comes thousands of times,
    each time with others."""
    if "@" in text:
        done = ""
        before, *parts = text.split("@")  # and stripping: a pattern would cost ten times as much
        for part in parts:
            start, rest = before.rstrip(_LOCAL_PART), part.lstrip(_DOMAIN)
            whole = len(start) < len(before) and len(rest) < len(part)
            done, before = (f"{done}{start}x@x.example", rest) if whole else (f"{done}{before}@", part)
        text = done + before
    if "//" in text:
        text = _IP_IN_LINK.sub("192.0.2.1", text)
    return _IP.sub(_stand_in, text) if "[" in text else text


def _stand_in(found: re.Match[str]) -> str:
    return "[127.0.0.1]" if found.group().startswith("[127.") else "[192.0.2.1]"


@lru_cache(maxsize=8192)
def _diagnose(
    text: str, enhanced_status: str | None, reply_code: int | None, command: str | None, permanent: bool | None
) -> Diagnosis:
    case, by_us = _case(text, enhanced_status, reply_code, command, permanent)
    return _diagnosis(_decide(case), by_us)


def deciding_rule(
    text: str, *, command: str | None = None, permanent: bool | None = None, among: tuple[Rule, ...] | None = None
) -> Rule | None:
    """The rule that takes a text, of those in force or `among` others; None when only its codes tell something."""
    case = _case(text, None, None, command, permanent)[0]
    if among is None:
        return _rule(case)
    fitting = _with_codes(among, case.enhanced_status, case.reply_code)
    return next((rule for rule in fitting if _holds(rule, case)), None)


def use_own(rules: tuple[Rule, ...], own_reasons: tuple[Reason, ...]) -> None:
    """Put a user's own rules before the built-in ones, and add the reasons that they name; replaces those before."""
    _own.clear()
    _own.append((rules, own_reasons))
    for kept in (_rules_for, _decide, _diagnose, _reasons, reasons):
        kept.cache_clear()


def explain(reason: str, problem: Problem | None = None, status: DeliveryStatus | None = None) -> Explanation:
    """Cause and next step of a reason, in words for a mail administrator; they depend on what became of the mail.

    What expired waits no more, and what a server of ours turned away was in no queue of ours.
    """
    entries = _reasons().get(reason) or _reasons()["unknown"]
    return next((one for one in entries if one.problem is problem), entries[0]).words(status)


@cache
def knowledge() -> Knowledge:
    """The rules and tables, read once."""
    return _read("diagnosis.toml", Knowledge)


def _read(name: str, kind: type[_File]) -> _File:
    return msgspec.toml.decode(Path(__file__).with_name(name).read_bytes(), type=kind)


def _case(
    text: str | None, enhanced: str | None, code: int | None, command: str | None, permanent: bool | None
) -> tuple[_Case, bool]:
    said = take_apart(text or "")
    enhanced = next((s for s in (said.enhanced_status, enhanced) if s and _FAILED.fullmatch(s)), None)
    code = code if code is not None else said.reply_code
    if code is not None:
        permanent = code >= 500
    elif enhanced:
        permanent = enhanced[0] == "5"
    return _Case(said.words, code, enhanced, said.command or command_word(command), permanent), said.by_us


@lru_cache(maxsize=8192)
def _decide(case: _Case) -> str:
    rule = _rule(case)
    if rule is not None:
        return rule.means
    if case.command == _LOGIN:
        return "authentication/smtp-auth"
    return _of_code(case.enhanced_status) or _of_reply(case) or _of_subject(case.enhanced_status) or "delivery/unknown"


@lru_cache(maxsize=256)
def _diagnosis(means: str, by_us: bool) -> Diagnosis:
    problem, _, reason = means.partition("/")
    return Diagnosis(Problem(problem), reason, by_us)


def _rule(case: _Case) -> Rule | None:
    rules = _rules_for(case.enhanced_status, case.reply_code, case.command == _LOGIN)
    return next((rule for rule in rules if _holds(rule, case)), None)


@lru_cache(maxsize=512)
def _rules_for(status: str | None, code: int | None, login: bool) -> tuple[Rule, ...]:
    """The rules that these codes leave, in order."""
    known = knowledge()
    own = tuple(rule for rules, _ in _own for rule in rules)
    return _with_codes((*own, *(known.login if login else (*known.provider, *known.text))), status, code)


def _with_codes(rules: tuple[Rule, ...], status: str | None, code: int | None) -> tuple[Rule, ...]:
    return tuple(
        rule for rule in rules
        if (not rule.codes or _code_in(status, rule.codes)) and (not rule.replies or code in rule.replies)
    )


def _holds(rule: Rule, case: _Case) -> bool:
    """Whether the rest of a rule holds, when the codes do."""
    if rule.temporary is not None and case.permanent is not (not rule.temporary):
        return False
    words = case.words
    if not all(gist in words for gist in rule.all) or any(gist in words for gist in rule.none):
        return False
    pattern = rule.pattern()
    if not rule.any and pattern is None:
        return True
    return any(gist in words for gist in rule.any) or (pattern is not None and pattern.search(words) is not None)


@cache
def _compiled(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _code_in(status: str | None, codes: tuple[str, ...]) -> bool:
    if status is None:
        return False
    subject, _, detail = status[2:].partition(".")
    for code in codes:
        if code[0] not in ("x", status[0]):
            continue
        its_subject, _, its_detail = code[2:].partition(".")
        low, _, high = its_detail.partition("-")
        if its_subject == subject and int(low) <= int(detail) <= int(high or low):
            return True
    return False


def _of_code(status: str | None) -> str | None:
    """What an enhanced code means; None for one that tells no more than its class, or is not known."""
    if status is None or status.endswith(".0.0"):
        return None
    return knowledge().codes.get(status[2:])


def _of_subject(status: str | None) -> str | None:
    return knowledge().codes.get(status[2:].partition(".")[0]) if status is not None else None


def _of_reply(case: _Case) -> str | None:
    return next((
        row.means for row in knowledge().reply
        if case.reply_code in row.replies and (not row.commands or case.command in row.commands)
    ), None)


@cache
def _reasons() -> dict[str, list[Reason]]:
    found: dict[str, list[Reason]] = {}
    own = tuple(one for _, named in _own for one in named)
    for one in (*_read("diagnosis_reasons.toml", Reasons).reason, *own):
        found.setdefault(one.name, []).append(one)
    return found


@cache
def reasons() -> Mapping[str, Problem]:
    """Every reason, with its problem (the first, where it has several)."""
    return {reason: entries[0].problem for reason, entries in _reasons().items()}
