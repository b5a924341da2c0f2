"""Words of a filter expression: where they stand, what is quoted, which signs are wildcards.

The value of a word is kept escaped: `*` and `?` are wildcards there, `\\*`, `\\?` and `\\\\` are the signs themselves.
Quotes keep spaces and parentheses together; wildcards work inside them too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flowmon.errors import FilterError

MAX_LENGTH = 4_000
"""Characters of an expression."""

KEY = re.compile(r"([A-Za-z]+)(:|[<>]=?)")
"""What makes a word a term with a key."""

_ESCAPED = '\\*?"() '
"""What a backslash takes the meaning of; before anything else it stands for itself."""
_OPERATORS = ("and", "or", "not")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression. `kind` is word, and, or, not, ( or )."""

    kind: str
    column: int
    """Of its first character, from 1."""
    value: str = ""
    """Of a word: escaped."""
    bare: int = 0
    """So many characters of the value stand before any quote or backslash: only there a key is looked for."""


def fault(column: int, text: str) -> FilterError:
    """An error that names its place."""
    return FilterError(f"filter, column {column}: {text}")


def tokens(text: str) -> list[Token]:
    """Split an expression. Raises FilterError for an open quote, and for what no log can hold."""
    if len(text) > MAX_LENGTH:
        raise fault(MAX_LENGTH + 1, f"too long: an expression may have {MAX_LENGTH} characters")
    for column, char in enumerate(text, 1):
        if char == "\0" or "\ud800" <= char <= "\udfff":
            raise fault(column, f"the character U+{ord(char):04X} cannot be searched for; remove it")
    found = []
    at = 0
    while at < len(text):
        char = text[at]
        if char.isspace():
            at += 1
        elif char in "()":
            found.append(Token(char, at + 1))
            at += 1
        elif char == "-":
            if at + 1 == len(text) or text[at + 1].isspace() or text[at + 1] == ")":
                raise fault(at + 1, 'nothing to exclude after "-"; write -term, or "-" in quotes to search for it')
            found.append(Token("not", at + 1))
            at += 1
        else:
            token, at = _word(text, at)
            found.append(token)
    return found


def _word(text: str, start: int) -> tuple[Token, int]:
    """The word that begins at `start`, and where it ends."""
    parts: list[str] = []
    at, quote, bare = start, -1, -1
    while at < len(text):
        char = text[at]
        if quote < 0 and (char.isspace() or char in "()"):
            break
        if char in '"\\' and bare < 0:
            bare = len(parts)
        if char == "\\" and at + 1 < len(text) and text[at + 1] in _ESCAPED:
            at += 1
            parts.append(literal(text[at]))
        elif char == '"':
            quote = at if quote < 0 else -1
        else:
            parts.append("\\\\" if char == "\\" else char)
        at += 1
    if quote >= 0:
        raise fault(quote + 1, 'this quote is not closed; add a " at the end of the value')
    value = "".join(parts)
    if bare < 0 and value.lower() in _OPERATORS:
        return Token(value.lower(), start + 1), at
    return Token("word", start + 1, value, len(parts) if bare < 0 else bare), at


def literal(text: str) -> str:
    """The escaped value that means exactly this text."""
    return re.sub(r"[\\*?]", r"\\\g<0>", text)


def quoted(value: str, *, free: bool) -> str:
    """An escaped value as it is written: in quotes where it needs them. `free`: no key stands before it."""
    needs = not value or any(c.isspace() or c in '()"' for c in value) or (
        free and (value[0] == "-" or value.lower() in _OPERATORS or KEY.match(value) is not None)
    )
    if not needs:
        return value
    return '"' + value.replace('"', '\\"') + '"'


def pieces(value: str) -> Iterator[tuple[str, bool]]:
    """The characters of an escaped value, each with whether it is a wildcard."""
    signs = iter(value)
    for char in signs:
        if char == "\\":
            yield next(signs), False
        else:
            yield char, char in "*?"


def plain(value: str) -> str:
    """The text of an escaped value without wildcards."""
    return "".join(char for char, _ in pieces(value))
