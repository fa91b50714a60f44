"""What an operator may ask about push providers, over the socket."""

from msgspec import Struct

from bridges.push.sender import Standing
from safeum_home.admin.commands import Handler
from safeum_home.admin.metrics import Metrics
from safeum_home.admin.push_wire import PushRow, PushRows
from safeum_home.admin.wire import Params
from safeum_home.errors import Code, Problem
from safeum_home.node.push_metrics import metrics
from safeum_home.node.service import Node
from safeum_home.ports.push import Wake


def push_handlers(node: Node) -> dict[str, Handler]:
    """`push.*`; all raise `sealed` while the node is not open."""

    def standings() -> list[Standing]:
        if node.pushes is None:
            raise Problem(Code.SEALED, f"the node is not open yet: it is {node.status}")
        return node.pushes.sender.standings()

    def status(params: Params) -> Struct:
        return PushRows([_row(standing) for standing in standings()])

    return {
        "push.status": Handler(Params, status),
        "push.metrics": Handler(Params, lambda params: Metrics(metrics(standings()))),
    }


def _row(standing: Standing) -> PushRow:
    return PushRow(
        standing.name,
        standing.kind,
        standing.state,
        standing.trouble,
        standing.waiting[Wake.CALL],
        standing.waiting[Wake.MESSAGE],
        standing.under_way,
        standing.counts,
    )
