"""Which nodes this one has to do with, in either direction: `[federation]` of the configuration."""

from collections.abc import Iterable

from safeum_home.config import FederationSection


class Admission:
    """Answers for nodes in their written form (`ids.node_name`)."""

    def __init__(self, section: FederationSection) -> None:
        self._mode = section.mode
        self._allowed = _Names(section.allow)
        self._denied = _Names(section.deny)

    def allows(self, node: str) -> bool:
        """Whether requests to and from `node` are allowed. Denied is denied, whatever else is allowed."""
        # Whoever is at another port of a host that is denied is at that host.
        if self._mode == "off" or node in self._denied or node.partition(":")[0] in self._denied:
            return False
        return self._mode == "open" or node in self._allowed


class _Names:
    """Names, and `*.DOMAIN` for all below a domain, at any port."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._exact = frozenset(patterns)
        self._below = tuple(pattern[1:] for pattern in self._exact if pattern.startswith("*."))

    def __contains__(self, node: str) -> bool:
        host = node.partition(":")[0]
        return node in self._exact or node.endswith(self._below) or host.endswith(self._below)
