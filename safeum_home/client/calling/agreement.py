"""How far two devices have come in agreeing on keys: waiting -> checking -> agreed, or over.

An initiator waits for the response, a responder for the reveal. What has come is read, and the directory of
keys is asked whose it is; only then anything is shown or sealed. Repeated octet by octet it is no second one.
"""

from abc import ABC, abstractmethod
from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from safeum_home.client.calling import handshake
from safeum_home.client.calling.directory import Bound, Directory
from safeum_home.client.calling.handshake import Agreed, Pair, Refused, Shown, Tampered
from safeum_home.client.calling.opening import Opening
from safeum_home.client.errors import ClientError
from safeum_home.client.secret import Secret, Signing, fresh


class Parts(Protocol):
    """What a side is given: who it is, whom it asks, and where it tells what comes of it."""

    @property
    def signing(self) -> Signing: ...
    @property
    def directory(self) -> Directory: ...
    def say(self, octets: bytes) -> None: ...
    def may_show(self, account: str) -> None:
        """Raise `TooMany` where no more keys are to be shown to this account just now."""

    def agreed(self, agreed: Agreed, sign: bytes, bound: Bound) -> None:
        """With the device whose launch key is `sign`."""

    def refused(self, error: Exception) -> None:
        """`Refused`, or a `ClientError` where the directory could not be asked."""


class Side(ABC):
    """One of the two. `_heard` is what the other has said, `_shown` what it has shown."""

    def __init__(self, pair: Pair, parts: Parts) -> None:
        self._pair = pair
        self.parts = parts
        self._heard = b""
        self._shown: Shown
        self._bound = Bound.NONE

    def same(self, octets: bytes) -> bool:
        return self._heard == octets

    def begin(self, octets: bytes) -> "Deferred[None]":
        """Read what the other has said, and ask whose it is; raises `Tampered`."""
        self._shown, self._heard = self.read(octets), octets
        return Deferred.fromCoroutine(self._ask())

    async def _ask(self) -> None:
        self._bound = await self.parts.directory.check(*self.other, self._shown.sign)

    @property
    @abstractmethod
    def other(self) -> tuple[str, str]:
        """Account and device of the other."""

    @abstractmethod
    def read(self, octets: bytes) -> Shown:
        """What the other has shown; raises `Tampered`."""

    @abstractmethod
    def finish(self) -> None:
        """It is the other's: agree with it; raises `Refused`."""

    @abstractmethod
    def again(self) -> None:
        """The other has said it again, since it has not heard what was said then."""

    @abstractmethod
    def wipe(self) -> None:
        """It is over."""


class Initiator(Side):
    """The side that has committed to its keys."""

    def __init__(self, pair: Pair, parts: Parts, opening: Opening) -> None:
        super().__init__(pair, parts)
        self._opening = opening
        self._reveal = b""

    @property
    def other(self) -> tuple[str, str]:
        return self._pair.responder, self._pair.responder_device

    def read(self, octets: bytes) -> Shown:
        return handshake.read_response(self._pair, self._opening.octets, octets)

    def finish(self) -> None:
        self.parts.may_show(self._pair.responder)
        taken = self._opening.take()
        if taken is None:
            raise Tampered("more devices than there can be have answered")
        number, ephemeral, shown = taken
        transcript = handshake.transcript_octets(self._pair, self._opening.octets, self._heard, number, shown)
        try:
            agreed = handshake.agree(ephemeral, self._shown.ephemeral, transcript)
        finally:
            ephemeral.wipe()
        self._reveal = handshake.reveal(number, shown, self.parts.signing.sign(transcript))
        self.parts.say(self._reveal)
        self.parts.agreed(agreed, self._shown.sign, self._bound)

    def again(self) -> None:
        if self._reveal:
            self.parts.say(self._reveal)

    def wipe(self) -> None:
        self._reveal = b""


class Responder(Side):
    """The side that knows a commitment; `response` is what it answers."""

    def __init__(self, pair: Pair, parts: Parts, hello: bytes) -> None:
        super().__init__(pair, parts)
        if not handshake.is_hello(hello, pair.kind):
            raise Tampered("no commitments")
        parts.may_show(pair.initiator)
        self._hello = hello
        self._ephemeral = Secret.random()
        shown = Shown(parts.signing.public, self._ephemeral.public(), fresh())
        signature = parts.signing.sign(handshake.response_octets(pair, hello, shown))
        self.response = handshake.response(shown, signature)
        self._transcript = b""

    @property
    def other(self) -> tuple[str, str]:
        return self._pair.initiator, self._pair.initiator_device

    def read(self, octets: bytes) -> Shown:
        shown, self._transcript = handshake.read_reveal(self._pair, self._hello, self.response, octets)
        return shown

    def finish(self) -> None:
        try:
            agreed = handshake.agree(self._ephemeral, self._shown.ephemeral, self._transcript)
        finally:
            self._ephemeral.wipe()
        self.parts.agreed(agreed, self._shown.sign, self._bound)

    def again(self) -> None:
        """There is nothing that it waits for."""

    def wipe(self) -> None:
        self._ephemeral.wipe()


class Agreement(Protocol):
    """What can happen."""

    def heard(self, octets: bytes) -> None:
        """The other has said something that belongs to agreeing."""

    def sealed(self) -> bool:
        """It has said something that is sealed: whether that is to wait until there are keys."""

    def checked(self) -> None:
        """The directory says that it is the other's."""

    def failed(self, error: Exception) -> None:
        """It does not, or cannot be asked."""

    def stop(self) -> None:
        """It does not matter any more."""


_builder = TypeMachineBuilder(Agreement, Side)  # type: ignore[type-abstract]  # it makes none itself
_waiting = _builder.state("waiting")
_checking = _builder.state("checking")
_agreed = _builder.state("agreed")
_over = _builder.state("over")


@_waiting.upon(Agreement.heard).to(_checking)
def _read(machine: Agreement, core: Side, octets: bytes) -> None:
    def failed(failure: Failure) -> None:
        error = failure.value
        if not isinstance(error, Refused | ClientError):
            failure.raiseException()
        machine.failed(error)

    try:
        asked = core.begin(octets)
    except Refused as error:
        machine.failed(error)
    else:
        asked.addCallbacks(lambda _: machine.checked(), failed)


@_checking.upon(Agreement.heard).loop()
@_agreed.upon(Agreement.heard).loop()
def _heard_again(machine: Agreement, core: Side, octets: bytes) -> None:
    if core.same(octets):
        core.again()
    else:
        machine.failed(Tampered("a second one that is not the first"))


for _state in (_waiting, _checking):  # nodes lose signals: what says whose it is may come again
    _state.upon(Agreement.sealed).loop().returns(True)
for _state in (_agreed, _over):
    _state.upon(Agreement.sealed).loop().returns(False)


@_checking.upon(Agreement.checked).to(_agreed)
def _checked(machine: Agreement, core: Side) -> None:
    try:
        core.finish()
    except Refused as error:
        machine.failed(error)


for _state in (_waiting, _checking, _agreed):

    @_state.upon(Agreement.failed).to(_over)
    def _failed(machine: Agreement, core: Side, error: Exception) -> None:
        core.wipe()
        core.parts.refused(error)

    @_state.upon(Agreement.stop).to(_over)
    def _stop(machine: Agreement, core: Side) -> None:
        core.wipe()


for _input in (Agreement.heard, Agreement.checked, Agreement.failed, Agreement.stop):
    _over.upon(_input).loop().returns(None)

new_agreement = _builder.build()
"""`new_agreement(Initiator(...))` or `new_agreement(Responder(...))` waits for the other."""
