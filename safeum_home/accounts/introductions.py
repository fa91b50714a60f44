"""What a client that holds nothing is told first of its account: its own profile, and the first contacts."""

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.profile_changes import present
from safeum_home.accounts.profile_views import ProfileViews
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, written
from safeum_home.ports import Introduce
from safeum_home.protocol.commands import ContactList, ProfileResult


class Introductions:
    """`ports.Introductions`."""

    def __init__(
        self, node: str, directory: AccountDirectory, side: ContactSide, views: ProfileViews
    ) -> None:
        self._node = node
        self._directory = directory
        self._side = side
        self._views = views

    def of(self, account: AccountId) -> "Deferred[Introduce]":
        return self._directory.get(account).addCallback(self._introduce)

    def _introduce(self, mine: OpenAccount | None) -> Introduce:
        if mine is None:
            raise Problem(Code.NOT_FOUND)

        def read(c: Connection, limit: int) -> tuple[ProfileResult, ContactList]:
            profile = self._views.own(c, present(c, mine))
            page = self._side.read_page(c, mine, None, limit)
            own = ProfileResult(mine.account, written(mine.username, self._node), profile)
            return own, ContactList(page.contacts, page.next)

        return read
