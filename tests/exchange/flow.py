"""Describes a flow step by step and writes the tracking logs that its servers would write of it.

A `Flow` holds the logs of all servers and a clock that each row moves on; a `Copy` is one message in the queue of one
transport service, under its internal-message-id. Steps are named for what happens, not for the rows they write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.exchange.writer import (
    AGENT_COLUMNS,
    CONNECTIVITY_COLUMNS,
    CONTEXT,
    EX01,
    EX02,
    PROTOCOL_COLUMNS,
    Log,
    Message,
    Values,
    accepted,
    between,
)

Server = dict[str, str]

EDGE = {"ip": "192.0.2.20", "name": "EDGE01.contoso.example"}
GATEWAY = {"ip": "192.0.2.10", "name": "gw.contoso.example"}
FABRIKAM = {"ip": "203.0.113.50", "name": "mx.fabrikam.example"}
STRANGER = {"ip": "203.0.113.9", "name": "mail.fabrikam.example"}

OK = "250 2.1.5 Recipient OK"
INTRA = "Intra-Organization SMTP Send Connector"
BEGIN = datetime(2026, 11, 24, 9, tzinfo=UTC)


def short(server: Server) -> str:
    """A server's name as its folder has it."""
    return server["name"].partition(".")[0].lower()


@dataclass
class Flow:
    """The logs of all servers."""

    logs: dict[tuple[str, str], Log] = field(default_factory=dict)
    now: float = 0.0
    """Seconds since 09:00."""
    last_id: int = 64712272257892
    sessions: int = 0
    spoken: dict[str, int] = field(default_factory=dict)
    """Number of the last row of a protocol log, by session."""

    def stamp(self, at: float) -> str:
        """A time as the logs write it."""
        return (BEGIN + timedelta(seconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def wait(self, seconds: float) -> None:
        """Nothing happens for a while."""
        self.now += seconds

    def new_id(self) -> int:
        """The next internal-message-id."""
        self.last_id += 1
        return self.last_id

    def session(self) -> str:
        """The id of a new SMTP session: 16 hexadecimal digits."""
        self.sessions += 1
        return f"08DA9A5F1E01{self.sessions:04X}"

    def row(self, server: Server, prefix: str, source: str, event_id: str, values: Values, **cells: str) -> None:
        """A row in one of a server's logs, a tenth of a second after the last one."""
        self.now = round(self.now + 0.1, 3)
        log = self.logs.setdefault((short(server), prefix), Log(prefix))
        log.add(self.stamp(self.now), source, event_id, values, **cells)

    def agent(self, server: Server, session: str, peer: Server, **cells: str) -> None:
        """A row in a server's agent log, a tenth of a second after the last one."""
        self.now = round(self.now + 0.1, 3)
        log = self.logs.setdefault((short(server), "AGENTLOG"), Log("AGENTLOG", AGENT_COLUMNS, kind="Agent Log"))
        log.put(Timestamp=self.stamp(self.now), SessionId=session, LocalEndpoint=f"{server['ip']}:25",
                RemoteEndpoint=f"{peer['ip']}:56026", EnteredOrgFromIP=peer["ip"], **cells)

    def said(self, server: Server, session: str, peer: Server, *lines: tuple[str, str]) -> None:
        """Rows of a session in a server's receive protocol log: (sign, text), a hundredth of a second apart."""
        name = server["name"].partition(".")[0]
        self._spoken("RECV", "SMTP Receive Protocol Log", rf"{name}\Default Frontend {name}", server, session,
                     f"{server['ip']}:25", f"{peer['ip']}:56026", lines)

    def sent(self, server: Server, session: str, peer: Server, *lines: tuple[str, str]) -> None:
        """The same in a server's send protocol log; what the server remarks (`*`) stands in the last column."""
        self._spoken("SEND", "SMTP Send Protocol Log", "To the Internet", server, session, f"{server['ip']}:41000",
                     f"{peer['ip']}:25", lines)

    def _spoken(self, prefix: str, kind: str, connector: str, server: Server, session: str, local: str, remote: str,
                lines: Sequence[tuple[str, str]]) -> None:
        log = self.logs.setdefault((short(server), prefix), Log(prefix, PROTOCOL_COLUMNS, kind=kind))
        for sign, text in lines:
            number = self.spoken[session] = self.spoken.get(session, -1) + 1
            self.now = round(self.now + 0.01, 3)
            log.put(date_time=self.stamp(self.now), connector_id=connector, session_id=session,
                    sequence_number=str(number), local_endpoint=local, remote_endpoint=remote, event=sign,
                    **({"context": text} if sign == "*" else {"data": text}))

    def connected(self, server: Server, next_hop: str, *rows: tuple[str, str], source: str = "SMTP") -> None:
        """Rows of a connection in a server's connectivity log: (sign, text), a second apart."""
        kind = "Transport Connectivity Log"
        log = self.logs.setdefault((short(server), "CONNECTLOG"), Log("CONNECTLOG", CONNECTIVITY_COLUMNS, kind=kind))
        session = self.session()
        for sign, text in rows:
            self.now = round(self.now + 1, 3)
            log.put(date_time=self.stamp(self.now), session=session, source=source, Destination=next_hop,
                    direction=sign, description=text)

    def from_mailbox(self, message: Message, server: Server, client: str = "MOMT", ip: str = "198.51.100.7") -> Copy:
        """Somebody sends it from a mailbox on this server."""
        context = CONTEXT.format(client=client)
        self.row(server, "MSGTRKMS", "STOREDRIVER", "NOTIFYMAPI", {}, source_context=context)
        own = message.values(900 + self.new_id() % 100)
        here = between(server, server)
        self.row(server, "MSGTRKMS", "STOREDRIVER", "RECEIVE", own, **here, source_context=context,
                 recipient_status=";".join("To" for _ in message.recipients), original_client_ip=ip,
                 directionality="Originating")
        copy = self.arrived(message, server, server, original_ip=ip, directionality="Originating")
        self.row(server, "MSGTRKMS", "STOREDRIVER", "SUBMIT", own, **here, source_context=context,
                 message_info=f"{self.stamp(0)};LSRV={server['name']}:TOTAL-SUB=0.300|SA=0.128|MTSS-PEN=0.000")
        return copy

    def arrived(self, message: Message, client: Server, server: Server, *, original_ip: str = "",
                connector: str = "", directionality: str = "Incoming", internal_id: int | None = None,
                recipients: Sequence[str] | None = None) -> Copy:
        """It comes in over SMTP."""
        copy = Copy(self, server, message, internal_id or self.new_id(), list(recipients or message.recipients))
        name = server["name"].partition(".")[0]
        copy.row("SMTP", "RECEIVE", **between(client, server), connector_id=connector or rf"{name}\Default {name}",
                 source_context=f"{self.session()};{self.stamp(self.now)};0", original_client_ip=original_ip,
                 directionality=directionality)
        return copy

    def write(self, folder: Path) -> None:
        """Write every log: one folder a server."""
        for (server, _), log in self.logs.items():
            (folder / server).mkdir(parents=True, exist_ok=True)
            log.write(folder / server)


@dataclass
class Copy:
    """One message in the queue of one transport service."""

    flow: Flow
    server: Server
    message: Message
    id: int
    recipients: list[str]

    def row(self, source: str, event_id: str, recipients: Sequence[str] | None = None, **cells: str) -> None:
        """A row of the transport service about this copy."""
        values = self.message.values(self.id, self.recipients if recipients is None else recipients)
        self.flow.row(self.server, "MSGTRK", source, event_id, values, **cells)

    def own_row(self, source: str, event_id: str, recipients: Sequence[str] | None = None, **cells: str) -> None:
        """A row about what the service itself did: it names its server as client only."""
        self.row(source, event_id, recipients, client_hostname=self.server["name"].partition(".")[0], **cells)

    def send(self, server: Server, recipients: Sequence[str] | None = None, connector: str = INTRA) -> Copy:
        """It goes to another Exchange server."""
        these, id = list(recipients or self.recipients), self.flow.new_id()
        there = self.flow.arrived(self.message, self.server, server, internal_id=id, recipients=these)
        self.row("SMTP", "SEND", these, **between(self.server, server), connector_id=connector,
                 source_context=f"{self.flow.session()};{accepted(self.message, id, server)}",
                 recipient_status=";".join(OK for _ in these), message_info=self._latency("TOTAL-HUB=0.400|SMR=0.100"))
        return there

    def send_out(self, peer: Server, reply: str, connector: str = "To the Internet", event_id: str = "SENDEXTERNAL",
                 recipients: Sequence[str] | None = None) -> None:
        """It goes to a server that is none of ours."""
        these = list(recipients or self.recipients)
        self.row("SMTP", event_id, these, **between(self.server, peer), connector_id=connector,
                 source_context=f"{self.flow.session()};{reply}", recipient_status=";".join(OK for _ in these),
                 message_info=self._latency("TOTAL-HUB=0.500|SMSC=0.200"))

    def deliver(self, recipients: Sequence[str] | None = None, event_id: str = "DELIVER") -> None:
        """It goes into mailboxes on this server."""
        these = list(recipients or self.recipients)
        here = between(self.server, self.server)
        self.flow.row(self.server, "MSGTRKMD", "STOREDRIVER", event_id,
                      self.message.values(self.flow.new_id() % 1000, these), **here,
                      source_context=f"{self.flow.session()};{self.flow.stamp(self.flow.now)};"
                                     f"ClientSubmitTime:{self.flow.stamp(0)}",
                      message_info=self._latency("TOTAL-DEL=0.200|SDD=0.150"))
        self.row("SMTP", "SEND", these, **here, connector_id=INTRA,
                 source_context=f"250 2.0.0 OK;ClientSubmitTime:{self.flow.stamp(0)}",
                 recipient_status=";".join(OK for _ in these), message_info=self._latency("TOTAL-HUB=0.300|CAT=0.100"))

    def _latency(self, parts: str) -> str:
        return f"{self.flow.stamp(0)};LSRV={self.server['name']}:{parts}"

    def expand(self, group: str, members: Sequence[str]) -> None:
        """A group gives way to its members."""
        self.own_row("ROUTING", "EXPAND", members, related_recipient_address=group,
                     recipient_status=";".join("250 2.1.5 RESOLVER.GRP.Expanded; distribution list expanded"
                                               for _ in members))
        self.recipients = [*(r for r in self.recipients if r != group), *members]

    def resolve(self, old: str, new: str) -> None:
        """A recipient's address gives way to that of the directory."""
        self.own_row("ROUTING", "RESOLVE", [new], related_recipient_address=old)
        self.recipients = [new if r == old else r for r in self.recipients]

    def redirect(self, old: str, new: str) -> None:
        """A recipient's mail goes to somebody else."""
        self.own_row("ROUTING", "REDIRECT", [old], related_recipient_address=new)
        self.recipients = [new if r == old else r for r in self.recipients]

    def fork(self, recipients: Sequence[str]) -> Copy:
        """Some recipients go on in a copy."""
        copy = replace(self, id=self.flow.new_id(), recipients=list(recipients))
        copy.own_row("ROUTING", "TRANSFER", reference=str(self.id), source_context="Resolver")
        self.recipients = [r for r in self.recipients if r not in recipients]
        return copy

    def defer(self, source: str, status: str, recipients: Sequence[str] | None = None, **cells: str) -> None:
        """It is put off."""
        these = list(recipients or self.recipients)
        self.own_row(source, "DEFER", these, recipient_status=";".join(status for _ in these), **cells)

    def fail(self, source: str, status: str, recipients: Sequence[str] | None = None, *,
             report: Message | None = None) -> Copy | None:
        """It fails for good; with a report, which the sender gets, when one is given."""
        these = list(recipients or self.recipients)
        self.own_row(source, "FAIL", these, recipient_status=";".join(status for _ in these),
                     reference=report.message_id if report else "")
        return self.report(report) if report else None

    def report(self, report: Message) -> Copy:
        """The server writes a report about it."""
        copy = Copy(self.flow, self.server, report, self.flow.new_id(), report.recipients)
        copy.row("DSN", "DSN", server_hostname=self.server["name"].partition(".")[0],
                 reference=self.message.message_id)
        return copy

    def shadow(self, other: Server) -> int:
        """Another server keeps a copy, in case this one is lost; gives that copy's id."""
        id = self.flow.new_id()
        there = replace(self, server=other, id=id)
        there.row("SMTP", "HARECEIVE", **between(self.server, other), source_context=self.flow.session())
        self.row("SMTP", "HAREDIRECT", server_hostname=self.server["name"].partition(".")[0],
                 source_context=f"{other['name']}=250 2.6.0 {self.message.message_id} "
                                f"[InternalId={other['name']}, Hostname={id}] Queued mail for redundancy")
        return id


def bounce(about: Message, server: Server, name: str = "n.1") -> Message:
    """The report that a server writes to the sender of a message."""
    return Message("postmaster@contoso.example", [about.sender], f"<{name}@{server['name'].lower()}>",
                   "77777777-1111-4222-8333-08da9a5f2b02", f"Undeliverable: {about.subject}", 9000, return_path="<>")


__all__ = ["EDGE", "EX01", "EX02", "FABRIKAM", "GATEWAY", "STRANGER", "Copy", "Flow", "bounce", "short"]
