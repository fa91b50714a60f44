"""Members of a secure chat as its node tells them, and who of them is new."""

from collections.abc import Iterable

from safeum_home.client.group_methods import GroupMethods
from safeum_home.protocol.group_types import GroupMember


class Told:
    """`states` are those of all accounts in the roster of the node."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.newcomers: set[str] = set()
        """Who has come, and cannot know yet by whose word: the roster is signed anew for them."""

    async def load(self, client: GroupMethods, chat: str) -> None:
        """Ask for all of them."""
        after = None
        while True:
            page = await client.members(chat, after)
            self.take(page.members)
            if (after := page.next) is None:
                return

    def take(self, members: Iterable[GroupMember]) -> None:
        self.states.update((member.account, member.state) for member in members)

    @property
    def members(self) -> frozenset[str]:
        return frozenset(account for account, state in self.states.items() if state == "member")

    def is_invited(self, account: str) -> bool:
        return self.states.get(account) == "invited"
