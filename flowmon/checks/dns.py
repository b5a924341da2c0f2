"""Asking the DNS about a message: where its domain takes mail, whether the next hop has an address and a name, what the
sender's domain says of who may send for it. Each answer comes in plain words.

Sources: RFC 5321 §5 (MX), RFC 7505 (null MX), RFC 7208 (SPF), RFC 7489 (DMARC), RFC 1912 §2.1 (PTR and address agree).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from flowmon.checks.subject import Subject

LIFETIME_SECONDS = 4.0
"""How long one question may take, with its repetitions."""
_HOSTS_ASKED = 4
"""Mail servers of one domain whose addresses are asked for."""
_SPF_LOOKUPS = 10
"""RFC 7208 §4.6.4: more make a record invalid."""


class Tone(StrEnum):
    """How good an answer is for the mail."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"
    """The DNS did not answer: nothing is known."""


class Finding(msgspec.Struct, frozen=True):
    """One answer."""

    about: str
    """`MX example.com`, `SPF example.com`, ..."""
    tone: Tone
    text: str
    """Plain words, and what to do where something is wrong. Holds what strangers wrote: clean it before it is shown."""


class Resolver(Protocol):
    """What asks the DNS: a dns.asyncresolver.Resolver, or what stands in for one."""

    async def resolve(self, qname: Any, rdtype: str, /) -> Any: ...


class _Failed(Exception):
    """The DNS has no answer. `missing`: it says that there is none; otherwise it did not answer at all."""

    def __init__(self, missing: bool, text: str, *, no_name: bool = False) -> None:
        super().__init__(text)
        self.missing = missing
        self.no_name = no_name


def system_resolver() -> Resolver:
    """The resolver that this host is configured for. Raises OSError when none is."""
    import dns.asyncresolver  # 80 ms: only who asks pays for it
    import dns.resolver

    try:
        resolver = dns.asyncresolver.Resolver()
    except dns.resolver.NoResolverConfiguration as fault:
        raise OSError(f"no name server is configured here (/etc/resolv.conf): {fault}") from None
    resolver.lifetime = LIFETIME_SECONDS
    return resolver


async def check(subject: Subject, resolver: Resolver) -> list[Finding]:
    """Ask all that is worth knowing of a subject, at once. Takes a few seconds at most; never raises for an answer."""
    asked: list[Awaitable[list[Finding]]] = []
    if subject.recipient_domain:
        asked.append(_mail_servers(resolver, subject.recipient_domain))
    if subject.next_hop and subject.next_hop != subject.recipient_domain:
        asked.append(_address(resolver, subject.next_hop))
    if subject.next_address:
        asked.append(_name(resolver, subject.next_address, "the next hop"))
    if subject.client and subject.client != subject.next_address:
        asked.append(_name(resolver, subject.client, "the client"))
    if subject.sender_domain:
        asked += [_spf(resolver, subject.sender_domain), _dmarc(resolver, subject.sender_domain)]
    return [finding for found in await asyncio.gather(*asked) for finding in found]


async def _ask(resolver: Resolver, name: str, kind: str) -> list[Any]:
    """The records of a name. Raises _Failed."""
    import dns.exception
    import dns.resolver

    try:
        async with asyncio.timeout(2 * LIFETIME_SECONDS):
            return list(await resolver.resolve(name, kind))
    except dns.resolver.NXDOMAIN:
        raise _Failed(True, "the name does not exist", no_name=True) from None
    except dns.resolver.NoAnswer:
        raise _Failed(True, f"it has no {kind} record") from None
    except (dns.exception.Timeout, TimeoutError):
        raise _Failed(False, "no name server answered in time") from None
    except dns.resolver.NoNameservers as fault:
        broken = "SERVFAIL" in str(fault)
        raise _Failed(False, "its name servers fail (SERVFAIL: broken zone or DNSSEC)" if broken
                      else "no name server gives an answer") from None
    except (dns.exception.DNSException, OSError) as fault:
        raise _Failed(False, f"it could not be asked for: {type(fault).__name__}") from None


def _unknown(about: str, fault: _Failed) -> Finding:
    return Finding(about, Tone.UNKNOWN, f"{fault}: nothing is known; mail waits while this lasts, try again")


async def _mail_servers(resolver: Resolver, domain: str) -> list[Finding]:
    about = f"MX {domain}"
    try:
        records = sorted(await _ask(resolver, domain, "MX"), key=lambda r: int(r.preference))
    except _Failed as fault:
        if fault.no_name:
            return [Finding(about, Tone.BAD, "the domain does not exist: check how the address is spelt")]
        if not fault.missing:
            return [_unknown(about, fault)]
        return await _without_mx(resolver, domain)
    hosts = [str(r.exchange).rstrip(".").lower() for r in records]
    if hosts == [""]:
        return [Finding(about, Tone.BAD, "the domain says that it takes no mail (null MX)")]
    names = ", ".join(f"{host} ({record.preference})" for host, record in zip(hosts, records, strict=True))
    found = [Finding(about, Tone.GOOD, f"mail goes to {names}")]
    asked = [host for host in dict.fromkeys(hosts) if host][:_HOSTS_ASKED]
    for answers in await asyncio.gather(*(_address(resolver, host) for host in asked)):
        found += answers
    return found


async def _without_mx(resolver: Resolver, domain: str) -> list[Finding]:
    addresses, fault = await _addresses(resolver, domain)
    about = f"MX {domain}"
    if addresses:
        where = ", ".join(addresses)
        return [Finding(about, Tone.WARN, f"the domain has no MX: mail goes to its own address {where}")]
    if fault is not None and not fault.missing:
        return [_unknown(about, fault)]
    return [Finding(about, Tone.BAD, "the domain has neither MX nor address: nobody can send mail there")]


async def _addresses(resolver: Resolver, name: str) -> tuple[list[str], _Failed | None]:
    """IPv4 and IPv6 addresses of a host; the fault when one of the questions had no answer."""
    answers = await asyncio.gather(
        *(_ask(resolver, name, kind) for kind in ("A", "AAAA")), return_exceptions=True
    )
    found: list[str] = []
    fault: _Failed | None = None
    for answer in answers:
        if isinstance(answer, _Failed):
            fault = answer if fault is None or fault.missing else fault
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found += [str(record.address) for record in answer]
    return found, fault


async def _address(resolver: Resolver, host: str) -> list[Finding]:
    addresses, fault = await _addresses(resolver, host)
    about = f"Address {host}"
    if addresses:
        return [Finding(about, Tone.GOOD, ", ".join(addresses))]
    if fault is not None and not fault.missing:
        return [_unknown(about, fault)]
    return [Finding(about, Tone.BAD, "the host has no address: a server that is sent there cannot be reached")]


async def _name(resolver: Resolver, address: str, whose: str) -> list[Finding]:
    """PTR of an address, and whether that name leads back."""
    import dns.reversename

    about = f"PTR {address}"
    try:
        records = await _ask(resolver, str(dns.reversename.from_address(address)), "PTR")
    except _Failed as fault:
        if not fault.missing:
            return [_unknown(about, fault)]
        return [Finding(about, Tone.WARN, f"{whose} has no name: many servers refuse mail from such an address")]
    names = [str(record.target).rstrip(".") for record in records]
    back = await asyncio.gather(*(_addresses(resolver, name) for name in names[:_HOSTS_ASKED]))
    if any(address in addresses for addresses, _ in back):
        return [Finding(about, Tone.GOOD, f"{whose} is {', '.join(names)}, and that name leads back to it")]
    if any(fault is not None and not fault.missing for _, fault in back):
        return [Finding(about, Tone.UNKNOWN, f"{whose} is {', '.join(names)}; whether that leads back is not known")]
    return [Finding(about, Tone.WARN, f"{whose} calls itself {', '.join(names)}, which does not lead back to it: "
                                      "servers that ask for that refuse it")]


async def _texts(resolver: Resolver, name: str, begin: str) -> list[str]:
    """TXT records that begin so."""
    records = await _ask(resolver, name, "TXT")
    texts = [b"".join(record.strings).decode("ascii", "replace") for record in records]
    return [text for text in texts if text.lower().split(" ", 1)[0].split(";", 1)[0].strip() == begin]


async def _spf(resolver: Resolver, domain: str) -> list[Finding]:
    about = f"SPF {domain}"
    try:
        records = await _texts(resolver, domain, "v=spf1")
    except _Failed as fault:
        if not fault.missing:
            return [_unknown(about, fault)]
        records = []
    if not records:
        return [Finding(about, Tone.WARN, "the sender's domain does not say who may send for it (no SPF record)")]
    if len(records) > 1:
        return [Finding(about, Tone.BAD, f"{len(records)} SPF records: receivers take that as an error; leave one")]
    terms = records[0].lower().split()[1:]
    lookups = sum(term.lstrip("+-~?").split(":")[0].split("/")[0].split("=")[0] in _ASKING for term in terms)
    if lookups > _SPF_LOOKUPS:
        return [Finding(about, Tone.BAD, f"{records[0]}: it asks for {lookups} more lookups, ten are allowed")]
    return [Finding(about, Tone.GOOD, f"{records[0]}: {_of_others(terms)}")]


_ASKING = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})


def _of_others(terms: Iterable[str]) -> str:
    """What an SPF record says of servers that it does not name."""
    last = next((t for t in terms if t.lstrip("+-~?") == "all"), None)
    if last is None:
        redirected = next((t for t in terms if t.startswith("redirect=")), None)
        return f"{redirected.partition('=')[2]} decides" if redirected else "of other servers it says nothing"
    return {
        "-": "mail from other servers is to be refused", "~": "mail from other servers is suspicious",
        "?": "of other servers it says nothing",
    }.get(last[0], "any server may send for it, which is no protection")


async def _dmarc(resolver: Resolver, domain: str) -> list[Finding]:
    """The policy of a domain, or of the organisation that it belongs to."""
    above = _organisation(domain)
    for name in dict.fromkeys((domain, above)):
        about = f"DMARC {name}"
        try:
            records = await _texts(resolver, f"_dmarc.{name}", "v=dmarc1")
        except _Failed as fault:
            if not fault.missing:
                return [_unknown(about, fault)]
            continue
        if len(records) > 1:
            return [Finding(about, Tone.BAD, f"{len(records)} DMARC records: receivers ignore them all; leave one")]
        if records:
            tags = dict(tag.strip().lower().partition("=")[::2] for tag in records[0].split(";"))
            policy = tags.get("sp", tags.get("p", "")) if name != domain else tags.get("p", "")
            return [Finding(about, *_POLICIES.get(policy.strip(), (Tone.BAD, f"{records[0]}: it has no valid policy")))]
    return [Finding(f"DMARC {domain}", Tone.WARN, "the sender's domain has no DMARC policy: some providers want one")]


_POLICIES = {
    "none": (Tone.GOOD, "policy none: mail that passes neither SPF nor DKIM is taken all the same"),
    "quarantine": (Tone.GOOD, "policy quarantine: mail that passes neither SPF nor DKIM goes to the spam folder"),
    "reject": (Tone.GOOD, "policy reject: mail that passes neither SPF nor DKIM for this domain is refused"),
}


def _organisation(domain: str) -> str:
    """The domain that somebody registered, by the public suffix list."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList().privatesuffix(domain) or domain
