"""Logs of a busy Postfix, made from a seed: the same seed gives the same lines, with whichever header.

    python -m tests.bench.postfix_log FILE [--lines 1000000] [--seed 11] [--iso]

Mail comes in by SMTP, by submission and from the machine itself, goes to one address or many, out by SMTP, into
mailboxes by LMTP or a local agent; is put off and tried again, bounces with a report to its sender, is refused before
it is mail; passwords are guessed and robots knock. All names are of example domains.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import os
import random
import time
from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

START = 1_767_571_200
"""2026-01-05 00:00 UTC."""
SEED = 11
PER_SECOND = 25.0
"""Sessions."""
_CHUNK = 2_000
"""Sessions that are made before their lines are put in order."""
_OURS = ("acme.example", "shop.acme.example")
_FAR = (
    "far.example", "partner.example", "school.example", "clinic.example", "press.example", "town.example",
    "club.example", "bank.example", "works.example", "lists.example", "travel.example", "farm.example",
)
_NAMES = ("kim", "lee", "anna", "jo.berg", "ines", "otto", "maria+news", "sales", "office", "no-reply", "o'neil", "fox")
_LETTERS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_DEFERRED = (
    ("4.2.2", "host {mx} said: 452 4.2.2 <{to}>: Mailbox is full (in reply to RCPT TO command)"),
    ("4.7.1", "host {mx} said: 450 4.7.1 <{to}>: Recipient address rejected: Greylisted, see you in 300 seconds "
              "(in reply to RCPT TO command)"),
    ("4.4.1", "connect to {mx}:25: Connection timed out"),
    ("4.4.2", "lost connection with {mx} while receiving the initial server greeting"),
    ("4.7.0", "host {mx} refused to talk to me: 421 4.7.0 Too many connections, try again later"),
)
_NO_RELAY = ("4.4.1",)
_BOUNCED = (
    ("5.1.1", "host {mx} said: 550 5.1.1 <{to}>: Recipient rejected: User unknown (in reply to RCPT TO command)"),
    ("5.7.1", "host {mx} said: 554 5.7.1 Message refused by content policy (in reply to end of DATA command)"),
    ("5.2.2", "host {mx} said: 552 5.2.2 <{to}>: Over quota (in reply to RCPT TO command)"),
)
_REFUSALS = (
    "554 5.7.1 Service unavailable; Client host [{ip}] blocked using bl.example; https://bl.example/{ip}",
    "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table",
    "454 4.7.1 <{to}>: Relay access denied",
    "450 4.1.8 <{sender}>: Sender address rejected: Domain not found",
    "450 4.7.25 Client host rejected: cannot find your hostname, [{ip}]",
)
_CIPHER = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS"


class Days:
    """The events of a host, in the order of their times."""

    def __init__(self, seed: int) -> None:
        self.rnd = random.Random(seed)
        self.at = float(START)
        self._events: list[tuple[float, str]] = []
        self._free: dict[str, list[tuple[float, int]]] = {}
        self._pids = itertools.count(2_000)
        self._numbers = itertools.count(seed * 1_000_003)
        self.put = self._events.append

    def pick(self, options: tuple[str, ...]) -> str:
        """One of them."""
        return options[int(self.rnd.random() * len(options))]

    def pid(self, program: str, start: float, end: float) -> int:
        """A process of a program that does nothing else between two times."""
        free = self._free.setdefault(program, [])
        pid = heapq.heappop(free)[1] if free and free[0][0] < start else next(self._pids)
        heapq.heappush(free, (end, pid))
        return pid

    def address(self, domains: tuple[str, ...]) -> str:
        """Somebody at one of the domains."""
        return f"{self.pick(_NAMES)}{int(self.rnd.random() * 400)}@{self.pick(domains)}"

    def ip(self) -> str:
        """An address of the documentation nets: one in ten is of IPv6."""
        number = int(self.rnd.random() * 650_000)
        if number % 10 == 0:
            return f"2001:db8:{number >> 8:x}::{number & 0xFF:x}"
        return f"{('192.0.2', '198.51.100', '203.0.113')[number % 3]}.{number % 254 + 1}"

    def queue_id(self) -> str:
        """A queue ID that no other message has: short ones and long ones."""
        number = next(self._numbers)
        if number % 2:
            return f"{number % 0xFFFFF:05X}{number * 7919 % 0xFFFFFF:06X}"
        text = ""
        while number:
            number, rest = divmod(number, len(_LETTERS))
            text = _LETTERS[rest] + text
        return f"4{text.rjust(10, 'B')[-10:]}z{_LETTERS[int(self.rnd.random() * 52)]}{_LETTERS[number]}7"

    def chunk(self) -> None:
        """The events of the next sessions."""
        rnd = self.rnd.random
        for _ in range(_CHUNK):
            self.at += self.rnd.expovariate(PER_SECOND)
            kind = rnd()
            if kind < 0.76:
                self.message(self.at)
            elif kind < 0.86:
                self.refused(self.at)
            elif kind < 0.92:
                self.guessed(self.at)
            else:
                self.knock(self.at)

    def in_order(self) -> Iterator[list[tuple[float, str]]]:
        """All events, without end."""
        events = self._events
        while True:
            self.chunk()
            events.sort(key=itemgetter(0))
            over = bisect_right(events, self.at - 1.0, key=itemgetter(0))
            yield events[:over]
            del events[:over]

    def client(self) -> tuple[str, str, str]:
        """Who connects: name and address, its address, its domain."""
        ip, domain = self.ip(), self.pick(_FAR)
        name = "unknown" if self.rnd.random() < 0.12 else f"out{int(self.rnd.random() * 90)}.{domain}"
        return f"{name}[{ip}]", ip, domain

    def message(self, at: float) -> None:
        """A message from its client to its end."""
        rnd, put, queue_id = self.rnd.random, self.put, self.queue_id()
        kind, wanted = rnd(), 1
        if rnd() > 0.84:
            wanted = 2 + int(rnd() * 5 if rnd() < 0.93 else rnd() * 40)
        sender = "" if kind > 0.97 else self.address(_OURS if kind < 0.5 else _FAR)
        size = int(self.rnd.lognormvariate(9, 1.5)) + 300
        if kind < 0.04:
            at += 0.02
            put((at, f"postfix/pickup[1803]: {queue_id}: uid=33 from=<www-data>"))
        else:
            at = self.session(at, queue_id, kind, wanted)
        cleanup = self.pid("cleanup", at - 0.1, at + 0.1)
        put((at, f"postfix/cleanup[{cleanup}]: {queue_id}: message-id=<{self.message_id(sender)}>"))
        queued = f"postfix/qmgr[1804]: {queue_id}: from=<{sender}>, size={size}, nrcpt={wanted} (queue active)"
        put((at + 0.03, queued))
        waiting = [self.address(_FAR if kind < 0.5 else _OURS) for _ in range(wanted)]
        first = begun = at
        for attempt in range(5):
            ends, waiting = self.deliver(queue_id, sender, waiting, first, begun, attempt, local=kind >= 0.5)
            if not waiting:
                break
            begun = ends + 300.0 * 2**attempt
            put((begun - 0.01, queued))
        put((ends + 0.02, f"postfix/qmgr[1804]: {queue_id}: removed"))

    def message_id(self, sender: str) -> str:
        """A Message-ID."""
        domain = sender.partition("@")[2] or "mx1.acme.example"
        return f"{self.rnd.getrandbits(60):015x}.{int(self.rnd.random() * 1e6)}@{domain}"

    def session(self, at: float, queue_id: str, kind: float, wanted: int) -> float:
        """The client's side; gives when the message was all there."""
        rnd, put = self.rnd.random, self.put
        client, ip, _ = self.client()
        ends = at + 0.2 + rnd()
        submitted = kind < 0.5
        program = "postfix/submission/smtpd" if submitted else "postfix/smtpd"
        if not submitted and rnd() < 0.4:
            port = 1025 + int(rnd() * 60_000)
            put((at - 0.03, f"postfix/postscreen[1790]: CONNECT from [{ip}]:{port} to [192.0.2.25]:25"))
            put((at - 0.02, f"postfix/postscreen[1790]: PASS {'OLD' if rnd() < 0.8 else 'NEW'} [{ip}]:{port}"))
        head = f"{program}[{self.pid(program, at, ends + 0.1)}]: "
        put((at, f"{head}connect from {client}"))
        if rnd() < 0.5:
            put((at + 0.05, f"{head}Anonymous TLS connection established from {client}: {_CIPHER}"))
        login = f", sasl_method=PLAIN, sasl_username={self.address(_OURS)}" if submitted else ""
        put((at + 0.1, f"{head}{queue_id}: client={client}{login}"))
        put((ends + 0.05, f"{head}disconnect from {client} ehlo=2 starttls=1 mail=1 rcpt={wanted} data=1 quit=1 "
                          f"commands={wanted + 6}"))
        return ends

    def deliver(
        self, queue_id: str, sender: str, recipients: list[str], first: float, at: float, attempt: int, *, local: bool
    ) -> tuple[float, list[str]]:
        """One attempt for each recipient; gives when the last one ended, and who has to wait."""
        rnd, put, waiting, last = self.rnd.random, self.put, [], at
        for to in recipients:
            ends = at + 0.1 + rnd() * 2
            last = max(last, ends)
            delays = f"delay={ends - first + 0.3:.2g}, delays={0.3 + rnd():.2g}/0.01/{rnd():.2g}/{rnd():.2g}"
            luck = rnd()
            if local:
                self.into_mailbox(queue_id, to, ends, delays, luck)
                continue
            domain = to.partition("@")[2]
            mx = f"mx{1 + int(rnd() * 2)}.{domain}[{self.ip()}]"
            head = f"postfix/smtp[{self.pid('smtp', at, ends)}]: "
            told = f"{head}{queue_id}: to=<{to}>, relay={mx}:25, {delays}"
            if rnd() < 0.3:
                put((ends - 0.05, f"{head}Trusted TLS connection established to {mx}:25: {_CIPHER}"))
            if luck < 0.93:
                put((ends, f"{told}, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {self.rnd.getrandbits(44):011X})"))
            elif luck < 0.965 and attempt < 4:
                code, text = _DEFERRED[int(rnd() * len(_DEFERRED))]
                if code in _NO_RELAY:
                    told = f"{head}{queue_id}: to=<{to}>, relay=none, {delays}"
                put((ends, f"{told}, dsn={code}, status=deferred ({text.format(mx=mx, to=to)})"))
                waiting.append(to)
            else:
                code, text = _BOUNCED[int(rnd() * len(_BOUNCED))]
                put((ends, f"{told}, dsn={code}, status=bounced ({text.format(mx=mx, to=to)})"))
                if sender:
                    self.report(queue_id, sender, ends + 0.005)
        return last, waiting

    def into_mailbox(self, queue_id: str, to: str, ends: float, delays: str, luck: float) -> None:
        """A delivery on this side: always done."""
        if luck < 0.75:
            pid, saved = self.pid("lmtp", ends - 0.1, ends), f"<{to}> {self.rnd.getrandbits(60):015x}AB Saved"
            self.put((ends, f"postfix/lmtp[{pid}]: {queue_id}: to=<{to}>, "
                            f"relay=mbx.acme.example[private/dovecot-lmtp], {delays}, dsn=2.0.0, "
                            f"status=sent (250 2.0.0 {saved})"))
            return
        pid = self.pid("local", ends - 0.1, ends)
        self.put((ends, f"postfix/local[{pid}]: {queue_id}: to=<{to}>, orig_to=<{to.partition('@')[0]}>, relay=local, "
                        f"{delays}, dsn=2.0.0, status=sent (delivered to mailbox)"))

    def report(self, queue_id: str, sender: str, at: float) -> None:
        """The report of a bounce, brought to the sender."""
        put, own = self.put, self.queue_id()
        stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(at))
        cleanup = self.pid("cleanup", at, at + 0.1)
        put((at, f"postfix/cleanup[{cleanup}]: {own}: message-id=<{stamp}.{own}@mx1.acme.example>"))
        put((at + 0.002, f"postfix/bounce[{self.pid('bounce', at, at + 0.1)}]: {queue_id}: sender non-delivery "
                         f"notification: {own}"))
        put((at + 0.004, f"postfix/qmgr[1804]: {own}: from=<>, size={2_000 + int(self.rnd.random() * 6_000)}, nrcpt=1 "
                         f"(queue active)"))
        put((at + 0.3, f"postfix/lmtp[{self.pid('lmtp', at, at + 0.3)}]: {own}: to=<{sender}>, "
                       f"relay=mbx.acme.example[private/dovecot-lmtp], delay=0.3, delays=0.01/0/0.1/0.19, dsn=2.0.0, "
                       f"status=sent (250 2.0.0 <{sender}> {self.rnd.getrandbits(60):015x}AC Saved)"))
        put((at + 0.31, f"postfix/qmgr[1804]: {own}: removed"))

    def refused(self, at: float) -> None:
        """A client that is refused a recipient."""
        put, (client, ip, domain) = self.put, self.client()
        head = f"postfix/smtpd[{self.pid('postfix/smtpd', at, at + 0.6)}]: "
        sender, to = self.address(_FAR), self.address(_OURS)
        why = self.pick(_REFUSALS).format(ip=ip, to=to, sender=sender)
        put((at, f"{head}connect from {client}"))
        put((at + 0.3, f"{head}NOQUEUE: reject: RCPT from {client}: {why}; from=<{sender}> to=<{to}> proto=ESMTP "
                       f"helo=<out.{domain}>"))
        put((at + 0.5, f"{head}disconnect from {client} ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4"))

    def guessed(self, at: float) -> None:
        """Somebody guesses a password."""
        put, ip = self.put, self.ip()
        head = f"postfix/submission/smtpd[{self.pid('postfix/submission/smtpd', at, at + 2)}]: "
        put((at, f"{head}connect from unknown[{ip}]"))
        put((at + 1.0, f"{head}warning: unknown[{ip}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, "
                       f"sasl_username={self.address(_OURS)}"))
        put((at + 1.8, f"{head}disconnect from unknown[{ip}] ehlo=1 auth=0/1 quit=1 commands=2/3"))

    def knock(self, at: float) -> None:
        """What says nothing about a message."""
        put, rnd, ip = self.put, self.rnd.random, self.ip()
        kind = rnd()
        if kind < 0.5:
            port = 1025 + int(rnd() * 60_000)
            put((at, f"postfix/postscreen[1790]: CONNECT from [{ip}]:{port} to [192.0.2.25]:25"))
            put((at + 1.0, f"postfix/postscreen[1790]: PREGREET 11 after 0.{int(rnd() * 90) + 10} from [{ip}]:{port}: "
                           f"EHLO robot\\r\\n"))
            put((at + 1.2, f"postfix/postscreen[1790]: DISCONNECT [{ip}]:{port}"))
        elif kind < 0.8:
            clock = time.strftime("%b %e %H:%M:%S", time.gmtime(at - 60))
            put((at, f"postfix/anvil[1811]: statistics: max connection rate {int(rnd() * 50) + 1}/60s for "
                     f"(smtp:{ip}) at {clock}"))
            put((at, f"postfix/anvil[1811]: statistics: max cache size {int(rnd() * 50) + 1} at {clock}"))
        else:
            head = f"postfix/smtpd[{self.pid('postfix/smtpd', at, at + 0.1)}]: "
            put((at, f"{head}warning: hostname out{int(rnd() * 90)}.{self.pick(_FAR)} does not resolve to "
                     f"address {ip}: Name or service not known"))


def headed(events: list[tuple[float, str]], host: str, *, iso: bool) -> Iterator[str]:
    """Events as lines of a syslog: with the header of RFC 3164, or with ISO times."""
    second, head = -1, ""
    for at, text in events:
        whole = int(at)
        if whole != second:
            second = whole
            head = time.strftime("%Y-%m-%dT%H:%M:%S." if iso else f"%b %e %H:%M:%S {host} ", time.gmtime(whole))
        yield f"{head}{int((at - whole) * 1e6):06}+00:00 {host} {text}\n" if iso else f"{head}{text}\n"


def write(path: Path, lines: int, *, seed: int = SEED, iso: bool = False, host: str = "mx1") -> Path:
    """Write a log of so many lines. Its time of change is its last line's: a header without a year is read by it."""
    days = Days(seed)
    with path.open("w", encoding="utf-8") as out:
        for events in days.in_order():
            out.writelines(itertools.islice(headed(events, host, iso=iso), lines))
            lines -= len(events)
            if lines <= 0:
                break
    os.utime(path, (days.at, days.at))
    return path


def main() -> None:
    """Write one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--iso", action="store_true")
    given = parser.parse_args()
    write(given.file, given.lines, seed=given.seed, iso=given.iso)


if __name__ == "__main__":
    main()
