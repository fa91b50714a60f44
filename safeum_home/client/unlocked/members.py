"""Members of a secure chat as its node tells them, and who of them is new."""

from collections import deque
from collections.abc import Iterable

from safeum_home.client.errors import BadAnswer
from safeum_home.client.methods.group import GroupMethods
from safeum_home.protocol.group_types import GroupMember

MOST = 4_000
"""People who are held of one chat: twice what a group has. Who was told of longest ago makes room."""


class Told:
    """`states` are those of who is in the roster of the node, or invited."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.newcomers: dict[str, None] = {}
        """Who has come, and cannot know yet by whose word: the roster is signed anew for them."""

        self.is_known = False
        """Whether all were told once: until then nobody can be said to be none."""
        self._come: dict[str, None] = {}
        """Who was a member at any time."""
        self._meanwhile: deque[GroupMember] | None = None
        """What is told while all are asked for: it is newer than the answer."""

    async def load(self, client: GroupMethods, chat: str) -> None:
        """Ask for all of them. Raises `ClientError`: `BadAnswer` where these have no end."""
        meanwhile = self._meanwhile = deque[GroupMember](maxlen=MOST)
        try:
            listed = await _listed(client, chat)
        finally:
            self._meanwhile = None
        self.states.clear()
        self.take((*listed, *meanwhile))
        self.is_known = True

    def take(self, members: Iterable[GroupMember]) -> None:
        for member in members:
            if self._meanwhile is not None:
                self._meanwhile.append(member)
            self.states.pop(member.account, None)
            if member.state in ("member", "invited"):
                self.states[member.account] = member.state
            if member.state == "member":
                self._come[member.account] = None
        _bound(self.states)
        _bound(self._come)

    def came(self, account: str) -> None:
        """Somebody has joined."""
        self.newcomers[account] = None
        _bound(self.newcomers)

    def welcomed(self, accounts: Iterable[str]) -> None:
        """These know by whose word they are in."""
        for account in accounts:
            self.newcomers.pop(account, None)

    @property
    def members(self) -> frozenset[str]:
        return frozenset(account for account, state in self.states.items() if state == "member")

    def has_come(self, account: str) -> bool:
        """Whether it is a member, or was one before."""
        return account in self._come

    def is_invited(self, account: str) -> bool:
        return self.states.get(account) == "invited"


async def _listed(client: GroupMethods, chat: str) -> list[GroupMember]:
    listed: list[GroupMember] = []
    after, left = None, MOST
    while left > 0:
        page = await client.members(chat, after)
        listed += page.members
        if (after := page.next) is None:
            return listed
        left -= max(1, len(page.members))
    raise BadAnswer("The node names more members than a group has.")


def _bound(told: dict[str, str] | dict[str, None]) -> None:
    while len(told) > MOST:
        del told[next(iter(told))]
