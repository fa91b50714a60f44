"""Calls, wired: their signalling at this node and across nodes."""

from collections.abc import Callable, Hashable
from typing import NamedTuple

from safeum_home.calls.across import CallKind, LineElsewhere, Lines, SignalKind
from safeum_home.calls.attending import CallAttendance
from safeum_home.calls.commands import CallCommands
from safeum_home.calls.counts import CallCounts
from safeum_home.calls.hearing import Hearing
from safeum_home.calls.legs import Legs
from safeum_home.calls.limits import SIZES, CallLimits
from safeum_home.calls.means import LegMeans
from safeum_home.calls.partners import Partners
from safeum_home.calls.telling import CallTelling
from safeum_home.gateway.dispatch import Routes
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.node.live_limits import Use
from safeum_home.node.means import DomainMeans
from safeum_home.ports import RelationWatch
from safeum_home.ports.calls import CallTimes
from safeum_home.ports.expiring import ExpiringKind
from safeum_home.protocol.commands import calls as commands
from safeum_home.protocol.presence import Privacy


class CallParts(NamedTuple):
    """What the rest of the node needs of them."""

    legs: Legs
    counts: CallCounts
    watch: RelationWatch
    """Ends calls of those who are no contacts any more."""
    routes: Routes
    use: Use
    rates: dict[str, RateLimit]
    kinds: tuple[ExpiringKind, ...]
    forget_account: Callable[[AccountId], None]


def make_calls(means: DomainMeans, times: CallTimes) -> CallParts:
    """`times` keeps the log. From now on the bus tells who comes and goes."""
    clock = means.clock
    limits = CallLimits.of(means.config.limits, clock.seconds)
    counts = CallCounts()
    legs, telling = Legs(limits, clock.seconds), CallTelling(means.bus, clock.seconds)

    def tell(node: str, type: str, subject: Hashable) -> bool:
        return means.peers.reaches(node) and means.peers.tell_now(node, type, subject)

    elsewhere = LineElsewhere(clock.seconds, tell)
    lines = Lines(means.node, elsewhere)
    of_legs = LegMeans(clock, lines, telling, means.busy, times, counts, legs.over)
    partners = Partners(means.database, means.vault.blinder)
    hearing = Hearing(of_legs, legs, limits, partners)
    lines.here = hearing.hear
    attendance = CallAttendance(clock, legs, telling, partners)
    means.bus.observe(attendance)
    does = CallCommands(of_legs, legs, limits, partners)
    routes: Routes = {
        commands.CallInvite: does.invite,
        commands.CallRinging: does.ringing,
        commands.CallSignal: does.signal,
        commands.CallAnswer: does.answer,
        commands.CallDecline: does.decline,
        commands.CallHangup: does.hang_up,
        commands.CallAlive: does.alive,
    }

    across = (means.node, means.milliseconds, elsewhere, hearing)
    kinds, use = (CallKind(*across), SignalKind(*across)), Use(SIZES, limits.resize)
    return CallParts(legs, counts, attendance, routes, use, limits.rates, kinds, attendance.forget_account)


class Relations:
    """`ports.RelationWatch`: tells several."""

    def __init__(self, *watches: RelationWatch) -> None:
        self._watches = watches

    def related(self, first: AccountId, second: AccountId, accepted: bool) -> None:
        for watch in self._watches:
            watch.related(first, second, accepted)

    def privacy_changed(self, account: AccountId, privacy: Privacy) -> None:
        for watch in self._watches:
            watch.privacy_changed(account, privacy)
