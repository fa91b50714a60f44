"""Calls across nodes: what is said to the other half at another node, and what comes from there."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from safeum_home.calls.hearing import Hearing
from safeum_home.calls.queue import BESIDES, MIB, SIGNALS, Bounds, Queue, Room
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports.calls import Line
from safeum_home.ports.expiring import BEHIND
from safeum_home.protocol.federation.calls import CALL, CALL_SIGNAL, ELSEWHERE, End, Said, Spoken, Word
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.people import content

LIVES = 20.0
"""Seconds for which it is of any use to say something."""
WORDS = Room(64 * MIB, 8 * MIB, MIB)
"""What may wait to be said, but for signals: beyond that it is said that it cannot be."""


Tell = Callable[[str, str, Hashable], bool]


class Waiting(Struct, frozen=True, eq=False):
    """A word that waits to be told: never the same as another."""

    sender: AccountId
    word: Word
    until: float

    @property
    def size(self) -> int:
        return _size(self.word)


class LineElsewhere:
    """`ports.calls.Line` to other nodes: words wait until they are told, and signals behind all others.

    A subject of the kind `call` is a `Waiting`; one of `call.signal` an account that has something to say.
    """

    def __init__(self, seconds: Callable[[], float], tell: Tell) -> None:
        """`tell` is as `ports.Peers.tell_now`."""
        self._seconds = seconds
        self._tell = tell
        self._words: OrderedDict[Waiting, None] = OrderedDict()
        self.bounds = Bounds(WORDS)

        def go_on(node: str, sender: AccountId) -> bool:
            return tell(node, CALL_SIGNAL, sender)

        self.signals: Queue[tuple[AccountId, Said]] = Queue(seconds, LIVES, SIGNALS, go_on)

    def say(self, sender: AccountId, word: Word) -> bool:
        node, now = node_of(word.to), self._seconds()
        if isinstance(word, Said):
            return self.signals.add(node, sender, (sender, word), _size(word))
        while self._words and (first := next(iter(self._words))).until <= now:
            self.take(first)
        waiting = Waiting(sender, word, now + LIVES)
        if not self.bounds.take(node, sender, waiting.size):
            return False
        self._words[waiting] = None
        if not self._tell(node, CALL, waiting):
            self.take(waiting)
            return False
        return True

    def take(self, waiting: Waiting) -> bool:
        """It waits no more; whether it did."""
        if waiting not in self._words:
            return False
        del self._words[waiting]
        self.bounds.give_back(node_of(waiting.word.to), waiting.sender, waiting.size)
        return True

    def lost(self, node: str) -> None:
        """What waits for a node is lost."""
        for waiting in [each for each in self._words if node_of(each.word.to) == node]:
            self.take(waiting)
        self.signals.drop(node)


def _size(word: Word) -> int:
    return BESIDES + len(getattr(word, "data", "")) + len(getattr(word, "hello", ""))


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


class _Kind:
    """`ports.ExpiringKind`."""

    type = CALL
    lives = LIVES
    turn = 0.0

    def __init__(
        self, node: str, milliseconds: Callable[[], int], line: LineElsewhere, hearing: Hearing
    ) -> None:
        self._node = node
        self._milliseconds = milliseconds
        self._line = line
        self._hearing = hearing

    def _event(self, sender: AccountId, word: Word) -> Event:
        return new_event(self.type, sender, self._milliseconds(), msgspec.to_builtins(Spoken(word)))

    def _word(self, node: str, event: Event) -> Word:
        """Nobody speaks for accounts of others, and to none but ours."""
        word = content(event, Spoken).word
        if node_of(event.sender) != node or node_of(word.to) != self._node:
            raise Problem(Code.WRONG_SENDER_NODE)
        if isinstance(word, Said) is not (self.type == CALL_SIGNAL):
            raise Problem(Code.MALFORMED_EVENT)
        return word


class CallKind(_Kind):
    """`call`: all but signals."""

    def build(self, node: str, subjects: Sequence[Any]) -> Sequence[Event]:
        return [self._event(each.sender, each.word) for each in subjects if self._line.take(each)]

    async def apply(self, node: str, event: Event) -> None:
        word = self._word(node, event)
        if isinstance(word, End) and word.reason in ELSEWHERE:
            raise Problem(Code.MALFORMED_EVENT)
        await self._hearing.hear_foreign(AccountId(event.sender), word)

    def lost(self, node: str) -> None:
        self._line.lost(node)
        self._hearing.lost(node)

    def missed(self, node: str, subjects: Sequence[Any]) -> None:
        for each in subjects:
            self._line.take(each)
            self._hearing.missed(each.sender, each.word)

    def back(self, node: str) -> None:
        self._hearing.back(node)


class SignalKind(_Kind):
    """`call.signal`: what devices say to each other, in turns with what others say."""

    type = CALL_SIGNAL
    turn = BEHIND

    def build(self, node: str, subjects: Sequence[Any]) -> Sequence[Event]:
        return [self._event(*each) for each in self._line.signals.take(node, subjects)]

    async def apply(self, node: str, event: Event) -> None:
        await self._hearing.hear_foreign(AccountId(event.sender), self._word(node, event))

    def lost(self, node: str) -> None:
        """`CallKind` does what is to be done."""

    back = lost

    def missed(self, node: str, subjects: Sequence[Any]) -> None:
        self._line.signals.drop(node, subjects)
