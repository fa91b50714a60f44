"""What other nodes ask of the keys of accounts of this one."""

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.keys.shown import KeysShown
from safeum_home.limits import RateLimit
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.questions import KeysHeld, KeysOf
from safeum_home.protocol.key_types import MOST_LAUNCHED


class KeyAnswering:
    """Answers as a node answers its own accounts: with nothing of whom the viewer is not in a chat with."""

    def __init__(self, node: str, shown: KeysShown, limit: RateLimit) -> None:
        """`limit` is of how many accounts each node may ask."""
        self._node = node
        self._shown = shown
        self._limit = limit

    async def answer(self, node: str, question: KeysOf) -> KeysHeld:
        """Raises `rate_limited`, `not_found` for a viewer of another node, and `invalid_params`."""
        self._limit.take(node, len(question.accounts))
        if node_of(question.viewer) != node:
            raise Problem(Code.NOT_FOUND)
        if question.launches and len(question.accounts) > MOST_LAUNCHED:
            raise Problem(Code.INVALID_PARAMS)
        asked = dict.fromkeys(AccountId(account) for account in question.accounts)
        here = [account for account in asked if node_of(account) == self._node]
        found = await self._shown.of(AccountId(question.viewer), here, question.launches)
        return KeysHeld(list(found.values()))
