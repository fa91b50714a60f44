"""Calls with the telephone network, wired."""

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import NamedTuple

from safeum_home.gateway.dispatch import Routes
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.node.live_limits import Use
from safeum_home.node.means import DomainMeans
from safeum_home.node.money import MoneyParts
from safeum_home.node.numbers import NumberParts
from safeum_home.ports import Bus
from safeum_home.ports.calls import Engagements
from safeum_home.ports.carrier import CarrierCall, CarrierListener, CarrierLost, Carriers, Exchange
from safeum_home.ports.money import Charging
from safeum_home.ports.push import Reach
from safeum_home.ports.voicemail import Mailbox
from safeum_home.protocol.commands import telephone as commands
from safeum_home.protocol.telephone_types import TelephoneEnded
from safeum_home.safenum.telephone.attending import TelephoneAttendance
from safeum_home.safenum.telephone.callers import Callers
from safeum_home.safenum.telephone.commands import MissedCommands, TelephoneCommands
from safeum_home.safenum.telephone.counts import TelephoneCounts
from safeum_home.safenum.telephone.exchange import TelephoneExchange
from safeum_home.safenum.telephone.limits import SIZES, TelephoneLimits
from safeum_home.safenum.telephone.means import Means
from safeum_home.safenum.telephone.missed import MissedBook
from safeum_home.safenum.telephone.pulse import Pulse
from safeum_home.safenum.telephone.settling import Settling
from safeum_home.safenum.telephone.stages import Stage, by_node
from safeum_home.safenum.telephone.table import Table
from safeum_home.safenum.telephone.telling import TelephoneTelling

STOP_SECONDS = 5.0
"""How long a node that stops waits for its calls to be settled; its next start settles the rest."""


class NoCarriers:
    """`ports.carrier.Carriers` of a node without any."""

    names: Sequence[str] = ()

    def dial(self, cli: str, to: str, sdp: str, listener: CarrierListener) -> tuple[str, CarrierCall]:
        raise CarrierLost


NO_CARRIERS = NoCarriers()


class Reachable:
    """`ports.push.Reach`: devices that are connected, and those that `sleepers` knows."""

    def __init__(self, bus: Bus, sleepers: Reach) -> None:
        self._bus = bus
        self._sleepers = sleepers

    async def reaches(self, account: AccountId) -> bool:
        return bool(self._bus.connected(account)) or await self._sleepers.reaches(account)


class TelephoneParts(NamedTuple):
    """What the rest of the node needs of them."""

    exchange: Exchange
    """For carriers."""
    table: Table
    counts: TelephoneCounts
    routes: Routes
    use: Use
    rates: dict[str, RateLimit]
    forget_account: Callable[[AccountId], None]
    pulse: Pulse
    settling: Settling

    def report(self) -> str:
        """How it is with them, for the operator."""
        speak = sum(call.stage is Stage.ACTIVE for call in self.table.all)
        words = [f"{len(self.table)} go on", f"{speak} of them answered"] if len(self.table) else ["none"]
        if waiting := len(self.settling):
            words.append(f"{waiting} wait for the database to be settled")
        return ", ".join(words)

    async def stop(self) -> None:
        """End all calls, and settle them as long as the database is there."""
        for call in self.table.all:
            call.machine.end(by_node(TelephoneEnded.LOST, call.is_answered))
        self.pulse.stop()
        await self.settling.drained(STOP_SECONDS)


def make_telephone(
    means: DomainMeans,
    money: MoneyParts,
    numbers: NumberParts,
    network: Sequence[Engagements],
    sleepers: Reach,
    carriers: Carriers,
    mailbox: Mailbox,
) -> TelephoneParts:
    """`network` are its own calls. From now on the bus tells who comes and goes."""
    clock, section, database = means.clock, means.config.safenum, means.database
    limits, counts = TelephoneLimits.of(means.config.limits, clock.seconds), TelephoneCounts()
    telling = TelephoneTelling(means.bus, clock.seconds)
    table = Table(limits, network, section.calls_at_once, counts, clock.seconds)
    charging: Charging = money.charging
    missed = MissedBook(means.vault.keyring, means.vault.blinder)
    settling = Settling(clock, charging)
    of_calls = Means(
        clock,
        charging,
        carriers,
        mailbox,
        telling,
        means.busy,
        Callers(database, numbers.numbers),
        settling,
        missed,
        section.hold_seconds,
        section.call_seconds,
        table.over,
    )
    reach = Reachable(means.bus, sleepers)
    exchange = TelephoneExchange(of_calls, table, limits, counts, reach, _new_id)
    attendance = TelephoneAttendance(clock, table, telling)
    means.bus.observe(attendance)
    pulse = Pulse(clock, charging, table)
    table.first = pulse.start
    does, of_missed = TelephoneCommands(of_calls, table, limits), MissedCommands(database, missed)
    routes: Routes = {
        commands.TelephoneDial: does.dial,
        commands.TelephoneAnswer: does.answer,
        commands.TelephoneDecline: does.decline,
        commands.TelephoneHangup: does.hang_up,
        commands.TelephoneDtmf: does.dtmf,
        commands.TelephoneList: does.list,
        commands.TelephoneMissedList: of_missed.missed,
        commands.TelephoneForget: of_missed.forget,
    }
    use, forget = Use(SIZES, limits.resize), attendance.forget_account
    return TelephoneParts(exchange, table, counts, routes, use, limits.rates, forget, pulse, settling)


def _new_id() -> str:
    """16 random octets, as ids of calls are."""
    return urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
