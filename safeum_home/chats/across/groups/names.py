"""How members of other nodes are called: what their nodes say, within bounds."""

from collections import OrderedDict

from safeum_home import ids
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.groups import Called

MOST_CALLED = 10_000


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


class CalledElsewhere:
    """What other nodes have said that those are called who have given commands lately."""

    def __init__(self) -> None:
        self._called: OrderedDict[AccountId, tuple[str, str]] = OrderedDict()

    def __call__(self, account: AccountId) -> tuple[str, str] | None:
        return self._called.get(account)

    def note(self, called: Called) -> None:
        """Raises `invalid_params` where an account is called what nobody of its node can be."""
        account = AccountId(called.account)
        if not is_its_own(called):
            raise Problem(Code.INVALID_PARAMS)
        self._called[account] = called.address, called.display_name
        self._called.move_to_end(account)
        if len(self._called) > MOST_CALLED:
            self._called.popitem(last=False)
