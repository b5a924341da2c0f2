"""Rules for records: from columns to the fields of an event.

A record is a list of cells, in the order of the columns. A cell is text, or a list of texts (an array of JSON). What
a parser file calls a column may be the column's name, `column.PART` (a named part of its text), or a template such as
`{client-hostname}[{client-ip}]`. Everything is looked up once for each set of columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import translate

from flowmon.model.event import Event, Line
from flowmon.parsing.dialogue import TOLD
from flowmon.parsing.dispatch import Fold
from flowmon.parsing.format import Format, RuleSpec
from flowmon.parsing.lists import part, split_list
from flowmon.parsing.rules import Rule, own_fields

Cell = str | list[str]
Record = list[Cell]
Getter = Callable[[Record], str]
Condition = Callable[[Record], bool]

_TEMPLATE = re.compile(r"\{([^{}]+)\}")


def column_name(raw: str) -> str:
    """A column's one name: exports write underscores for dashes, and any case."""
    return raw.strip().lower().replace("_", "-")


def as_text(cell: Cell) -> str:
    """A cell as one text."""
    return cell if isinstance(cell, str) else ";".join(cell)


def as_list(cell: Cell) -> list[str]:
    """A cell as a list."""
    return split_list(cell) if isinstance(cell, str) else cell


def _nothing(record: Record) -> str:
    return ""


def sources(wanted: str | Sequence[str]) -> list[str]:
    """The columns that a parser file names in one place."""
    found: list[str] = []
    for one in [wanted] if isinstance(wanted, str) else wanted:
        found += _TEMPLATE.findall(one) or [one]
    return [name for name in found if name]


class Columns:
    """The columns of the records that come, by name."""

    def __init__(self, names: Sequence[str], *, exact: bool = False) -> None:
        self.names = tuple(names if exact else map(column_name, names))
        self._exact = exact
        self._places = {name: place for place, name in enumerate(self.names)}

    def place(self, name: str) -> int | None:
        """Where a column stands; None for a missing one."""
        return self._places.get(name if self._exact else column_name(name))

    def getter(self, wanted: str | Sequence[str]) -> Getter:
        """Gives the text of what a parser file calls a column: the first that is not empty."""
        if isinstance(wanted, str):
            return self._one(wanted)
        getters = [self._one(one) for one in wanted]

        def first(record: Record) -> str:
            for getter in getters:
                text = getter(record)
                if text:
                    return text
            return ""

        return first

    def _one(self, wanted: str) -> Getter:
        if "{" in wanted:
            return self._template(wanted)
        place = self.place(wanted)
        if place is not None:
            return self._cell(place)
        column, dot, rest = wanted.partition(".")
        place = self.place(column) if dot else None
        return _nothing if place is None else self._part(place, rest.split("."))

    @staticmethod
    def _cell(place: int) -> Getter:
        def cell(record: Record) -> str:
            found = record[place]
            return found if type(found) is str else as_text(found)

        return cell

    @staticmethod
    def _part(place: int, names: Sequence[str]) -> Getter:
        def named(record: Record) -> str:
            text = as_text(record[place])
            for name in names:
                if not text:
                    break
                text = part(text, name)
            return text

        return named

    def _template(self, template: str) -> Getter:
        pieces = _TEMPLATE.split(template)
        texts, getters = pieces[::2], [self._one(name) for name in pieces[1::2]]

        def filled(record: Record) -> str:
            values = [getter(record) for getter in getters]
            if not any(values):
                return ""
            return texts[0] + "".join(value + text for value, text in zip(values, texts[1:], strict=True))

        return filled

    def condition(self, spec: RuleSpec) -> Condition | None:
        """What a record must hold for a rule; None for anything."""
        tests: list[tuple[Getter, Callable[[str], bool], bool]] = []
        for wanted, expected in ((spec.when, True), (spec.unless, False)):
            for name, values in wanted.items():
                tests.append((self.getter(name), _matcher(values), expected))
        pairs = [(self.getter(one), self.getter(other)) for one, other in spec.same.items()]
        if not tests and not pairs:
            return None

        def holds(record: Record) -> bool:
            for getter, test, expected in tests:
                if test(getter(record).lower()) is not expected:
                    return False
            return all(one(record).lower() == other(record).lower() != "" for one, other in pairs)

        return holds


def _matcher(values: str | Sequence[str]) -> Callable[[str], bool]:
    """Whether a text in lower case is one of the values, which may be globs."""
    every = [value.lower() for value in ([values] if isinstance(values, str) else values)]
    plain = frozenset(value for value in every if not set(value) & set("*?["))
    globs = [value for value in every if value not in plain]
    if not globs:
        return plain.__contains__
    match = re.compile("|".join(map(translate, globs)), re.DOTALL).match

    def either(text: str) -> bool:
        return text in plain or match(text) is not None

    return either


class RecordRule:
    """One rule, made ready for a set of columns."""

    def __init__(self, rule: Rule, spec: RuleSpec, columns: Columns, host: Getter, lists: Sequence[str]) -> None:
        self.name = rule.name
        self.more = spec.more
        self.fits = columns.condition(spec)
        self.time = columns.place(spec.time) if spec.time else None
        """The column of the time that this rule tells of, where it is not that of the record."""
        self._event: type[Event] | None = rule.event
        self.is_line = rule.event is Line
        """Whether it gives rows to a message, those too that came before one told whose they are."""
        self._format = rule.format
        self._changes = rule.changes
        self._host = columns.getter(spec.host) if spec.host else host
        fields: Mapping[str, str | list[str]] = spec.fields
        self._queue_id = columns.getter(fields.get("queue_id", ""))
        self._session = columns.getter(fields.get("session", ""))
        names = own_fields(rule.event) if rule.event is not None else ()
        self._getters = [columns.getter(fields[name]) if name in fields else None for name in names]
        self._each: int | None = None
        self._differs: int | None = None
        self._parallel: frozenset[int] = frozenset()
        if spec.each:
            self._each = next((p for p in map(columns.place, sources(fields[spec.each])) if p is not None), None)
            self._differs = columns.place(spec.differs_from) if spec.differs_from else None
            places = {columns.place(name) for name in lists} | {self._each}
            self._parallel = frozenset(p for p in places if p is not None)

    def make(self, record: Record, at: float, named: Callable[[str], str], position: int, fold: Fold) -> None:
        """Hand on the events of a record; `named` gives the host for what the record says of it."""
        if self._event is None:
            return
        host = named(self._host(record))
        if self._each is None:
            fold(self._build(record, at, host, position))
            return
        for one in self._items(record):
            fold(self._build(one, at, host, position))

    def _items(self, record: Record) -> Iterator[Record]:
        """One record per item of the list; parallel lists give the item of the same place, others their whole text."""
        place = self._each or 0
        items = as_list(record[place])
        known = {item.lower() for item in as_list(record[self._differs])} if self._differs is not None else frozenset()
        if len(items) < 2:
            if not known or as_text(record[place]).lower() not in known:
                yield record
            return
        lists = [(column, as_list(cell)) for column, cell in enumerate(record)
                 if column in self._parallel or not isinstance(cell, str)]
        parallel = [(column, values) for column, values in lists if len(values) == len(items)]
        for number, item in enumerate(items):
            if item.lower() not in known:
                one = list(record)
                for column, values in parallel:
                    one[column] = values[number]
                yield one

    def _build(self, record: Record, at: float, host: str, position: int) -> Event:
        values: list[object] = [(getter(record) or None) if getter is not None else None for getter in self._getters]
        for place, change, constant in self._changes:
            text = values[place]
            if change is None:
                values[place] = constant
            elif isinstance(text, str):
                values[place] = change.get(text, constant) if isinstance(change, dict) else change(text)
        queue_id, session = self._queue_id(record) or None, self._session(record) or None
        assert self._event is not None
        return self._event(at, host, self._format, queue_id, session, position, *values)


class RecordTable:
    """The rules for one set of columns, reached by the value of the column that tells most of them apart."""

    def __init__(self, records: Sequence[tuple[Rule, RuleSpec]], columns: Columns, host: str | Sequence[str],
                 lists: Sequence[str]) -> None:
        key = key_column(records)
        place = columns.place(key) if key else None
        self.key = columns.getter(key) if key else _nothing
        self.known = key is None or place is not None
        """Whether the column that tells the rules apart is there."""
        host_getter = columns.getter(host)
        ready = [(RecordRule(rule, spec, columns, host_getter, lists), exact(spec, key)) for rule, spec in records]
        values = {value for _, wanted in ready if wanted for value in wanted}
        self._by_value = {
            value: tuple(rule for rule, wanted in ready if wanted is None or value in wanted) for value in values
        }
        self._others = tuple(rule for rule, wanted in ready if wanted is None)

    def rules(self, record: Record) -> tuple[RecordRule, ...]:
        """The rules that may fit, in the order of the file."""
        return self._by_value.get(self.key(record).lower(), self._others)


def exact(spec: RuleSpec, key: str | None) -> frozenset[str] | None:
    """The values of a column that a rule is for; None for a rule that does not ask, or asks by glob."""
    wanted = spec.when.get(key) if key is not None else None
    if wanted is None:
        return None
    values = [value.lower() for value in ([wanted] if isinstance(wanted, str) else wanted)]
    return None if any(set(value) & set("*?[") for value in values) else frozenset(values)


def key_column(records: Sequence[tuple[Rule, RuleSpec]]) -> str | None:
    """The column that tells most rules apart."""
    count: dict[str, set[str]] = {}
    for _, spec in records:
        for name in spec.when:
            count.setdefault(name, set()).update(exact(spec, name) or ())
    best = max(count, key=lambda name: len(count[name]), default=None)
    return best if best is not None and count[best] else None


def unknown_columns(format: Format) -> list[str]:
    """What a format's rules ask of columns that it does not have, one sentence each."""
    if not format.spec.columns:
        return []
    columns = Columns([*format.spec.columns, *(TOLD if format.spec.dialogue else ())])
    found = []
    for rule, spec in format.records:
        for name in columns_used([(rule, spec)]):
            if columns.place(name) is None and columns.place(name.partition(".")[0]) is None:
                found.append(f"{format.path}: rule {spec.name!r}: {name!r} is no column: see `columns`")
    return found


def columns_used(records: Sequence[tuple[Rule, RuleSpec]], *others: str | Sequence[str]) -> list[str]:
    """All columns that the rules of a format look at."""
    found: dict[str, None] = {}
    for _, spec in records:
        asked = (*spec.when, *spec.unless, *spec.same, *spec.same.values(), spec.time)
        for one in (*spec.fields.values(), *asked, spec.host, spec.differs_from):
            found.update(dict.fromkeys(sources(one)))
    for other in others:
        found.update(dict.fromkeys(sources(other)))
    return list(found)
