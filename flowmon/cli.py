"""The command line: arguments only. What a command does is in flowmon.commands; screens are imported when wanted."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter, validators

from flowmon import __version__
from flowmon.commands.output import Format, ReportForm, clean_lines
from flowmon.errors import FlowmonError
from flowmon.suggest import nearest

FilterOption = Annotated[
    str | None, Parameter(name=["--filter", "-f"], help="Only what matches, e.g. 'to:@example.com status:deferred'.")
]
ConfigOption = Annotated[Path | None, Parameter(name="--config", help="Configuration file instead of the usual one.")]
StoreOption = Annotated[Path | None, Parameter(name="--store", help="Store file instead of the usual one.")]

Fps = Annotated[float | None, Parameter(validator=validators.Number(gt=0, lte=10))]

_STDIN = "stdin:"
"""Stands for `-` while the arguments are read: to cyclopts a lone dash is an option."""

app = App(
    name="flowmon", version=__version__, help_format="plaintext",
    help="Where every message is, who held it, why, and what to do next. Without a command: the screen.",
)
parsers = App(name="parsers", help="Log formats: list, check, explain a line, measure coverage, begin a new one.")
app.command(parsers)


@app.default
def screen(
    *path: str, filter: FilterOption = None, config: ConfigOption = None, store: StoreOption = None,
    theme: str | None = None, mouse: bool = True, fps: Fps = None,
) -> int:
    """The screen. Without PATH it finds this host's mail logs and says what it found.

    Parameters
    ----------
    path
        Log file, folder, HOST=PATH, or - for standard input.
    theme
        Colour theme.
    mouse
        Use the mouse; --no-mouse lets the terminal select text.
    fps
        How often a second the screen shows news, at most 10; else 5, and 2 over SSH.
    """
    _no_command(path)
    from flowmon.commands import screen as command

    return command.run(_logs(path), filter, config, store, theme=theme, mouse=mouse, fps=fps)


@app.command
def demo(*, theme: str | None = None, speed: float = 1.0, mouse: bool = True, fps: Fps = None) -> int:
    """The screen on a recorded run of several hosts, replayed live.

    Parameters
    ----------
    theme
        Colour theme.
    speed
        How many times faster than it happened.
    mouse
        Use the mouse; --no-mouse lets the terminal select text.
    fps
        How often a second the screen shows news, at most 10; else 5, and 2 over SSH.
    """
    from flowmon.commands import demo as command

    return command.run(theme=theme, speed=speed, mouse=mouse, fps=fps)


@app.command
def serve(
    *path: str, filter: FilterOption = None, config: ConfigOption = None, store: StoreOption = None,
    theme: str | None = None, host: str = "127.0.0.1", port: int = 8000,
) -> int:
    """The screens in a browser (needs the extra `web`); only this machine reaches them unless --host says otherwise.

    Parameters
    ----------
    path
        Log file, folder or HOST=PATH.
    theme
        Colour theme.
    host
        Address to listen on. There is no password and no encryption: see what is printed.
    port
        Port to listen on.
    """
    from flowmon.commands import serve as command

    return command.run(_logs(path), filter, config, store, host=host, port=port, theme=theme)


@app.command
def collect(*path: str, config: ConfigOption = None, store: StoreOption = None, once: bool = False) -> int:
    """The collector alone, for a service unit: reads the logs and keeps the store.

    Parameters
    ----------
    path
        Log file, folder, HOST=PATH, or - for standard input; without, this host's mail logs.
    once
        Read what is there, then end.
    """
    from flowmon.commands import collect as command

    return command.run(_logs(path), config, store, once=once)


@app.command
def messages(
    *path: str, filter: FilterOption = None, format: Format = "text", config: ConfigOption = None,
    store: StoreOption = None,
) -> int:
    """Every message with its recipients, hops and statuses.

    Parameters
    ----------
    path
        Logs to read; without, the collector's store.
    format
        text, csv (a row per recipient) or jsonl (an object per message).
    """
    from flowmon.commands import messages as command

    return command.run(_logs(path), filter, format, config, store)


@app.command
def trace(
    what: str, /, *path: str, format: Literal["text", "jsonl"] = "text", config: ConfigOption = None,
    store: StoreOption = None,
) -> int:
    """One message: path, recipients, attempts, and the lines that prove it.

    Parameters
    ----------
    what
        Message-ID, queue ID or address.
    path
        Logs to read; without, the collector's store.
    format
        text or jsonl.
    """
    from flowmon.commands import trace as command

    return command.run(what, _logs(path), format, config, store)


@app.command
def queues(
    *path: str, filter: FilterOption = None, format: Format = "text", config: ConfigOption = None,
    store: StoreOption = None,
) -> int:
    """What waits, by host and next hop.

    Parameters
    ----------
    path
        Logs to read; without, the collector's store.
    format
        text, csv or jsonl.
    """
    from flowmon.commands import tables as command

    return command.queues(_logs(path), filter, format, config, store)


@app.command
def problems(
    *path: str, filter: FilterOption = None, format: Format = "text", config: ConfigOption = None,
    store: StoreOption = None,
) -> int:
    """What failed, by class, reason and next hop, with cause and next step.

    Parameters
    ----------
    path
        Logs to read; without, the collector's store.
    format
        text, csv or jsonl.
    """
    from flowmon.commands import tables as command

    return command.problems(_logs(path), filter, format, config, store)


@app.command
def report(
    *path: str, filter: FilterOption = None, format: ReportForm = "text", config: ConfigOption = None,
    store: StoreOption = None,
) -> int:
    """A summary for a period.

    Parameters
    ----------
    path
        Logs to read; without, the collector's store.
    format
        text, markdown or json.
    """
    from flowmon.commands import report as command

    return command.run(_logs(path), filter, format, config, store)


@parsers.command(name="list")
def parsers_list(*, config: ConfigOption = None) -> int:
    """The formats in force, with their files, and the files that were rejected and why."""
    from flowmon.commands import parsers as command

    return command.list_(config)


@parsers.command
def check(file: Path, /) -> int:
    """Prove a parser file by its samples."""
    from flowmon.commands import parsers as command

    return command.check(file)


@parsers.command
def explain(line: str, /, *, config: ConfigOption = None) -> int:
    """What flowmon makes of one log line (- reads it from standard input)."""
    from flowmon.commands import parsers as command

    return command.explain("-" if line == _STDIN else line, config)


@parsers.command
def coverage(
    path: str, /, *more: str, format: Literal["text", "json"] = "text", config: ConfigOption = None
) -> int:
    """How much of a log is understood, and what the rest looks like.

    Parameters
    ----------
    path
        Log file or folder.
    more
        Others.
    format
        text, or json (an object per log: format, matched, ignored, foreign, unmatched, shapes).
    """
    from flowmon.commands import coverage as command

    return command.run(path, *more, config=config, form=format)


@parsers.command
def new(name: str, log: Path | None = None, /) -> int:
    """Begin a parser file of your own in the configuration folder.

    Parameters
    ----------
    name
        Of the format.
    log
        Lines that it is to read (- for standard input): a rule is begun for each of their shapes.
    """
    from flowmon.commands import parsers as command

    return command.new(name, Path("-") if log is not None and str(log) == _STDIN else log)


def _no_command(path: tuple[str, ...]) -> None:
    """Raises FlowmonError when the first PATH is none, and looks like a command that was mistyped."""
    word = path[0] if path else ""
    if not word.isalpha() or os.path.lexists(word):
        return
    meant = nearest(word, [name for name in app if not name.startswith("-")])
    hint = f"did you mean `flowmon {meant}`? " if meant else ""
    raise FlowmonError(f"{word}: neither a command nor a log: {hint}`flowmon --help` names the commands")


def _logs(path: tuple[str, ...]) -> list[str]:
    return ["-" if one == _STDIN else one for one in path]


def _tokens(words: list[str]) -> list[str]:
    """The words of the command line as the parser takes them: a filter may begin with `-`, and `-` alone is a PATH."""
    tokens: list[str] = []
    for word in words:
        if tokens and tokens[-1] in ("-f", "--filter") and word.startswith("-"):
            tokens[-1] = f"--filter={word}"
        else:
            tokens.append(_STDIN if word == "-" else word)
    return tokens


def main() -> None:
    """Run the command line.

    Exit status: 0 done, 1 nothing matched or a check failed, 2 wrong use or unreadable input.
    """
    try:
        tokens = _tokens(sys.argv[1:])
        status = app(tokens, exit_on_error=False, print_error=True, result_action="return_value")
    except FlowmonError as fault:
        print(f"flowmon: {clean_lines(str(fault))}", file=sys.stderr)
        status = 2
    except BrokenPipeError:
        # the reader of our output went away; the interpreter must not try to flush to it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except KeyboardInterrupt:
        status = 130
    except CycloptsError:  # told already
        status = 2
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
