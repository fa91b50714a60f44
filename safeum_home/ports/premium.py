"""Premium, for those who offer what it is needed for: secure chats."""

from typing import Protocol

from safeum_home.ids import AccountId


class Premium(Protocol):
    """Who has it: everybody where the operator says so, else who has paid for the time that runs."""

    async def entitled(self, account: AccountId) -> bool:
        """Whether an account has premium now; one that this node has not has none.

        Raises `storage_unavailable` and `busy`.
        """
