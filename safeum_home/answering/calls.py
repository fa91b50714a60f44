"""The calls that the process is asked to answer, and who is told of each."""

from collections.abc import Callable
from itertools import count
from typing import Any

from msgspec import Struct
from twisted.internet.interfaces import IDelayedCall

from safeum_home.answering.wire import Answer, Answered, Ended, Malformed, Press, Sound, Stop
from safeum_home.ports.voicemail import AnsweringListener, CannotAnswer, Over

SOON = 20.0
"""Seconds in which it says something of a call that it was asked to answer."""
MARGIN = 120.0
"""By how many seconds a call may last longer than its recording: the greeting, and looking for a way."""
MOST_OCTETS = 8_000
"""Of a recording in a second: more than Opus at our rate has."""


class Calls:
    """Where a call gets stuck, the process is taken to be stuck."""

    def __init__(
        self, clock: Any, say: Callable[[Struct], None], doubt: Callable[[], None], most: int, silence: int
    ) -> None:
        """`clock` provides IReactorTime; `say` tells the process, `doubt` has it started anew."""
        self._clock = clock
        self._say = say
        self._doubt = doubt
        self._most = most
        self._silence = silence
        self._numbers = count(1)
        self._calls: dict[int, _Call] = {}

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def has_room(self) -> bool:
        return len(self._calls) < self._most

    def answer(
        self, is_up: bool, sdp: str, greeting: bytes, seconds: int, listener: AnsweringListener
    ) -> "_Call":
        if not is_up or not self.has_room:
            raise CannotAnswer
        number = next(self._numbers)
        late = self._clock.callLater(SOON, self._doubt)
        call = self._calls[number] = _Call(number, self._say, listener, seconds, late)
        self._say(Answer(number, sdp, greeting, seconds, self._silence))
        return call

    def heard(self, message: Answered | Sound | Ended) -> None:
        """What the process says; raises `Malformed` for what it cannot say."""
        call = self._calls.get(message.call)
        if call is None:
            raise Malformed("there is no such call")
        if isinstance(message, Answered):
            call.wait(self._clock.callLater(call.seconds + MARGIN, self._doubt))
            call.listener.answered(message.sdp)
        elif isinstance(message, Sound):
            call.octets += len(message.octets)
            if call.octets > MOST_OCTETS * (call.seconds + 1):
                raise Malformed("a recording is too long")
            call.listener.sound(message.octets, message.milliseconds, message.heard)
        else:
            self._end(message.call, Over(message.why.value))

    def lost(self) -> None:
        """The process has died, and all of them with it."""
        for number in tuple(self._calls):
            self._end(number, Over.LOST)

    def _end(self, number: int, why: Over) -> None:
        call = self._calls.pop(number)
        call.end()
        call.listener.ended(why)


class _Call:
    """`ports.voicemail.AnsweredCall`."""

    def __init__(
        self,
        number: int,
        say: Callable[[Struct], None],
        listener: AnsweringListener,
        seconds: int,
        late: IDelayedCall,
    ) -> None:
        self._number = number
        self._say: Callable[[Struct], None] | None = say
        self._late = late
        self.listener = listener
        self.seconds = seconds
        self.octets = 0

    def press(self, digits: str) -> None:
        if self._say is not None:
            self._say(Press(self._number, digits))

    def stop(self) -> None:
        if self._say is not None:
            self._say(Stop(self._number))

    def wait(self, late: IDelayedCall) -> None:
        """It goes on, and has to be over before something is due."""
        self._cancel()
        self._late = late

    def end(self) -> None:
        self._say = None
        self._cancel()

    def _cancel(self) -> None:
        if self._late.active():
            self._late.cancel()
