"""The commands `telephone.…`."""

from collections.abc import Callable
from typing import Any

from automat import NoTransition
from msgspec import UNSET

from safeum_home.errors import Code, Problem
from safeum_home.ports import Caller, Database
from safeum_home.ports.money import Direction
from safeum_home.protocol.commands import Done
from safeum_home.protocol.commands.telephone import (
    MissedCall,
    MissedCalls,
    OpenCalls,
    TelephoneAnswer,
    TelephoneDecline,
    TelephoneDial,
    TelephoneDialled,
    TelephoneDtmf,
    TelephoneForget,
    TelephoneHangup,
    TelephoneList,
    TelephoneMissedList,
)
from safeum_home.safenum.telephone import destinations
from safeum_home.safenum.telephone.call import Call
from safeum_home.safenum.telephone.incoming import IncomingCall
from safeum_home.safenum.telephone.limits import TelephoneLimits
from safeum_home.safenum.telephone.means import Means
from safeum_home.safenum.telephone.missed import MissedBook
from safeum_home.safenum.telephone.outgoing import Outgoing
from safeum_home.safenum.telephone.outgoing_machine import new_outgoing
from safeum_home.safenum.telephone.stages import SHOWN, Stage, by_device
from safeum_home.safenum.telephone.table import Table

_DONE = Done()
_NEWEST = 2**62


class TelephoneCommands:
    """Calls: each raises a `Problem`."""

    def __init__(self, means: Means, table: Table, limits: TelephoneLimits) -> None:
        self._means = means
        self._table = table
        self._limits = limits

    async def dial(self, caller: Caller, params: TelephoneDial) -> TelephoneDialled:
        call = self._same(caller, params)
        if call is None:
            self._limits.take_dial(caller.account)
            destinations.check(params.to)
            self._table.check_full()
            self._table.check_room(caller.account)
            call = self._begin(caller, params)
        return await call.dialled()

    def answer(self, caller: Caller, params: TelephoneAnswer) -> Done:
        call = self._incoming(caller, params.call)
        if call.stage is Stage.RINGING:
            self._table.check_room(caller.account)
            call.answer_with(params.sdp)
        return _do(lambda: call.machine.answer(caller.device))

    def decline(self, caller: Caller, params: TelephoneDecline) -> Done:
        call = self._incoming(caller, params.call)
        return _do(lambda: call.machine.decline(caller.device))

    def hang_up(self, caller: Caller, params: TelephoneHangup) -> Done:
        """On any device: who sees that a call costs money can end it."""
        call = self._table.find(caller.account, params.call)
        if isinstance(call, IncomingCall) and call.stage is Stage.RINGING:
            call.machine.decline(caller.device)
        elif call is not None and (call.stage in SHOWN or call.direction is Direction.OUT):
            call.machine.end(by_device(call.direction, call.is_answered))
        return _DONE

    def dtmf(self, caller: Caller, params: TelephoneDtmf) -> Done:
        call = self._table.need(caller.account, params.call)
        if call.stage is not Stage.ACTIVE:
            raise Problem(Code.WRONG_CALL_STATE, f"it is {call.stage.value}")
        call.must_be(caller.device)
        self._limits.keys.take((call.account, call.call), len(params.digits))
        call.press(params.digits)
        return _DONE

    def list(self, caller: Caller, params: TelephoneList) -> OpenCalls:
        shown = [call.shown(caller.device) for call in self._table.of(caller.account)]
        return OpenCalls([each for each in shown if each is not None])

    def _begin(self, caller: Caller, params: TelephoneDial) -> Outgoing:
        call = Outgoing(
            means=self._means,
            call=params.call,
            direction=Direction.OUT,
            other=params.to,
            account=caller.account,
            device=caller.device,
            sdp=params.sdp,
        )
        machine: Any = new_outgoing(call)
        call.machine = machine
        self._table.add(call)
        machine.ask()
        return call

    def _same(self, caller: Caller, params: TelephoneDial) -> Outgoing | None:
        """The call that it is already; raises `call_exists` and `call_over`."""
        call = self._table.find(caller.account, params.call)
        if call is None:
            if self._table.is_over(caller.account, params.call):
                raise Problem(Code.CALL_OVER)
            return None
        if not isinstance(call, Outgoing):
            raise Problem(Code.CALL_EXISTS)
        if (call.other, call.sdp, call.device) != (params.to, params.sdp, caller.device):
            raise Problem(Code.CALL_EXISTS)
        return call

    def _incoming(self, caller: Caller, id: str) -> IncomingCall:
        call: Call = self._table.need(caller.account, id)
        if not isinstance(call, IncomingCall):
            raise Problem(Code.WRONG_CALL_STATE, "it is a call of one's own")
        return call


class MissedCommands:
    """Calls that nobody has taken."""

    def __init__(self, database: Database, book: MissedBook) -> None:
        self._database = database
        self._book = book

    async def missed(self, caller: Caller, params: TelephoneMissedList) -> MissedCalls:
        account, before = caller.account, _NEWEST if params.before is None else params.before
        found, more = await self._database.read(lambda c: self._book.page(c, account, before, params.limit))
        calls = [
            MissedCall(number, record.at, record.voicemail, record.caller or UNSET)
            for number, record in found
        ]
        return MissedCalls(calls, more)

    async def forget(self, caller: Caller, params: TelephoneForget) -> Done:
        account = caller.account
        await self._database.transact(lambda c: self._book.forget(c, account))
        return _DONE


def _do(act: Callable[[], None]) -> Done:
    try:
        act()
    except NoTransition:
        raise Problem(Code.CALL_OVER) from None
    return _DONE
