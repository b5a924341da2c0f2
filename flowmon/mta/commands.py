"""Running an MTA's commands: bounded in time and size, never through a shell."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence

from flowmon.errors import FlowmonError

TIMEOUT_SECONDS = 60.0
MOST_BYTES = 64 * 1024 * 1024
"""A longer listing is not read: so many messages are a matter of the log alone."""

Run = Callable[..., str]
"""Runs a program with arguments and gives what it printed. Raises MtaError."""


class MtaError(FlowmonError):
    """An MTA could not be asked: why, and the remedy."""


class NoSuchProgram(MtaError):
    """The program is not on this host."""


def runner(through: Sequence[str] = ()) -> Run:
    """Runs commands, each behind `through` (`docker exec mail`, `sudo -n`, `ssh mx2`)."""

    def run(*command: str) -> str:
        whole = [*through, *command]
        try:
            done = subprocess.run(
                whole, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_SECONDS, check=False
            )
        except FileNotFoundError:
            raise NoSuchProgram(f"{whole[0]}: there is no such program") from None
        except subprocess.TimeoutExpired:
            raise MtaError(f"`{' '.join(whole)}` did not end within {TIMEOUT_SECONDS:.0f} seconds") from None
        except OSError as fault:
            raise MtaError(f"`{' '.join(whole)}` cannot be run: {fault.strerror}") from None
        if done.returncode:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
            raise MtaError(f"`{' '.join(whole)}`: {said[-1] if said else f'exit status {done.returncode}'}")
        if len(done.stdout) > MOST_BYTES:
            raise MtaError(f"`{' '.join(whole)}` lists more than {MOST_BYTES >> 20} MiB: only the log is used")
        return done.stdout.decode("utf-8", "replace")

    return run


def optional(run: Run, *command: str) -> str:
    """What a command prints that only adds detail: "" where it cannot be run or read by this account."""
    try:
        return run(*command)
    except MtaError:
        return ""
