"""What whoever runs the processes towards a carrier asks the node for, over the operator's socket."""

from safeum_home.admin.carrier_wire import CarrierGrant, CarrierGrantParams
from safeum_home.admin.commands import Handler
from safeum_home.errors import Code, Problem
from safeum_home.node.service import Node
from safeum_home.ports.carrier import EDGE, JANUS

NO_TRUNK = "there is no trunk in the node's configuration: trunk.carriers"


def carrier_handlers(node: Node) -> dict[str, Handler]:
    """`carrier.grant`; raises `sealed`, `wrong_state` where there is no trunk, `not_found` for a secret."""

    def grant(params: CarrierGrantParams) -> CarrierGrant:
        section = node.config.trunk
        if not section.carriers:
            raise Problem(Code.WRONG_STATE, NO_TRUNK)
        vault = node.seal.vault
        if params.part == "janus":
            return CarrierGrant(vault.carrier_key(JANUS).hex())
        kind, _, name = section.key.partition(":")
        key = vault.secrets.open(name) if kind == "secret" else None
        password = ""
        if section.password:
            password = vault.secrets.open(section.password.removeprefix("secret:")).decode(errors="replace")
        return CarrierGrant(vault.carrier_key(EDGE).hex(), password, key)

    return {"carrier.grant": Handler(CarrierGrantParams, grant)}
