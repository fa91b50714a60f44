"""Waking devices that sleep, wired."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import NamedTuple

from twisted.internet.defer import Deferred, succeed

from safeum_home.chats.mutes import Mutes
from safeum_home.errors import Code, Problem
from safeum_home.gateway.dispatch import Routes
from safeum_home.node.means import DomainMeans
from safeum_home.ports import Caller, Committed
from safeum_home.ports.push import Offered, Outcome, PushAddress, Pushes, Refused, Wake, Wakes, Woken
from safeum_home.protocol.commands import ChatRead, Done
from safeum_home.protocol.commands import push as commands
from safeum_home.push.registrations import Registrations
from safeum_home.push.trial import Trial
from safeum_home.push.waiting import Read as Missed
from safeum_home.push.waker import Waker


class NoPushes:
    """`ports.push.Pushes` of a node without a push provider."""

    offered: Sequence[Offered] = ()
    names: Collection[str] = ()

    def can_wake(self, provider: str) -> bool:
        return False

    def check(self, provider: str, address: PushAddress) -> PushAddress:
        raise Problem(Code.PUSH_UNAVAILABLE)

    def wake(self, provider: str, address: PushAddress, wake: Wake) -> "Deferred[Woken]":
        return succeed(Woken.GIVEN_UP)

    def test(self, provider: str, address: PushAddress) -> "Deferred[Outcome]":
        return succeed(Refused("there is no such provider"))


NO_PUSHES = NoPushes()


Read = Callable[[Caller, ChatRead], Awaitable[Committed[Done]]]


class WakingParts(NamedTuple):
    """What the rest of the node needs of it; `offers`: there is a provider."""

    offers: bool
    waker: Waker
    registrations: Registrations
    trial: Wakes
    routes: Routes

    def start(self) -> None:
        """Look who sleeps through something since before the node started."""
        if self.offers:
            self.waker.sweep.begin()

    def reading(self, read: Read) -> Read:
        """The command `chat.read`: afterwards nobody is woken any more for what was read."""

        async def woken_no_more(caller: Caller, params: ChatRead) -> Committed[Done]:
            done = await read(caller, params)

            def publish() -> None:
                done.publish()
                self.waker.read(caller.account)

            return Committed(done.result, publish)

        return woken_no_more if self.offers else read

    def forget(self) -> None:
        """What is in memory may be older than what is in the database."""
        if self.offers:
            self.waker.forget()


def make_waking(means: DomainMeans, pushes: Pushes, missed: Missed) -> WakingParts:
    """`pushes` are the node's providers, `missed` reads what a device has missed.

    From now on the bus tells who comes and goes, and what devices are to be woken for.
    """
    database, blinder, bus = means.database, means.vault.blinder, means.bus
    about = (means.clock, database, blinder, means.directory, bus, Mutes(blinder))
    waker = Waker(*about, pushes, means.config.push, missed, means.node)
    registrations = Registrations(database, blinder, means.directory, pushes, waker.changed)
    offers = bool(pushes.names)
    if offers:
        bus.observe(waker)
        bus.wakes(waker)
    return WakingParts(
        offers,
        waker,
        registrations,
        Trial(database, blinder, means.directory, pushes),
        {
            commands.PushProviders: registrations.providers,
            commands.PushSet: registrations.set,
            commands.PushRemove: registrations.remove,
            commands.PushGet: registrations.get,
        },
    )
