"""The signs on the screen, with an ASCII set of the same widths.

A state is always a sign and a word; colour only helps.
"""

from __future__ import annotations

from dataclasses import dataclass

from flowmon.model.words import DeliveryStatus, Problem

STATUS_TONES = {
    DeliveryStatus.QUEUED: "info",
    DeliveryStatus.DEFERRED: "warn",
    DeliveryStatus.DELIVERED: "good",
    DeliveryStatus.RELAYED: "good2",
    DeliveryStatus.EXPANDED: "muted",
    DeliveryStatus.BOUNCED: "bad",
    DeliveryStatus.EXPIRED: "bad",
    DeliveryStatus.REJECTED: "bad2",
    DeliveryStatus.DISCARDED: "muted",
    DeliveryStatus.QUARANTINED: "bad2",
    DeliveryStatus.HELD: "warn",
    DeliveryStatus.REMOVED: "muted",
}

STATUS_MEANINGS = {
    DeliveryStatus.QUEUED: "a server has it and has not tried yet",
    DeliveryStatus.DEFERRED: "a try failed for now; it will be tried again",
    DeliveryStatus.DELIVERED: "a mailbox has it",
    DeliveryStatus.RELAYED: "handed to a host whose log is not read here",
    DeliveryStatus.EXPANDED: "replaced by other recipients (alias, list)",
    DeliveryStatus.BOUNCED: "accepted, then returned to the sender",
    DeliveryStatus.EXPIRED: "given up after too long in the queue",
    DeliveryStatus.REJECTED: "refused at the door; no server took it",
    DeliveryStatus.DISCARDED: "thrown away silently, by a rule",
    DeliveryStatus.QUARANTINED: "put aside by a filter",
    DeliveryStatus.HELD: "held by an operator or a rule",
    DeliveryStatus.REMOVED: "deleted from the queue by an operator",
}

PROBLEM_TONES = {
    Problem.DELIVERY: "bad",
    Problem.ROUTING: "warn",
    Problem.AUTHENTICATION: "bad2",
    Problem.POLICY: "info",
    Problem.SPAM: "accent",
}


@dataclass(frozen=True)
class Glyphs:
    """One set of signs; each is one cell wide where not said otherwise."""

    ascii: bool
    status: dict[DeliveryStatus, str]
    live: str
    quiet: str
    paused: str
    dead: str
    alert: str
    ok: str
    busy: str
    cursor: str
    focus: str
    rule: str
    pipe: str
    bars: str
    """Nine heights, from empty to full."""
    thumb: str
    box: str
    """Corners and sides of a box: ╭╮╰╯─│."""
    dashed: str
    arrow: str
    broken: str
    branch: str
    """Two cells: a way that forks."""
    grows: str
    drains: str
    by: str
    """Before the rule that reads a line."""
    to: str
    """Between what comes in and what goes out."""


UNICODE = Glyphs(
    ascii=False,
    status={
        DeliveryStatus.QUEUED: "◔",
        DeliveryStatus.DEFERRED: "◑",
        DeliveryStatus.DELIVERED: "✔",
        DeliveryStatus.RELAYED: "➜",
        DeliveryStatus.EXPANDED: "⋔",
        DeliveryStatus.BOUNCED: "✖",
        DeliveryStatus.EXPIRED: "⊠",
        DeliveryStatus.REJECTED: "⊘",
        DeliveryStatus.DISCARDED: "∅",
        DeliveryStatus.QUARANTINED: "◈",
        DeliveryStatus.HELD: "◼",
        DeliveryStatus.REMOVED: "⊖",
    },
    live="●",
    quiet="○",
    paused="‖",
    dead="■",
    alert="▲",
    ok="✔",
    busy="↻",
    cursor="▌",
    focus="▌",
    rule="─",
    pipe="│",
    bars=" ▁▂▃▄▅▆▇█",
    thumb="┃",
    box="╭╮╰╯─│",
    dashed="╌",
    arrow="▶",
    broken="✖",
    branch="└▶",
    grows="▲",
    drains="▼",
    by="‹",
    to="→",
)

ASCII = Glyphs(
    ascii=True,
    status={
        DeliveryStatus.QUEUED: "o",
        DeliveryStatus.DEFERRED: "~",
        DeliveryStatus.DELIVERED: "+",
        DeliveryStatus.RELAYED: ">",
        DeliveryStatus.EXPANDED: "*",
        DeliveryStatus.BOUNCED: "x",
        DeliveryStatus.EXPIRED: "X",
        DeliveryStatus.REJECTED: "!",
        DeliveryStatus.DISCARDED: "0",
        DeliveryStatus.QUARANTINED: "q",
        DeliveryStatus.HELD: "#",
        DeliveryStatus.REMOVED: "d",
    },
    live="*",
    quiet="o",
    paused="=",
    dead="#",
    alert="!",
    ok="+",
    busy="~",
    cursor=">",
    focus=">",
    rule="-",
    pipe="|",
    bars=" .:-=+*#@",
    thumb="#",
    box="++++-|",
    dashed=".",
    arrow=">",
    broken="X",
    branch="`>",
    grows="^",
    drains="v",
    by="<",
    to=">",
)


def summed(values: list[int], width: int) -> list[int]:
    """Counts of equal parts in at most `width` parts: neighbours are added."""
    if width <= 0 or len(values) <= width:
        return values
    each = -(-len(values) // width)
    first = -(-len(values) % each)  # the oldest part may be a short one
    return [sum(values[max(start, 0) : start + each]) for start in range(first, len(values), each)]


def sparkline(values: list[int], width: int, glyphs: Glyphs, top: int | None = None) -> str:
    """The last `width` values as bars of one cell; anything above zero shows at least the lowest bar."""
    if width <= 0:
        return ""
    shown = values[-width:]
    highest = max(shown, default=0) if top is None else top
    steps = len(glyphs.bars) - 1
    marks = (
        glyphs.bars[0 if value <= 0 or highest <= 0 else max(1, min(steps, round(value / highest * steps)))]
        for value in shown
    )
    return "".join(marks).rjust(width)
