"""Who may call whom: those who have accepted each other."""

from collections.abc import Callable

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Database
from safeum_home.storage import contacts


class _Look:
    """Looking whether two are contacts; `again`: something has changed meanwhile."""

    def __init__(self, account: AccountId, other: AccountId) -> None:
        self.pair = frozenset((account, other))
        self.again = True


class Partners:
    """As the database has it; also for accounts of other nodes."""

    def __init__(self, database: Database, blinder: Blinder) -> None:
        self._database = database
        self._blinder = blinder
        self._looks: set[_Look] = set()

    async def check(self, account: AccountId, other: AccountId) -> None:
        """Raises `not_a_contact`, whether or not there is such an account."""
        mine, theirs = self._blinder.account(account), self._blinder.account(other)
        look, found = _Look(account, other), False
        self._looks.add(look)
        try:
            while look.again:
                look.again = False
                found = await self._database.read(lambda c: bool(contacts.in_contact_with(c, mine, [theirs])))
        finally:
            self._looks.discard(look)
        if not found or account == other:
            raise Problem(Code.NOT_A_CONTACT)

    def parted(self, first: AccountId, second: AccountId) -> None:
        """Two are no contacts any more: what is being read may be of before that."""
        self._doubt(lambda pair: pair == {first, second})

    def forget_account(self, account: AccountId) -> None:
        """It was closed: the same."""
        self._doubt(lambda pair: account in pair)

    def _doubt(self, is_about: Callable[[frozenset[AccountId]], bool]) -> None:
        for look in self._looks:
            look.again |= is_about(look.pair)
