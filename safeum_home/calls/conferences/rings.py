"""Whom a conference rings for: members who are contacts of the one who began it. Their own node decides that.

Whoever is in a group has agreed to its messages, not to be rung by strangers. The others see that there is
one when they look (`conference.get`).
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from msgspec import Struct

from safeum_home.errors import Problem
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.jobs import again
from safeum_home.limits import RateLimit
from safeum_home.ports import Acquaintances, Blinder, Bus, Caller, Published, Subscriber, Waking
from safeum_home.ports.calls import Group
from safeum_home.ports.push import Wake
from safeum_home.protocol import frames
from safeum_home.protocol.call_types import RING_SECONDS, Ended, Media
from safeum_home.protocol.events import CallEnded, ConferenceRings
from safeum_home.protocol.federation.conferences import RingsContent
from safeum_home.protocol.federation.events import node_of
from safeum_home.rounds import Rounds
from safeum_home.spawn import spawn

MOST = 10_000
"""Conferences that ring; beyond them none does."""
MOST_MEMBERS = 200
"""In larger groups nobody is rung for."""
_AT_ONCE = 200
_RINGING = "ringing for a conference"


class Ring(Struct, eq=False):
    """A conference that rings, for these accounts of this node."""

    chat: ChatId
    call: str
    account: AccountId
    media: Media
    until: float
    """By the reactor's clock."""
    accounts: set[AccountId]


class Came(Struct, frozen=True):
    """A device that has connected while it rings."""

    account: AccountId
    device: DeviceId


class Rings:
    """Those of this node. `clock` provides IReactorTime."""

    def __init__(
        self,
        node: str,
        clock: Any,
        rounds: Rounds,
        bus: Bus,
        blinder: Blinder,
        acquaintances: Acquaintances,
        foreign: Acquaintances,
        is_in: Callable[[ChatId, AccountId], bool],
        limit: RateLimit,
    ) -> None:
        """`acquaintances` of accounts of this node, `foreign` of others; `is_in` who is in a conference.

        `limit` is how often it rings in a group for one who begins.
        """
        self._node = node
        self._clock = clock
        self._bus = bus
        self._blinder = blinder
        self._acquaintances = acquaintances
        self._foreign = foreign
        self._is_in = is_in
        self._by_call: dict[str, Ring] = {}
        self._by_chat: dict[ChatId, list[Ring]] = {}
        self._of: dict[AccountId, set[str]] = {}
        self._limit = limit
        self._ending = rounds.queue(RING_SECONDS, _AT_ONCE, self._silent)
        self._coming = rounds.queue(0.0, _AT_ONCE, self._tell)

    def __len__(self) -> int:
        return len(self._by_call)

    def has(self, chat: ChatId) -> bool:
        """Whether it rings there."""
        return chat in self._by_chat

    def ring(self, group: Group, account: AccountId, said: RingsContent) -> None:
        """`account` has begun a conference."""
        is_known = said.call in self._by_call
        if is_known or len(group.members) > MOST_MEMBERS or len(self._by_call) >= MOST:
            return
        with suppress(Problem):
            self._limit.take((group.chat, account))
            seconds = min(said.left / 1000, RING_SECONDS)
            ring = Ring(group.chat, said.call, account, said.media, self._clock.seconds() + seconds, set())
            self._by_call[ring.call] = ring
            self._by_chat.setdefault(ring.chat, []).append(ring)
            self._ending.add(ring, self._clock.seconds())
            spawn(self._ring(group, ring), _RINGING)

    async def _ring(self, group: Group, ring: Ring) -> None:
        peers = self._acquaintances if node_of(ring.account) == self._node else self._foreign
        [known] = await again(self._clock, _RINGING, lambda: peers.of([ring.account]), ring.until)
        # While that was read it may have been over, or somebody may have taken it.
        if known is not None and self._by_call.get(ring.call) is ring:
            self._begin(ring, group, known.peers)

    def over(self, chat: ChatId, call: str, reason: Ended) -> None:
        """The conference is over."""
        ring = self._by_call.get(call)
        if ring is not None and ring.chat == chat:
            for account in tuple(ring.accounts):
                self._stop(account, ring, reason)
            self._ending.drop(ring)
            self._silent(ring)

    def joined(self, account: AccountId, device: DeviceId, chat: ChatId) -> None:
        """An account is in one of a group: its other devices ring no more."""
        for ring in self._rings(account):
            if ring.chat == chat:
                self._stop(account, ring, Ended.ANSWERED_ELSEWHERE, device)

    def decline(self, caller: Caller, call: str) -> bool:
        """An account does not want it to ring; whether it did."""
        found = [ring for ring in self._rings(caller.account) if ring.call == call]
        for ring in found:
            self._stop(caller.account, ring, Ended.DECLINED_ELSEWHERE, caller.device)
        return bool(found)

    def moved(self, group: Group) -> None:
        """Members of a group may be none any more."""
        for ring in self._by_chat.get(group.chat, ()):
            for account in [each for each in ring.accounts if each not in group.members]:
                self._stop(account, ring, Ended.HANGUP)

    def forget_account(self, account: AccountId) -> None:
        """The account was closed."""
        for ring in self._rings(account):
            self._let_go(account, ring)

    def came(self, account: AccountId, subscriber: Subscriber) -> None:
        """A device has connected: it is told once it was answered that it is there."""
        if account in self._of:
            self._coming.add(Came(account, subscriber.device), self._clock.seconds())

    # --- one that rings

    def _begin(self, ring: Ring, group: Group, peers: bytes) -> None:
        known = {peers[at : at + 16] for at in range(0, len(peers), 16)}
        frame = self._frame(ring)
        here = (member for member in group.members if node_of(member) == self._node)
        for member in here:
            is_rung = member != ring.account and self._blinder.account(member) in known
            if is_rung and not self._is_in(ring.chat, member):
                ring.accounts.add(member)
                self._of.setdefault(member, set()).add(ring.call)
                rings = partial(ring.accounts.__contains__, member)
                waking = Waking(Wake.CALL, ring.chat, stands=rings)
                self._bus.publish(member, Published(frame, wake=waking))

    def _tell(self, came: Came) -> None:
        for ring in self._rings(came.account):
            if ring.until > self._clock.seconds():
                self._bus.publish(came.account, Published(self._frame(ring), only=came.device))

    def _frame(self, ring: Ring) -> bytes:
        left = max(0.0, ring.until - self._clock.seconds())
        event = ConferenceRings(ring.call, ring.chat, ring.account, ring.media, round(left, 3))
        return frames.text_frame(frames.encode_event(event))

    def _rings(self, account: AccountId) -> list[Ring]:
        """What rings for an account."""
        return [self._by_call[call] for call in self._of.get(account, ())]

    def _stop(self, account: AccountId, ring: Ring, reason: Ended, skip: DeviceId | None = None) -> None:
        frame = frames.text_frame(frames.encode_event(CallEnded(ring.call, reason)))
        self._let_go(account, ring)
        self._bus.publish(account, Published(frame, skip=skip))

    def _let_go(self, account: AccountId, ring: Ring) -> None:
        ring.accounts.discard(account)
        self._of[account].discard(ring.call)
        if not self._of[account]:
            del self._of[account]

    def _silent(self, ring: Ring) -> None:
        """It has rung for long enough: devices know that by themselves."""
        for account in tuple(ring.accounts):
            self._let_go(account, ring)
        del self._by_call[ring.call]
        self._by_chat[ring.chat].remove(ring)
        if not self._by_chat[ring.chat]:
            del self._by_chat[ring.chat]
