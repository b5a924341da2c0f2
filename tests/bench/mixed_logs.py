"""A folder of five formats as five servers write them, made from a seed: Postfix, Rspamd, Dovecot, Exim, Sendmail.

Rspamd tells of the mail that Postfix lets in, and Dovecot of what Postfix puts into mailboxes, so that they are joined;
Exim and Sendmail have mail of their own.
"""

from __future__ import annotations

import os
import re
import time
from bisect import bisect_right
from collections import Counter
from itertools import islice
from operator import itemgetter
from pathlib import Path

from tests.bench.postfix_log import SEED, Days, headed

PATHS = {
    "postfix": "mx1/mail.log", "rspamd": "mx1/rspamd.log", "dovecot": "mbx/dovecot.log",
    "exim": "relay/exim_mainlog", "sendmail": "smr/maillog",
}
_ARRIVAL = re.compile(r"postfix/cleanup\[\d+\]: (\w+): message-id=<(.*)>")
_SAVED = re.compile(r"postfix/lmtp\[\d+\]: (\w+): to=<([^>]*)>.* (\w+) Saved\)")
_FAR = ("far.example", "partner.example", "school.example", "press.example")
_CHECKED = 0.6
"""Share of Postfix's mail that Rspamd sees."""
Events = list[tuple[float, str]]


class Folder:
    """Writes the five logs."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._days, self._others = Days(seed), Days(seed + 1)
        self._paths = {name: folder / path for name, path in PATHS.items()}
        self._message_ids: dict[str, str] = {}
        self.lines: Counter[str] = Counter()
        self.handled: Counter[str] = Counter()
        """Messages that Exim and Sendmail took: nothing else tells how many there must be."""

    def write(self, lines: int) -> None:
        """So many lines in all, or a few more."""
        for path in self._paths.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        outs = {name: path.open("w", encoding="utf-8") for name, path in self._paths.items()}
        try:
            made: dict[str, Events] = {name: [] for name in PATHS}
            for events in self._days.in_order():
                made["postfix"] += events
                for event in events:
                    self._beside(event, made)
                for number, (at, _) in enumerate(islice(events, 0, None, 5)):
                    (self._exim if number % 2 else self._sendmail)(at, made)
                for name, waiting in made.items():
                    waiting.sort(key=itemgetter(0))
                    over = bisect_right(waiting, events[-1][0], key=itemgetter(0))
                    rows, made[name] = waiting[:over], waiting[over:]
                    text = headed(rows, "mx1" if name == "postfix" else "smr", iso=False)
                    outs[name].writelines(text if name in ("postfix", "sendmail") else (row for _, row in rows))
                    self.lines[name] += len(rows)
                if self.lines.total() >= lines:
                    break
        finally:
            for out in outs.values():
                out.close()
        for path in self._paths.values():
            os.utime(path, (self._days.at, self._days.at))

    def _beside(self, event: tuple[float, str], made: dict[str, Events]) -> None:
        """What Rspamd and Dovecot log of an event of Postfix."""
        at, text = event
        if found := _ARRIVAL.match(text):
            queue_id, message_id = found.groups()
            self._message_ids[queue_id] = message_id
            if self._others.rnd.random() < _CHECKED:
                made["rspamd"].append((at + 0.01, self._scanned(at + 0.01, queue_id, message_id)))
        elif found := _SAVED.match(text):
            queue_id, to, session = found.groups()
            stamp = time.strftime("%b %d %H:%M:%S", time.gmtime(at))
            made["dovecot"].append((
                at, f"{stamp} lmtp({to})<{self._others.pid('lmtp', at - 0.1, at)}><{session}>: Info: "
                    f"msgid=<{self._message_ids[queue_id]}>: saved mail to INBOX\n"))
        elif text.endswith(": removed"):
            self._message_ids.pop(text.split(": ")[1], None)

    def _scanned(self, at: float, queue_id: str, message_id: str) -> str:
        """A verdict."""
        other = self._others
        score = other.rnd.random() * 4
        return (
            f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(at))} #36(rspamd_proxy) "
            f"<{other.rnd.getrandbits(24):06x}>; proxy; rspamd_task_write_log: id: <{message_id}>, "
            f"qid: <{queue_id}>, ip: {other.ip()}, from: <{other.address(_FAR)}>, (default: F (no action): "
            f"[{score:.2f}/15.00] [MIME_GOOD(-0.10){{text/plain;}},BAYES_SPAM({score:.2f}){{70.00%;}},"
            f"ARC_NA(0.00){{}}]), len: {int(other.rnd.random() * 9_000) + 400}, time: 4.1ms, dns req: 3, "
            f"digest: <{other.rnd.getrandbits(128):032x}>, rcpts: <kim@acme.example>, mime_rcpts: <kim@acme.example>\n"
        )

    def _exim(self, at: float, made: dict[str, Events]) -> None:
        """A message that Exim takes and hands on; one in 30 bounces, one in 30 waits once."""
        other, rows = self._others, made["exim"]
        self.handled["exim"] += 1
        number = self.handled["exim"]
        own = f"1xV{_base62(number, 3)}-{_base62(number * 31, 6)}-{_base62(number * 7, 2)}"
        sender, to = other.address(_FAR), other.address(_FAR)
        domain = to.partition("@")[2]
        route = f"{to} R=dnslookup T=remote_smtp H=mx1.{domain} [198.51.100.{number % 250 + 1}]"
        luck = other.rnd.random()

        def say(after: float, text: str) -> None:
            when = at + after
            rows.append((when, f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(when))} {own} {text}\n"))

        say(0, f"<= {sender} H=out.{sender.partition('@')[2]} [192.0.2.{number % 250 + 1}] P=esmtps "
               f"X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no S={number % 9_000 + 500} "
               f"id={other.rnd.getrandbits(60):015x}@{sender.partition('@')[2]}")
        if luck < 0.03:
            say(0.1, f"** {route}: SMTP error from remote mail server after RCPT TO:<{to}>: 550 5.1.1 <{to}>: "
                     f"Recipient address rejected: User unknown")
        else:
            if luck < 0.06:
                say(0.1, f"== {to} R=dnslookup T=remote_smtp defer (111): Connection refused")
            say(0.5, f"=> {route} X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no "
                     f"C=\"250 2.0.0 Ok: queued as {other.rnd.getrandbits(44):011X}\"")
        say(0.6, "Completed")

    def _sendmail(self, at: float, made: dict[str, Events]) -> None:
        """A message that Sendmail takes and hands on; one in 30 bounces, one in 30 waits."""
        other, rows = self._others, made["sendmail"]
        self.handled["sendmail"] += 1
        number = self.handled["sendmail"]
        own = f"605{_base62(number, 5)}{number % 1_000_000:06}"
        sender, to = other.address(_FAR), other.address(_FAR)
        domain = to.partition("@")[2]
        luck = other.rnd.random()
        relay = f"relay=mx1.{domain}. [198.51.100.{number % 250 + 1}]"
        head = f"sendmail[{other.pid('sendmail', at, at + 1)}]: {own}: "
        rows.append((at, f"{head}from=<{sender}>, size={number % 9_000 + 500}, class=0, nrcpts=1, "
                         f"msgid=<{other.rnd.getrandbits(60):015x}@{sender.partition('@')[2]}>, proto=ESMTP, "
                         f"daemon=MTA-v4, relay=out.{sender.partition('@')[2]} [192.0.2.{number % 250 + 1}]"))
        told = f"{head}to=<{to}>, delay=00:00:01, xdelay=00:00:01, mailer=esmtp, pri=30751, {relay}, "
        if luck < 0.03:
            rows.append((at + 0.5, f"{told}dsn=5.1.1, reply=550 5.1.1 <{to}>: Recipient address rejected: User "
                                   f"unknown, stat=User unknown"))
        elif luck < 0.06:
            rows.append((at + 0.5, f"{told}dsn=4.4.1, stat=Deferred: Connection refused by mx1.{domain}."))
        else:
            rows.append((at + 0.5, f"{told}dsn=2.0.0, stat=Sent (Ok: queued as {other.rnd.getrandbits(44):011X})"))


def _base62(number: int, width: int) -> str:
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    text = ""
    for _ in range(width):
        number, rest = divmod(number, 62)
        text = letters[rest] + text
    return text


def write(folder: Path, lines: int, *, seed: int = SEED) -> Folder:
    """Write the folder; gives what is in it."""
    made = Folder(folder, seed)
    made.write(lines)
    return made
