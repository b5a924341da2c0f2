"""`flowmon parsers new`: a parser file to begin with, made from lines of the log it is to read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

MOST_RULES = 12
MOST_LINES = 2_000
_SYSLOG = re.compile(
    r"(?:<\d{1,3}>)?(?:1 )?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) [^\s:]+ "
    r"(?P<program>[\w./@-]+?)(?:\[\d+\])?: (?P<body>.*)"
)
_OWN = re.compile(
    r"(?P<before><\d{1,3}>|\W{0,3})"
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?|@[0-9a-f]{24}"
    r"|\d\d/[A-Z][a-z]{2}/\d{4} \d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)(?P<after>[\])}]?:? +)(?P<body>.*)"
)
_ID = re.compile(r"(?P<id>(?=[0-9A-Za-z-]*\d[0-9A-Za-z-]*\d)[0-9A-Za-z-]{6,24}): ")
_HOSTED = re.compile(r"(?P<host>[A-Za-z][\w.-]*) (?P<program>[A-Za-z][\w./-]*): (?P<body>.*)")
"""Behind a time of its own: host and program, as syslog has them."""
_KEYED = re.compile(r"(?P<front>\w*[Ii][Dd][=:] ?)(?P<id>[^\s,;]+)(?P<after>[,;]? )")
_PIECES = re.compile(
    r"(?P<address><?[^\s<>\"=,;:()\[\]']+@[^\s<>\"=,;:()\[\]']+>?)|(?P<ip>\b(?:\d{1,3}\.){3}\d{1,3}\b)"
    r"|(?P<quoted>\"[^\"]*\")|(?P<id>\b(?=\w*\d)[0-9A-Za-z]{8,}\b)|(?P<number>\d+)"
)
_MEANT = {
    "address": "<?[^\\s<>]*>?", "ip": "[0-9A-Fa-f.:]+", "quoted": '"[^"]*"', "id": "[0-9A-Za-z]+", "number": "\\d+",
}  # fmt: skip


class Cut(NamedTuple):
    """A line, cut into what a parser file tells of it."""

    line: str
    program: str
    """"" where the line has a header of its own."""
    has_id: bool
    body: str


def skeleton(name: str, lines: Sequence[str]) -> str:
    """A parser file that holds, with a rule for each of the most frequent shapes of the lines.

    Each sets its lines aside until a person says what they mean. Empty where no line has a header with a time.
    """
    cut = [found for line in lines[:MOST_LINES] if (found := _cut(line)) is not None]
    if not cut:
        return ""
    syslog = sum(bool(one.program) for one in cut) * 2 >= len(cut)
    cut = [one for one in cut if bool(one.program) == syslog]
    front, own_id = "", ""
    if not syslog:
        cut, front = _without_host(cut)
        cut, own_id = _without_id(cut)
    with_id = sum(one.has_id for one in cut) * 2 >= len(cut)
    if not with_id:
        cut = [one._replace(has_id=False, body=_whole(one)) for one in cut]
    rules: dict[str, list[Cut]] = {}
    for one in cut:
        rules.setdefault(_pattern(one.body), []).append(one)
    common: list[tuple[str, list[Cut]]] = []
    for pattern, ones in sorted(rules.items(), key=lambda rule: -len(rule[1])):
        # a text of one shape may fit a more general one that is there already
        if len(common) < MOST_RULES and not any(re.fullmatch(before, ones[0].body) for before, _ in common):
            common.append((pattern, ones))
    out = [
        f"# What the lines of {name} mean: begun from {len(cut)} lines. The grammar: docs/parsers.md.",
        "# Each rule sets its lines aside. Where a line tells of a message, take `ignore` away, say what it is:",
        '# kind = "arrival" (it came), "attempt" (a try for a recipient), "refusal", "verdict", "ended", …',
        "# and name what its pattern captures: (?P<queue_id>…), (?P<recipient>…), (?P<envelope_sender>…),",
        "# (?P<client>…), (?P<status>…), (?P<diagnostic>…). Say in `expect` what must come of the sample. Prove it:",
        "#   flowmon parsers check FILE      flowmon parsers explain LINE      flowmon parsers coverage LOG",
        f'name = "{name}"',
    ]
    if syslog:
        programs = list(dict.fromkeys(one.program for one in cut))[:20]
        out += ['framing = "syslog"', f"programs = [{', '.join(_quoted(program) for program in programs)}]"]
        if with_id:
            out.append("# what stands before the text of most lines: the queue ID")
            out.append("id = '''(?P<queue_id>[0-9A-Za-z-]+): '''")
    else:
        out += ['framing = "header"', f"header = '''{_header(cut[0].line)}{front}'''"]
        out += ["# what stands before the text of most lines: the queue ID", f"id = '''{own_id}'''"] if own_id else []
    for number, (pattern, ones) in enumerate(common, 1):
        one = ones[0]
        out += ["", "[[rule]]", f"# {len(ones)} of the lines", f'name = "shape-{number}"',
                'ignore = "not looked at yet: say what it means"']
        if with_id and not one.has_id:
            out.append("id = false")
        out += [f"pattern = '''{pattern}'''", "[[rule.sample]]", f"line = {_literal(one.line)}"]
    return "\n".join(out) + "\n"


def _without_host(cut: list[Cut]) -> tuple[list[Cut], str]:
    """Lines without the host and the program behind their time, where all have them, and the pattern of these."""
    found = [_HOSTED.fullmatch(one.body) for one in cut]
    programs = {match["program"] for match in found if match is not None}
    if len(programs) != 1 or None in found:
        return cut, ""
    bodies = [one._replace(body=match["body"]) for one, match in zip(cut, found, strict=True) if match is not None]
    return bodies, f"(?P<host>[\\w.-]+) {re.escape(programs.pop())}: "


def _without_id(cut: list[Cut]) -> tuple[list[Cut], str]:
    """Lines without the `id=…` before their text, where at least half have the same, and the pattern of this."""
    found = [_KEYED.match(one.body) for one in cut]
    signs = Counter((match["front"], match["after"]) for match in found if match is not None)
    sign, count = signs.most_common(1)[0] if signs else (("", ""), 0)
    if count * 2 < len(cut):
        return cut, ""
    bodies = [
        one._replace(has_id=True, body=one.body[match.end() :])
        if match is not None and (match["front"], match["after"]) == sign else one
        for one, match in zip(cut, found, strict=True)
    ]
    return bodies, f"{re.escape(sign[0])}(?P<queue_id>[^\\s,;]+){re.escape(sign[1])}".replace("\\ ", " ")


def _whole(one: Cut) -> str:
    match = _SYSLOG.fullmatch(one.line)
    return match["body"] if match is not None else one.body


def _cut(line: str) -> Cut | None:
    line = line.rstrip("\r\n")
    if not line or "'''" in line or len(line) > 2_000 or not line.isprintable():
        return None
    match = _SYSLOG.fullmatch(line)
    if match is not None:
        found = _ID.match(match["body"])
        body = match["body"][found.end() :] if found else match["body"]
        return Cut(line, match["program"], found is not None, body)
    own = _OWN.fullmatch(line)
    return Cut(line, "", False, own["body"]) if own is not None else None


def _header(line: str) -> str:
    match = _OWN.fullmatch(line)
    assert match is not None
    time = re.sub(r"[A-Z][a-z]{2}", "[A-Z][a-z]{2}", re.sub(r"\d+", r"\\d+", match["time"])).replace("  ", " +")
    before = "<\\d{1,3}>" if match["before"][1:2].isdigit() else re.escape(match["before"])
    return f"{before}(?P<time>{time}){re.escape(match['after'])}"


def _pattern(body: str) -> str:
    """The pattern of a text: what differs from line to line made general, the rest as it stands."""
    made, at = "", 0
    for piece in _PIECES.finditer(body):
        made += re.escape(body[at : piece.start()]) + _MEANT[str(piece.lastgroup)]
        at = piece.end()
    return (made + re.escape(body[at:])).replace("\\ ", " ")


def _quoted(text: str) -> str:
    return f'"{text}"'


def _literal(line: str) -> str:
    return f"'{line}'" if "'" not in line else f"'''{line}'''"
