"""What is wrong with a parser file, in words for who wrote it: the place, the line, the choices, the remedy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

from flowmon.parsing.format import CommonSpec, FormatSpec, Framing, RuleSpec, SampleSpec
from flowmon.suggest import nearest

_KEYS = {
    "file": FormatSpec.__struct_fields__, "rule": RuleSpec.__struct_fields__, "sample": SampleSpec.__struct_fields__,
    "common": CommonSpec.__struct_fields__,
}
_HOLDERS = {"file": "the top of the file, above the first [[rule]]", "rule": "a [[rule]]",
            "sample": "a [[rule.sample]]", "common": "[common.KIND]"}
_TYPES = {"str": "text in quotes", "array": "a list in [ ]", "object": "a table { key = value }",
          "int": "a whole number", "float": "a number", "bool": "true or false"}
_TABLES = ("rule", "sample")
"""What stands once for each in double brackets."""
_AT = re.compile(r" - at `(?:key in )?(\$[^`]*)`\Z")
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


def misfit(fault: str, data: dict[str, Any], path: Path) -> str:
    """What msgspec says of the content of a file, said with file, line, rule, choices and remedy."""
    found = _AT.search(fault)
    what, steps = (fault[: found.start()], _STEP.findall(found[1])) if found else (fault, [])
    names = [name for name, _ in steps if name]
    rule = int(steps[1][1]) if names[:1] == ["rule"] and steps[1:] and steps[1][1].isdigit() else None
    holder = ("sample" if names[1:2] == ["sample"] else "rule") if rule is not None else "file"
    holder = "common" if names[:1] == ["common"] and len(names) > 1 else holder
    text = _text(path)
    quoted = re.findall(r"[`']([^`']*)[`']", what)
    where, key = "", ".".join(names[{"file": 0, "common": 0, "rule": 1, "sample": 2}[holder] :])
    if rule is not None:
        own = data["rule"][rule]
        name = own.get("name") if isinstance(own, dict) else None
        where = f"rule {name!r}: " if isinstance(name, str) else f"rule {rule + 1} of the file: "
        where += "sample: " if holder == "sample" else ""
    if "unknown field" in what:
        told = _unknown(quoted[0], holder, data)
        key = quoted[0]
    elif "missing required field" in what:
        told = f"`{quoted[0]}` is missing: {_holder(holder)} needs it"
        key = ""
    elif "Invalid enum value" in what:
        choices = get_args(Framing) if key == "framing" else ("UTC",)
        near = nearest(quoted[0], choices) if quoted else None
        guess = f": did you mean {near!r}?" if near else ""
        told = f"{key} {quoted[0] if quoted else what!r} is unknown{guess}; known: {', '.join(choices)}"
    else:
        told = _type(what, quoted, key)
    return f"{path}: {_line(text, rule, key.partition('.')[0])}{where}{told}"


def _holder(holder: str) -> str:
    return "the file (at its top, above the first [[rule]])" if holder == "file" else f"each {_HOLDERS[holder][2:]}"


def _unknown(key: str, holder: str, data: dict[str, Any]) -> str:
    near = nearest(key, _KEYS[holder])
    if near is not None:
        shape = f"[[{near}]]" if near in _TABLES and isinstance(data.get(key), list) else f"`{near}`"
        return f"unknown key `{key}`: did you mean {shape}?"
    others = [_HOLDERS[other] for other, keys in _KEYS.items() if key in keys and other != holder]
    if others:
        return f"unknown key `{key}` here: it belongs to {' or to '.join(others)}"
    return f"unknown key `{key}`; known here: {', '.join(_KEYS[holder])}"


def _type(what: str, quoted: list[str], key: str) -> str:
    """A value of the wrong type."""
    if "length" in what:
        return f"`{key}` {what[:1].lower()}{what[1:]}: give as many items"
    if len(quoted) < 2:
        return f"`{key}`: {what}"
    wanted = [_TYPES.get(one, one) for one in quoted[0].split(" | ") if one != "null"]
    if key.rpartition(".")[2] in _TABLES and quoted[0] in ("array", "object"):
        return f"`{key}` must stand in double brackets, once for each: [[{'rule.' if key == 'sample' else ''}{key}]]"
    return f"`{key}` must be {' or '.join(wanted)}, and is {_TYPES.get(quoted[1], quoted[1])}"


_HEAD = re.compile(r"^[ \t]*\[\[[ \t]*rule[ \t]*\]\]", re.MULTILINE)


def with_line(message: str, path: Path) -> str:
    """What is wrong with a file, with the number of the line at which it is, where that can be found."""
    front = f"{path}: "
    if not message.startswith(front) or message.startswith(f"{front}line "):
        return message
    told = message[len(front) :]
    text = _text(path)
    named = re.match(r"(?:two rules named|rule|`[\w ]+ of rule) (['\"])(.*?)\1", told)
    key = re.search(r"`(\w+)", told)
    number = None
    if named is not None:
        places = [m.start() for m in re.finditer(rf"(?m)\bname\s*=\s*(['\"]){re.escape(named[2])}\1", text)]
        if places:
            place = places[-1] if told.startswith("two") else places[0]
            heads = [head.start() for head in _HEAD.finditer(text)]
            begin = max((head for head in heads if head <= place), default=place)
            end = min((head for head in heads if head > place), default=len(text))
            sample = re.search(r"sample (['\"])(.*?)\1:", told)
            inside = text.find(sample[2], begin, end) if sample is not None else -1
            if inside < 0 and key is not None:
                inside = _key(text, key[1], begin, end)
            number = text.count("\n", 0, inside if inside >= 0 else place) + 1
    elif key is not None:
        head = _HEAD.search(text)
        place = _key(text, key[1], 0, head.start() if head is not None else len(text))
        number = text.count("\n", 0, place) + 1 if place >= 0 else None
    return f"{front}line {number}: {told}" if number is not None else message


def _key(text: str, key: str, begin: int, end: int) -> int:
    """Where a key is set; -1 where it is not."""
    alone = re.compile(rf"^[ \t]*(?:\[+[\w. ]*\b)?{re.escape(key)}\b[ \t]*[=.\]]", re.MULTILINE)
    inside = re.compile(rf"[{{,][ \t]*{re.escape(key)}[ \t]*=")
    found = alone.search(text, begin, end) or inside.search(text, begin, end)
    return found.start() if found is not None else -1


def _line(text: str, rule: int | None, key: str) -> str:
    """`line N: ` of a key of a rule, by its number, or of the file; "" where it cannot be found."""
    heads = [head.start() for head in _HEAD.finditer(text)]
    if rule is None:
        place = _key(text, key, 0, len(text)) if key else -1
    elif rule < len(heads):
        end = heads[rule + 1] if rule + 1 < len(heads) else len(text)
        place = _key(text, key, heads[rule] + 1, end) if key else -1
        place = place if place >= 0 else heads[rule]
    else:
        place = -1
    return f"line {text.count(chr(10), 0, place) + 1}: " if place >= 0 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig", "replace")
    except OSError:
        return ""
