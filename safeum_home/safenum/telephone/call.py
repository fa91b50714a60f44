"""A call with the telephone network, whichever way: what both kinds have. Their machines call it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import UNSET, Struct
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Hold
from safeum_home.ports.carrier import CarrierCall
from safeum_home.ports.money import Charged, Direction, Leg, Over
from safeum_home.protocol.commands.telephone import OpenCall
from safeum_home.protocol.telephone_events import TelephoneKeys, TelephoneOver
from safeum_home.protocol.telephone_types import DIGITS, TelephoneDirection
from safeum_home.safenum.money.cdr import talked
from safeum_home.safenum.telephone.means import Means
from safeum_home.safenum.telephone.stages import SHOWN, Ending, Stage
from safeum_home.spawn import spawn

AGAIN = 1.0
"""Seconds after which an answer is stored again, where the storage was away."""


class Ends(Protocol):
    """What is common to the machines of calls."""

    def end(self, ending: Ending) -> None:
        """It is over."""


@dataclass(eq=False, slots=True, kw_only=True)
class Call(ABC):
    """`other` is the other side's number, empty where withheld; `safenum` that of this node.

    `account` is None as long as nobody knows whose number that is. `device` is the one that is in it.
    """

    means: Means
    call: str
    direction: Direction
    other: str
    safenum: str = ""
    account: AccountId | None = None
    device: DeviceId | None = None
    line: CarrierCall | None = None
    trunk: str = ""
    stage: Stage = Stage.NEW
    answered_at: int = 0
    is_noted: bool = False
    """Something may be stored of it, which has to be settled."""
    machine: Ends = field(init=False)
    began: int = field(init=False)
    _holds: dict[DeviceId, Hold] = field(default_factory=dict)
    _timer: IDelayedCall | None = None
    _ended_at: int = 0

    def __post_init__(self) -> None:
        self.began = self.now

    @property
    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self.means.clock.seconds() * 1000)

    @property
    def is_answered(self) -> bool:
        return self.answered_at != 0

    @property
    def leg(self) -> Leg:
        """As money knows it."""
        caller, called = self.other, self.safenum
        if self.direction is Direction.OUT:
            caller, called = called, caller
        return Leg(caller, called, self.trunk, "" if self.line is None else self.line.reference)

    def shown(self, device: DeviceId) -> OpenCall | None:
        """As it is listed for a device of the account; None where it is not."""
        if self.stage not in SHOWN:
            return None
        direction = TelephoneDirection(self.direction.value)
        is_here = self.device is not None and self.device == device
        since = self.answered_at if self.stage is Stage.ACTIVE else None
        return OpenCall(self.call, direction, is_here, self.other or UNSET, since)

    # --- while it goes on

    def activate(self) -> None:
        """The two speak: from now on it is paid for."""
        self.stage = Stage.ACTIVE
        self.answer_noted()

    def answer_noted(self) -> None:
        """It is answered, by a device or by the voicemail; that is stored, should the node be killed."""
        self.answered_at = self.now
        spawn(self._note_answered(), "storing that a call was answered")

    async def _note_answered(self) -> None:
        assert self.account is not None
        while self.stage is not Stage.OVER:
            _, _, trunk, reference = self.leg
            try:
                await self.means.charging.answered(
                    self.account, self.call, self.answered_at, trunk, reference
                )
            except Problem as problem:
                if problem.code is Code.CALL_OVER:
                    return
            else:
                return
            await deferLater(self.means.clock, AGAIN)

    def must_be(self, device: DeviceId) -> None:
        """Raises `call_over` for a device that is not in the call."""
        if device != self.device:
            raise Problem(Code.CALL_OVER)

    def press(self, digits: str) -> None:
        """Press keys."""
        if self.line is not None:
            self.line.dtmf(digits)

    def tell_keys(self, digits: str) -> None:
        """The other side has pressed some. What are none is left out."""
        keys = "".join(digit for digit in digits.upper() if digit in DIGITS)[:32]
        if keys:
            self.tell(TelephoneKeys(self.call, keys))

    def tell(self, event: Struct) -> None:
        """To the device that is in the call, where it is connected."""
        if self.account is not None and self.device is not None:
            self.means.telling.tell(self.account, self.device, event)

    def keep_awake(self, device: DeviceId) -> None:
        if device not in self._holds:
            self._holds[device] = self.means.busy.hold(device)

    def let_sleep(self, device: DeviceId) -> None:
        if (hold := self._holds.pop(device, None)) is not None:
            hold.end()

    def later(self, seconds: float, do: Callable[..., object], *arguments: object) -> None:
        """Wait for something else than before."""
        self.wait_no_more()
        self._timer = self.means.clock.callLater(seconds, do, *arguments)

    def wait_no_more(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    # --- its device comes and goes

    @abstractmethod
    def attend(self) -> None:
        """The device that is in it is connected, or not."""

    @abstractmethod
    def tell_all(self, device: DeviceId) -> None:
        """A device of the account has come, and may have missed something."""

    @abstractmethod
    def without(self, gone: Callable[[DeviceId], bool]) -> None:
        """Devices of the account are gone for good."""

    # --- the end

    def finish(self, ending: Ending) -> None:
        """It is over."""
        before, self.stage = self.stage, Stage.OVER
        self._ended_at = self.now
        self.wait_no_more()
        for hold in self._holds.values():
            hold.end()
        self._holds.clear()
        self.means.over(self, ending.reason)
        if self.line is not None and not ending.there:
            self.let_go(self.line, ending)
        self.settle(before, ending)

    def let_go(self, line: CarrierCall, ending: Ending) -> None:
        """The carrier is told."""
        line.hang_up()

    @abstractmethod
    def settle(self, before: Stage, ending: Ending) -> None:
        """It is recorded and charged, and devices are told. `before` is what it was."""

    def event(self, ending: Ending, charged: Charged | None = None) -> TelephoneOver:
        """`telephone.ended`."""
        about = self.call, ending.reason, ending.sip, talked(self.answered_at, self._ended_at)
        if charged is None:
            return TelephoneOver(*about)
        return TelephoneOver(*about, charged.amount, charged.currency)

    def over(self, ending: Ending) -> Over:
        """As money is told of it."""
        return Over(
            self._ended_at,
            self.answered_at,
            ending.disposition(self.is_answered),
            ending.sip,
            ending.cause,
            ending.released,
            self.leg.reference,
            self.trunk,
        )
