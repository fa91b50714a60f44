"""Waking devices that sleep, wired."""

from collections.abc import Sequence
from typing import NamedTuple

from twisted.internet.defer import Deferred, succeed

from safeum_home.errors import Code, Problem
from safeum_home.gateway.dispatch import Routes
from safeum_home.node.means import DomainMeans
from safeum_home.ports.push import Offered, Outcome, PushAddress, Pushes, Refused, Wake, Woken
from safeum_home.protocol.commands import push as commands
from safeum_home.push.registrations import Registrations


class NoPushes:
    """`ports.push.Pushes` of a node without a push provider."""

    offered: Sequence[Offered] = ()

    def check(self, provider: str, address: PushAddress) -> None:
        raise Problem(Code.PUSH_UNAVAILABLE)

    def wake(self, provider: str, address: PushAddress, wake: Wake) -> "Deferred[Woken]":
        return succeed(Woken.GIVEN_UP)

    def test(self, provider: str, address: PushAddress) -> "Deferred[Outcome]":
        return succeed(Refused("there is no such provider"))


NO_PUSHES = NoPushes()


class WakingParts(NamedTuple):
    """What the rest of the node needs of it."""

    registrations: Registrations
    routes: Routes


def make_waking(means: DomainMeans, pushes: Pushes) -> WakingParts:
    """`pushes` are the node's providers."""
    database, blinder = means.database, means.vault.blinder
    registrations = Registrations(database, blinder, means.directory, pushes, lambda account, device: None)
    return WakingParts(
        registrations,
        {
            commands.PushProviders: registrations.providers,
            commands.PushSet: registrations.set,
            commands.PushRemove: registrations.remove,
            commands.PushGet: registrations.get,
        },
    )
