"""`flowmon serve`: the same screens in a browser, each visit with a screen of its own on one store."""

from __future__ import annotations

import ipaddress
import shlex
import socket
import sys
from pathlib import Path

from flowmon.commands import opening
from flowmon.errors import FlowmonError

RISK = (
    "everybody who reaches {address} sees all senders, recipients and subjects, with no password and unencrypted: "
    "put a web server with both before it, or use `ssh -L {port}:localhost:{port} HOST`"
)


def run(
    arguments: list[str], filter_text: str | None, config: Path | None, store: Path | None, *, host: str, port: int,
    theme: str | None,
) -> int:
    """Serve the screens until it is stopped. Gives the exit status."""
    opening.load_config(config)
    opening.read_filter(filter_text)
    try:
        from textual_serve.server import Server
    except ImportError:
        raise FlowmonError(
            "`flowmon serve` needs textual-serve: pip install 'flowmon[web]' (from a checkout: pip install '.[web]')"
        ) from None
    told = "" if is_loopback(host) else RISK.format(address=f"{host}:{port}", port=port)
    if told:
        opening.tell(told)
    _free(host, port)
    opening.tell(f"http://{host}:{port} — stop it with Ctrl+C")
    Server(command(arguments, filter_text, config, store, theme), host=host, port=port, title="flowmon").serve()
    return 0


def command(
    arguments: list[str], filter_text: str | None, config: Path | None, store: Path | None, theme: str | None
) -> str:
    """The command line of one visit's screen, quoted for a shell."""
    words = [sys.executable, "-m", "flowmon.cli"]
    for option, value in (("--filter", filter_text), ("--config", config), ("--store", store), ("--theme", theme)):
        if value is not None:
            words += [option, str(value)]
    return shlex.join([*words, *arguments])


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _free(host: str, port: int) -> None:
    """Raises FlowmonError when the address cannot be listened on."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as fault:
        raise FlowmonError(f"{host}:{port}: cannot be listened on: {fault.strerror or fault}; choose another "
                           "with --host and --port") from None
