"""Lists of hosts as an operator writes them."""

from collections.abc import Iterable

from safeum_home.ids import node_pattern


class HostList:
    """Names of hosts, and `*.` with a domain for all names below it (not the domain itself).

    What stands there without a port is good for all ports of that name. Looking a host up takes as many
    steps as its name has labels, however long the list is.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        """Raises `Problem(invalid_node_name)`."""
        self._patterns = frozenset(map(node_pattern, patterns))

    def __contains__(self, name: str) -> bool:
        host = name.partition(":")[0]
        if name in self._patterns or host in self._patterns:
            return True
        _, dot, domain = host.partition(".")
        while dot:
            if f"*.{domain}" in self._patterns:
                return True
            _, dot, domain = domain.partition(".")
        return False
