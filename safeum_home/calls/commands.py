"""The commands `call.…`: what devices of this node's accounts do in calls between two."""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from automat import NoTransition

from safeum_home.calls.leg import Leg
from safeum_home.calls.legs import Legs
from safeum_home.calls.limits import CallLimits
from safeum_home.calls.machine import refusal
from safeum_home.calls.means import LegMeans
from safeum_home.calls.partners import Partners
from safeum_home.calls.stages import INCOMING, REPLACED, Ending, Stage
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Caller, Committed
from safeum_home.protocol.call_types import RING_SECONDS, Declined, Ended
from safeum_home.protocol.commands import Done
from safeum_home.protocol.commands.calls import (
    CallAlive,
    CallAnswer,
    CallDecline,
    CallHangup,
    CallInvite,
    CallInvited,
    CallRinging,
    CallSignal,
)
from safeum_home.protocol.federation.calls import End

OLDEST = 86_400_000
"""Milliseconds: since when a call that a node hears of anew may have gone on, at the most."""
_FULL_AGAIN = 10.0
_DONE = Done()


class _Asked(NamedTuple):
    """A device begins a call, or says that one goes on."""

    account: AccountId
    device: DeviceId
    call: str
    peer: AccountId


class CallCommands:
    """Each raises a `Problem`; who they are between nobody else learns."""

    def __init__(self, means: LegMeans, legs: Legs, limits: CallLimits, partners: Partners) -> None:
        self._means = means
        self._legs = legs
        self._limits = limits
        self._partners = partners
        self._asked: Counter[_Asked] = Counter()
        """What waits for the database."""

    async def invite(self, caller: Caller, params: CallInvite) -> CallInvited | Committed[CallInvited]:
        account, peer = caller.account, AccountId(params.to)
        if (same := self._same(caller, params)) is not None:
            return CallInvited(same.seconds)
        self._limits.invites.take(account)
        await self._check(caller, params.call, peer)
        if (same := self._same(caller, params)) is not None:
            return CallInvited(same.seconds)
        if self._legs.find(peer, params.call) is not None:
            raise Problem(Code.CALL_EXISTS)
        self._check_room(account)
        others = self._legs.crossing(account, peer, params.call, INCOMING)
        if others is None:
            return self._given_way(caller, params)
        leg = Leg(self._means, params.call, account, peer, True, params.media, params.hello, caller.device)
        machine = self._legs.add(leg).machine

        def begin() -> None:
            # In this order: who is called lets it take the place of the call that is replaced.
            machine.invite()
            for other in others:
                if leg.stage is not Stage.OVER and other.stage in INCOMING:
                    other.machine.end(REPLACED)

        return Committed(CallInvited(RING_SECONDS), begin)

    def ringing(self, caller: Caller, params: CallRinging) -> Done:
        leg = self._legs.need(caller.account, params.call)
        return _do(leg, caller, lambda: leg.machine.ring(caller.device, params.hello))

    def signal(self, caller: Caller, params: CallSignal) -> Done:
        leg = self._legs.need(caller.account, params.call)
        if params.account is not None and params.account != leg.peer:
            raise Problem(Code.NOT_FOUND)
        self._limits.take_signal((leg.account, leg.call), leg.account, len(params.data))
        target = DeviceId(params.device)
        return _do(leg, caller, lambda: leg.machine.speak(caller.device, target, params.data))

    def answer(self, caller: Caller, params: CallAnswer) -> Done:
        leg = self._legs.need(caller.account, params.call)
        if leg.stage is Stage.CALLED:
            if not leg.rings_on(caller.device):
                raise Problem(Code.WRONG_CALL_STATE, "this device does not ring: call.ringing")
            if not self._legs.has_room(caller.account):
                raise Problem(Code.LIMIT_REACHED, "calls")
        return _do(leg, caller, lambda: leg.machine.answer(caller.device))

    def decline(self, caller: Caller, params: CallDecline) -> Done:
        leg = self._legs.need(caller.account, params.call)
        return _do(leg, caller, lambda: leg.machine.decline(caller.device, params.reason))

    def hang_up(self, caller: Caller, params: CallHangup) -> Done:
        leg = self._legs.find(caller.account, params.call)
        if leg is None:
            self._hang_up_asked(caller, params.call)
            return _DONE
        if leg.stage is Stage.CALLED:
            leg.machine.decline(caller.device, Declined.DECLINED)
        elif leg.device == caller.device:
            leg.machine.end(Ending(None, Ended.HANGUP))
        return _DONE

    async def alive(self, caller: Caller, params: CallAlive) -> Done:
        leg = self._legs.find(caller.account, params.call)
        if leg is None:
            await self._resume(caller, params)
            return _DONE
        if params.account is not None and params.account != leg.peer:
            raise Problem(Code.NOT_FOUND)
        return _do(leg, caller, lambda: leg.machine.alive(caller.device))

    async def _resume(self, caller: Caller, params: CallAlive) -> None:
        """A call that this node does not know, or has not heard of for too long."""
        self._check_not_over(caller.account, params.call)
        if params.account is None:
            raise Problem(Code.NOT_FOUND)
        peer = AccountId(params.account)
        self._limits.invites.take(caller.account)
        await self._check(caller, params.call, peer)
        if self._legs.find(caller.account, params.call) is not None:
            return
        try:
            self._check_not_over(caller.account, params.call)
        except Problem:
            self._means.line.say(caller.account, End(params.call, peer, Ended.HANGUP))
            raise
        self._check_room(caller.account)
        now = int(self._means.clock.seconds() * 1000)
        leg = Leg(self._means, params.call, caller.account, peer, False, device=caller.device)
        self._legs.add(leg).machine.resume(min(max(params.since, now - OLDEST), now))

    async def _check(self, caller: Caller, call: str, peer: AccountId) -> None:
        """Raises `not_a_contact`. Who hangs up meanwhile finds what he has asked for."""
        asked = _Asked(caller.account, caller.device, call, peer)
        self._asked[asked] += 1
        try:
            await self._partners.check(caller.account, peer)
        finally:
            self._asked[asked] -= 1
            if not self._asked[asked]:
                del self._asked[asked]

    def _hang_up_asked(self, caller: Caller, call: str) -> None:
        for asked in self._asked:
            if asked[:3] == (caller.account, caller.device, call):
                self._legs.remember(caller.account, call, asked.peer, Ended.HANGUP)

    def _check_not_over(self, account: AccountId, call: str) -> None:
        """Raises `call_over` where it was hung up."""
        over = self._legs.over_before(account, call)
        if over is not None and over.reason is not Ended.LOST:
            raise Problem(Code.CALL_OVER)

    def _same(self, caller: Caller, params: CallInvite) -> Leg | None:
        """The call that it is already; raises `call_exists` and `call_over`."""
        leg = self._legs.find(caller.account, params.call)
        if leg is None:
            if self._legs.over_before(caller.account, params.call) is not None:
                raise Problem(Code.CALL_OVER)
            return None
        there = (leg.is_caller, leg.peer, leg.media, leg.hello, leg.device)
        if there != (True, params.to, params.media, params.hello, caller.device):
            raise Problem(Code.CALL_EXISTS)
        return leg

    def _check_room(self, account: AccountId) -> None:
        if not self._legs.has_room(account):
            raise Problem(Code.LIMIT_REACHED, "calls")
        if self._legs.full:
            raise Problem(Code.BUSY, retry_after=_FULL_AGAIN)

    def _given_way(self, caller: Caller, params: CallInvite) -> Committed[CallInvited]:
        """Who is called is calling: that call goes on."""
        account, call, device = caller.account, params.call, caller.device
        self._legs.remember(account, call, AccountId(params.to), Ended.REPLACED)
        telling = self._means.telling
        return Committed(
            CallInvited(RING_SECONDS), lambda: telling.ended_on(account, call, Ended.REPLACED, device)
        )


def _do(leg: Leg, caller: Caller, act: Callable[[], Any]) -> Done:
    try:
        act()
    except NoTransition:
        raise refusal(leg, caller.device) from None
    return _DONE
