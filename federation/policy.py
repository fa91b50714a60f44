"""With which nodes this one exchanges anything, as its operator has set it."""

from collections.abc import Iterable
from enum import Enum

from safeum_home.errors import Code, Problem
from safeum_home.ids import node_pattern


class Mode(Enum):
    """Who may come at all."""

    OPEN = "open"
    """Everybody but those on the deny list."""
    CLOSED = "closed"
    """Those on the allow list, unless they are on the deny list as well."""
    OFF = "off"
    """Nobody."""


class NodeList:
    """Names of nodes, and `*.` with a domain for all names below it (not the domain itself).

    What stands there without a port is good for all ports of that name. Looking a node up takes as many
    steps as its name has labels, however long the list is.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        """Raises `Problem(invalid_node_name)`."""
        self._patterns = frozenset(map(node_pattern, patterns))

    def __contains__(self, node: str) -> bool:
        host = node.partition(":")[0]
        if node in self._patterns or host in self._patterns:
            return True
        _, dot, domain = host.partition(".")
        while dot:
            if f"*.{domain}" in self._patterns:
                return True
            _, dot, domain = domain.partition(".")
        return False


class Policy:
    """The rule for nodes, in the written form of their names (`ids.node_name`)."""

    def __init__(self, own: str, mode: Mode, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> None:
        """`own` is this node, which is no other node to itself. Raises `Problem(invalid_node_name)`."""
        self._own = own
        self._mode = mode
        self._allow = NodeList(allow)
        self._deny = NodeList(deny)

    @property
    def is_off(self) -> bool:
        """Whether nothing is exchanged with anybody."""
        return self._mode is Mode.OFF

    def allows(self, node: str) -> bool:
        """Whether anything is exchanged with a node."""
        if node == self._own or self._mode is Mode.OFF or node in self._deny:
            return False
        return self._mode is Mode.OPEN or node in self._allow

    def check(self, node: str) -> None:
        """Raises `Problem(federation_refused)`, which does not say on which list a node is."""
        if not self.allows(node):
            raise Problem(Code.FEDERATION_REFUSED)
