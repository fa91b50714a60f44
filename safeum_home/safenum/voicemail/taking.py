"""One call that the voicemail takes, between the carrier and what answers: a machine.

Whoever of the two ends it, what was recorded until then is handed on, once.
"""

from collections.abc import Callable
from typing import Protocol

from automat import TypeMachineBuilder

from safeum_home.ports.carrier import UNAVAILABLE, CarrierCall, CarrierEnd
from safeum_home.ports.voicemail import AnsweredCall, Over

Left = Callable[[bytes, int, int, Over], None]
"""Is told once what was left: the sound, how long it is, where something was heard last (milliseconds), and
why it is over."""


class Core:
    """`answered` is set as soon as the call was handed to what answers."""

    answered: AnsweredCall

    def __init__(self, call: CarrierCall, left: Left) -> None:
        self.call = call
        self.left = left
        self.sound = bytearray()
        self.milliseconds = self.heard = 0

    def hand_on(self, why: Over) -> None:
        sound, self.sound = bytes(self.sound), bytearray()
        self.left(sound, self.milliseconds, self.heard, why)


class Taken(Protocol):
    """What can happen."""

    def answered(self, sdp: str) -> None:
        """What answers has an answer to the offer."""

    def sound(self, octets: bytes, milliseconds: int, heard: int) -> None:
        """It has recorded more."""

    def pressed(self, digits: str) -> None:
        """The caller has pressed keys."""

    def over(self, why: Over) -> None:
        """What answers has ended, and nothing more comes from it."""

    def ended(self) -> None:
        """The caller has hung up, or the carrier has died."""


_builder = TypeMachineBuilder(Taken, Core)
_asking = _builder.state("asking")
_speaking = _builder.state("speaking")
_finishing = _builder.state("finishing")
_closing = _builder.state("closing")
_gone = _builder.state("gone")


@_asking.upon(Taken.answered).to(_speaking)
def _answer(taken: Taken, core: Core, sdp: str) -> None:
    core.call.answer(sdp)


@_asking.upon(Taken.over).to(_closing)
def _decline(taken: Taken, core: Core, why: Over) -> None:
    core.hand_on(why)
    core.call.decline(UNAVAILABLE)


@_speaking.upon(Taken.over).to(_closing)
def _hang_up(taken: Taken, core: Core, why: Over) -> None:
    core.hand_on(why)
    core.call.hang_up()


@_finishing.upon(Taken.over).to(_gone)
def _finish(taken: Taken, core: Core, why: Over) -> None:
    core.hand_on(why)


for _state in (_asking, _speaking):

    @_state.upon(Taken.ended).to(_finishing)
    def _stop(taken: Taken, core: Core) -> None:
        core.answered.stop()

    @_state.upon(Taken.pressed).loop()
    def _press(taken: Taken, core: Core, digits: str) -> None:
        core.answered.press(digits)


for _state in (_speaking, _finishing):

    @_state.upon(Taken.sound).loop()
    def _more(taken: Taken, core: Core, octets: bytes, milliseconds: int, heard: int) -> None:
        core.sound += octets
        core.milliseconds, core.heard = milliseconds, heard


_closing.upon(Taken.ended).to(_gone).returns(None)
for _state in (_asking, _closing, _gone):
    _state.upon(Taken.sound).loop().returns(None)
for _state in (_speaking, _finishing, _closing, _gone):
    _state.upon(Taken.answered).loop().returns(None)
for _state in (_finishing, _closing, _gone):
    _state.upon(Taken.pressed).loop().returns(None)
for _state in (_closing, _gone):
    _state.upon(Taken.over).loop().returns(None)
for _state in (_finishing, _gone):
    _state.upon(Taken.ended).loop().returns(None)

taking = _builder.build()
"""`taking(Core(call, left))` is a machine that waits for an answer."""


class FromCarrier:
    """`ports.carrier.CarrierListener` of a call that is taken."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken

    def progress(self, sdp: str | None) -> None:
        """Nothing: it is a call that came in."""

    def answered(self, sdp: str | None) -> None:
        """Nothing: it is answered here."""

    def dtmf(self, digits: str) -> None:
        self._taken.pressed(digits)

    def ended(self, end: CarrierEnd) -> None:
        self._taken.ended()


class FromAnswering:
    """`ports.voicemail.AnsweringListener` of the same."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken

    def answered(self, sdp: str) -> None:
        self._taken.answered(sdp)

    def sound(self, octets: bytes, milliseconds: int, heard: int) -> None:
        self._taken.sound(octets, milliseconds, heard)

    def ended(self, why: Over) -> None:
        self._taken.over(why)
