"""Conferences of the groups that this node orders: who is in each, in one order. In memory, and bounded.

A node says which devices of its accounts are in one, again and again; those of a node that says nothing any
more are taken out. So a hub that was started anew knows them all again within moments, and until then tells
nobody that somebody has left.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from safeum_home.calls.conferences.conference import Conference, Lease, TellRoster, homes
from safeum_home.calls.conferences.roster import Stamps, by_account, in_order
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports.calls import Group, Groups
from safeum_home.protocol.call_types import (
    ALIVE_SECONDS,
    LOST_SECONDS,
    MOST_TOGETHER,
    RING_SECONDS,
    Ended,
    Media,
)
from safeum_home.protocol.commands.conferences import Participant
from safeum_home.protocol.federation.conferences import Roster, Seat, SeatsContent
from safeum_home.protocol.federation.events import node_of
from safeum_home.rounds import Rounds

MOST = 10_000
"""Conferences; beyond them none is begun (`busy`)."""
ALONE_SECONDS = 300.0
"""After which a conference of one is over."""
SETTLE_SECONDS = 2 * ALIVE_SECONDS
"""For how long one that was there before the hub was started may have more in it than are known."""
OLDEST = 24 * 3600 * 1000
"""Milliseconds: who says that he has been in it for longer counts as coming now."""
_AT_ONCE = 200
_REMEMBERED = 1_000
"""Of how many conferences that are over it is known why."""


class Hub:
    """Decides. `clock` provides IReactorTime; `tell` tells nodes what has become of it."""

    def __init__(
        self, node: str, clock: Any, rounds: Rounds, groups: Groups, stamps: Stamps, tell: TellRoster
    ) -> None:
        self._node = node
        self._clock = clock
        self._groups = groups
        self._stamps = stamps
        self._tell = tell
        self._by_chat: dict[ChatId, Conference] = {}
        self._by_call: dict[str, Conference] = {}
        self._leases = rounds.queue(LOST_SECONDS, _AT_ONCE, self._expired)
        self._ended: OrderedDict[str, Ended] = OrderedDict()
        self._alone = rounds.queue(ALONE_SECONDS, _AT_ONCE, self._is_alone)
        self._settling = rounds.queue(SETTLE_SECONDS, _AT_ONCE, self._settled)
        self.begun = 0
        """How many have begun, those left out that were there before the hub was started."""
        self.over: Callable[[Conference, Ended], None] = lambda conference, reason: None
        """Called when one is over."""

    def __len__(self) -> int:
        return len(self._by_chat)

    def has(self, chat: ChatId) -> bool:
        """Whether there is one."""
        return chat in self._by_chat

    def has_of(self, chat: ChatId, node: str) -> bool:
        """Whether there is one with devices of a node in it."""
        conference = self._by_chat.get(chat)
        return conference is not None and node in conference.nodes()

    async def seat(self, asked: Seat) -> Roster:
        """Let a device in, begin one for it, or tell who is in it: `begun` is true of the second.

        Raises `not_found` for who is no member, `call_over`, `call_exists`, `conference_full` and `busy`.
        """
        chat, account, node = ChatId(asked.chat), AccountId(asked.account), node_of(asked.account)
        group = await self._need(chat, account)
        conference, begun = self._by_chat.get(chat), False
        if conference is None:
            conference, begun = self._begin(group, asked), asked.since is None
            self.begun += begun
        elif asked.media is None and asked.call != conference.call:
            raise Problem(Code.CALL_OVER)
        if account not in conference.people and len(conference.people) >= MOST_TOGETHER:
            raise Problem(Code.CONFERENCE_FULL)
        since = asked.since if asked.call == conference.call and self._settles(conference) else None
        came = Participant(asked.account, asked.device, asked.hello, self._since(since))
        conference.hear(node, asked.at)
        conference.asked[account] = asked.at
        if self._sit(conference, came):
            self._changed(conference, but=node)
        return self._roster(conference, node, begun)

    async def get(self, chat: ChatId, account: AccountId) -> Roster | None:
        """For a member; raises `not_found`."""
        await self._need(chat, account)
        conference = self._by_chat.get(chat)
        return None if conference is None else self._roster(conference, node_of(account))

    async def told(self, node: str, chat: ChatId, said: SeatsContent, at: int) -> None:
        """A node says which devices of its accounts are in a conference, and that no others of them are.

        One that has no members hears nothing, not even that there is none.
        """
        group = await self._groups.group(chat)
        if group is None or group.hub is not None or node not in homes(group.members):
            return
        here = [each for each in said.participants if node_of(each.account) == node]
        here = [each for each in here if each.account in group.members]
        conference = self._by_chat.get(chat)
        if conference is None and here:
            if len(self._by_chat) >= MOST or said.call in self._by_call:
                here = []
            else:
                conference = self._open(group, said.call, said.media, self._clock.seconds() + SETTLE_SECONDS)
        if conference is None or conference.call != said.call:
            if said.participants:
                self._tell(node, chat, said.call, at)
            return
        if at <= conference.reported.get(node, 0):
            return  # it has said something else since
        conference.reported[node] = at
        conference.hear(node, at)
        if not self._hear(conference, node, here, at) and said.known != conference.version:
            self._tell(node, chat, said.call, at)

    def moved(self, group: Group) -> None:
        """Members of a group may be none any more."""
        conference = self._by_chat.get(group.chat)
        if conference is not None and group.hub is None:
            conference.homes = homes(group.members)
            self._take_out(conference, [each for each in conference.people if each not in group.members])

    def roster(self, node: str, chat: ChatId, call: str, heard: int) -> Roster:
        """How it is with a conference now, for a node that has told something `heard`."""
        conference = self._by_call.get(call)
        if conference is None or conference.chat != chat:
            over = Ended.REPLACED if chat in self._by_chat else self._ended.get(call, Ended.LOST)
            return Roster(call, Media.AUDIO, self._stamps.next(), heard, over=over)
        if node not in conference.homes:
            # What was to be told before its last member went: it is over for them, and no more is said.
            return Roster(call, Media.AUDIO, self._stamps.next(), heard, over=Ended.LOST)
        return self._roster(conference, node)

    # --- one conference

    async def _need(self, chat: ChatId, account: AccountId) -> Group:
        group = await self._groups.group(chat)
        if group is None or group.hub is not None or account not in group.members:
            raise Problem(Code.NOT_FOUND)
        return group

    def _begin(self, group: Group, asked: Seat) -> Conference:
        if asked.media is None:
            raise Problem(Code.CALL_OVER)
        if asked.call in self._by_call:
            raise Problem(Code.CALL_EXISTS)
        if len(self._by_chat) >= MOST:
            raise Problem(Code.BUSY, retry_after=ALIVE_SECONDS)
        settles = 0.0 if asked.since is None else self._clock.seconds() + SETTLE_SECONDS
        return self._open(group, asked.call, asked.media, settles)

    def _open(self, group: Group, call: str, media: Media, settles: float) -> Conference:
        rings_until = 0.0 if settles else self._clock.seconds() + RING_SECONDS
        conference = Conference(group, call, media, settles, rings_until)
        self._by_chat[group.chat] = self._by_call[call] = conference
        if settles:
            self._settling.add(conference, self._clock.seconds())
        return conference

    def _settles(self, conference: Conference) -> bool:
        return bool(self._clock.seconds() < conference.settles)

    def _since(self, since: int | None) -> int:
        now = self._stamps.next()
        return since if since is not None and now - OLDEST <= since <= now else now

    def _sit(self, conference: Conference, came: Participant) -> bool:
        """Somebody comes, or is there still; whether that is news."""
        account, now = AccountId(came.account), self._clock.seconds()
        lease = Lease(conference.chat, conference.call, account)
        self._leases.drop(lease)
        self._leases.add(lease, now)
        was = conference.people.get(account)
        if was is not None and (was.device, was.hello) == (came.device, came.hello):
            return False
        conference.people[account] = came
        return True

    def _hear(self, conference: Conference, node: str, here: Sequence[Participant], at: int) -> bool:
        """What a node has said of its own; whether that has changed anything."""
        said = by_account(here)
        gone = [
            account
            for account in conference.people
            if node_of(account) == node and account not in said and conference.asked.get(account, 0) < at
        ]
        news = False
        for account, each in said.items():
            room = account in conference.people or len(conference.people) - len(gone) < MOST_TOGETHER
            if room and self._sit(conference, self._as_said(each)):
                conference.asked[account] = at
                news = True
        if gone:
            self._take_out(conference, gone, but=node)
        elif news:
            self._changed(conference)
        return bool(gone or news)

    def _as_said(self, each: Participant) -> Participant:
        return Participant(each.account, each.device, each.hello, self._since(each.since))

    def _take_out(self, conference: Conference, gone: Sequence[AccountId], but: str | None = None) -> None:
        if not gone:
            return
        nodes = conference.nodes()
        for account in gone:
            del conference.people[account]
            conference.asked.pop(account, None)
            self._leases.drop(Lease(conference.chat, conference.call, account))
        if conference.people:
            self._changed(conference, but, nodes)
        else:
            self._end(conference, Ended.HANGUP, nodes)

    def _changed(self, conference: Conference, but: str | None = None, nodes: set[str] | None = None) -> None:
        """Tell all nodes that have to do with it, or had until now."""
        conference.version = self._stamps.next()
        if len(conference.people) > 1:
            self._alone.drop(conference)
        else:
            self._alone.add(conference, self._clock.seconds())
        for node in sorted((nodes or set()) | conference.nodes()):
            if node != but:
                self._tell(node, conference.chat, conference.call, conference.heard.get(node, 0))

    def _end(self, conference: Conference, reason: Ended, nodes: set[str]) -> None:
        del self._by_chat[conference.chat], self._by_call[conference.call]
        self._ended[conference.call] = reason
        while len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
        self._alone.drop(conference)
        self._settling.drop(conference)
        for account in conference.people:
            self._leases.drop(Lease(conference.chat, conference.call, account))
        for node in sorted(nodes):
            self._tell(node, conference.chat, conference.call, conference.heard.get(node, 0))
        self.over(conference, reason)

    def _roster(self, conference: Conference, node: str, begun: bool = False) -> Roster:
        return Roster(
            conference.call,
            conference.media,
            conference.version,
            conference.heard.get(node, 0),
            in_order(conference.people.values()),
            not self._settles(conference),
            begun=begun,
        )

    # --- what is due

    def _expired(self, lease: Lease) -> None:
        conference = self._by_call.get(lease.call)
        if conference is not None and lease.account in conference.people:
            self._take_out(conference, [lease.account])

    def _is_alone(self, conference: Conference) -> None:
        self._end(conference, Ended.NO_ANSWER, conference.nodes())

    def _settled(self, conference: Conference) -> None:
        self._changed(conference)
