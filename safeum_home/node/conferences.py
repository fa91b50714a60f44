"""Conferences, wired: of the groups that this node orders, and of its devices in those of all nodes."""

from collections.abc import Callable, Hashable, Mapping
from typing import NamedTuple

from msgspec import Struct
from twisted.internet.defer import Deferred

from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.privacy import MutualContacts, MutualContactsHere
from safeum_home.calls.conferences.commands import Conferences
from safeum_home.calls.conferences.here import Here
from safeum_home.calls.conferences.hub import Hub
from safeum_home.calls.conferences.kinds import (
    ConferenceAnswers,
    Limits,
    Parts,
    RingsKind,
    RosterKind,
    SeatsKind,
    SignalKind,
)
from safeum_home.calls.conferences.line import HubElsewhere, HubHere, Line
from safeum_home.calls.conferences.rings import Rings
from safeum_home.calls.conferences.roster import Stamps
from safeum_home.calls.conferences.signals import SignalLimits, Signals
from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.registry import ChatRegistry
from safeum_home.gateway.dispatch import Handler, Routes
from safeum_home.ids import AccountId, ChatId
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans
from safeum_home.ports import Caller
from safeum_home.ports.calls import CallTimes, Group
from safeum_home.ports.expiring import ExpiringKind
from safeum_home.ports.federation import Answer
from safeum_home.protocol.command import Params
from safeum_home.protocol.commands import Done
from safeum_home.protocol.commands import conferences as commands
from safeum_home.protocol.commands.calls import CallAlive, CallDecline, CallHangup, CallSignal
from safeum_home.protocol.federation.conferences import ConferenceOf, Seat
from safeum_home.rounds import Rounds

RATES = (
    "conferences_per_account",
    "conference_looks_per_account",
    "conference_rings",
    "conference_signals_per_account",
    "conference_octets_per_account",
    "conference_octets_to_node",
    "conferences_per_node",
    "conference_reports",
    "conference_signals_per_node",
)


class ConferenceParts(NamedTuple):
    """What the rest of the node needs of them."""

    routes: Routes
    rates: dict[str, RateLimit]
    kinds: tuple[ExpiringKind, ...]
    answers: Mapping[type[Struct], Answer]
    forget_account: Callable[[AccountId], None]
    stop: Callable[[], None]
    hub: Hub
    here: Here
    rings: Rings
    signals: Signals


class ChatGroups:
    """`ports.calls.Groups`."""

    def __init__(self, registry: ChatRegistry) -> None:
        self._registry = registry

    def group(self, chat: ChatId) -> "Deferred[Group | None]":
        def found(chat: Chat | None) -> Group | None:
            is_group = chat is not None and chat.kind is ChatKind.GROUP
            return Group(chat.id, chat.writers, chat.hub) if chat is not None and is_group else None

        return self._registry.load(chat).addCallback(found)


def make_conferences(
    means: DomainMeans, side: ContactSide, times: CallTimes, calls: Routes
) -> ConferenceParts:
    """`calls` are commands of calls between two, of which conferences have their part.

    From now on the bus tells who comes and goes, and the registry which groups change.
    """
    node, clock, bus, section = means.node, means.clock, means.bus, means.config.limits
    rates = {
        name: RateLimit(getattr(section, name), getattr(section, f"{name}_burst"), clock.seconds)
        for name in RATES
    }
    groups, rounds, stamps = ChatGroups(means.registry), Rounds(clock), Stamps(means.milliseconds)

    def say(to: str, type: str, subject: Hashable) -> bool:
        return means.peers.reaches(to) and means.peers.tell_now(to, type, subject)

    def tell(to: str, chat: ChatId, call: str, heard: int) -> None:
        conferences.tell(to, chat, call, heard)

    def line(to: str | None) -> Line:
        return own if to is None else HubElsewhere(to, clock, means.peers, say)

    def is_in(chat: ChatId, account: AccountId) -> bool:
        table = here.of(chat)
        return table is not None and account in table.mine

    hub = Hub(node, clock, rounds, groups, stamps, tell)
    here = Here(node, clock, rounds, bus, means.busy, times, stamps, line)
    own = HubHere(node, hub, here.seats)
    mutual = MutualContacts(means.database, means.directory, side)
    foreign = MutualContactsHere(means.database, means.vault.blinder)
    rings = Rings(
        node, clock, rounds, bus, means.vault.blinder, mutual, foreign, is_in, rates["conference_rings"]
    )
    said = SignalLimits(
        rates["conference_signals_per_account"],
        rates["conference_octets_per_account"],
        rates["conference_octets_to_node"],
    )
    signals = Signals(node, clock.seconds, rounds, bus, here, say, said)
    conferences = Conferences(
        node,
        clock,
        groups,
        hub,
        here,
        rings,
        signals,
        stamps,
        line,
        say,
        rates["conferences_per_account"],
        rates["conference_looks_per_account"],
    )
    limits = Limits(
        rates["conferences_per_node"], rates["conference_reports"], rates["conference_signals_per_node"]
    )
    bus.observe(conferences)
    means.registry.watch(conferences.moved)
    parts = Parts(
        node,
        means.milliseconds,
        groups,
        hub,
        here,
        rings,
        signals,
        limits,
    )
    answering = ConferenceAnswers(hub, limits)
    answers: Mapping[type[Struct], Answer] = {
        Seat: answering.seat,  # type: ignore[dict-item]
        ConferenceOf: answering.get,  # type: ignore[dict-item]
    }
    routes: Routes = {
        **_shared(calls, conferences),
        commands.ConferenceStart: conferences.start,
        commands.ConferenceJoin: conferences.join,
        commands.ConferenceGet: conferences.get,
    }
    kinds = (RosterKind(parts), SeatsKind(parts), RingsKind(parts), SignalKind(parts))
    forget, stop = conferences.forget_account, rounds.stop
    return ConferenceParts(routes, rates, kinds, answers, forget, stop, hub, here, rings, signals)


def _shared(calls: Routes, conferences: Conferences) -> dict[type[Params], Handler]:
    """Commands of both. What is of no conference that the device is in is of calls between two."""

    def signal(caller: Caller, params: CallSignal) -> object:
        is_one = params.account is not None and conferences.has(caller, params.call)
        return (conferences.signal if is_one else calls[CallSignal])(caller, params)

    def alive(caller: Caller, params: CallAlive) -> object:
        is_one = params.account is None and conferences.has(caller, params.call)
        return (conferences.alive if is_one else calls[CallAlive])(caller, params)

    def hangup(caller: Caller, params: CallHangup) -> object:
        conferences.hangup(caller, params)
        return calls[CallHangup](caller, params)

    def decline(caller: Caller, params: CallDecline) -> object:
        return Done() if conferences.decline(caller, params) else calls[CallDecline](caller, params)

    return {CallSignal: signal, CallAlive: alive, CallHangup: hangup, CallDecline: decline}
