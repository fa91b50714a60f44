"""How members of other nodes are called: what their nodes say, within bounds."""

from safeum_home import ids
from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.groups import Called


def is_its_own(called: Called) -> bool:
    """Whether an account is called what one of its node can be: its id, or a login there, but no number."""
    account = AccountId(called.account)
    try:
        alias, node = ids.address(called.address, node_of(account))
    except Problem:
        return False
    if node != node_of(account) or ids.is_number(alias) or (ids.is_account(alias) and alias != account):
        return False
    return ids.written(alias, node) == called.address
