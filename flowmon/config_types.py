"""Values of the configuration that TOML has no type for, and where in a file a wrong value stands.

msgspec says what is wrong but not which host or which key it would know; `explain` finds the place and the remedy.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from flowmon.suggest import nearest

Hook = Callable[[type, Any], Any]
"""What msgspec asks to make a value of a type that it does not know."""

_NAME = re.compile(r"(?![-.])(?:[a-z0-9_-]{1,63}(?:\.|$))+(?<![-.])", re.ASCII)
_WORDS = {
    "str": "text in quotes", "int": "a whole number", "float": "a number", "bool": "true or false",
    "array": "a list in [ ]", "object": "a table",
}  # fmt: skip


class Domain(str):
    """A mail domain in lower case, in the ASCII form that logs use."""

    __slots__ = ()

    @classmethod
    def checked(cls, text: str) -> Self:
        """Raises ValueError with the remedy."""
        bare = text.rpartition("@")[2].removeprefix("*.").strip(" .")
        try:
            name = text.encode("idna").decode("ascii").lower()
            if _NAME.fullmatch(name):
                return cls(name)
        except UnicodeError:
            name = ""
        remedy = f'write "{bare}"' if bare != text and _NAME.fullmatch(bare.lower()) else 'write it like "example.com"'
        raise ValueError(f'"{text}" is no domain; {remedy}')


class HostName(str):
    """A name or an address of a host, in lower case."""

    __slots__ = ()

    @classmethod
    def checked(cls, text: str) -> Self:
        """Raises ValueError with the remedy."""
        name = text.lower()
        if _NAME.fullmatch(name):
            return cls(name)
        try:
            return cls(ipaddress.ip_address(name))
        except ValueError:
            raise ValueError(f'"{text}" is no host name and no address; write it like "mx1", "mx1.example.com", '
                             '"192.0.2.25" or "2001:db8::25"') from None


def zone(text: str) -> ZoneInfo:
    """A time zone by its name. Raises ValueError with the remedy."""
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # unknown, absolute or empty, a folder of zones
        names = {name.lower(): name for name in available_timezones()}
        near = names.get(nearest(text, names) or "")
        guess = f'did you mean "{near}"?' if near else 'write it like "Europe/Berlin" or "UTC"'
        raise ValueError(f'no time zone is called "{text}"; {guess}') from None


def converter(folder: Path) -> Hook:
    """Makes paths (relative ones count from `folder`), zones, domains and host names of text."""

    def hook(kind: type, value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueError(f"must be text in quotes, not {_said(value)}")
        if kind is ZoneInfo:
            return zone(value)
        if kind is Path:
            if not value or "\0" in value:
                raise ValueError("a path is missing")
            try:
                return folder / Path(value).expanduser()
            except RuntimeError:
                raise ValueError(f'"{value}": this user has no home folder here; write the whole path') from None
        if issubclass(kind, Domain | HostName):
            return kind.checked(value)
        raise NotImplementedError(f"no configuration value is of {kind}")

    return hook


def explain(value: Any, kind: Any, hook: Hook, examples: Mapping[str, str], where: str = "") -> str:
    """Place, fault and remedy of a value that could not be converted.

    `examples` holds a line of TOML for each key, by its dotted name without host names and list places.
    """
    kind = _without_none(kind)
    known = _fields(kind)
    if known is not None and isinstance(value, dict):
        for name in value:
            if name not in known:
                return f"{_join(where, name)}: {_unknown(name, value[name], list(known), where, examples)}"
    for step, inner, inner_kind in _inside(value, kind, known):
        try:
            msgspec.convert(inner, inner_kind, dec_hook=hook)
        except msgspec.ValidationError:
            return explain(inner, inner_kind, hook, examples, _join(where, step))
    try:
        msgspec.convert(value, kind, dec_hook=hook)
    except msgspec.ValidationError as error:
        return f"{where}: {_fault(value, kind, str(error).partition(' - at `')[0], examples.get(_general(where)))}"
    raise AssertionError("explain() is for values that do not convert")


def _fields(kind: Any) -> dict[str, Any] | None:
    """Types of the keys of a table; None for what is no table with fixed keys."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {f.name: f.type for f in msgspec.structs.fields(kind)}
    return None


def _inside(value: Any, kind: Any, known: Mapping[str, Any] | None) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(value, dict) and (known is not None or get_origin(kind) is dict):
        for name, inner in value.items():
            yield name, inner, known[name] if known is not None else get_args(kind)[1]
    elif isinstance(value, list) and get_origin(kind) is tuple:
        for place, inner in enumerate(value):
            yield f"[{place}]", inner, get_args(kind)[0]


def _without_none(kind: Any) -> Any:
    found = [k for k in get_args(kind) if k is not type(None)]
    return found[0] if type(None) in get_args(kind) and len(found) == 1 else kind


def _join(where: str, step: str) -> str:
    return where + step if step[0:1] == "[" else f"{where}.{step}".lstrip(".")


def _general(where: str) -> str:
    """A dotted key without list places and the names of hosts, as `examples` has it."""
    return re.sub(r"^hosts\..*\.", "hosts.", re.sub(r"\[\d+\]", "", where))


def _unknown(name: str, value: Any, known: list[str], where: str, examples: Mapping[str, str]) -> str:
    near = nearest(name, known)
    if near:
        return f'unknown key; did you mean "{near}"?'
    if where.startswith("hosts.") and isinstance(value, dict):
        host = where.removeprefix("hosts.")
        return f'unknown key; a host name with dots goes in quotes: [hosts."{host}.{name}…"]'
    homes = [key.rpartition(".")[0] for key in examples if key.rpartition(".")[2] == name]
    if homes:
        home = {"": "before the first table", "hosts": "in a table [hosts.NAME]", "paths": "in a table [[paths]]"}
        return f"unknown key here; it stands {home.get(homes[0], f'in the table [{homes[0]}]')}"
    return f"unknown key; known here: {', '.join(known)}"


def _fault(value: Any, kind: Any, message: str, example: str | None) -> str:
    choices: list[str] = []
    if get_origin(kind) is Literal:
        choices = [str(choice) for choice in get_args(kind)]
    elif isinstance(kind, type) and issubclass(kind, Enum):
        choices = [str(choice.value) for choice in kind]
    if choices:
        near = nearest(str(value), choices)
        guess = f'did you mean "{near}"? ' if near else ""
        given = _said(value).removeprefix("the text ")
        return f"unknown value {given}; {guess}possible: " + ", ".join(f'"{choice}"' for choice in choices)
    missing = re.fullmatch(r"Object missing required field `(\w+)`", message)
    if missing:
        return f'the key "{missing[1]}" is missing; add it'
    expected = re.match(r"Expected `(\w+)[^`]*`(?: (.*))?", message)
    if expected is None:
        return message
    base = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    limit = (expected[2] or "").partition(", got")[0] if base in (int, float) else ""
    remedy = f"; write for example: {example}" if example else ""
    return f"must be {_WORDS.get(expected[1], expected[1])}{f' {limit}' if limit else ''}, not {_said(value)}{remedy}"


def _said(value: Any) -> str:
    """A value as a person would name it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'the text "{value}"'
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return str(value)
