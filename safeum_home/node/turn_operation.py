"""What whoever runs the relay asks the node for, over the operator's socket."""

from safeum_home.admin.commands import Handler
from safeum_home.admin.turn_wire import TurnGrant
from safeum_home.admin.wire import Params
from safeum_home.errors import Code, Problem
from safeum_home.grants.turn import granted
from safeum_home.node.service import Node

NO_RELAY = "there is no relay in the node's configuration: turn.urls"


def turn_handlers(node: Node) -> dict[str, Handler]:
    """`turn.grant`; raises `sealed`, `wrong_state` where there is no relay, `not_found` for a missing key."""

    def grant(params: Params) -> TurnGrant:
        section = node.config.turn
        if not section.urls:
            raise Problem(Code.WRONG_STATE, NO_RELAY)
        vault = node.seal.vault
        kind, _, name = section.key.partition(":")
        key = vault.secrets.open(name) if kind == "secret" else None
        found = granted(vault.relay, node.reactor.seconds(), key)
        return TurnGrant(list(found.secrets), found.seconds, found.key)

    return {"turn.grant": Handler(Params, grant)}
