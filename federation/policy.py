"""With which nodes this one exchanges anything, as its operator has set it."""

from collections.abc import Iterable
from enum import Enum
from functools import lru_cache

from safeum_home.errors import Code, Problem
from safeum_home.outgoing.host_list import HostList


class Mode(Enum):
    """Who may come at all."""

    OPEN = "open"
    """Everybody but those on the deny list."""
    CLOSED = "closed"
    """Those on the allow list, unless they are on the deny list as well."""
    OFF = "off"
    """Nobody."""


class Policy:
    """The rule for nodes, in the written form of their names (`ids.node_name`)."""

    def __init__(self, own: str, mode: Mode, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> None:
        """`own` is this node, which is no other node to itself. Raises `Problem(invalid_node_name)`."""
        self._own = own
        self._mode = mode
        self._allow = HostList(allow)
        self._deny = HostList(deny)
        self._known = lru_cache(1024)(self._decided)

    @property
    def is_off(self) -> bool:
        """Whether nothing is exchanged with anybody."""
        return self._mode is Mode.OFF

    def allows(self, node: str) -> bool:
        """Whether anything is exchanged with a node; cheap, as it is asked of each message."""
        return self._known(node)

    def check(self, node: str) -> None:
        """Raises `Problem(federation_refused)`, which does not say on which list a node is."""
        if not self.allows(node):
            raise Problem(Code.FEDERATION_REFUSED)

    def _decided(self, node: str) -> bool:
        if node == self._own or self._mode is Mode.OFF or node in self._deny:
            return False
        return self._mode is Mode.OPEN or node in self._allow
