"""From the devices of this node to the hub of a conference, and back: at one node, or between two."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import CancelledError, TimeoutError

from safeum_home.calls.conferences.hub import Hub
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports.expiring import SayNow
from safeum_home.ports.federation import Peers
from safeum_home.protocol.federation.conferences import (
    SEATS,
    ConferenceHeld,
    ConferenceOf,
    Roster,
    Seat,
    SeatsContent,
)
from safeum_home.spawn import spawn

PATIENCE = 5.0
"""Seconds for which a hub is waited for."""


class Report(NamedTuple):
    """Which devices are in a conference is to be told to its hub, as it is then."""

    chat: ChatId
    call: str


class Line(Protocol):
    """To one hub."""

    async def seat(self, asked: Seat) -> Roster:
        """As `Hub.seat`; raises `node_unreachable` too."""

    async def get(self, chat: ChatId, account: AccountId) -> Roster | None:
        """As `Hub.get`; raises `node_unreachable` too."""

    def report(self, report: Report) -> None:
        """Have it told."""


class HubHere:
    """This node is the hub."""

    def __init__(
        self, node: str, hub: Hub, said: Callable[[Report], tuple[SeatsContent, int] | None]
    ) -> None:
        """`said` is what is to be told."""
        self._node = node
        self._hub = hub
        self._said = said
        self.seat = hub.seat
        self.get = hub.get

    def report(self, report: Report) -> None:
        said = self._said(report)
        if said is not None:
            told = self._hub.told(self._node, report.chat, *said)
            spawn(told, "hearing who is in a conference")


class HubElsewhere:
    """Another node is."""

    def __init__(self, node: str, clock: Any, peers: Peers, say: SayNow) -> None:
        self._node = node
        self._clock = clock
        self._peers = peers
        self._say = say

    async def seat(self, asked: Seat) -> Roster:
        roster: Roster = await self._ask(asked, Roster)
        return roster

    async def get(self, chat: ChatId, account: AccountId) -> Roster | None:
        held: ConferenceHeld = await self._ask(ConferenceOf(chat, account), ConferenceHeld)
        return held.roster

    async def _ask(self, question: Any, result: Any) -> Any:
        try:
            return await self._peers.ask(self._node, question, result).addTimeout(PATIENCE, self._clock)
        except (TimeoutError, CancelledError):
            raise Problem(Code.NODE_UNREACHABLE) from None

    def report(self, report: Report) -> None:
        self._say(self._node, SEATS, report)
