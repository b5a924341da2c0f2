"""All that is known of one message, as lines: verdict, way, recipients, hops, attempts, filters, timeline, raw lines.

Pure: answers in, lines out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from flowmon.model.answers import Detail, Hop, Recipient
from flowmon.model.mail_auth import FAILED, results
from flowmon.model.way import (
    hop_seconds,
    inside,
    slowest_hop,
    slowest_stage,
    stage_seconds,
    stuck_first,
    visits,
    worst_first,
)
from flowmon.model.words import OPEN_STATUSES, DeliveryStatus, Problem
from flowmon.tui.evidence import RawLine
from flowmon.tui.format import UNKNOWN, address, age, clock, next_try, number, plural, size, span, waited
from flowmon.tui.glyphs import STATUS_MEANINGS, STATUS_TONES
from flowmon.tui.look import Look
from flowmon.tui.picture import picture
from flowmon.tui.terms import term
from flowmon.tui.text import Line, clean, fit, width_of, wrap
from flowmon.tui.timeline import timeline
from flowmon.tui.tries import next_tries, tries
from flowmon.tui.widgets.document import DocLine, labelled, quiet, section

_OF_MAIL = frozenset({"spf", "dkim", "dmarc", "arc", "ptr"})
"""Reasons under authentication that are about mail; the others are about logins."""


@dataclass(frozen=True)
class Story:
    """A message and its raw lines."""

    detail: Detail
    raw: Sequence[RawLine]

    def lines(self, width: int, look: Look) -> list[DocLine]:
        """Everything, for a width."""
        return [
            *self.verdict(width, look),
            DocLine([]),
            *(DocLine(line) for line in picture(self.detail, look.now, width, look.glyphs)),
            *self.recipients(width, look),
            *self.hops(width, look),
            *self.attempts(width, look),
            *self.verdicts(width, look),
            DocLine([]),
            section("Timeline", width, look, "timeline"),
            *timeline(self.detail, look),
            *self.raw_lines(width, look),
        ]

    # What happened

    def verdict(self, width: int, look: Look) -> list[DocLine]:
        """One line that says it all; cause and next step; who, to whom, what."""
        message = self.detail.message
        tone = STATUS_TONES[message.status]
        badge = f" {look.glyphs.status[message.status]} {message.status.value} "
        room = max(20, width - cell_len(badge) - 3)
        first, *others = wrap(self._verdict_words(look), room)
        lines = [DocLine([(badge, f"bold reverse {tone}"), (f"  {first}", "bold text")])]
        lines += [DocLine([(" " * (cell_len(badge) + 2), ""), (piece, "bold text")]) for piece in others]
        waiting = [r for r in message.recipients if r.status in OPEN_STATUSES]
        if waiting and message.status not in OPEN_STATUSES:
            one = waiting[0]
            more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
            text = f"{clean(one.recipient)}{more} on {clean(one.host)}{_because(one.reason)}"
            lines += labelled("Still waits", text, width, "bold warn", term=term("to", one.recipient))
        if self.detail.cause:
            mixed = bool(waiting) and message.status not in OPEN_STATUSES  # it is told of what can still be helped
            lines += labelled("Its cause" if mixed else "Cause", self.detail.cause, width)
        if self.detail.next_step:
            lines += labelled("Next step", self.detail.next_step, width, "bold good")
        lines += next_tries(message, width, look)
        sender = address(message.envelope_sender)
        lines += labelled("From", sender, width, term=term("from", message.envelope_sender), copy=sender)
        if message.subject:
            lines += labelled("Subject", message.subject, width, copy=message.subject)
        if message.message_id:
            lines += labelled("Message-ID", message.message_id, width, copy=message.message_id)
        facts = [size(message.size) if message.size is not None else None]
        facts += [message.scenario.value if message.scenario else None]
        facts += [message.direction.value if message.direction else None]
        facts += [f"client {clean(message.client)}" if message.client else None]
        facts += [f"login {clean(self.detail.login)}" if self.detail.login else None]
        facts += [f"sent with {clean(self.detail.client_program)}" if self.detail.client_program else None]
        facts += [clean(self.detail.submitted) if self.detail.submitted else None]
        told = ", ".join(fact for fact in facts if fact)
        lines += labelled("Facts", told, width) if told else []
        return [*lines, *self._stages(width, look), *self._linked(width)]

    def _stages(self, width: int, look: Look) -> list[DocLine]:
        """What each stage took on the way that the picture shows, the slowest marked; a loop, with its rounds."""
        message = self.detail.message
        if not message.hops:
            return []
        one = next(iter(stuck_first(message.recipients)), None)
        seconds = stage_seconds(self.detail, one, look.now)
        slowest = slowest_stage(seconds)
        waits = (one or message).status in OPEN_STATUSES
        told = ", ".join(
            f"{stage.value} {waited(value) if waits and value >= 60 else span(value)}"
            f"{' (slowest)' if stage is slowest else ''}"
            for stage, value in seconds.items() if value is not None
        )
        lines = labelled("Stages", told, width)
        round_ = visits(one.path) if one else None
        if one and round_:
            text = f"{len(one.path)} hops: it came to {clean(round_[0])} {number(round_[1])} times"
            lines += labelled("Loop" if one.reason == "loop" else "Came again", text, width, "bold warn")
        return lines

    def _verdict_words(self, look: Look) -> str:
        message = self.detail.message
        alike = sum(one.status is message.status for one in message.recipients)
        of = f"{alike} of {len(message.recipients)} recipients: " if 0 < alike < len(message.recipients) else ""
        if message.status in OPEN_STATUSES:
            host = next((hop.host for hop in reversed(message.hops) if hop.left_at is None), None)
            where = f" on {clean(host)}" if host else ""
            return f"{of}waits{where} for {age(message.first_seen_at, look.now)}{_because(message.reason)}"
        if self.detail.login and message.problem is Problem.AUTHENTICATION and message.reason not in _OF_MAIL:
            why = "" if message.reason == "smtp-auth" else _because(message.reason)
            return f"the login as {clean(self.detail.login)} was refused{why}"
        words = STATUS_MEANINGS[message.status] if message.status is not DeliveryStatus.DELIVERED else "in the mailbox"
        ends = [one.delay_seconds for one in message.recipients if one.status is message.status]
        known = [seconds for seconds in ends if seconds is not None]
        took = max(known) if known else (message.last_seen_at - message.first_seen_at).total_seconds()
        return f"{of}{words}{_because(message.reason)}, {span(took)} after it was first seen"

    def _linked(self, width: int) -> list[DocLine]:
        lines: list[DocLine] = []
        if self.detail.report_of is not None:
            text = "this is a report about another message: Enter opens that"
            lines += labelled("Report of", text, width, "accent", message=self.detail.report_of)
        for place, report in enumerate(self.detail.reports):
            label = "Reports" if place == 0 else ""
            text = "a server told the sender: Enter opens that report"
            lines += labelled(label, text, width, "accent", message=report)
        return lines

    # Where it went

    def recipients(self, width: int, look: Look) -> list[DocLine]:
        """Each recipient with its status and what decided it; the worst first."""
        recipients = worst_first(self.detail.message.recipients)
        lines = _section(f"Recipients {len(recipients)}", width, look, "recipients")
        if not recipients:
            waits = self.detail.message.status in OPEN_STATUSES
            told = "None is named yet: logs name recipients with the first try, or when it ends."
            return [*lines, quiet(told if waits else "None was named before the session ended.")]
        for one in recipients:
            lines += self._recipient(one, width, look)
        return lines

    def _recipient(self, one: Recipient, width: int, look: Look) -> list[DocLine]:
        tone = STATUS_TONES[one.status]
        line: Line = [
            (f" {look.glyphs.status[one.status]} {one.status.value:<12}", tone),
            (clean(one.recipient), "text"),
        ]
        if one.original_recipient and one.original_recipient != one.recipient:
            line.append((f" (was {clean(one.original_recipient)})", "muted"))
        facts = [clean(one.reason) if one.reason else None]
        facts += [plural(one.attempts, "try", "tries") if one.attempts else None]
        facts += [f"after {span(one.delay_seconds)}" if one.delay_seconds is not None else None]
        facts += [f"by {clean(one.relay)}" if one.relay else f"on {clean(one.host)}"]
        line.append((f"  {', '.join(fact for fact in facts if fact)}", "muted"))
        lines = [DocLine(line, term=term("to", one.recipient), copy=one.recipient)]
        reply = " ".join(str(part) for part in (one.reply_code, one.enhanced_status) if part)
        told = clean(one.diagnostic or "")
        if told and reply and not told.startswith(reply[:3]):
            told = f"{reply} {told}"
        if told or reply:
            body = "text" if one.problem else "muted"
            lines += [
                DocLine([(" " * 15, ""), (piece, body)], copy=one.diagnostic)
                for piece in wrap(told or reply, max(20, width - 16))
            ]
        if one.next_retry_at is not None and len(self.detail.message.recipients) > 1:
            told = next_try(one.next_retry_at, look.now, look.zone, exact=one.retry_is_exact)
            lines.append(DocLine([(" " * 15, ""), (f"next try {told}", "text")]))
        if one.transient:
            met = ", ".join(problem.value for problem in one.transient)
            lines.append(DocLine([(" " * 15, ""), (f"before that, failed for now: {met}", "muted")]))
        return lines

    def hops(self, width: int, look: Look) -> list[DocLine]:
        """Each host it passed: when, how long, and how sure the link is."""
        message = self.detail.message
        lines = _section(f"Hops {len(message.hops)}", width, look, "hops")
        longest = max((hop_seconds(hop, look.now) for hop in message.hops), default=0.0)
        slowest = slowest_hop(message, look.now)
        for hop in message.hops:
            lines += self._hop(hop, width, look, longest, slowest is hop)
        return lines if message.hops else [*lines, quiet("None is known.")]

    def _hop(self, hop: Hop, width: int, look: Look, longest: float, slowest: bool) -> list[DocLine]:
        took = hop_seconds(hop, look.now)
        filled = round(took / longest * 10) if longest else 0
        bar = look.glyphs.bars[-1] * max(filled, 1 if took else 0)
        tone = "warn" if slowest else "info"
        spent = f"still here {waited(took)}" if hop.left_at is None else span(took)
        line: Line = [
            (f" {clock(hop.arrived_at, look.now, look.zone):<9}", "muted"),
            (f"{(hop.role.value if hop.role else UNKNOWN):<9}", "muted"),
            (fit(clean(hop.host), 18), "text"),
            (f" {fit(clean(hop.queue_id or UNKNOWN), 16)}", "muted"),
            (f"{spent:>16} ", tone if slowest else "text"),
            (f"{bar:<10}" if width >= 86 else "", tone),
        ]
        delays = hop.delays
        parts = (("before queue", delays.before_queue), ("queue", delays.queue), ("connect", delays.connect))
        told = [f"{name} {span(value)}" for name, value in (*parts, ("transmit", delays.transmit)) if value]
        within = inside(self.detail, hop)
        if within:
            told.append(f"inside: {within}")
        if slowest:
            told.insert(0, "slowest")
        if hop.link:
            told.append(f"linked by {hop.link.value} ({hop.certainty.value if hop.certainty else 'unknown'})")
        note = ", ".join(told)
        host_term = term("host", hop.host)
        copied = hop.queue_id or hop.host
        if note and width_of(line) + len(note) + 1 <= width:
            return [DocLine([*line, (f" {note}", "muted")], term=host_term, copy=copied)]
        lines = [DocLine(line, term=host_term, copy=copied)]
        if note:
            lines.append(DocLine([(" " * 10, ""), (fit(note, min(len(note), width - 11)), "muted")]))
        return lines

    def attempts(self, width: int, look: Look) -> list[DocLine]:
        """Tries, equal ones folded."""
        total = sum(attempt.count for attempt in self.detail.attempts)
        return [*_section(f"Attempts {total}", width, look, "attempts"), *tries(self.detail, width, look)]

    def verdicts(self, width: int, look: Look) -> list[DocLine]:
        """What filters said."""
        verdicts = self.detail.verdicts
        if not verdicts:
            return []
        lines = _section(f"Filter verdicts {len(verdicts)}", width, look, "verdicts")
        checked = results(verdict.detail or "" for verdict in verdicts)
        if checked:
            line: Line = [(" ", "")]
            for name, result in checked.items():
                sign = look.glyphs.ok if result == "pass" else look.glyphs.broken if result in FAILED else UNKNOWN
                tone = "good" if result == "pass" else "bad" if result in FAILED else "muted"
                line += [(f"{name} ", "muted"), (f"{sign} {result}   ", tone)]
            lines.append(DocLine(line))
        for verdict in verdicts:
            score = "" if verdict.score is None else f"  score {verdict.score:g}"
            line = [
                (f" {clock(verdict.at, look.now, look.zone):<9}", "muted"),
                (f"{clean(verdict.filter)} on {clean(verdict.host)}: ", "muted"),
                (clean(verdict.action), "bold text"),
                (score, "warn" if (verdict.score or 0) >= 5 else "text"),
            ]
            lines.append(DocLine(line, copy=verdict.detail or verdict.action))
            lines += [
                DocLine([(" " * 10, ""), (piece, "muted")], copy=verdict.detail)
                for piece in wrap(clean(verdict.detail), max(20, width - 12))
                if verdict.detail
            ] if verdict.detail else []
        return lines

    def raw_lines(self, width: int, look: Look) -> list[DocLine]:
        """The log lines themselves, each with its place in the file and the rule that reads it."""
        lines = _section(f"Raw lines {len(self.raw)}", width, look, "raw")
        if not self.raw:
            return [*lines, quiet("None is kept for this message.")]
        place = ""
        for raw in self.raw:
            if raw.evidence.path != place:
                place = raw.evidence.path
                host = f"  on {clean(raw.evidence.host)}"
                lines.append(DocLine([(f" {clean(place)}", "info"), (host, "muted")], copy=place))
            at = f":{raw.line_number}" if raw.line_number is not None else f"byte {raw.evidence.offset}"
            offset: Line = [(f"{at:>15} ", "faint")]
            if raw.text is None:
                lines.append(DocLine([*offset, (f"{look.glyphs.alert} {raw.missing}", "warn")]))
                continue
            pieces = wrap(clean(raw.text), max(20, width - 17)) or [""]
            rule: Line = [(f"  {look.glyphs.by} {clean(raw.rule)}", "faint")] if raw.rule else []
            if rule and cell_len(pieces[-1]) + width_of(rule) > width - 17:
                pieces.append("")
            for number_, piece in enumerate(pieces):
                head = offset if number_ == 0 else [(" " * 16, "")]
                tail = rule if number_ == len(pieces) - 1 else []
                lines.append(DocLine([*head, (piece, "text"), *tail], copy=raw.text))
        return lines


def _because(reason: str | None) -> str:
    return f" ({clean(reason)})" if reason else ""


def _section(title: str, width: int, look: Look, name: str) -> list[DocLine]:
    return [DocLine([]), section(title, width, look, name)]
