"""What an operator may ask about SafeNUMs, over the socket."""

from msgspec import Struct
from sqlalchemy import Connection
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from safeum_home.accounts.directory import OpenAccount
from safeum_home.admin import numbers_wire as wire
from safeum_home.admin.commands import Handler
from safeum_home.admin.control_wire import LoginParams
from safeum_home.admin.wire import Done, Params
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.node.control_names import alias_of
from safeum_home.node.opened import opened
from safeum_home.node.service import Node
from safeum_home.safenum.numbers.inventory import Range
from safeum_home.safenum.numbers.stock_file import BadFile, parse
from safeum_home.storage.numbers import without

PAGE = 100
"""Ranges in one answer."""
AT_ONCE = 50
"""Accounts that are given numbers in one answer."""
_log = Logger()


class Operation:
    """The commands, each with its parameters in `handlers`. All raise `sealed` while the node is not open."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def load(self, params: wire.LoadParams) -> Struct:
        domain, database = opened(self._node)
        inventory = domain.numbers.inventory
        try:
            lines = await deferToThread(parse, params.text)
            loaded = await database.transact(lambda c: inventory.load(c, lines, params.check))
        except BadFile as bad:
            return wire.NumbersLoaded(mistakes=bad.mistakes)
        if not params.check:
            _log.info("{count} SafeNUMs were loaded.", count=loaded.numbers)
        return wire.NumbersLoaded(*loaded)

    async def ranges(self, params: wire.RangesParams) -> Struct:
        found = await self._ranges()
        rows = [_row(each) for each in found if params.state in (None, each.state.name.lower())]
        return wire.RangeRows(rows[params.skip : params.skip + PAGE], len(rows))

    async def status(self, params: Params) -> Struct:
        domain, _ = opened(self._node)
        found = await self._ranges()
        return wire.NumbersState(
            domain.numbers.assign,
            len(found),
            sum(each.size for each in found),
            sum(each.given for each in found),
            sum(each.quarantined for each in found),
            sum(each.withdrawn for each in found),
            sum(each.left for each in found),
        )

    async def withdraw(self, params: wire.WithdrawParams) -> Struct:
        domain, database = opened(self._node)
        inventory, numbers = domain.numbers.inventory, domain.numbers.numbers

        def withdraw(c: Connection) -> bool:
            if not params.only:
                return inventory.withdraw(c, params.number)
            if (stock := inventory.holding(c, params.number)) is not None:
                numbers.withdraw(c, params.number, stock)
            return stock is not None

        if not await database.transact(withdraw):
            raise Problem(Code.NOT_FOUND, "no range that was loaded has this number")
        _log.info("{what} was withdrawn.", what="A SafeNUM" if params.only else "A range of SafeNUMs")
        return Done()

    async def restore(self, params: wire.NumberParams) -> Struct:
        domain, database = opened(self._node)
        if not await database.transact(lambda c: domain.numbers.numbers.restore(c, params.number)):
            raise Problem(Code.NOT_FOUND, "this number was not withdrawn alone")
        return Done()

    async def assign(self, params: LoginParams) -> Struct:
        domain, database = opened(self._node)
        account = await self._account(params)
        publish = await domain.numbers.giving.give(account)
        publish()
        if await database.read(lambda c: domain.numbers.numbers.number_of(c, account)) is None:
            raise Problem(Code.LIMIT_REACHED, "no number is left")
        return Done()

    async def assign_all(self, params: wire.AssignAllParams) -> Struct:
        domain, database = opened(self._node)
        after = bytes.fromhex(params.after)

        def some(c: Connection) -> tuple[list[bytes], list[OpenAccount | None]]:
            blind = without(c, after, AT_ONCE)
            return blind, undamaged(blind, lambda each: domain.directory.behind(c, each), "accounts")

        blind, found = await database.read(some)
        given = await domain.numbers.giving.give_some(each.account for each in found if each is not None)
        left = any(each.left for each in await self._ranges())
        return wire.AssignedSome(given, blind[-1].hex() if left and len(blind) == AT_ONCE else "", left)

    async def release(self, params: LoginParams) -> Struct:
        domain, _ = opened(self._node)
        publish = await domain.numbers.giving.take_back(await self._account(params))
        publish()
        return Done()

    async def _account(self, params: LoginParams) -> AccountId:
        domain, _ = opened(self._node)
        found = await domain.control.accounts.show(alias_of(params.login, self._node.config.node.name))
        return found.account

    async def _ranges(self) -> list[Range]:
        domain, database = opened(self._node)
        return await database.read(domain.numbers.inventory.ranges)


def numbers_handlers(node: Node) -> dict[str, Handler]:
    """The commands of an operator of `node`."""
    operation = Operation(node)

    return {
        "numbers.load": Handler(wire.LoadParams, operation.load),
        "numbers.ranges": Handler(wire.RangesParams, operation.ranges),
        "numbers.status": Handler(Params, operation.status),
        "numbers.withdraw": Handler(wire.WithdrawParams, operation.withdraw),
        "numbers.restore": Handler(wire.NumberParams, operation.restore),
        "numbers.assign_all": Handler(wire.AssignAllParams, operation.assign_all),
        "numbers.assign": Handler(LoginParams, operation.assign),
        "numbers.release": Handler(LoginParams, operation.release),
    }


def _row(found: Range) -> wire.RangeRow:
    shown = found.first, found.last, found.country, list(found.capabilities)
    counts = found.size, found.given, found.quarantined, found.withdrawn, found.left
    return wire.RangeRow(*shown, found.state.name.lower(), *counts)
