"""Who may call whom: those who have accepted each other."""

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Database
from safeum_home.storage import contacts


class Partners:
    """As the database has it; also for accounts of other nodes."""

    def __init__(self, database: Database, blinder: Blinder) -> None:
        self._database = database
        self._blinder = blinder

    async def check(self, account: AccountId, other: AccountId) -> None:
        """Raises `not_a_contact`, whether or not there is such an account."""
        mine, theirs = self._blinder.account(account), self._blinder.account(other)
        found = await self._database.read(lambda c: contacts.in_contact_with(c, mine, [theirs]))
        if not found or account == other:
            raise Problem(Code.NOT_A_CONTACT)
