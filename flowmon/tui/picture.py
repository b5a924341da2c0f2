"""The way of a message as a picture: client → gateway → relay → server, with what each took, and where it is stuck.

Pure: answers in, lines out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len

from flowmon.model.answers import Detail, Hop, Recipient
from flowmon.model.way import DONE, hop_seconds, hops_to, slowest_hop, stuck_first
from flowmon.model.words import OPEN_STATUSES, DeliveryStatus, Role, Stage
from flowmon.tracking.scenario import domain_of
from flowmon.tui.format import plural, span, waited
from flowmon.tui.glyphs import STATUS_TONES, Glyphs
from flowmon.tui.text import Line, clean, fit

LEAST_BOX = 15
MOST_BOX = 26
ARROW = 10


@dataclass(frozen=True)
class Node:
    """One place on the way."""

    role: str
    name: str
    note: str
    """Queue ID, or what is known instead."""
    state: str
    tone: str
    stage: str = ""
    """Written on the arrow that leads away."""
    outside: bool = False
    """Its log is not read here."""
    failed: DeliveryStatus | None = None
    """What became of the step to it, where that fails."""


def nodes_of(detail: Detail, recipient: Recipient | None, now: datetime) -> list[Node]:
    """The places on the way to a recipient, from the client to where it ended or is stuck."""
    message, hops = detail.message, hops_to(detail, recipient)
    status = recipient.status if recipient else message.status
    slowest = slowest_hop(message, now)
    nodes: list[Node] = []
    if message.client and not any(hop.role is Role.CLIENT for hop in hops):
        nodes.append(Node("client", message.client, "", "", "muted", stage="sending", outside=True))
    for place, hop in enumerate(hops):
        nodes.append(_hop_node(hop, status, last=place == len(hops) - 1, slowest=hop is slowest, now=now))
    beyond = _beyond(recipient, hops, status)
    return [*nodes, beyond] if beyond else nodes


def _hop_node(hop: Hop, status: DeliveryStatus, *, last: bool, slowest: bool, now: datetime) -> Node:
    waits = hop.left_at is None and status in OPEN_STATUSES
    took = hop_seconds(hop, now)
    state = f"waits {waited(took)}" if waits else span(took)
    tone = "bold warn" if slowest or waits else "muted"
    if slowest and not waits:
        state += ", slowest"
    stage = hop.stage or ""
    if last and not waits and status in DONE:
        stage = Stage.DELIVERY
    elif stage and not last:
        stage = Stage.ROUTING  # to a host of ours; the arrow to the first one is the sending
    role = hop.role.value if hop.role else "host"
    return Node(role, hop.host, hop.queue_id or "", state, tone, stage=stage)


_FAILED_BEYOND = frozenset({DeliveryStatus.DEFERRED, DeliveryStatus.BOUNCED, DeliveryStatus.EXPIRED})
"""What fails on the way to the next hop; other mail was kept back where it is."""


def _beyond(recipient: Recipient | None, hops: list[Hop], status: DeliveryStatus) -> Node | None:
    """The place after the last hop: the mailbox, a host outside our logs, or the one that cannot be reached."""
    if status is DeliveryStatus.REJECTED and hops:
        return None
    tone = STATUS_TONES[status]
    target = recipient.relay if recipient else hops[-1].next_hop if hops else None
    if target is None and recipient is not None and recipient.problem and status in _FAILED_BEYOND:
        target = domain_of(recipient.recipient)  # the log names no host of it; the hop's may be another recipient's
    if status is DeliveryStatus.DELIVERED and recipient is not None:
        return Node("mailbox", recipient.recipient, "", status.value, tone)
    if status is DeliveryStatus.RELAYED and target:
        return Node("outside", target, "", status.value, tone, outside=True)
    if target and status not in DONE and target != (hops[-1].host if hops else None):
        reason = (recipient.reason if recipient else None) or ""
        failed = status if status is not DeliveryStatus.QUEUED else None
        tries = plural(recipient.attempts, "try", "tries") if recipient and recipient.attempts else ""
        return Node("next hop", target, reason, tries, tone, outside=True, failed=failed)
    return None


def picture(detail: Detail, now: datetime, width: int, glyphs: Glyphs) -> list[Line]:
    """The way to the first recipient of `stuck_first` as boxes, or as a list where they do not fit; then the others."""
    recipients = stuck_first(detail.message.recipients)
    nodes = nodes_of(detail, recipients[0] if recipients else None, now)
    if not nodes:
        return [[("No hop of this message is known yet.", "muted")]]
    room = (width - ARROW * (len(nodes) - 1)) // len(nodes)
    lines = _boxes(nodes, min(MOST_BOX, room), glyphs) if room >= LEAST_BOX else _list(nodes, width, glyphs)
    return [*lines, *_other_ways(recipients, width, glyphs)]


def _boxes(nodes: list[Node], size: int, glyphs: Glyphs) -> list[Line]:
    inner = size - 4
    rows: list[Line] = [[] for _ in range(5)]
    top_left, top_right, low_left, low_right, flat, side = tuple(glyphs.box)
    for place, node in enumerate(nodes):
        edge = node.tone if node.failed or "warn" in node.tone else "rule"
        line = glyphs.dashed if node.outside else flat
        title = fit(f" {node.role} ", min(len(node.role) + 2, inner))
        rows[0] += [(top_left + line, edge), (title, "muted"), (line * (size - 3 - len(title)) + top_right, edge)]
        for row, (text, tone) in enumerate(
            ((clean(node.name), "bold text"), (clean(node.note), "muted"), (node.state, node.tone)), start=1
        ):
            rows[row] += [(f"{side} ", edge), (fit(text, inner), tone), (f" {side}", edge)]
        rows[4].append((low_left + line * (size - 2) + low_right, edge))
        if place + 1 < len(nodes):
            _arrow(rows, node, nodes[place + 1], glyphs)
    return [line for line in rows if any(text.strip() for text, _ in line)]


def _arrow(rows: list[Line], node: Node, to: Node, glyphs: Glyphs) -> None:
    blank = " " * ARROW
    line = glyphs.dashed if to.failed else glyphs.rule
    tone = to.tone if to.failed else "muted"
    middle = f"{line * 3}{glyphs.status[to.failed]}{line * 3}" if to.failed else line * (ARROW - 3)
    label = to.failed.value if to.failed else node.stage
    rows[0].append((blank, ""))
    rows[1].append((f" {fit(label, ARROW - 2).strip():^{ARROW - 2}} ", tone))
    rows[2].append((f" {middle}{glyphs.arrow} ", tone))
    rows[3].append((blank, ""))
    rows[4].append((blank, ""))


def _list(nodes: list[Node], width: int, glyphs: Glyphs) -> list[Line]:
    """One line a place, for narrow screens and long ways."""
    lines: list[Line] = []
    for place, node in enumerate(nodes):
        if place:
            before = nodes[place - 1]
            sign = glyphs.status[node.failed] if node.failed else glyphs.box[5]
            told = node.failed.value if node.failed else before.stage
            lines.append([(f"   {sign} ", node.tone if node.failed else "muted"), (told, "muted")])
        sign = glyphs.dashed if node.outside else glyphs.arrow if place else glyphs.live
        lines.append(
            [
                (f"   {sign} ", node.tone),
                (f"{node.role:<9}", "muted"),
                (fit(clean(node.name), min(max(12, cell_len(node.name)), width - 40)), "bold text"),
                (f"  {fit(clean(node.note), min(14, cell_len(node.note)))}" if node.note else "", "muted"),
                (f"  {node.state}" if node.state else "", node.tone),
            ]
        )
    return lines


def _other_ways(recipients: list[Recipient], width: int, glyphs: Glyphs) -> list[Line]:
    """Other paths than that of the first recipient: each once, with how many go there."""
    if len(recipients) < 2:
        return []
    ways: dict[tuple[str, ...], list[Recipient]] = {}
    for one in recipients:
        ways.setdefault((*one.path, one.relay or "", one.status.value), []).append(one)
    lines: list[Line] = []
    for way in list(ways.values())[1:]:
        first = way[0]
        steps = [clean(host) for host in first.path]
        if first.relay and first.relay not in first.path:
            steps.append(clean(first.relay))
        who = clean(first.recipient) if len(way) == 1 else f"{len(way)} recipients"
        status = f"{glyphs.status[first.status]} {first.status.value}"
        lines.append(
            [
                (f" {glyphs.branch} ", "muted"),
                (f" {glyphs.arrow} ".join(steps), "text"),
                (f" {glyphs.arrow} {who}  ", "muted"),
                (status, STATUS_TONES[first.status]),
            ]
        )
    return lines
