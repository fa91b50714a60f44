"""Which account is `login@node`, where that is another node: asked there, and answered to others."""

from safeum_home import ids
from safeum_home.accounts.directory import AccountDirectory
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports.federation import Peers
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.questions import FindAccount, FoundAccount

_SAID_BY_IT = frozenset((Code.NOT_FOUND, Code.FEDERATION_REFUSED, Code.RATE_LIMITED, Code.BUSY))
"""What another node answers that is told to who asked; all else is its fault, or none of his business."""


class ForeignFinder:
    """Nothing is kept of what was found: an address may be somebody else's tomorrow."""

    def __init__(self, peers: Peers, directory: AccountDirectory, limit: RateLimit) -> None:
        """`limit` is how often each other node may ask."""
        self._peers = peers
        self._directory = directory
        self._limit = limit

    async def find(self, login: str, node: str) -> AccountId:
        """The account of `login` at another node.

        Raises `not_found`, also for an account's id where nobody signs in with it; `node_unreachable`;
        `federation_refused`; `rate_limited` and `busy` with `retry_after`.
        """
        if ids.is_account(login):
            return AccountId(login)  # it names itself, and whether it is there is not told
        if not self._peers.reaches(node):
            raise Problem(Code.FEDERATION_REFUSED)  # it is not asked, and so never answers
        try:
            found = await self._peers.ask(node, FindAccount(login), FoundAccount)
        except Problem as problem:
            raise problem if problem.code in _SAID_BY_IT else Problem(Code.NODE_UNREACHABLE) from None
        account = AccountId(found.account)
        if node_of(account) != node:
            raise Problem(Code.NODE_UNREACHABLE)  # it speaks for another one
        return account

    async def answer(self, node: str, question: FindAccount) -> FoundAccount:
        """The same for `node`: `not_found` alike for who is not there, a number, and what is no login."""
        self._limit.take(node)
        try:
            login = ids.username(question.login)
        except Problem:
            raise Problem(Code.NOT_FOUND) from None
        if (found := await self._directory.by_username(login)) is None:
            raise Problem(Code.NOT_FOUND)
        return FoundAccount(found.account)
