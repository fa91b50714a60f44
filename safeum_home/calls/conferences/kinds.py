"""What nodes tell each other of conferences: rosters, who is in them, that they ring, and signals.

A hub speaks for its own groups alone, and each node for its own accounts; what they say is of members.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from safeum_home.calls.conferences.here import Here
from safeum_home.calls.conferences.hub import Hub
from safeum_home.calls.conferences.line import Report
from safeum_home.calls.conferences.rings import Ring, Rings
from safeum_home.calls.conferences.signals import LIVES, Signals
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, system_account
from safeum_home.limits import RateLimit
from safeum_home.ports.calls import Group, Groups
from safeum_home.ports.expiring import BEHIND
from safeum_home.protocol.call_types import RING_SECONDS
from safeum_home.protocol.federation.conferences import (
    RINGS,
    ROSTER,
    SEATS,
    SIGNAL,
    ConferenceHeld,
    ConferenceOf,
    RingsContent,
    Roster,
    Seat,
    SeatsContent,
    SignalContent,
)
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.people import content


class Told(NamedTuple):
    """A conference of which a node is to be told, after it has told something itself."""

    chat: ChatId
    call: str
    heard: int


class Parts(NamedTuple):
    """What the kinds are of. `limits` are of each other node."""

    node: str
    milliseconds: Callable[[], int]
    groups: Groups
    hub: Hub
    here: Here
    rings: Rings
    signals: Signals
    limits: "Limits"


class Limits:
    """What is heard of each other node, each kind of thing by itself: none takes another's room."""

    def __init__(self, new: RateLimit, running: RateLimit, signals: RateLimit) -> None:
        """`new` is of a node and what it asks or tells, `running` of it and a conference that it is in."""
        self._new = new
        self._running = running
        self._signals = signals

    def new(self, node: str, what: str) -> None:
        """All of these raise `rate_limited`."""
        self._new.take((node, what))

    def running(self, node: str, chat: ChatId) -> None:
        """A conference that both sides have: what others do, or ask for, is not in its way."""
        self._running.take((node, chat))

    def signal(self, node: str) -> None:
        self._signals.take(node)


class _Kind:
    """`ports.ExpiringKind`."""

    type = ""
    lives = LIVES
    turn = 0.0

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def lost(self, node: str) -> None:
        """Who hears nothing asks, and is asked, again and again."""

    def back(self, node: str) -> None:
        """The same."""

    def missed(self, node: str, subjects: Sequence[Any]) -> None:
        """The same."""

    def _event(self, chat: ChatId, of: Struct, sender: AccountId | None = None) -> Event:
        plain, now = msgspec.to_builtins(of), self._parts.milliseconds()
        return new_event(self.type, sender or system_account(self._parts.node), now, plain, chat)

    async def _group(self, event: Event) -> Group | None:
        return None if event.chat is None else await self._parts.groups.group(ChatId(event.chat))


class RosterKind(_Kind):
    """A hub tells who is in a conference. A subject is a `Told`."""

    type = ROSTER

    def build(self, node: str, subjects: Sequence[Any]) -> Sequence[Event]:
        newest = {(told.chat, told.call): told for told in subjects}
        return [self._event(told.chat, self._parts.hub.roster(node, *told)) for told in newest.values()]

    async def apply(self, node: str, event: Event) -> None:
        roster = content(event, Roster)
        if event.chat is None:
            raise Problem(Code.MALFORMED_EVENT)
        table = self._parts.here.of(ChatId(event.chat))
        if table is not None and table.hub == node:
            self._parts.limits.running(node, table.chat)
        else:
            self._parts.limits.new(node, self.type)
        group = await self._group(event)
        if group is None or not _orders(node, group):
            raise Problem(Code.NOT_FOUND)
        self._parts.here.told(group, roster)
        if roster.over is not None:
            self._parts.rings.over(group.chat, roster.call, roster.over)

    def back(self, node: str) -> None:
        self._parts.here.back(node)


class SeatsKind(_Kind):
    """A node tells a hub which of its devices are in a conference. A subject is a `Report`."""

    type = SEATS

    def build(self, node: str, subjects: Sequence[Any]) -> Sequence[Event]:
        reports: Sequence[Report] = subjects
        said = [(report.chat, self._parts.here.seats(report)) for report in reports]
        return [
            new_event(
                self.type, system_account(self._parts.node), each[1], msgspec.to_builtins(each[0]), chat
            )
            for chat, each in said
            if each is not None
        ]

    async def apply(self, node: str, event: Event) -> None:
        said = content(event, SeatsContent)
        if event.chat is None:
            raise Problem(Code.MALFORMED_EVENT)
        chat = ChatId(event.chat)
        if self._parts.hub.has_of(chat, node):
            self._parts.limits.running(node, chat)
        else:
            self._parts.limits.new(node, self.type)
        for each in said.participants:
            _check_own(node, each.account)
        await self._parts.hub.told(node, chat, said, event.at)


class RingsKind(_Kind):
    """The node of who has begun one has it ring at those of the other members. A subject is a `Ring`."""

    type = RINGS
    lives = RING_SECONDS

    def build(self, node: str, subjects: Sequence[Any]) -> Sequence[Event]:
        rings: Sequence[Ring] = subjects
        now = self._parts.milliseconds() / 1000
        left = [(ring, int((ring.until - now) * 1000)) for ring in rings]
        return [
            self._event(ring.chat, RingsContent(ring.call, ring.media, some), ring.account)
            for ring, some in left
            if some > 0
        ]

    async def apply(self, node: str, event: Event) -> None:
        said = content(event, RingsContent)
        self._parts.limits.new(node, self.type)
        group, sender = await self._group(event), AccountId(event.sender)
        if group is None or sender not in group.members:
            raise Problem(Code.NOT_FOUND)
        self._parts.rings.ring(group, sender, said)


class SignalKind(_Kind):
    """A device says something to one of another node. A subject is an account that has something to say."""

    type = SIGNAL
    turn = BEHIND

    def build(self, node: str, subjects: Sequence[Any]) -> Sequence[Event]:
        said = self._parts.signals.out.take(node, subjects)
        return [self._event(each.chat, each.content, each.sender) for each in said]

    def lost(self, node: str) -> None:
        self._parts.signals.out.drop(node)

    def missed(self, node: str, subjects: Sequence[Any]) -> None:
        self._parts.signals.out.drop(node, subjects)

    async def apply(self, node: str, event: Event) -> None:
        said = content(event, SignalContent)
        self._parts.limits.signal(node)
        group = await self._group(event)
        if group is not None:
            self._parts.signals.told(group, AccountId(event.sender), said)


def _orders(node: str, group: Group) -> bool:
    return group.hub == node


def _check_own(node: str, account: str) -> None:
    """Nobody speaks for accounts of others."""
    if node_of(account) != node:
        raise Problem(Code.NOT_FOUND)


class ConferenceAnswers:
    """What other nodes ask a hub."""

    def __init__(self, hub: Hub, limits: Limits) -> None:
        self._hub = hub
        self._limits = limits

    async def seat(self, node: str, asked: Seat) -> Roster:
        """As `Hub.seat`, for accounts of the node that asks."""
        self._limits.new(node, "seat")
        _check_own(node, asked.account)
        return await self._hub.seat(asked)

    async def get(self, node: str, asked: ConferenceOf) -> ConferenceHeld:
        """As `Hub.get`."""
        self._limits.new(node, "look")
        _check_own(node, asked.account)
        return ConferenceHeld(await self._hub.get(ChatId(asked.chat), AccountId(asked.account)))
