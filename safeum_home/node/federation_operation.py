"""What an operator may ask about other nodes, over the socket."""

from msgspec import Struct
from twisted.logger import Logger

from safeum_home.admin import federation_wire as wire
from safeum_home.admin.commands import Handler
from safeum_home.admin.metrics import Metrics
from safeum_home.admin.wire import Params
from safeum_home.errors import Code, Problem
from safeum_home.ids import node_name
from safeum_home.node.federation import NodeFederation
from safeum_home.node.service import Node
from safeum_home.protocol.federation.signed import base64

_log = Logger()


class FederationOperation:
    """The commands. All raise `sealed` while the node is not open, `wrong_state` where federation is off."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def _federation(self) -> NodeFederation:
        if (federation := self._node.federation) is not None:
            return federation
        if self._node.domain is None:
            raise Problem(Code.SEALED, f"the node is not open yet: it is {self._node.status}")
        raise Problem(Code.WRONG_STATE, "this node has to do with no other: federation.mode is off")

    async def nodes(self, params: wire.NodesParams) -> Struct:
        federation = self._federation
        states, after = await federation.outbox.peers(bytes.fromhex(params.after), wire.PAGE)
        reports = federation.sender.reports()
        rows = []
        for each in states:
            report = reports.get(each.name)
            state, error = ("idle", "") if report is None else report
            row = wire.NodeRow(each.name, state, each.waiting, each.failing, each.seen, error)
            rows.append(row)
        return wire.NodeRows(rows, after.hex())

    async def check(self, params: wire.CheckParams) -> Struct:
        """Raises `invalid_node_name`, too."""
        federation, node = self._federation, node_name(params.node)
        return wire.Checked(node, await federation.check(node))

    async def aside(self, params: Params) -> Struct:
        rows = await self._federation.aside(wire.PAGE)
        return wire.AsideRows([wire.AsideRow(*row) for row in rows])

    async def metrics(self, params: Params) -> Struct:
        return Metrics(await self._federation.metrics())

    async def keys(self, params: Params) -> Struct:
        published = self._federation.own.verify_keys()
        rows = [wire.KeyRow(key, base64(public), None) for key, public in published.current.items()]
        old = sorted(published.old.items(), key=lambda each: each[1][1], reverse=True)
        return wire.KeyRows([*rows, *(wire.KeyRow(key, base64(public), at) for key, (public, at) in old)])

    async def rotate(self, params: Params) -> Struct:
        key = await self._federation.rotate()
        _log.info("The node signs with the key {key} from now on.", key=key)
        return await self.keys(params)


def federation_handlers(node: Node) -> dict[str, Handler]:
    """The commands of an operator of `node`."""
    operation = FederationOperation(node)

    return {
        "federation.nodes": Handler(wire.NodesParams, operation.nodes),
        "federation.check": Handler(wire.CheckParams, operation.check),
        "federation.aside": Handler(Params, operation.aside),
        "federation.metrics": Handler(Params, operation.metrics),
        "federation.keys": Handler(Params, operation.keys),
        "federation.rotate": Handler(Params, operation.rotate),
    }
