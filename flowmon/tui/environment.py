"""What the terminal is and can do, told by the environment. No Textual here: it must not be imported yet."""

from __future__ import annotations

import locale
import select
import sys
from collections.abc import Mapping, MutableMapping

SLOW_LINE = {
    "TEXTUAL_FPS": "10",
    "TEXTUAL_ANIMATIONS": "none",
    "TEXTUAL_SMOOTH_SCROLL": "0",
}
"""Over SSH each frame costs: paint at most ten times a second, and move nothing for the sake of moving."""


LOCAL_FPS = 5.0
SSH_FPS = 2.0
"""How often a second the screens show news, where nobody says otherwise."""


def refresh_seconds(environ: Mapping[str, str], fps: float | None, configured: float | None) -> float:
    """How often to show news: `fps` from the command line, else the configuration, else what the line bears."""
    if fps is not None:
        return 1 / fps
    return configured or 1 / (SSH_FPS if over_ssh(environ) else LOCAL_FPS)


def hung_up(fd: int) -> bool:
    """True where the terminal behind a descriptor is gone. Not each line that drops brings a SIGHUP: under `su` or
    without a terminal of one's own none comes, and what reads on gets its end again and again."""
    asked = select.poll()
    asked.register(fd, 0)
    return any(event & select.POLLHUP for _, event in asked.poll(0))


def over_ssh(environ: Mapping[str, str]) -> bool:
    """True where the terminal is at the far end of an SSH line."""
    return bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))


def prepare(environ: MutableMapping[str, str]) -> None:
    """Set what Textual reads at its import. What the user has set stays."""
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if over_ssh(environ):
        for name, value in SLOW_LINE.items():
            environ.setdefault(name, value)


def ascii_only(environ: Mapping[str, str]) -> bool:
    """True where only ASCII signs arrive: asked for by FLOWMON_ASCII, or the output is not UTF-8."""
    asked = environ.get("FLOWMON_ASCII", "")
    if asked:
        return asked not in ("0", "no", "false")
    encoding = getattr(sys.__stderr__, "encoding", None) or locale.getpreferredencoding(False)
    return "utf" not in encoding.lower()


def few_colours(environ: Mapping[str, str]) -> bool:
    """True where the terminal has 16 colours, so that the theme of 16 colours serves best.

    Without colours (NO_COLOR) it does not: Textual makes shades of grey of what a theme names, and black of the
    terminal's own colours, which that theme uses.
    """
    if environ.get("NO_COLOR") is not None:
        return False
    if environ.get("TEXTUAL_COLOR_SYSTEM") == "standard":
        return True
    if environ.get("COLORTERM", "") in ("truecolor", "24bit") or environ.get("TEXTUAL_COLOR_SYSTEM"):
        return False
    return "256color" not in environ.get("TERM", "") and "direct" not in environ.get("TERM", "")
