"""What waits to be said to other nodes: bounded, and who has much to say takes turns with the others."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from safeum_home.ids import AccountId

T = TypeVar("T")
MIB = 1024 * 1024
AT_ONCE = 48 * 1024
"""About so many octets are told together: a request is not much larger, and others come next."""
BESIDES = 512
"""Octets that something has besides what it says, about."""


class Room(NamedTuple):
    """Octets that may wait: in all, for one node, and of one sender.

    Of what is left of all a node gets no more than the half: so there is some for each other one.
    """

    most: int
    of_node: int
    of_sender: int


SIGNALS = Room(64 * MIB, 8 * MIB, 256 * 1024)
"""For what devices say to each other."""


class Bounds:
    """How much of it is taken."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._of_node: Counter[str] = Counter()
        self._of_sender: Counter[AccountId] = Counter()
        self.octets = 0

    def take(self, node: str, sender: AccountId, size: int) -> bool:
        """Whether there was room for so much."""
        most, of_node, of_sender = self._room
        left = min(of_node, most - self.octets)
        if self._of_node[node] + size > left or self._of_sender[sender] + size > of_sender:
            return False
        self._add(node, sender, size)
        return True

    def give_back(self, node: str, sender: AccountId, size: int) -> None:
        self._add(node, sender, -size)

    @property
    def nodes(self) -> list[str]:
        """Those for which something waits."""
        return list(+self._of_node)

    def _add(self, node: str, sender: AccountId, size: int) -> None:
        self.octets += size
        self._of_node[node] += size
        self._of_sender[sender] += size
        if not self._of_node[node]:
            del self._of_node[node]
        if not self._of_sender[sender]:
            del self._of_sender[sender]


class _Item(NamedTuple, Generic[T]):
    what: T
    size: int
    until: float


class Queue(Generic[T]):
    """By node and sender: of each sender in order, one after the other's."""

    def __init__(
        self, seconds: Callable[[], float], lives: float, room: Room, tell: Callable[[str, AccountId], bool]
    ) -> None:
        """What waits for `lives` seconds is of no use any more.

        `tell` says that a sender has something to say to a node: `take` is called when it is its turn. Where
        there will be none it returns False.
        """
        self._seconds = seconds
        self._lives = lives
        self._tell = tell
        self.bounds = Bounds(room)
        self._waiting: dict[str, dict[AccountId, deque[_Item[T]]]] = {}

    def add(self, node: str, sender: AccountId, what: T, size: int) -> bool:
        """Whether it may be told; what is of no use any more makes room."""
        self._next(node, sender)
        if not self.bounds.take(node, sender, size):
            return False
        item = _Item(what, size, self._seconds() + self._lives)
        self._waiting.setdefault(node, {}).setdefault(sender, deque()).append(item)
        return self._go_on(node, sender)

    def take(self, node: str, senders: Iterable[AccountId]) -> list[T]:
        """About as much of it as goes at once. Of whom there is more it is the turn again, in this order."""
        taken: list[T] = []
        turns, octets = deque(senders), AT_ONCE
        while turns and octets > 0:
            item = self._next(node, sender := turns.popleft())
            if item is not None:
                self._drop_first(node, sender)
                taken.append(item.what)
                octets -= item.size
                turns.append(sender)
        for sender in turns:
            if self._next(node, sender) is not None:
                self._go_on(node, sender)
        return taken

    def drop(self, node: str, senders: Iterable[AccountId] | None = None) -> None:
        """Nothing waits for a node any more, or nothing of some."""
        for sender in list(self._waiting.get(node, ()) if senders is None else senders):
            while sender in self._waiting.get(node, ()):
                self._drop_first(node, sender)

    def _go_on(self, node: str, sender: AccountId) -> bool:
        is_told = self._tell(node, sender)
        if not is_told:
            self.drop(node, (sender,))
        return is_told

    def _next(self, node: str, sender: AccountId) -> _Item[T] | None:
        """The first one that is still of use."""
        while (items := self._waiting.get(node, {}).get(sender)) is not None:
            if items[0].until > self._seconds():
                return items[0]
            self._drop_first(node, sender)
        return None

    def _drop_first(self, node: str, sender: AccountId) -> None:
        of_node = self._waiting[node]
        self.bounds.give_back(node, sender, of_node[sender].popleft().size)
        if not of_node[sender]:
            del of_node[sender]
        if not of_node:
            del self._waiting[node]
