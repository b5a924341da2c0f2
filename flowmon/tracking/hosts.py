"""What is known of hosts: names and addresses that mean one of ours, what each does, and our domains.

Learnt from certain links and from deliveries into mailboxes; the configuration comes first.
"""

from __future__ import annotations

import re
from collections.abc import Set
from functools import cached_property

import msgspec

from flowmon.config import Config
from flowmon.model.words import Direction, Role, Scenario
from flowmon.tracking.replies import peer_names


def is_own(domain: str, own: Set[str]) -> bool:
    """Whether a domain is one of ours, or below one."""
    while domain:
        if domain in own:
            return True
        domain = domain.partition(".")[2]
    return False


_SHORT = re.compile(r"[.\[ ]")
_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


class HostFacts(msgspec.Struct):
    """What the logs of one host showed."""

    mailbox: int = 0
    """Deliveries into mailboxes, and messages sent from them."""
    filtered: int = 0
    """Verdicts of filters."""
    composed: int = 0
    """Messages made on the host itself, by scripts and users."""
    taken: int = 0
    """Messages that other hosts handed in."""


class KnownHosts(msgspec.Struct, dict=True):
    """The hosts of a run. Encoded into the store as it is."""

    aliases: dict[str, str] = {}
    """Name or address as others log it, to the host's own name."""
    shared: set[str] = set()
    """Names and addresses that were seen to lead to several hosts (a name with several addresses, a balancer)."""
    hosts: dict[str, HostFacts] = {}
    ahead: dict[str, float] = {}
    """By "sender receiver": how far the receiver's clock was ahead when it took the last message, in seconds."""
    domains: set[str] = set()
    """Domains that mailboxes were delivered to."""
    roles: dict[str, Role] = {}
    """From the configuration."""
    configured: set[str] = set()
    """Our domains from the configuration; when given, nothing is learnt."""
    partners: set[str] = set()

    learnt: int = 0
    """Grows with all that may join hops which were strangers before."""

    @cached_property
    def doubted(self) -> set[str]:
        """Domains of peers that have the short name of one of our hosts. Not encoded."""
        return set()

    @cached_property
    def scenarios(self) -> dict[tuple[str | None, str | frozenset[str]], tuple[Scenario, Direction]]:
        """(domain of the sender, domain or domains of the recipients) to what `classify` found for them.

        Not encoded, and forgotten when a domain turns out to be ours.
        """
        return {}

    def configure(self, config: Config) -> None:
        """Take what the configuration says of domains and hosts: it comes before what is learnt."""
        self.configured = {d.lower() for d in config.domains}
        self.partners = {d.lower() for d in config.partners}
        self.roles = {name.lower(): host.role for name, host in config.hosts.items() if host.role is not None}
        for name, host in config.hosts.items():
            for alias in host.aliases:
                self.aliases[alias.lower()] = name.lower()
        self.scenarios.clear()

    def host_of(self, peer: str | None) -> str | None:
        """Which of our hosts a logged peer is, by what was learnt or configured, else by its short name.

        The short name of a peer in a foreign domain says nothing: every organisation has an mx1.
        """
        if peer is None:
            return None
        if self.aliases:
            for name in reversed(peer_names(peer)):  # the address first: many hosts may share one name
                host = self.aliases.get(name)
                if host is not None and name not in self.shared:
                    return host
        short = peer[: peer.find(".")].lower()  # quick for what most are: a name in a domain
        if "[" in short or " " in short or "." not in peer:
            short = _SHORT.split(peer, 1)[0].lower()
        if short not in self.hosts or short.isdigit():
            return None
        names = peer_names(peer)
        domain = names[0].partition(".")[2] if names else ""
        if not domain or is_own(domain, self.own()):
            return short
        self.doubted.add(domain)
        return None

    def takes(self, peer: str | None, sender: str) -> bool:
        """Whether a logged peer is another host of ours than `sender`, whose lines will tell of what it took."""
        if len(self.hosts) == 1 and sender in self.hosts and not self.aliases:
            return False  # there is no other
        return self.host_of(peer) not in (None, sender)

    def may_be(self, peer: str | None, host: str) -> bool | None:
        """Whether a logged peer is this host: True, False when it is known to be another, None when unknown.

        A short name alone speaks for a host, never against it: log hosts may be named as they like.
        """
        for name in reversed(peer_names(peer)):
            known = self.aliases.get(name)
            if known is not None and name not in self.shared:
                return known == host
        return True if self.host_of(peer) == host else None

    def learn(self, peer: str | None, host: str) -> None:
        """A certain link showed that this name and address are that host."""
        for name in peer_names(peer):
            have = self.aliases.get(name)
            if have == host or name in _LOCAL or name in self.shared:
                continue
            if have is None:
                self.aliases[name] = host
            else:
                self.shared.add(name)
            self.learnt += 1

    def clocks(self, sender: str, receiver: str, ahead: float) -> None:
        """Note how far the clock of a host was ahead of the one that handed it mail, in seconds."""
        self.ahead[f"{sender} {receiver}"] = ahead

    def see(self, host: str) -> None:
        """Note that the logs tell of a host."""
        if host not in self.hosts:
            self.hosts[host] = HostFacts()
            self.learnt += 1

    def mailbox(self, host: str, recipient: str) -> str | None:
        """Note a delivery into a mailbox; gives the domain when it was not known as ours before."""
        facts = self.hosts.get(host)
        if facts is None:
            facts = self.hosts[host] = HostFacts()
        facts.mailbox += 1
        domain = recipient[recipient.rfind("@") + 1 :]
        if domain in self.domains:
            return None
        domain = domain.lower()
        if not domain or self.configured or domain in self.domains or "@" not in recipient:
            return None
        self.domains.add(domain)
        self.scenarios.clear()
        self.learnt += any(is_own(doubted, {domain}) for doubted in self.doubted)
        return domain

    def submitted(self, host: str) -> None:
        """Note that a message was sent from a mailbox on this host."""
        facts = self.hosts.get(host)
        if facts is not None:
            facts.mailbox += 1

    def filtered(self, host: str) -> None:
        """Note that a filter works on this host."""
        facts = self.hosts.get(host)
        if facts is not None:
            facts.filtered += 1

    def arrived(self, host: str, *, here: bool) -> None:
        """Note how a message came to this host: made `here`, or handed in by another."""
        facts = self.hosts.get(host)
        if facts is not None:
            facts.composed += here
            facts.taken += not here

    def own(self) -> Set[str]:
        """Our domains: the configured ones, else those learnt."""
        return self.configured or self.domains

    def role(self, host: str) -> Role | None:
        """What a host is for."""
        if host in self.roles:
            return self.roles[host]
        facts = self.hosts.get(host)
        if facts is None:
            return None
        if facts.mailbox:
            return Role.SERVER
        if facts.filtered:
            return Role.GATEWAY
        return Role.CLIENT if facts.composed and not facts.taken else Role.RELAY
