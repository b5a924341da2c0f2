"""Writes message tracking logs as Exchange does, field by field: a made-up flow, in any of its column sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

COLUMNS_30 = (
    "date-time", "client-ip", "client-hostname", "server-ip", "server-hostname", "source-context", "connector-id",
    "source", "event-id", "internal-message-id", "message-id", "network-message-id", "recipient-address",
    "recipient-status", "total-bytes", "recipient-count", "related-recipient-address", "reference", "message-subject",
    "sender-address", "return-path", "message-info", "directionality", "tenant-id", "original-client-ip",
    "original-server-ip", "custom-data", "transport-traffic-type", "log-id", "schema-version",
)
COLUMNS_27 = COLUMNS_30[:27]
COLUMNS_26 = tuple(name for name in COLUMNS_27 if name != "network-message-id")
AGENT_COLUMNS = (
    "Timestamp", "SessionId", "LocalEndpoint", "RemoteEndpoint", "EnteredOrgFromIP", "MessageId", "P1FromAddress",
    "P2FromAddresses", "Recipient", "NumRecipients", "Agent", "Event", "Action", "SmtpResponse", "Reason", "ReasonData",
)
PROTOCOL_COLUMNS = (
    "date-time", "connector-id", "session-id", "sequence-number", "local-endpoint", "remote-endpoint", "event", "data",
    "context",
)
CONNECTIVITY_COLUMNS = ("date-time", "session", "source", "Destination", "direction", "description")
VERSIONS = {30: "15.02.1544.004", 27: "15.00.1497.002", 26: "14.03.0513.000"}

Values = dict[str, str]


def quoted(value: str) -> str:
    """A value as the log writes it."""
    return '"' + value.replace('"', '""') + '"' if any(sign in value for sign in ',"\n') else value


def row(values: Values, columns: Sequence[str] = COLUMNS_30) -> str:
    """One row. Unknown columns are a mistake of the test."""
    unknown = set(values) - set(COLUMNS_30)
    if unknown:
        raise KeyError(f"no such column: {sorted(unknown)}")
    return ",".join(quoted(values.get(name, "")) for name in columns)


@dataclass
class Message:
    """What stays the same in all rows of a message."""

    sender: str
    recipients: list[str]
    message_id: str = "<7f3a.1@ex01.contoso.example>"
    network_message_id: str = "5b0c6a1e-77aa-4c1d-9d0e-08da9a5f1e01"
    subject: str = "Quarterly figures"
    size: int = 8123
    return_path: str | None = None
    """None: as the sender."""

    def values(self, internal_id: int | str, recipients: Iterable[str] | None = None) -> Values:
        """The columns that tell of the message; `recipients` only those of the row."""
        these = list(self.recipients if recipients is None else recipients)
        return {
            "internal-message-id": str(internal_id), "message-id": self.message_id,
            "network-message-id": self.network_message_id, "recipient-address": ";".join(these),
            "total-bytes": str(self.size), "recipient-count": str(len(these)), "message-subject": self.subject,
            "sender-address": self.sender, "return-path": self.sender if self.return_path is None else self.return_path,
        }


@dataclass
class Log:
    """One tracking log of one service of one server."""

    prefix: str = "MSGTRK"
    columns: Sequence[str] = COLUMNS_30
    bom: bool = True
    crlf: bool = True
    rows: list[str] = field(default_factory=list)
    kind: str = "Message Tracking Log"

    def put(self, **values: str) -> None:
        """Add a row of another log than the tracking log. Columns are named with underscores for dashes."""
        cells = {name.replace("_", "-"): value for name, value in values.items()}
        unknown = set(cells) - set(self.columns)
        if unknown:
            raise KeyError(f"no such column: {sorted(unknown)}")
        self.rows.append(",".join(quoted(cells.get(name, "")) for name in self.columns))

    def add(self, at: str, source: str, event_id: str, message: Values | None = None, **values: str) -> None:
        """Add a row. Columns are named with underscores for dashes."""
        cells = {"date-time": at, "source": source, "event-id": event_id, **(message or {})}
        cells.update({name.replace("_", "-"): value for name, value in values.items()})
        self.rows.append(row(cells, self.columns))

    def header(self) -> str:
        """Add the header that a service writes when it begins a file or starts again; gives the `#Fields` line."""
        self.rows += self._header()
        return self.rows[-1]

    def _header(self) -> list[str]:
        version = VERSIONS.get(len(self.columns), VERSIONS[30])
        return [
            "#Software: Microsoft Exchange Server", f"#Version: {version}", f"#Log-type: {self.kind}",
            "#Date: 2026-11-24T09:00:00.000Z", "#Fields: " + ",".join(self.columns),
        ]

    def data(self) -> bytes:
        """The whole file."""
        end = "\r\n" if self.crlf else "\n"
        text = "".join(line + end for line in [*self._header(), *self.rows])
        return (b"\xef\xbb\xbf" if self.bom else b"") + text.encode()

    def write(self, folder: Path) -> Path:
        """Write it under the name that the service gives."""
        path = folder / f"{self.prefix}2026112409-1.LOG"
        path.write_bytes(self.data())
        return path


EX01 = {"ip": "192.0.2.11", "name": "EX01.contoso.example"}
EX02 = {"ip": "192.0.2.12", "name": "EX02.contoso.example"}
CONTEXT = (
    "MDB:11111111-2222-4333-8444-555555555555, Mailbox:66666666-7777-4888-9999-000000000000, Event:4711, "
    "MessageClass:IPM.Note, CreationTime:2026-11-24T09:00:00.100Z, ClientType:{client}"
)


def between(client: dict[str, str], server: dict[str, str]) -> dict[str, str]:
    """The four columns of a connection."""
    return {
        "client_ip": client["ip"], "client_hostname": client["name"],
        "server_ip": server["ip"], "server_hostname": server["name"],
    }


def accepted(message: Message, internal_id: int, server: dict[str, str]) -> str:
    """The reply of an Exchange server that takes a message."""
    return (
        f"250 2.6.0 {message.message_id} [InternalId={internal_id}, Hostname={server['name']}] "
        "11071 bytes in 0.161, 67,114 KB/sec Queued mail for delivery"
    )


def mailbox_to_mailbox(message: Message) -> dict[str, Log]:
    """A message from a mailbox on EX01 to mailboxes on EX02, in the four logs that tell of it (server and prefix)."""
    logs = {f"{server}/{prefix}": Log(prefix) for server, prefix in (
        ("ex01", "MSGTRKMS"), ("ex01", "MSGTRK"), ("ex02", "MSGTRK"), ("ex02", "MSGTRKMD"))}
    context = CONTEXT.format(client="OWA")
    submission, hub, other, delivery = logs.values()
    here, across, there = between(EX01, EX01), between(EX01, EX02), between(EX02, EX02)
    submission.add("2026-11-24T09:00:00.120Z", "STOREDRIVER", "NOTIFYMAPI", source_context=context)
    own = message.values(901)
    submission.add("2026-11-24T09:00:00.200Z", "STOREDRIVER", "RECEIVE", own, **here, source_context=context,
                   recipient_status=";".join("To" for _ in message.recipients), original_client_ip="198.51.100.7")
    submission.add("2026-11-24T09:00:00.410Z", "STOREDRIVER", "SUBMIT", own, **here, source_context=context)
    own = message.values(64712272257893)
    hub.add("2026-11-24T09:00:00.300Z", "SMTP", "HAREDIRECT", own, server_hostname="EX01",
            source_context="EX02.contoso.example=250 2.6.0 <x> [InternalId=EX02, Hostname=5] Queued for redundancy")
    hub.add("2026-11-24T09:00:00.400Z", "SMTP", "RECEIVE", own, **here, connector_id=r"EX01\Default EX01",
            source_context="08DA9A5F1E01AAAA;2026-11-24T09:00:00.250Z;0", original_client_ip="198.51.100.7")
    hub.add("2026-11-24T09:00:00.450Z", "AGENT", "AGENTINFO", own, client_hostname="EX01",
            custom_data="S:AMA=SUM|action=p|error=|atch=0;S:CompCost=|ETR=0;S:DeliveryPriority=Normal")
    hub.add("2026-11-24T09:00:00.600Z", "SMTP", "SEND", own, **across,
            connector_id="Intra-Organization SMTP Send Connector", source_context=accepted(message, 5501, EX02),
            recipient_status=";".join("250 2.1.5 Recipient OK" for _ in message.recipients))
    own = message.values(5501)
    other.add("2026-11-24T09:00:00.590Z", "SMTP", "RECEIVE", own, **across, connector_id=r"EX02\Default EX02",
              source_context="08DA9A5F1E02BBBB;2026-11-24T09:00:00.500Z;0")
    other.add("2026-11-24T09:00:00.900Z", "SMTP", "SEND", own, **there,
              source_context="250 2.0.0 OK;ClientSubmitTime:2026-11-24T09:00:00.100Z")
    delivery.add("2026-11-24T09:00:00.880Z", "STOREDRIVER", "DELIVER", message.values(33), **there,
                 source_context="08DA9A5F1E03CCCC;2026-11-24T09:00:00.700Z;ClientSubmitTime:2026-11-24T09:00:00.100Z",
                 message_info="2026-11-24T09:00:00.100Z;LSRV=EX02.contoso.example:TOTAL-DEL=0.1")
    return logs
