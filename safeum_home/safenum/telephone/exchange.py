"""Calls that come in: for whom, and whether they ring (`ports.carrier.Exchange`)."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted.logger import Logger

from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.ports.carrier import (
    NOT_FOUND,
    UNAVAILABLE,
    CarrierCall,
    CarrierEnd,
    CarrierListener,
    Incoming,
)
from safeum_home.ports.money import Direction
from safeum_home.ports.push import Reach
from safeum_home.ports.voicemail import Unanswered
from safeum_home.protocol.telephone_types import E164_PATTERN
from safeum_home.safenum.telephone.counts import TelephoneCounts
from safeum_home.safenum.telephone.incoming import IncomingCall
from safeum_home.safenum.telephone.incoming_machine import new_incoming
from safeum_home.safenum.telephone.limits import TelephoneLimits
from safeum_home.safenum.telephone.means import Means
from safeum_home.safenum.telephone.stages import Stage
from safeum_home.safenum.telephone.table import Table
from safeum_home.spawn import spawn

_NUMBER = re.compile(E164_PATTERN)


class TelephoneExchange:
    """For the reactor's thread."""

    _log = Logger()

    def __init__(
        self,
        means: Means,
        table: Table,
        limits: TelephoneLimits,
        counts: TelephoneCounts,
        reach: Reach,
        new_id: Callable[[], str],
    ) -> None:
        """`reach` knows whether an account's devices can be told; `new_id` makes ids of calls."""
        self._means = means
        self._table = table
        self._limits = limits
        self._counts = counts
        self._reach = reach
        self._new_id = new_id

    def incoming(self, call: CarrierCall, offer: Incoming) -> CarrierListener:
        caller = offer.caller if _NUMBER.match(offer.caller) else ""
        try:
            self._table.check_full()
            self._limits.take_ring(offer.called, caller)
        except Problem:
            # Nothing is stored of it: a flood is not to fill the disk.
            self._counts.flooded += 1
            call.decline(UNAVAILABLE)
            return _Nobody()
        incoming = IncomingCall(
            means=self._means,
            call=self._new_id(),
            direction=Direction.IN,
            other=caller,
            safenum=offer.called,
            line=call,
            trunk=offer.trunk,
            offer=replace(offer, caller=caller),
        )
        machine: Any = new_incoming(incoming)
        incoming.machine = machine
        self._table.add(incoming)
        machine.arrive()
        spawn(self._find(incoming), "looking for whom a call is")
        return incoming.machine

    async def _find(self, call: IncomingCall) -> None:
        """Each step may find that the caller has given up."""
        try:
            owner = await self._owner(call)
            if owner is None:
                call.machine.refuse(NOT_FOUND)
            elif call.stage is not Stage.OVER:
                self._table.known(call, owner)
                call.is_noted = True
                await self._means.charging.incoming(owner, call.call, call.leg)
                await self._arrived(call, owner)
        except Problem:
            call.machine.refuse(UNAVAILABLE)  # the storage is away
        except Exception:
            call.machine.refuse(UNAVAILABLE)
            raise

    async def _owner(self, call: IncomingCall) -> AccountId | None:
        if not _NUMBER.match(call.safenum):
            return None
        return await self._means.callers.owner(call.safenum)

    async def _arrived(self, call: IncomingCall, owner: AccountId) -> None:
        if await self._means.mailbox.takes_at_once(owner):
            call.machine.unanswered(Unanswered.ALWAYS)
            return
        is_reached = await self._reach.reaches(owner)
        # Nothing is waited for between this and that it rings: else those that come together all might.
        if not self._table.may_ring(owner):
            call.machine.unanswered(Unanswered.BUSY)
        elif not is_reached:
            call.machine.unanswered(Unanswered.OFFLINE)
        else:
            call.machine.rings()


class _Nobody:
    """Hears of a call that was refused."""

    def progress(self, sdp: str | None) -> None: ...
    def answered(self, sdp: str | None) -> None: ...
    def dtmf(self, digits: str) -> None: ...
    def ended(self, end: CarrierEnd) -> None: ...
