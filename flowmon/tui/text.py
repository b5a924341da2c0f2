"""Text for the screen: pieces with a tone, sanitised and cut to cells.

A `Line` is a list of (text, tone). Log text is hostile: it goes through `clean` before it is shown and is never
read as markup.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

Span = tuple[str, str]
"""A piece of text and the name of its tone (see palette.py)."""
Line = list[Span]

_SIGNS = "␀␁␂␃␄␅␆␇␈␉␊␋␌␍␎␏␐␑␒␓␔␕␖␗␘␙␚␛␜␝␞␟"
_HIDDEN = dict(enumerate(_SIGNS))
_HIDDEN[0x09] = " "
_HIDDEN.update({0x7F: "␡"})
_HIDDEN.update(dict.fromkeys(range(0x80, 0xA0), "\N{REPLACEMENT CHARACTER}"))
# Direction overrides and isolates, marks, joiners, line separators, byte order mark, soft hyphen.
_HIDDEN.update(
    dict.fromkeys(
        (0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF),
        "\N{REPLACEMENT CHARACTER}",
    )
)
_HIDDEN.update(dict.fromkeys((*range(0xD800, 0xE000), *range(0xFFF9, 0xFFFC)), "\N{REPLACEMENT CHARACTER}"))

_ASCII = str.maketrans(
    {
        "…": "~", "·": "-", "–": "-", "—": "-", "→": ">", "←": "<", "↑": "^", "↓": "v", "×": "x", "’": "'",
        "‘": "'", "“": '"', "”": '"', "│": "|", "─": "-", "▎": "|", "≥": ">", "≤": "<", "␛": "?",
    }
)  # fmt: skip


def clean(text: str) -> str:
    """The text with everything replaced that could move the cursor, change colours or reorder what is read."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_HIDDEN)


def to_ascii(text: str) -> str:
    """The text for a terminal without Unicode, of the same width in cells."""
    if text.isascii():
        return text
    text = text.translate(_ASCII)
    return text if text.isascii() else "".join(_ascii_of(character) for character in text)


@lru_cache(4096)
def _ascii_of(character: str) -> str:
    if character.isascii():
        return character
    width = cell_len(character)
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return (plain if len(plain) == width else "?" * width)[:width]


def cells(text: str) -> int:
    """How many cells a text takes, that is `clean` or at least ASCII."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, align: str = "left") -> str:
    """The text in exactly `width` cells: padded, or cut with a mark where it was cut."""
    length = cells(text)
    if length == width:
        return text
    if length > width:
        if cells(text.rstrip()) <= width:
            return set_cell_size(text, width)
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    padding = " " * (width - length)
    return padding + text if align == "right" else text + padding


def width_of(line: Line) -> int:
    """Cells that a line takes."""
    return sum([cells(text) for text, _ in line])


def fit_line(line: Line, width: int, align: str = "left") -> Line:
    """A line in exactly `width` cells."""
    length = width_of(line)
    if length <= width:
        padding = (" " * (width - length), "")
        return [padding, *line] if align == "right" else [*line, padding]
    fitted: Line = []
    left = width
    for place, (text, tone) in enumerate(line):
        size = cells(text)
        more = any(after.strip() for after, _ in line[place + 1 :])
        if size > left or (size == left and more):
            # Cut also where the piece just fits but more follows: the cut must show.
            fitted.append((fit(text + "…" * more, left), tone))
            return fitted
        fitted.append((text, tone))
        left -= size
    return fitted


def wrap_line(line: Line, width: int) -> list[Line]:
    """A line in as many as it takes, broken as `wrap` breaks a text."""
    if width_of(line) <= width:
        return [line]
    tones = iter([tone for text, tone in line for sign in text if not sign.isspace()])
    made: list[Line] = []
    for piece in wrap("".join(text for text, _ in line), width):
        spans: Line = []
        for sign in piece:
            tone = spans[-1][1] if sign == " " and spans else next(tones)
            if spans and spans[-1][1] == tone:
                spans[-1] = (spans[-1][0] + sign, tone)
            else:
                spans.append((sign, tone))
        made.append(spans)
    return made


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells (two at least: a sign may be as wide), broken at blanks where there
    are any."""
    width = max(2, width)
    lines: list[str] = []
    line = ""
    for word in text.split():
        while cell_len(word) > width:
            room = width - cell_len(line) - (1 if line else 0)
            if room < 8 and line:
                lines.append(line)
                line, room = "", width
            head = set_cell_size(word, room).rstrip()
            lines.append(f"{line} {head}" if line else head)
            line, word = "", word[len(head) :]
        if not line:
            line = word
        elif cell_len(line) + 1 + cell_len(word) <= width:
            line = f"{line} {word}"
        else:
            lines.append(line)
            line = word
    return [*lines, line] if line or not lines else lines
