"""Calls across nodes: what is said to the other half at another node, and what comes from there."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from itertools import count
from typing import Any, NamedTuple

import msgspec

from safeum_home.calls.hearing import Hearing
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports.calls import Line
from safeum_home.protocol.federation.calls import CALL, ELSEWHERE, End, Spoken, Word
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.people import content

LIVES = 20.0
"""Seconds for which it is of any use to say something."""
MOST_OCTETS, MOST_OCTETS_OF_NODE = 64 * 1024 * 1024, 8 * 1024 * 1024
"""What may wait to be said, in all and to one node: beyond that it is said that it cannot be."""
_BESIDES = 512
"""Octets that a word has besides what it says, about."""


Tell = Callable[[str, str, Hashable], bool]


class _Waiting(NamedTuple):
    node: str
    sender: AccountId
    word: Word
    until: float
    size: int


class LineElsewhere:
    """`ports.calls.Line` to other nodes: words wait by their numbers until they are told."""

    def __init__(self, seconds: Callable[[], float], tell: Tell) -> None:
        """`tell` is as `ports.Peers.tell_now`."""
        self._seconds = seconds
        self._tell = tell
        self._numbers = count(1)
        self._waiting: OrderedDict[int, _Waiting] = OrderedDict()
        self._octets: dict[str, int] = {}
        self._all = 0

    def say(self, sender: AccountId, word: Word) -> bool:
        node, size = node_of(word.to), _BESIDES + len(getattr(word, "data", ""))
        now = self._seconds()
        while self._waiting and (first := next(iter(self._waiting.items())))[1].until <= now:
            self._take(first[0])
        if not self.has_room(node, size):
            return False
        number = next(self._numbers)
        self._waiting[number] = _Waiting(node, sender, word, now + LIVES, size)
        self._octets[node] = self._octets.get(node, 0) + size
        self._all += size
        if not self._tell(node, CALL, number):
            self._take(number)
            return False
        return True

    def has_room(self, node: str, size: int) -> bool:
        """Whether so many octets more may wait."""
        return self._all + size <= MOST_OCTETS and self._octets.get(node, 0) + size <= MOST_OCTETS_OF_NODE

    def events(self, node: str, numbers: Sequence[int]) -> list[Event]:
        """What waits under some numbers, to be told now."""
        found = (self._take(number) for number in numbers)
        return [self._event(each) for each in found if each is not None and each.node == node]

    def lost(self, node: str) -> None:
        """What waits for a node is lost."""
        for number in [number for number, each in self._waiting.items() if each.node == node]:
            self._take(number)

    def _event(self, waiting: _Waiting) -> Event:
        at = int(self._seconds() * 1000)
        return new_event(CALL, waiting.sender, at, msgspec.to_builtins(Spoken(waiting.word)))

    def _take(self, number: int) -> _Waiting | None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            self._all -= waiting.size
            self._octets[waiting.node] -= waiting.size
            if not self._octets[waiting.node]:
                del self._octets[waiting.node]
        return waiting


class Lines:
    """`ports.calls.Line`: the one that leads to who is spoken to."""

    def __init__(self, node: str, elsewhere: Line) -> None:
        self._node = node
        self._elsewhere = elsewhere
        self.here: Callable[[AccountId, Word], None] = lambda sender, word: None
        """Hears what is said within the node."""

    def say(self, sender: AccountId, word: Word) -> bool:
        if node_of(word.to) != self._node:
            return self._elsewhere.say(sender, word)
        self.here(sender, word)
        return True


class CallKind:
    """`ports.ExpiringKind` `call`. A subject is the number of a word."""

    type = CALL
    lives = LIVES
    turn = 0.0

    def __init__(self, node: str, line: LineElsewhere, hearing: Hearing) -> None:
        self._node = node
        self._line = line
        self._hearing = hearing

    def build(self, node: str, subjects: Sequence[Any]) -> Sequence[Event]:
        return self._line.events(node, subjects)

    async def apply(self, node: str, event: Event) -> None:
        """Nobody speaks for accounts of others, and to none but ours."""
        word = content(event, Spoken).word
        if node_of(event.sender) != node or node_of(word.to) != self._node:
            raise Problem(Code.WRONG_SENDER_NODE)
        if isinstance(word, End) and word.reason in ELSEWHERE:
            raise Problem(Code.MALFORMED_EVENT)
        await self._hearing.hear_foreign(AccountId(event.sender), word)

    def lost(self, node: str) -> None:
        self._line.lost(node)
        self._hearing.lost(node)

    def back(self, node: str) -> None:
        self._hearing.back(node)
