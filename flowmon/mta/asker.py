"""Asks MTAs for their queues on a gentle schedule, in a thread of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

import msgspec

from flowmon.errors import FlowmonError
from flowmon.model.listed import Listed, Listing
from flowmon.mta import exim, opensmtpd, postfix, sendmail
from flowmon.mta.commands import NoSuchProgram, Run, runner

SHARE = 0.05
"""Of the time at most so much is spent on listing: a queue that takes three seconds is asked once a minute."""


@dataclass(frozen=True)
class Mta:
    """An MTA to ask."""

    host: str
    kind: str
    """postfix, exim, sendmail or opensmtpd."""
    config: str | None = None
    """Another configuration than its usual one."""
    through: tuple[str, ...] = ()
    """What its commands are run behind."""
    zone: tzinfo | None = None
    named: bool = True
    """The configuration names it; else it was found, and need not be there."""

    @property
    def name(self) -> str:
        """What tells it from others on its host."""
        return f"{self.kind} {self.config}" if self.config else self.kind


Ask = Callable[[Run, Mta], list[Listed]]

KINDS: dict[str, Ask] = {
    "postfix": lambda run, mta: postfix.listed(run, mta.config),
    "exim": lambda run, mta: exim.listed(run, mta.config, mta.zone),
    "sendmail": lambda run, mta: sendmail.listed(run, mta.config, mta.zone),
    "opensmtpd": lambda run, mta: opensmtpd.listed(run, time.time()),
}
FOUND = ("postfix", "exim", "opensmtpd")
"""Looked for on this host without being named. Not Sendmail: every MTA brings a `mailq`."""


def of_this_host(host: str) -> list[Mta]:
    """What may be on this host."""
    return [Mta(host, kind, named=False) for kind in FOUND]


def ask(mta: Mta, run: Run | None = None) -> Listing | None:
    """One MTA's queue, or why it cannot be read; None for one that was only looked for and is not there."""
    began = time.time()
    try:
        messages = KINDS[mta.kind](run or runner(mta.through), mta)
    except NoSuchProgram as fault:
        if not mta.named:
            return None
        return Listing(mta.host, mta.name, began, error=f"{fault}; correct [[mta]] in the configuration")
    except FlowmonError as fault:
        remedy = "give this account the right to list the queue (root, or the MTA's group), or set queue.read = false"
        return Listing(mta.host, mta.name, began, error=f"{fault}; {remedy}")
    except (msgspec.MsgspecError, ValueError) as fault:
        return Listing(mta.host, mta.name, began, error=f"its list of the queue is not understood: {fault}")
    return Listing(mta.host, mta.name, began, messages)


class Asker:
    """Keeps asking until `stop`; `take` gives what was answered since the last call."""

    def __init__(self, mtas: Sequence[Mta], every: float) -> None:
        self._mtas = list(mtas)
        self._every = every
        self._answers: queue.SimpleQueue[Listing] = queue.SimpleQueue()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flowmon-queues", daemon=True)
        if self._mtas:
            self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            for mta in list(self._mtas):
                answer = ask(mta)
                if answer is None:
                    self._mtas.remove(mta)
                else:
                    self._answers.put(answer)
            if not self._mtas:
                return
            self._over.wait(max(self._every, (time.monotonic() - began) / SHARE))

    def take(self) -> list[Listing]:
        """The newest answer of each MTA."""
        found: dict[tuple[str, str], Listing] = {}
        while not self._answers.empty():
            one = self._answers.get()
            found[one.host, one.mta] = one
        return list(found.values())

    def stop(self) -> None:
        """Ask no more. A command under way ends by itself."""
        self._over.set()
