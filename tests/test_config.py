"""The configuration: what it says, and that each kind of fault is told with file, key and remedy."""

from __future__ import annotations

import errno
import os
import re
import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from flowmon import config, paths
from flowmon.config import Config, default_text, load
from flowmon.errors import ConfigError, FlowmonError
from flowmon.model.words import Role


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user without any file, in a folder of the test's own."""
    for name in ("FLOWMON_CONFIG", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def written(folder: Path, text: str) -> Path:
    file = folder / "flowmon.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_everything_has_its_default(home: Path) -> None:
    assert load() == Config()
    assert Config().store.keep_days == 30
    assert Config().store.keep_megabytes == 2000
    assert Config().store.file == home / "state" / "flowmon" / "flowmon.db"
    assert Config().screen.colors == "auto"


def test_everything_that_can_be_said(home: Path) -> None:
    found = load(written(home, """
        domains = ["Example.com", "münchen.example"]
        partners = ["partner.example"]
        [hosts.mx1]
        role = "gateway"
        aliases = ["MX1.example.com", "192.0.2.25", "2001:DB8::25"]
        timezone = "Europe/Berlin"
        [hosts."mx2.example.com"]
        [[paths]]
        path = "~/mail.log"
        host = "mx1"
        format = "exim"
        timezone = "UTC"
        [[paths]]
        path = "logs"
        [store]
        path = "flow.db"
        keep_days = 0.5
        keep_megabytes = 100
        [screen]
        theme = "mine"
        refresh_seconds = 1
        mouse = false
        colors = "16"
        [parsers]
        files = ["own.toml"]
    """))
    assert found.domains == ("example.com", "xn--mnchen-3ya.example")
    assert found.partners == ("partner.example",)
    assert found.hosts["mx1"].role is Role.GATEWAY
    assert found.hosts["mx1"].aliases == ("mx1.example.com", "192.0.2.25", "2001:db8::25")
    assert found.hosts["mx1"].timezone == ZoneInfo("Europe/Berlin")
    assert found.hosts["mx2.example.com"] == config.Host()
    assert [(p.path, p.host, p.format) for p in found.paths] == [
        (home / "mail.log", "mx1", "exim"), (home / "logs", None, None),
    ]  # fmt: skip
    assert found.store.file == home / "flow.db"
    assert (found.store.keep_days, found.store.keep_megabytes) == (0.5, 100)
    assert (found.screen.theme, found.screen.refresh_seconds, found.screen.mouse, found.screen.colors) == (
        "mine", 1, False, "16")  # fmt: skip
    assert found.parsers.files == (home / "own.toml",)


def test_which_file_is_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "config" / "flowmon"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('domains = ["user.example"]')
    assert load().domains == ("user.example",)
    monkeypatch.setenv("FLOWMON_CONFIG", str(written(home, 'domains = ["environment.example"]')))
    assert load().domains == ("environment.example",)
    given = home / "given.toml"
    given.write_text('domains = ["given.example"]')
    assert load(given).domains == ("given.example",)


@pytest.mark.parametrize(("text", "says"), [
    ("a = ", "this is not TOML: Invalid value (at end of document); correct that line"),
    ("domains = []\nmouse = yes", "this is not TOML: Invalid value (at line 2, column 9)"),
    ('domain = ["x"]', 'domain: unknown key; did you mean "domains"?'),
    ("zzz = 1", "zzz: unknown key; known here: domains, partners, hosts, paths, queue, mta, store, screen"),
    ("keep_days = 3", "keep_days: unknown key here; it stands in the table [store]"),
    ("[screen]\npartners = []", "screen.partners: unknown key here; it stands before the first table"),
    ('[hosts.mx1]\nrol = "relay"', 'hosts.mx1.rol: unknown key; did you mean "role"?'),
    ('[hosts.mx1.example.com]\nrole = "relay"',
     'hosts.mx1.example: unknown key; a host name with dots goes in quotes: [hosts."mx1.example'),
    ('domains = "x"', 'domains: must be a list in [ ], not the text "x"; write for example: domains = ["example.com"'),
    ("domains = [3]", "domains[0]: must be text in quotes, not 3"),
    ('domains = ["ok.example", "@example.com"]', 'domains[1]: "@example.com" is no domain; write "example.com"'),
    ('domains = ["a b"]', 'domains[0]: "a b" is no domain; write it like "example.com"'),
    ('partners = ["*.x.example"]', 'partners[0]: "*.x.example" is no domain; write "x.example"'),
    (f'partners = ["{"a" * 64}.example"]', "is no domain; write it like"),
    ('[hosts.mx1]\nrole = "gatway"',
     'hosts.mx1.role: unknown value "gatway"; did you mean "gateway"? possible: "client", "server", "relay",'),
    ("[hosts.mx1]\nrole = 3", "hosts.mx1.role: unknown value 3; possible:"),
    ('[hosts.mx1]\ntimezone = "Europe/Berln"',
     'hosts.mx1.timezone: no time zone is called "Europe/Berln"; did you mean "Europe/Berlin"?'),
    ('[hosts.mx1]\ntimezone = "../x"', 'no time zone is called "../x"; write it like "Europe/Berlin" or "UTC"'),
    ('[hosts.mx1]\naliases = ["a b"]', 'hosts.mx1.aliases[0]: "a b" is no host name and no address; write it like'),
    ('[hosts.mx1]\naliases = ["x"]\n[hosts.mx2]\naliases = ["X"]',
     "hosts.mx2.aliases: x is an alias of mx1 already; leave it with one of them"),
    ('[hosts."a b"]', 'hosts.a b: "a b" is no host name'),
    ('[hosts]\nmx1 = "relay"', 'hosts.mx1: must be a table, not the text "relay"'),
    ("hosts = 3", "hosts: must be a table, not 3; write for example: [hosts.mx1]"),
    ('[paths]\npath = "x"', "paths: must be a list in [ ], not a table; write for example: [[paths]]"),
    ('[[paths]]\nhost = "mx1"', 'paths[0]: the key "path" is missing; add it'),
    ('[[paths]]\npath = ""', "paths[0].path: a path is missing"),
    ('[[paths]]\npath = "~no-such-user/x"', "this user has no home folder here; write the whole path"),
    ("[store]\nkeep_days = true", "store.keep_days: must be a number, not true; write for example: keep_days = 30"),
    ("[store]\nkeep_days = 0", "store.keep_days: must be a number > 0.0, not 0"),
    ("[store]\nkeep_days = nan", "store.keep_days: must be a number > 0.0, not nan"),
    ("[store]\nkeep_megabytes = 1.5", "store.keep_megabytes: must be a whole number, not 1.5"),
    ("[store]\nkeep_megabytes = 9", "store.keep_megabytes: must be a whole number >= 10, not 9"),
    ("[screen]\nrefresh_seconds = 0.01", "screen.refresh_seconds: must be a number >= 0.1, not 0.01"),
    ('[screen]\nmouse = "yes"', 'screen.mouse: must be true or false, not the text "yes"; write for example: mouse ='),
    ('[screen]\ncolors = "grey"', 'unknown value "grey"; possible: "auto", "truecolor", "256", "16", "none"'),
    ("[screen]\ntheme = 12:00:00", "screen.theme: must be text in quotes, not 12:00:00"),
    ('[parsers]\nfiles = "x"', "parsers.files: must be a list in [ ]"),
])  # fmt: skip
def test_a_fault_names_file_key_and_remedy(home: Path, text: str, says: str) -> None:
    file = written(home, text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert says in str(caught.value)


def test_what_is_not_text_names_its_line(home: Path) -> None:
    file = home / "latin.toml"
    file.write_bytes(b"# one\ndomains = ['m\xfcnchen.example']")
    with pytest.raises(ConfigError, match="line 2 is not UTF-8; save the file as UTF-8"):
        load(file)


def test_a_file_that_was_named_must_be_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="there is no such file; create it, or correct --config"):
        load(home / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(home)
    monkeypatch.setenv("FLOWMON_CONFIG", str(home / "none.toml"))
    with pytest.raises(ConfigError, match="create it, or correct FLOWMON_CONFIG"):
        load()


def test_an_unreadable_file_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(home, "")

    def denied(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "read_bytes", denied)  # root, who runs the tests at times, may read everything
    with pytest.raises(ConfigError, match="cannot be read: Permission denied; give this user the right"):
        load(file)


def keys(kind: type[msgspec.Struct], prefix: str = "") -> set[str]:
    tables: dict[str, type[msgspec.Struct]] = {
        "hosts": config.Host, "paths": config.LogPath, "store": config.Store, "screen": config.Screen,
        "parsers": config.Parsers, "diagnosis": config.DiagnosisRules, "queue": config.Queue, "mta": config.Mta,
    }  # fmt: skip
    found: set[str] = set()
    for item in msgspec.structs.fields(kind):
        if not prefix and item.name in tables:
            found |= keys(tables[item.name], f"{item.name}.")
        else:
            found.add(prefix + item.name)
    return found


def test_the_example_says_nothing_until_it_is_uncommented(home: Path) -> None:
    assert load(written(home, default_text())) == Config()


def test_the_example_explains_every_key(home: Path) -> None:
    text = re.sub(r"^# ", "", default_text(), flags=re.MULTILINE)
    content = tomllib.loads(text)
    said = {"domains", "partners"} & content.keys()
    tables = {**content, "hosts": content["hosts"]["mx1"], "paths": content["paths"][0], "mta": content["mta"][0]}
    said |= {f"{name}.{key}" for name, table in tables.items() if isinstance(table, dict) for key in table}
    assert said == keys(Config)
    found = load(written(home, text))
    assert found.store.keep_days == Config().store.keep_days, "numbers in the example are the defaults"
    assert found.store.keep_megabytes == Config().store.keep_megabytes
    assert found.screen.mouse is Config().screen.mouse
    assert found.screen.colors == Config().screen.colors


def test_a_service_keeps_its_store_in_its_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}:/elsewhere")
    assert paths.store_path() == tmp_path / "flowmon.db"
    assert Config().store.file == tmp_path / "flowmon.db"


def test_the_users_parsers_come_after_the_hosts(home: Path) -> None:
    assert paths.parser_folders() == [Path("/etc/flowmon/parsers"), home / "config" / "flowmon" / "parsers"]
    assert paths.theme_folders()[1] == home / "config" / "flowmon" / "themes"


def test_the_packages_own_data_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (paths.data_folder("parsers") / "postfix.toml").is_file()
    assert paths.data_folder("themes").is_dir()
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "flowmon")
    with pytest.raises(FlowmonError, match="is missing; install flowmon again"):
        paths.data_folder("parsers")
    (tmp_path / "parsers").mkdir()
    assert paths.data_folder("parsers") == tmp_path / "parsers"
    (tmp_path / "flowmon" / "parsers").mkdir(parents=True)
    assert paths.data_folder("parsers") == tmp_path / "flowmon" / "parsers"
