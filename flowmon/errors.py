"""Everything flowmon raises on purpose.

FlowmonError
├── ConfigError      the configuration file has a fault: names file, key and remedy
├── ParserFileError  a parser file has a fault: names file, rule and remedy
├── DiagnosisFileError  a file with diagnosis rules has a fault: names file, rule and remedy
├── SourceError      a log cannot be read: names path and remedy
├── StoreError       the store cannot be opened or written: names path and remedy
│   └── StoreReadError  the collector cannot read it: it ends, to be started again
└── FilterError      a filter expression is not understood: names the place and what was expected

The text of each is complete for a person: what is wrong, where, and what to do. Commands print it after
`flowmon:` and exit with status 2; screens show it as a notice.
"""

from __future__ import annotations


class FlowmonError(Exception):
    """Base of all errors that flowmon raises on purpose."""


class ConfigError(FlowmonError):
    """The configuration has a fault."""


class ParserFileError(FlowmonError):
    """A parser file has a fault."""


class DiagnosisFileError(FlowmonError):
    """A file with diagnosis rules has a fault."""


class SourceError(FlowmonError):
    """A log cannot be found or read."""


class StoreError(FlowmonError):
    """The store cannot be opened, read or written."""


class StoreReadError(StoreError):
    """What the collector needs of its store cannot be read. To be told and ended with, not tried again: what was
    folded meanwhile is in no store, a start reads it again."""


class FilterError(FlowmonError):
    """A filter expression is not understood."""
