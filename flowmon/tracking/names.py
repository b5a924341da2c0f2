"""One name for each host: lower case, without its domain, unless the configuration names it otherwise."""

from __future__ import annotations

from flowmon.config import Config


class HostNames:
    """Gives a host its one name, as logs write it in many ways."""

    def __init__(self, config: Config, this_host: str) -> None:
        self._names: dict[str, str] = {}
        for name, host in config.hosts.items():
            self._names[name.lower()] = name.lower()
            for alias in host.aliases:
                self._names[alias.lower()] = name.lower()
        self.this_host = self.name(this_host) or "localhost"

    def name(self, raw: str) -> str:
        """The one name of a host: a configured one, else the short name; an address stays as it is."""
        found = self._names.get(raw)
        if found is None:
            lower = raw.lower().rstrip(".")
            short = lower if lower.replace(".", "").isdigit() or ":" in lower else lower.partition(".")[0]
            found = self._names[raw] = self._names.get(lower) or self._names.get(short) or short
        return found
