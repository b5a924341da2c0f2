"""What the DNS says of a message or a problem, asked when the key is pressed and never before."""

from __future__ import annotations

from typing import ClassVar

from textual import work

from flowmon.checks import dns
from flowmon.checks.dns import Finding, Tone
from flowmon.checks.subject import Subject
from flowmon.tui.look import Look
from flowmon.tui.screens.help import TextScreen
from flowmon.tui.shell import Shell
from flowmon.tui.text import Line, clean, wrap
from flowmon.tui.widgets.document import DocLine, Document


def ask_dns(app: Shell, subject: Subject) -> None:
    """Ask about a subject, and show what comes back."""
    if subject:
        app.push_screen(DnsScreen(subject))
    else:
        app.notify("Nothing here names a domain or an address that the DNS could be asked about")


_TONES = {Tone.GOOD: "good", Tone.WARN: "warn", Tone.BAD: "bad", Tone.UNKNOWN: "muted"}


class DnsScreen(TextScreen):
    """The answers, over the screen they were asked from."""

    WORDS: ClassVar[dict[Tone, str]] = {
        Tone.GOOD: "fine", Tone.WARN: "look", Tone.BAD: "wrong", Tone.UNKNOWN: "no answer",
    }  # fmt: skip
    """The tone in a word: colour alone tells nothing."""

    def __init__(self, subject: Subject) -> None:
        super().__init__("What the DNS says now")
        self._subject = subject
        self._findings: list[Finding] | None = None
        self._fault = ""

    def on_mount(self) -> None:
        super().on_mount()
        self._ask()

    @work(exclusive=True)
    async def _ask(self) -> None:
        try:
            self._findings = await dns.check(self._subject, dns.system_resolver())
        except OSError as fault:
            self._fault = str(fault)
        self.query_one(Document).rewrite()

    def text(self, width: int, look: Look) -> list[DocLine]:
        if self._fault:
            return [DocLine([(f"Nothing could be asked: {piece}", "bad")]) for piece in wrap(self._fault, width - 25)]
        if self._findings is None:
            return [DocLine([(f"{look.glyphs.busy} Asking this host's name servers …", "muted")])]
        lines: list[DocLine] = []
        for finding in self._findings:
            lines += self._finding(finding, width, look)
        return lines

    def _finding(self, finding: Finding, width: int, look: Look) -> list[DocLine]:
        tone = _TONES[finding.tone]
        sign = look.glyphs.ok if finding.tone is Tone.GOOD else look.glyphs.alert
        word = "" if finding.tone is Tone.GOOD else f"  {self.WORDS[finding.tone]}"
        head: Line = [(f"{sign} ", tone), (clean(finding.about), "bold text"), (word, tone)]
        pieces = wrap(clean(finding.text), width - 3)
        return [DocLine(head), *(DocLine([("  ", ""), (piece, "text")]) for piece in pieces)]
