"""The configuration: one TOML file, every key optional.

`FLOWMON_CONFIG` or `--config` name another file than the user's own. Whatever is wrong is a ConfigError with file, key
and remedy; nothing in a configuration is ignored.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from flowmon import paths, toml_file
from flowmon.config_types import Domain, HostName, converter, explain
from flowmon.errors import ConfigError
from flowmon.model.words import Role

ENVIRONMENT_NAME = "FLOWMON_CONFIG"


class Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of one of our hosts."""

    role: Role | None = None
    aliases: tuple[HostName, ...] = ()
    timezone: ZoneInfo | None = None


class LogPath(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A log file, or a folder with logs below it."""

    path: Path
    host: HostName | None = None
    format: str | None = None
    timezone: ZoneInfo | None = None


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the store is, and what it keeps."""

    path: Path | None = None
    keep_days: Annotated[float, msgspec.Meta(gt=0, le=36_500)] = 30
    keep_megabytes: Annotated[int, msgspec.Meta(ge=10)] = 2_000

    @property
    def file(self) -> Path:
        """The store's file."""
        return self.path or paths.store_path()


class Screen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the screens look and behave."""

    theme: str | None = None
    refresh_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=60)] | None = None
    mouse: bool = True
    colors: Literal["auto", "truecolor", "256", "16", "none"] = "auto"
    keys: dict[str, str] = {}


class Parsers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Log formats beside those in the parser folders."""

    files: tuple[Path, ...] = ()


class DiagnosisRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Diagnosis rules beside those in the configuration folders."""

    files: tuple[Path, ...] = ()


class Queue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether and how often this host's MTA is asked for its queue."""

    read: bool = True
    seconds: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 30


class Mta(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An MTA to ask for its queue."""

    kind: Literal["postfix", "exim", "sendmail", "opensmtpd"]
    host: HostName | None = None
    config: str | None = None
    through: tuple[str, ...] = ()


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole configuration; `Config()` is the one without a file."""

    domains: tuple[Domain, ...] = ()
    partners: tuple[Domain, ...] = ()
    hosts: dict[str, Host] = {}
    paths: tuple[LogPath, ...] = ()
    queue: Queue = Queue()
    mta: tuple[Mta, ...] = ()
    store: Store = Store()
    screen: Screen = Screen()
    parsers: Parsers = Parsers()
    diagnosis: DiagnosisRules = DiagnosisRules()


class Entry(msgspec.Struct, frozen=True):
    """How the example file shows a key."""

    example: str
    explanation: str


SECTIONS: dict[str, tuple[str, dict[str, Entry]]] = {
    "": ("", {
        "domains": Entry('["example.com", "example.org"]',
                         "Our own mail domains, with those below them. Without this key flowmon takes the domains\n"
                         "that it sees delivered into mailboxes."),
        "partners": Entry('["partner.example"]',
                          "Other organisations' domains that we reach over their own servers; never counted as\n"
                          "public mailbox providers."),
    }),
    "hosts": ('[hosts.mx1]    # one such table a host; a name with dots goes in quotes: [hosts."mx1.example.com"]', {
        "role": Entry('"relay"', "What the host is for: client, server (holds mailboxes), relay (only forwards) or\n"
                                 "gateway (filters or scans). Else it is told from the host's log."),
        "aliases": Entry('["mx1.example.com", "192.0.2.25"]', "Other names and addresses of the same host."),
        "timezone": Entry('"Europe/Berlin"', "Zone of its log lines where they carry none (Exim, Dovecot); else\n"
                                             "this machine's."),
    }),
    "paths": ("[[paths]]    # one such table a log; without any, flowmon looks where mail logs usually are", {
        "path": Entry('"/var/log/mail.log"', "A log, or a folder with logs below it; relative to this file."),
        "host": Entry('"mx1"', "The host that wrote it, where its lines do not say."),
        "format": Entry('"postfix"', "Name of the parser (see `flowmon parsers list`), where its lines are taken for\n"
                                     "another format."),
        "timezone": Entry('"UTC"', "Zone of its lines where they carry none; goes before that of the host."),
    }),
    "queue": ("[queue]    # the queue that this host's own MTA lists, beside the one that the logs tell", {
        "read": Entry("true", "Whether to ask it. Read-only: postqueue -j, exim -bp, mailq, smtpctl show queue."),
        "seconds": Entry("30", "How often, 1 to 3600 seconds; less often where a listing takes long."),
    }),
    "mta": ("[[mta]]    # one such table an MTA; without any, flowmon looks for Postfix, Exim and OpenSMTPD here", {
        "kind": Entry('"postfix"', 'What it is: "postfix", "exim", "sendmail" or "opensmtpd".'),
        "host": Entry('"mx1"', "The host whose queue it is, as the log names it; else this host."),
        "config": Entry('"/etc/postfix-out"', "Another configuration than its usual one: a folder of Postfix, a file\n"
                                              "of Exim or Sendmail."),
        "through": Entry('["docker", "exec", "mail"]', "What its commands are run behind: into a container, by sudo -n,"
                                                       "\nby ssh."),
    }),
    "store": ("[store]", {
        "path": Entry('"/var/lib/flowmon/flowmon.db"',
                      "File of the store. Else flowmon.db in the state folder of the service or of the user."),
        "keep_days": Entry("30", "Finished messages older than this are removed. Days."),
        "keep_megabytes": Entry("2000", "The oldest are removed when the store grows above this. At least 10."),
    }),
    "screen": ("[screen]", {
        "theme": Entry('"flowmon-dark"', "Name of a colour theme: ours, or one in the themes folder beside this file."),
        "refresh_seconds": Entry("0.2", "How often the screen shows news, 0.1 to 60 seconds. Else 0.2, and\n"
                                         "0.5 over SSH, where each byte is time."),
        "mouse": Entry("true", "Whether the mouse works; without it the terminal's own marking does."),
        "keys": Entry('{ "go.queues" = "f2", "filter.edit" = "slash,ctrl+f" }',
                      "Other keys for actions, by their names in `?`; several between commas."),
        "colors": Entry('"auto"', 'Colours of the terminal: "auto", "truecolor", "256", "16" or "none".'),
    }),
    "parsers": ("[parsers]", {
        "files": Entry('["myformat.toml"]', "Parser files beside those in the parsers folder beside this file."),
    }),
    "diagnosis": ("[diagnosis]", {
        "files": Entry('["partners.toml"]', "Diagnosis rules that go before those of diagnosis.toml beside this file."),
    }),
}  # fmt: skip
"""Every key with its example and its explanation, by table: the table's heading, then its keys."""


def file_in_force(path: Path | None = None) -> Path:
    """The file that `load` reads: the one given, else what the environment names, else the user's own."""
    named = os.environ.get(ENVIRONMENT_NAME)
    return path or (Path(named) if named else paths.config_folder() / "config.toml")


def load(path: Path | None = None) -> Config:
    """Read the configuration. Without a file of the user's own it is `Config()`; a file that was named must exist.

    Raises ConfigError.
    """
    file = file_in_force(path).expanduser()
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        if path is None and not os.environ.get(ENVIRONMENT_NAME):
            return Config()
        origin = "--config" if path is not None else ENVIRONMENT_NAME
        raise ConfigError(f"{file}: there is no such file; create it, or correct {origin}") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}; give this user the right to read it, "
                          "or name another file with --config") from None
    return _typed(toml_file.parsed(data, file, ConfigError), file)


def _typed(content: dict[str, object], file: Path) -> Config:
    """Types and values. Raises ConfigError."""
    hook = converter(file.parent)
    try:
        found = msgspec.convert(content, Config, dec_hook=hook)
    except msgspec.ValidationError:
        examples = {f"{section}.{key}".lstrip("."): f"{key} = {entry.example}"
                    for section, (_, entries) in SECTIONS.items() for key, entry in entries.items()}
        examples |= {section: heading.partition(" ")[0] for section, (heading, _) in SECTIONS.items() if section}
        raise ConfigError(f"{file}: {explain(content, Config, hook, examples)}") from None
    owners: dict[str, str] = {}
    for name, host in found.hosts.items():
        try:
            HostName.checked(name)
        except ValueError as wrong:
            raise ConfigError(f"{file}: hosts.{name}: {wrong}") from None
        for alias in host.aliases:
            if owners.setdefault(alias, name) != name:
                raise ConfigError(f"{file}: hosts.{name}.aliases: {alias} is an alias of {owners[alias]} already; "
                                  "leave it with one of them")
    return found


def default_text() -> str:
    """An example configuration: every key explained, all commented out, so that it says nothing as it stands."""
    lines = ["## flowmon: all keys, all optional. Remove the # before those you want and before their tables.", ""]
    for heading, entries in SECTIONS.values():
        if heading:
            lines += [f"# {heading}", ""]
        for key, entry in entries.items():
            lines += [f"## {line}" for line in entry.explanation.splitlines()]
            lines += [f"# {key} = {entry.example}", ""]
    return "\n".join(lines)
