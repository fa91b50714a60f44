"""What whoever runs the processes towards a carrier asks and tells the node, over the operator's socket."""

from msgspec import Struct

from safeum_home.admin.carrier_wire import (
    CarrierGrant,
    CarrierGrantParams,
    CarrierRecordsParams,
    EdgeParams,
    EdgeRows,
)
from safeum_home.admin.commands import Handler
from safeum_home.admin.wire import Done
from safeum_home.errors import Code, Problem
from safeum_home.node.money import MoneyParts
from safeum_home.node.opened import opened
from safeum_home.node.service import Node
from safeum_home.ports import Database
from safeum_home.ports.carrier import EDGE, JANUS
from safeum_home.safenum.money.months import parse_month

NO_TRUNK = "there is no trunk in the node's configuration: trunk.carriers"
PAGE = 100
"""That many records fit a line at their longest."""


class CarrierOperation:
    """The commands; all raise `sealed` while the node is not open, and `wrong_state` without a trunk."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def _open(self) -> tuple[MoneyParts, Database]:
        if not self._node.config.trunk.carriers:
            raise Problem(Code.WRONG_STATE, NO_TRUNK)
        domain, database = opened(self._node)
        return domain.money, database

    def grant(self, params: CarrierGrantParams) -> CarrierGrant:
        """Each process gets its own secrets alone; raises `not_found` for one that is not in the store."""
        section = self._node.config.trunk
        if not section.carriers:
            raise Problem(Code.WRONG_STATE, NO_TRUNK)
        vault = self._node.seal.vault
        if params.part == "janus":
            return CarrierGrant(vault.carrier_key(JANUS).hex())
        password = ""
        if section.proof:
            password = vault.secrets.open(section.proof.removeprefix("secret:")).decode(errors="replace")
        return CarrierGrant(vault.carrier_key(EDGE).hex(), password)

    async def records(self, params: CarrierRecordsParams) -> Struct:
        """They are durable when this has answered, and come twice without harm."""
        money, database = self._open()
        await database.transact(lambda c: money.edge.put(c, params.records))
        return Done()

    async def page(self, params: EdgeParams) -> Struct:
        money, database = self._open()
        month, after = parse_month(params.month), bytes.fromhex(params.after)
        records, following = await database.read(lambda c: money.edge.page(c, month, after, PAGE))
        name = "" if following is None else following.hex()
        return EdgeRows(records, name, self._node.config.trunk.talk_tolerance_ms)


def carrier_handlers(node: Node) -> dict[str, Handler]:
    """The commands of an operator of `node`."""
    operation = CarrierOperation(node)

    return {
        "carrier.grant": Handler(CarrierGrantParams, operation.grant),
        "carrier.records": Handler(CarrierRecordsParams, operation.records),
        "carrier.edge": Handler(EdgeParams, operation.page),
    }
