"""SMTP dialogues put together again from rows that each hold one line of a session, by the session's id.

Sessions stand mixed in one log. A row that replies gets what it replies to: the command, and what the session said
before (sender, recipient, login). Commands that were sent at once are answered in their order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

TOLD = ("answers", "sender", "recipient", "login", "helo", "server", "peer", "proxied")
"""The columns that a row gains: the command answered (RCPT, CONNECT, ...; "" for one before the log began), the
session's words, `server` before the backslash of
the connector, `peer` as `[address]`, and `yes` where another server of ours passed the session on."""

SESSIONS_KEPT = 20_000
_PENDING_KEPT = 200
_PATH = re.compile(r"(?:MAIL FROM|RCPT TO): ?<([^>]*)>", re.IGNORECASE)
_LOGIN = re.compile(r"User Name: (\S+)")
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

    def told(self, record: Sequence[Any]) -> list[str]:
        """What the session tells of a row: one text for each of TOLD."""
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
        elif event == "*" and (found := _LOGIN.search(f"{data} {record[self._context]}")):
            session["login"] = found[1]
        elif event == "+":
            session["begun"] = True
        elif event == "-":
            self.open.pop(id, None)
        sender = address if answers == "MAIL" else before
        peer = str(record[self._remote]).rpartition(":")[0].strip("[]")
        server, slash, _ = str(record[self._connector]).partition("\\")
        recipient = address if answers == "RCPT" else ""
        return [answers, sender, recipient, session.get("login", ""), session.get("helo", ""),
                server if slash else "", f"[{peer}]" if peer else "", session.get("proxied", "")]

    @staticmethod
    def _said(session: dict[str, Any], data: str) -> None:
        verb, _, rest = data.partition(" ")
        verb = verb.upper().partition(":")[0]
        if verb.startswith("XPROXY"):
            session["proxied"] = "yes"
        word = _WORDS.get(verb, "OTHER")
        if word == "EHLO":
            session["helo"] = rest.strip()
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
