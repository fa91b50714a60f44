"""A device that sleeps, and what is under way to wake it: never two wakes of a class at once.

asleep --message--> woken --call--> both      both --message over, settled--> called, --call over--> woken
asleep --call--> called     woken --message over, settled--> asleep, called --call over--> asleep
any --came--> asleep                          called --message--> called: the call wakes it for that, too

A wake is over a while after it was given up, or was taken and is of no use any more. Then it is looked
whether something waits, unless the device was called meanwhile: then that is looked when the call is over.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from automat import TypeMachineBuilder

from safeum_home.ports.push import PushAddress, Wake


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device is woken: `address` of the provider, and what recognises it in the device's row."""

    device: bytes
    """The row's blind index."""
    blind: bytes
    call: bytes | None
    provider: str
    address: PushAddress


class Sleeper(Protocol):
    """What can happen to a device that sleeps."""

    def message(self, place: Place) -> None:
        """Something is there for it."""

    def call(self, place: Place) -> None:
        """It is called now."""

    def message_over(self) -> None:
        """The wake for messages did not bring the device."""

    def message_settled(self) -> None:
        """What it was to be woken for was read on another device."""

    def call_over(self) -> None:
        """The wake for a call is over."""

    def came(self) -> None:
        """It is connected, or is not to be woken any more: what is not handed over yet is of no use."""


class UnderWay(Protocol):
    """A wake: `Device.over` is told when it is over, unless it was taken back."""

    @property
    def is_handed_in(self) -> bool:
        """Whether its provider has not said yet what becomes of it."""

    def begin(self) -> None: ...
    def take_back(self) -> None: ...


@dataclass(slots=True)
class Core:
    """`make` makes a wake; `look` is told where something may wait."""

    make: Callable[[Wake, Place], UnderWay]
    look: Callable[[], None]
    under_way: dict[Wake, UnderWay] = field(default_factory=dict)

    def wake(self, wake: Wake, place: Place) -> None:
        made = self.under_way[wake] = self.make(wake, place)
        made.begin()  # it may be over at once


_builder = TypeMachineBuilder(Sleeper, Core)
_asleep = _builder.state("asleep")
_woken = _builder.state("woken")
_called = _builder.state("called")
_both = _builder.state("both")

_woken.upon(Sleeper.message).loop().returns(None)
_called.upon(Sleeper.message).loop().returns(None)
_both.upon(Sleeper.message).loop().returns(None)
_called.upon(Sleeper.call).loop().returns(None)
_both.upon(Sleeper.call).loop().returns(None)
_asleep.upon(Sleeper.came).loop().returns(None)
_asleep.upon(Sleeper.message_settled).loop().returns(None)
_called.upon(Sleeper.message_settled).loop().returns(None)


@_asleep.upon(Sleeper.message).to(_woken)
def _wake(machine: Sleeper, core: Core, place: Place) -> None:
    core.wake(Wake.MESSAGE, place)


@_asleep.upon(Sleeper.call).to(_called)
@_woken.upon(Sleeper.call).to(_both)
def _call(machine: Sleeper, core: Core, place: Place) -> None:
    core.wake(Wake.CALL, place)


@_woken.upon(Sleeper.message_over).to(_asleep)
def _message_over(machine: Sleeper, core: Core) -> None:
    del core.under_way[Wake.MESSAGE]
    core.look()


@_woken.upon(Sleeper.message_settled).to(_asleep)
@_both.upon(Sleeper.message_settled).to(_called)
def _message_settled(machine: Sleeper, core: Core) -> None:
    core.under_way.pop(Wake.MESSAGE).take_back()


@_both.upon(Sleeper.message_over).to(_called)
def _over_during_call(machine: Sleeper, core: Core) -> None:
    del core.under_way[Wake.MESSAGE]


@_both.upon(Sleeper.call_over).to(_woken)
def _call_over(machine: Sleeper, core: Core) -> None:
    del core.under_way[Wake.CALL]


@_called.upon(Sleeper.call_over).to(_asleep)
def _only_call_over(machine: Sleeper, core: Core) -> None:
    del core.under_way[Wake.CALL]
    core.look()


@_woken.upon(Sleeper.came).to(_asleep)
@_called.upon(Sleeper.came).to(_asleep)
@_both.upon(Sleeper.came).to(_asleep)
def _came(machine: Sleeper, core: Core) -> None:
    under_way, core.under_way = core.under_way, {}
    for wake in under_way.values():
        wake.take_back()


new_sleeper = _builder.build()
