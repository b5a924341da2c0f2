"""SMTP dialogues put together again from rows that each hold one line of a session, by the session's id.

Sessions stand mixed in one log. A row that replies gets what it replies to: the command, and what the session said
before (sender, recipient, login). Commands that were sent at once are answered in their order. Whose message a session
speaks of stands in a row of its own: before it is sent (`sending message with RecordId 1`), or in the reply that takes
it (`[InternalId=1, Hostname=EX01]`); the rows before that are held back until then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

TOLD = ("answers", "sender", "recipient", "login", "helo", "server", "peer", "proxied", "transaction", "record",
        "keeper")
"""The columns that a row gains: the command answered (RCPT, CONNECT, ...; "" for one before the log began), the
session's words, `server` before the backslash of
the connector, `peer` as `[address]`, `yes` where another server of ours passed the session on, `transaction` (the
session, and from its second message on the number of the message: `ID/2`), and, once they are known, the `record` (the
server's internal id of the message that the session brings or sends) and the server that keeps it (`keeper`; "" for
the one that wrote the log)."""

SESSIONS_KEPT = 20_000
_PENDING_KEPT = 200
_ROWS_KEPT = 100
_PATH = re.compile(r"(?:MAIL FROM|RCPT TO): ?<([^>]*)>", re.IGNORECASE)
_LOGIN = re.compile(r"User Name: (\S+)")
_SENDING = re.compile(r"sending message with RecordId (\d+)")
_TAKEN = re.compile(r"\[InternalId=(\d+), Hostname=([^\]\s]+)\]")
_MORE = re.compile(r"\d{3}-")
_WORDS = {"EHLO": "EHLO", "HELO": "EHLO", "MAIL": "MAIL", "RCPT": "RCPT", "DATA": "DATA", "BDAT": "END", "AUTH": "AUTH",
          "STARTTLS": "STARTTLS", "X-ANONYMOUSTLS": "STARTTLS", "QUIT": "QUIT", "RSET": "RSET", "NOOP": "NOOP"}


class Dialogue:
    """The open sessions of one log. `columns` are those of the log; `command` and `reply` its signs for them.

    Raises ValueError when a column is missing.
    """

    def __init__(self, columns: Sequence[str], command: str, reply: str) -> None:
        places = [columns.index(name) for name in (
            "session-id", "event", "data", "context", "connector-id", "remote-endpoint")]
        self._session, self._event, self._data, self._context, self._connector, self._remote = places
        self._command, self._reply = command, reply
        self.open: dict[str, dict[str, Any]] = {}
        """By session: what it said, and under `pending` the commands not yet answered with their addresses."""
        self.before: list[tuple[float, int]] = []
        """Time and position of the rows before the last one that are about the same message, which it is the first to
        name."""

    def told(self, record: Sequence[Any], at: float, here: int) -> list[str]:
        """What the session tells of a row, `at` that time and position: one text for each of TOLD."""
        id, event, data = str(record[self._session]), record[self._event], str(record[self._data])
        session = self.open.get(id)
        if session is None:
            if len(self.open) >= SESSIONS_KEPT:
                del self.open[next(iter(self.open))]
            session = self.open[id] = {"pending": []}
        answers, address, before = "", "", session.get("sender", "")
        if event == self._command:
            self._said(session, data)
        elif event == self._reply and not _MORE.match(data):
            answers, address = self._answered(session, data)
        elif event == "*":
            self._noted(session, f"{data} {record[self._context]}")
        elif event == "+":
            session["begun"] = True
        elif event == "-":
            self.open.pop(id, None)
        sender = address if answers == "MAIL" else before
        peer = str(record[self._remote]).rpartition(":")[0].strip("[]")
        server, slash, _ = str(record[self._connector]).partition("\\")
        recipient = address if answers == "RCPT" else ""
        if answers == "END" and data[:1] == "2" and (taken := _TAKEN.search(data)) and self._reply == ">":
            session["record"], session["keeper"] = taken.groups()
        mails = session.get("mails", 0)
        transaction = id if mails < 2 else f"{id}/{mails}"
        found = [answers, sender, recipient, session.get("login", ""), session.get("helo", ""),
                 server if slash else "", f"[{peer}]" if peer else "", session.get("proxied", ""), transaction,
                 session.get("record", ""), session.get("keeper", "")]
        self._keep(session, at, here, done=answers == "END")
        return found

    def _keep(self, session: dict[str, Any], at: float, here: int, *, done: bool) -> None:
        """Hold the place of a row back until its message is known, and give those held back with it then."""
        rows = session.setdefault("rows", [])
        self.before = []
        if "record" in session:
            self.before = [(then, there) for then, there in rows]
            rows.clear()
        elif "mails" in session and len(rows) < _ROWS_KEPT:
            rows.append((at, here))
        if done:
            session.pop("record", None)
            session.pop("keeper", None)
            rows.clear()

    def _noted(self, session: dict[str, Any], text: str) -> None:
        """Take what the server remarks of a session."""
        if found := _LOGIN.search(text):
            session["login"] = found[1]
        elif (found := _SENDING.search(text)) and self._command == ">":
            session["record"] = found[1]

    @staticmethod
    def _said(session: dict[str, Any], data: str) -> None:
        verb, _, rest = data.partition(" ")
        verb = verb.upper().partition(":")[0]
        if verb.startswith("XPROXY"):
            session["proxied"] = "yes"
        word = _WORDS.get(verb, "OTHER")
        if verb == "BDAT" and rest.upper().split()[-1:] != ["LAST"]:
            word = "BDAT"  # more of the message is to come
        if word == "EHLO":
            session["helo"] = rest.strip()
        elif word == "MAIL":
            session["mails"] = session.get("mails", 0) + 1
            session.get("rows", []).clear()
        path = _PATH.match(data)
        if word == "OTHER" and session["pending"][:1] == [["AUTH", ""]]:
            return  # the client's part of the login, no command
        session.pop("begun", None)
        if len(session["pending"]) < _PENDING_KEPT:
            session["pending"].append([word, path[1] if path else ""])

    @staticmethod
    def _answered(session: dict[str, Any], data: str) -> tuple[str, str]:
        pending = session["pending"]
        if data[:3] == "334":  # the login goes on
            return "AUTH", ""
        word, address = pending.pop(0) if pending else ("CONNECT" if session.pop("begun", False) else "", "")
        if word == "MAIL" and data[:1] == "2":
            session["sender"] = address
        elif word == "DATA" and data[:3] == "354":
            pending.insert(0, ["END", ""])
        elif data[:1] == "2" and word in ("RSET", "EHLO"):
            session.pop("sender", None)
        return word, address
