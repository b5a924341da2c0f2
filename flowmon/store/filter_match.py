"""How a value of the filter language, with its wildcards, is held against columns and the terms of messages."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

from flowmon.store import terms
from flowmon.store.filter_lex import literal, pieces, plain
from flowmon.store.schema import Key
from flowmon.store.terms import match, term

Condition = tuple[str, list[str | float]]
"""SQL, and the values of its question marks."""
LOOKED_UP = "SELECT rowid FROM keys WHERE keys MATCH ?"
LOOK_UP = f"m.id IN ({LOOKED_UP})"
"""The condition of what the index answers alone."""


def glob(value: str) -> str:
    """The GLOB pattern of an escaped value."""
    return "".join(char if wild or char not in "[*?" else f"[{char}]" for char, wild in pieces(value))


def like(value: str) -> str:
    """The LIKE pattern (escape sign `\\`) that finds an escaped value anywhere in a text."""
    inner = "".join(
        ("%" if char == "*" else "_") if wild else (f"\\{char}" if char in "\\%_" else char)
        for char, wild in pieces(value)
    )
    return f"%{inner}%"


def matches(column: str, value: str) -> Condition:
    """Equality or pattern over a column, with a range for what stands before the first wildcard: an index serves it."""
    if not any(wild for _, wild in pieces(value)):
        return f"{column} = ?", [plain(value)]
    prefix = _prefix(value)
    rest = value[len(literal(prefix)) :]
    parts: list[str] = []
    parameters: list[str | float] = []
    if prefix:
        parts.append(f"{column} >= ?")
        parameters.append(prefix)
        above = after(prefix)
        if above:
            parts.append(f"{column} < ?")
            parameters.append(above)
    if rest.strip("*") or not prefix:
        parts.append(f"{column} GLOB ?")
        parameters.append(glob(value))
    return " AND ".join(parts), parameters


def _prefix(value: str) -> str:
    """What stands before the first wildcard of an escaped value."""
    return "".join(char for char, _ in takewhile(lambda piece: not piece[1], pieces(value)))


def after(prefix: str) -> str:
    """The least text above all that begin with the prefix; "" when there is none."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return ""
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if 0xD800 <= following <= 0xDFFF else following)


def look_up(*wanted: tuple[tuple[Key, ...], str]) -> Condition:
    """Messages that have a key of these kinds with this value, for any of `wanted`."""
    asked: list[str] = []
    selects: list[str] = []
    parameters: list[str | float] = []
    for kinds, value in wanted:
        prefix = _prefix(value)
        rest = [char for char, _ in pieces(value)][len(prefix) :]
        if not rest:
            asked.append(match((kind, prefix) for kind in kinds))
        elif prefix and rest == ["*"]:
            asked.append(match(((kind, prefix) for kind in kinds), beginning=True))
        else:
            for kind in kinds:
                select, bound = terms_like(kind, prefix, f"{value_sql(kind)} GLOB ?", [glob(value)])
                selects.append(select)
                parameters += bound
    if asked:
        selects.insert(0, LOOKED_UP)
        parameters.insert(0, " OR ".join(asked))
    return f"m.id IN ({' UNION ALL '.join(selects)})", parameters


def value_sql(kind: Key) -> str:
    """SQL for the value of a term `t.term`; of most terms it is what stands behind the letter."""
    if kind in terms.SWAPPED:
        return "value_of(t.term)"
    return ("CASE WHEN instr(t.term, char(94)) OR instr(t.term, char(126)) THEN value_of(t.term) "
            "ELSE substr(t.term, 2) END")


def terms_like(kind: Key, prefix: str, condition: str, bound: list[str | float]) -> Condition:
    """The query of messages by terms of a kind that begin so and for which a condition holds."""
    first = term(kind, prefix)
    return (
        "SELECT p.doc FROM key_terms t CROSS JOIN key_places p ON p.term = t.term "
        f"WHERE t.term >= ? AND t.term < ? AND {condition}", [first, after(first), *bound],
    )


def contains(column: str, value: str) -> Condition:
    """Part of a text, whatever the case. LIKE folds only ASCII, so other letters are asked for in their usual cases."""
    variants = [value] if value.isascii() else dict.fromkeys((value, value.lower(), value.upper(), value.title()))
    asked = [f"{column} LIKE ? ESCAPE '\\'" for _ in variants]
    return f"({' OR '.join(asked)})", [like(v) for v in variants]


def any_of(conditions: Iterable[Condition]) -> Condition:
    """One of them holds."""
    texts, parameters = [], []
    for text, bound in conditions:
        texts.append(text)
        parameters += bound
    return f"({' OR '.join(texts)})", parameters
