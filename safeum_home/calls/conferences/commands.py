"""The commands of conferences, as devices of this node give them."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from safeum_home.calls.conferences.conference import Conference
from safeum_home.calls.conferences.here import Here
from safeum_home.calls.conferences.hub import Hub
from safeum_home.calls.conferences.kinds import Told
from safeum_home.calls.conferences.line import Line
from safeum_home.calls.conferences.rings import Ring, Rings
from safeum_home.calls.conferences.roster import Stamps, in_order
from safeum_home.calls.conferences.signals import Signals
from safeum_home.calls.conferences.wishes import Asked, Wishes
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.limits import RateLimit
from safeum_home.ports import Caller, Committed, Subscriber
from safeum_home.ports.calls import Group, Groups
from safeum_home.ports.expiring import SayNow
from safeum_home.protocol.call_types import RING_SECONDS, Ended
from safeum_home.protocol.commands import Done
from safeum_home.protocol.commands.calls import CallAlive, CallDecline, CallHangup, CallSignal
from safeum_home.protocol.commands.conferences import (
    ConferenceGet,
    ConferenceJoin,
    ConferenceStart,
    ConferenceState,
    Joined,
)
from safeum_home.protocol.federation.conferences import RINGS, ROSTER, RingsContent, Roster, Seat
from safeum_home.protocol.federation.events import node_of
from safeum_home.spawn import spawn


class Conferences:
    """Conferences, as a whole; also `ports.Attendance`. `clock` provides IReactorTime."""

    def __init__(
        self,
        node: str,
        clock: Any,
        groups: Groups,
        hub: Hub,
        here: Here,
        rings: Rings,
        signals: Signals,
        stamps: Stamps,
        line: Callable[[str | None], Line],
        say: SayNow,
        limit: RateLimit,
        looks: RateLimit,
    ) -> None:
        """`limit` is how often an account begins or joins one, `looks` how often it looks for one."""
        self._node = node
        self._clock = clock
        self._groups = groups
        self._hub = hub
        self._here = here
        self._rings = rings
        self._signals = signals
        self._stamps = stamps
        self._line = line
        self._say = say
        self._limit = limit
        self._looks = looks
        self._wishes = Wishes()
        hub.over = self._over
        here.watch(signals.changed)

    # --- commands

    async def start(self, caller: Caller, params: ConferenceStart) -> Committed[Joined]:
        """Raises `not_found`, `call_exists`, `conference_full`, `limit_reached`, `node_unreachable`."""
        group, joined, begun = await self._join(caller, params, params.media, params.since)

        def publish() -> None:
            if begun:
                self._ring(group, caller.account, joined)

        return Committed(joined, publish)

    async def join(self, caller: Caller, params: ConferenceJoin) -> Joined:
        """The same, and `call_over`."""
        _, joined, _ = await self._join(caller, params)
        return joined

    async def get(self, caller: Caller, params: ConferenceGet) -> ConferenceState:
        """Raises `not_found`; `node_unreachable` where the hub is, and none of this node is in one there."""
        self._looks.take(caller.account)
        group = await self._group(caller, params.chat)
        try:
            roster = await self._line(group.hub).get(group.chat, caller.account)
        except Problem as problem:
            table = self._here.of(group.chat)
            if problem.code is not Code.NODE_UNREACHABLE or table is None:
                raise
            people = in_order(table.people().values())
            return ConferenceState(table.call, table.media, [each.account for each in people])
        if roster is None:
            return ConferenceState()
        return ConferenceState(roster.call, roster.media, [each.account for each in roster.participants])

    def has(self, caller: Caller, call: str) -> bool:
        """Whether the device is in it."""
        return self._here.find(caller.account, caller.device, call) is not None

    def signal(self, caller: Caller, params: CallSignal) -> Done:
        """As `Signals.signal`."""
        return self._signals.signal(caller, params)

    def alive(self, caller: Caller, params: CallAlive) -> Done:
        """Raises `call_over` where the device is not in it."""
        table = self._here.find(caller.account, caller.device, params.call)
        if table is None:
            raise Problem(Code.CALL_OVER)
        self._here.alive(table, caller.account)
        return Done()

    def hangup(self, caller: Caller, params: CallHangup) -> Done:
        self._wishes.hang_up(_asked(caller, params.call))
        table = self._here.find(caller.account, caller.device, params.call)
        if table is not None:
            self._here.leave(table, caller.account, None)
        return Done()

    def decline(self, caller: Caller, params: CallDecline) -> bool:
        """Whether it rang."""
        return self._rings.decline(caller, params.call)

    # --- what happens besides

    def moved(self, chat: ChatId) -> None:
        """A chat has changed."""
        if self._here.of(chat) is not None or self._hub.has(chat) or self._rings.has(chat):
            spawn(self._moved(chat), "looking who may be in a conference")

    def forget_account(self, account: AccountId) -> None:
        """The account was closed."""
        self._rings.forget_account(account)
        self._here.revoked(account, lambda device: True)

    def tell(self, node: str, chat: ChatId, call: str, heard: int) -> None:
        """As `hub.TellRoster`."""
        if node != self._node:
            self._say(node, ROSTER, Told(chat, call, heard))
        else:
            spawn(self._told(chat, call, heard), "telling who is in a conference")

    # --- ports.Attendance

    def came(self, account: AccountId, subscriber: Subscriber) -> None:
        self._rings.came(account, subscriber)

    def left(self, account: AccountId, subscriber: Subscriber) -> None:
        """It may come back, and its media go on meanwhile."""

    def revoked(self, account: AccountId, which: Callable[[DeviceId], bool]) -> None:
        self._here.revoked(account, which)

    # --- parts of them

    async def _group(self, caller: Caller, chat: str) -> Group:
        group = await self._groups.group(ChatId(chat))
        if group is None or caller.account not in group.members:
            raise Problem(Code.NOT_FOUND)
        return group

    async def _join(
        self,
        caller: Caller,
        params: ConferenceStart | ConferenceJoin,
        media: Any = None,
        since: Any = None,
    ) -> tuple[Group, Joined, bool]:
        account, device = caller.account, caller.device
        self._limit.take(account)
        with self._wishes.wish(_asked(caller, params.call)) as wish:
            group = await self._group(caller, params.chat)
            at = self._stamps.next()
            asked = Seat(group.chat, params.call, account, device, params.hello, at, media, since)
            joined, begun = await self._here.join(group, asked, wish)
        self._rings.joined(account, DeviceId(device), group.chat)
        return group, joined, begun

    def _ring(self, group: Group, account: AccountId, joined: Joined) -> None:
        left = int(RING_SECONDS * 1000)
        ring = Ring(
            group.chat, joined.call, account, joined.media, self._clock.seconds() + RING_SECONDS, set()
        )
        for node in sorted(set(map(node_of, group.members)) - {self._node}):
            self._say(node, RINGS, ring)
        said = RingsContent(joined.call, joined.media, left)
        self._rings.ring(group, account, said)

    def _over(self, conference: Conference, reason: Ended) -> None:
        if self._clock.seconds() < conference.rings_until:
            spawn(self._tell_all(conference), "telling that a conference is over")

    async def _tell_all(self, conference: Conference) -> None:
        """Also those for whom it rings."""
        with suppress(Problem):
            group = await self._groups.group(conference.chat)
            for node in sorted(set() if group is None else set(map(node_of, group.members))):
                self.tell(node, conference.chat, conference.call, conference.heard.get(node, 0))

    async def _told(self, chat: ChatId, call: str, heard: int) -> None:
        with suppress(Problem):
            group = await self._groups.group(chat)
            roster: Roster = self._hub.roster(self._node, chat, call, heard)
            if roster.over is not None:
                self._rings.over(chat, call, roster.over)
            if group is not None:
                self._here.told(group, roster)

    async def _moved(self, chat: ChatId) -> None:
        with suppress(Problem):
            group = await self._groups.group(chat)
            now = group or Group(chat, (), None)
            for part in (self._rings, self._here, self._hub):
                part.moved(now)


def _asked(caller: Caller, call: str) -> Asked:
    return Asked(caller.account, DeviceId(caller.device), call)
