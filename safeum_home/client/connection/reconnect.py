"""Staying connected: one machine, from the first login to the end of the session.

new --opened--> online --lost--> offline --retry--> connecting --connected--> resuming --resumed--> online
                                  ^                   |                      |
                                  +-------lost--------+---------lost---------+      any --stop--> closed

online, offline, connecting, resuming --sleep--> asleep --wake, retry--> connecting
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from safeum_home.client.errors import Closing

FIRST_DELAY = 0.5
MAX_DELAY = 60.0
CATCH_UP = 0.2
SETTLED = 30.0
"""Seconds online after which a loss counts as the first one."""

SLOW_READER = 4008
RESTARTING = 1012
FINAL = {
    4009: "This device has connected from somewhere else.",
    4010: "This device was logged out.",
    4011: "This account was closed, for ever.",
    1008: "The node refuses this client.",
}
"""Close codes after which coming back would be a fight, or pointless."""


class Session(Protocol):
    """What the machine moves."""

    def dial(self) -> None: ...
    def show_token(self) -> None: ...
    def online(self) -> None: ...
    def offline(self, closing: Closing, retry_in: float) -> None: ...
    def ended(self, reason: str, code: int) -> None: ...
    def hang_up(self) -> None: ...
    def asleep(self) -> None: ...


class Reconnect(Protocol):
    """What can happen to a session."""

    def opened(self) -> None:
        """The first sign-up, login or resumption succeeded."""

    def lost(self, closing: Closing, wait: float | None) -> None:
        """The connection, or the try for one, is over; come back after `wait` seconds at the earliest."""

    def retry(self) -> None:
        """The back-off is over, or somebody does not want to wait for it."""

    def sleep(self) -> None:
        """Stay away until woken: the node has said so, or whoever uses this."""

    def wake(self) -> None:
        """There is something to do, or to fetch."""

    def connected(self) -> None:
        """There is a connection: show the token."""

    def resumed(self) -> None:
        """The node took it."""

    def stop(self, reason: str, code: int) -> None:
        """The session is over: closed here, replaced, or revoked."""


@dataclass
class BackOff:
    """How long to wait: exponential with jitter, so that a restarted node is not stormed.

    `random` gives numbers in [0, 1).
    """

    clock: IReactorTime
    random: Callable[[], float]
    session: Session
    failures: int = 0
    since: float = 0.0
    timer: IDelayedCall | None = None

    def delay(self, closing: Closing, wait: float | None) -> float:
        """Seconds to wait after this loss."""
        ceiling: float = min(MAX_DELAY, FIRST_DELAY * 2**self.failures)
        if closing.code == RESTARTING:  # everybody was told the same at the same moment
            ceiling = max(ceiling, 5.0)
        return max(wait or 0.0, ceiling * (0.2 + 0.8 * self.random()))

    def wait(self, machine: Reconnect, closing: Closing, wait: float | None) -> None:
        delay = self.delay(closing, wait)
        self.failures = min(self.failures + 1, 16)
        self.sleep(machine, closing, delay)

    def sleep(self, machine: Reconnect, closing: Closing, delay: float) -> None:
        self.session.offline(closing, delay)
        self.timer = self.clock.callLater(delay, machine.retry)

    def no_timer(self) -> None:
        timer, self.timer = self.timer, None
        if timer is not None and timer.active():
            timer.cancel()


_builder = TypeMachineBuilder(Reconnect, BackOff)
_new = _builder.state("new")
_online = _builder.state("online")
_offline = _builder.state("offline")
_connecting = _builder.state("connecting")
_resuming = _builder.state("resuming")
_asleep = _builder.state("asleep")
_closed = _builder.state("closed")


@_new.upon(Reconnect.opened).to(_online)
def _first(machine: Reconnect, core: BackOff) -> None:
    core.since = core.clock.seconds()
    core.session.online()


# A connection that is lost before the first login is for its caller to hear of, and to try again.
_new.upon(Reconnect.lost).loop().returns(None)


@_online.upon(Reconnect.lost).to(_offline)
def _lost_online(machine: Reconnect, core: BackOff, closing: Closing, wait: float | None) -> None:
    if core.clock.seconds() - core.since >= SETTLED:
        core.failures = 0
    if closing.code == SLOW_READER:  # the node is well: what was not read is waiting there
        core.sleep(machine, closing, CATCH_UP * core.random())
    else:
        core.wait(machine, closing, wait)


@_connecting.upon(Reconnect.lost).to(_offline)
def _no_connection(machine: Reconnect, core: BackOff, closing: Closing, wait: float | None) -> None:
    core.wait(machine, closing, wait)


@_resuming.upon(Reconnect.lost).to(_offline)
def _not_resumed(machine: Reconnect, core: BackOff, closing: Closing, wait: float | None) -> None:
    core.wait(machine, closing, wait)


# What is dropped twice is lost once: the time to come back is set.
_offline.upon(Reconnect.lost).loop().returns(None)


@_offline.upon(Reconnect.retry).to(_connecting)
def _retry(machine: Reconnect, core: BackOff) -> None:
    core.no_timer()
    core.session.dial()


@_asleep.upon(Reconnect.wake).to(_connecting)
@_asleep.upon(Reconnect.retry).to(_connecting)
def _wake(machine: Reconnect, core: BackOff) -> None:
    core.session.dial()


@_connecting.upon(Reconnect.connected).to(_resuming)
def _show_token(machine: Reconnect, core: BackOff) -> None:
    core.session.show_token()


@_resuming.upon(Reconnect.resumed).to(_online)
def _back(machine: Reconnect, core: BackOff) -> None:
    core.since = core.clock.seconds()
    core.session.online()


for _state in (_online, _offline, _connecting, _resuming):

    @_state.upon(Reconnect.sleep).to(_asleep)
    def _sleep(machine: Reconnect, core: BackOff) -> None:
        core.no_timer()
        core.failures = 0
        core.session.hang_up()
        core.session.asleep()


for _state in (_new, _online, _offline, _connecting, _resuming, _asleep):

    @_state.upon(Reconnect.stop).to(_closed)
    def _stop(machine: Reconnect, core: BackOff, reason: str, code: int) -> None:
        core.no_timer()
        core.session.hang_up()
        core.session.ended(reason, code)


for _state in (_new, _online, _connecting, _resuming):
    _state.upon(Reconnect.retry).loop().returns(None)
for _state in (_new, _online, _offline, _connecting, _resuming):
    _state.upon(Reconnect.wake).loop().returns(None)
for _input in (Reconnect.sleep, Reconnect.lost):
    _asleep.upon(_input).loop().returns(None)
_new.upon(Reconnect.sleep).loop().returns(None)
for _input in (
    *(Reconnect.opened, Reconnect.lost, Reconnect.connected, Reconnect.resumed, Reconnect.retry),
    *(Reconnect.sleep, Reconnect.wake),
):
    _closed.upon(_input).loop().returns(None)
_closed.upon(Reconnect.stop).loop().returns(None)

new_reconnect = _builder.build()
"""`new_reconnect(BackOff(...))` is a machine in its first state."""
