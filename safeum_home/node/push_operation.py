"""What an operator may ask about push providers, over the socket."""

from msgspec import Struct

from bridges.push.sender import Standing
from safeum_home.admin.commands import Handler
from safeum_home.admin.metrics import Metrics
from safeum_home.admin.push_wire import PushRow, PushRows, PushTested, PushTestParams
from safeum_home.admin.wire import Params
from safeum_home.errors import Code, Problem
from safeum_home.node.opened import opened
from safeum_home.node.push_metrics import metrics
from safeum_home.node.service import Node
from safeum_home.ports.push import Accepted, Gone, Refused, Temporary, Tested, Wake

UNREGISTERED = "the device is registered with no push provider"


def push_handlers(node: Node) -> dict[str, Handler]:
    """`push.*`; all raise `sealed` while the node is not open."""

    def standings() -> list[Standing]:
        if node.pushes is None:
            raise Problem(Code.SEALED, f"the node is not open yet: it is {node.status}")
        return node.pushes.sender.standings()

    async def test(params: PushTestParams) -> Struct:
        domain, _ = opened(node)
        try:
            tested = await domain.waking.trial.test(params.device)
        except Problem as problem:
            if problem.code is Code.PUSH_UNAVAILABLE:
                raise Problem(Code.WRONG_STATE, UNREGISTERED) from None
            raise
        return _tested(tested)

    def status(params: Params) -> Struct:
        return PushRows([_row(standing) for standing in standings()])

    return {
        "push.status": Handler(Params, status),
        "push.test": Handler(PushTestParams, test),
        "push.metrics": Handler(Params, lambda params: Metrics(metrics(standings()))),
    }


def _tested(tested: Tested) -> PushTested:
    match tested.outcome:
        case Accepted():
            return PushTested(tested.provider, "taken", "")
        case Gone(reason):
            return PushTested(tested.provider, "dead", reason)
        case Refused(reason):
            return PushTested(tested.provider, "refused", reason)
        case Temporary(reason):
            return PushTested(tested.provider, "temporary", reason)


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
