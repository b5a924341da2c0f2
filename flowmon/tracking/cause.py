"""Why a recipient has not got its mail: problem and reason of an outcome, by its cause.

A filter's verdict tells more than the line of the server that asked it, and the log of the host of ours that refused
a try more than its reply.
"""

from __future__ import annotations

from flowmon.model.words import DeliveryStatus, Problem
from flowmon.tracking.diagnosis import Diagnosis, diagnose, reasons
from flowmon.tracking.likeness import quotes, temporary
from flowmon.tracking.summary import Outcome

_D = DeliveryStatus
_DEFERRED, _HELD, _EXPIRED, _DISCARDED = _D.DEFERRED, _D.HELD, _D.EXPIRED, _D.DISCARDED  # quick: see tracking.host
_FAILURES = frozenset({_D.BOUNCED, _D.EXPIRED, _D.REJECTED, _D.DEFERRED, _D.HELD, _D.QUARANTINED, _D.DISCARDED})
_DECIDED = frozenset({_D.REJECTED, _D.HELD, _D.DISCARDED, _D.QUARANTINED})
"""What somebody decided, and a filter's verdict may be the reason of."""
_KEPT_BACK = frozenset({_D.HELD, _D.QUARANTINED, _D.DISCARDED})
_SAYS_NOTHING = "Command rejected"
"""What Postfix and Sendmail answer for a milter that gave no text of its own."""


def cause(outcome: Outcome) -> Diagnosis | None:
    """Problem and reason of an outcome, by its cause: a filter's verdict tells more than the MTA's line."""
    status = outcome.status
    if status not in _FAILURES:
        return None
    hop, fate = outcome.hop, outcome.fate
    deeper = _deeper_cause(outcome) if outcome.answer is not None else None
    if deeper is not None:
        return deeper
    if status is _HELD and fate is not None and fate.earlier and fate.earlier[-1].diagnostic == fate.diagnostic:
        return Diagnosis(Problem.POLICY, "hold")  # somebody holds it: what was said before is not why
    if hop.verdicts and status in _DECIDED:
        for said in reversed(hop.verdicts):
            if said.reason is not None and _decides(said.action, outcome.diagnostic):
                return _of_reason(said.reason)
    command = hop.refused or None
    text, code = outcome.diagnostic, fate.enhanced_status if fate is not None else None
    if status is _EXPIRED and fate is not None and fate.earlier:
        text, code = fate.earlier[-1].diagnostic, fate.earlier[-1].enhanced_status
    found = diagnose(text, enhanced_status=code, command=command,
                     permanent=status is not _DEFERRED and status is not _HELD and not temporary(text))
    if status in _KEPT_BACK and found.reason == "unknown":
        return Diagnosis(Problem.POLICY, "discard" if status is _DISCARDED else "hold")
    return found


def reply(outcome: Outcome) -> str | None:
    """What was said last of a recipient; with what the host of ours that said it wrote into its log, where that tells
    more."""
    words = _own_words(outcome) if outcome.answer is not None else None
    if words is None or outcome.answer is None:
        return outcome.diagnostic
    return f"{outcome.diagnostic or ''}; {outcome.answer.host} logged: {words}"


def _own_words(outcome: Outcome) -> str | None:
    """What the host of ours that refused a try wrote into its log, where its reply does not say it."""
    if outcome.answer is None:
        return None
    there = outcome.answer.fates.get(outcome.recipient)
    words = there.diagnostic if there is not None else outcome.answer.state_text
    return None if quotes(outcome.diagnostic, words) else words


def _deeper_cause(outcome: Outcome) -> Diagnosis | None:
    """The cause as the host of ours knows it that refused a try: its filter's verdict, or what it logged beside."""
    for said in reversed(outcome.answer.verdicts or () if outcome.answer is not None else ()):
        if said.reason is not None and _decides(said.action, outcome.diagnostic):
            return _of_reason(said.reason)
    words = _own_words(outcome)
    if words is None:
        return None
    login = outcome.answer is not None and outcome.answer.refused == "AUTH"
    found = diagnose(words, command="AUTH" if login else None,
                     permanent=outcome.status not in (_DEFERRED, _HELD))
    return found if found.reason != "unknown" else None


def _decides(action: str | None, text: str | None) -> bool:
    """Whether a verdict is why mail was refused. That a test failed (`fail`) is, where nobody says anything else."""
    if action == "fail":
        return text is not None and _SAYS_NOTHING in text
    return action is not None and action.lower() not in (
        "no action", "add header", "rewrite subject", "pass", "greylist"
    )


def _of_reason(reason: str) -> Diagnosis:
    return Diagnosis(reasons().get(reason, Problem.DELIVERY), reason)
