"""What somebody, of whichever node, is shown of the keys of accounts of this one."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.ids import AccountId
from safeum_home.keys.launches import LaunchKeys
from safeum_home.keys.log import Entry, KeyLog
from safeum_home.keys.public import PublicKeys
from safeum_home.ports import Blinder, Database
from safeum_home.protocol.key_types import AccountKeys
from safeum_home.storage import contacts, key_log

Speak = Callable[[AccountId, AccountId], bool]
"""Whether a viewer, of whichever node, is in a conference with an account of this one."""


class Known(NamedTuple):
    """What the log says of those of some accounts with whom a viewer is in a chat, and which are contacts.

    An account that is not in `entries` is as none; None: it has no keys that are known.
    """

    entries: dict[AccountId, Entry | None]
    contacts: frozenset[AccountId] = frozenset()


class KeysShown:
    """Strangers, accounts that there are not, and those without keys look alike, in time as well."""

    def __init__(
        self, database: Database, blinder: Blinder, log: KeyLog, public: PublicKeys, launches: LaunchKeys
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._log = log
        self._public = public
        self._launches = launches
        self.speak: Speak = lambda viewer, account: False
        """Who is in a conference with whom."""

    async def known(self, viewer: AccountId, accounts: Sequence[AccountId]) -> Known:
        """Of accounts of any node."""
        return await self._database.read(lambda c: self.read(c, viewer, accounts))

    def read(self, c: Connection, viewer: AccountId, accounts: Sequence[AccountId]) -> Known:
        """The same in a snapshot that there is already."""
        mine = self._blinder.account(viewer)
        blinds = {self._blinder.account(account): account for account in accounts}
        own = {mine} & blinds.keys()
        seen = [blinds[each] for each in own | key_log.in_chat_with(c, mine, list(blinds))]
        agreed = own | contacts.in_contact_with(c, mine, list(blinds))
        return Known(self.newest(c, seen), frozenset(blinds[each] for each in agreed))

    def newest(self, c: Connection, accounts: Iterable[AccountId]) -> dict[AccountId, Entry | None]:
        """What the log says of each."""
        return {account: self._log.newest(c, account).entry for account in accounts}

    async def of(
        self, viewer: AccountId, accounts: Sequence[AccountId], launches: bool
    ) -> dict[AccountId, AccountKeys]:
        """Of accounts of this node.

        Launch keys are for contacts, since they tell that a device is connected, and for those with whom it
        is in a conference.
        """
        known = await self.known(viewer, accounts)
        return {
            account: self._one(
                account, entry, launches and (account in known.contacts or self.speak(viewer, account))
            )
            for account, entry in known.entries.items()
        }

    def _one(self, account: AccountId, entry: Entry | None, launches: bool) -> AccountKeys:
        launched = self._launches.of(account) if launches else ()
        # What is in memory was committed, and told: a snapshot may be a moment ahead of that.
        held = self._public.get(account)
        if held is not None and not self._public.is_sure(account) and entry and entry.hash != held.hash:
            held = None
        if held is not None:
            return AccountKeys(account, held.hash, held.since, held.identity, False, launched)
        if entry is None:
            return AccountKeys(account, launches=launched)
        if not entry.is_readable:
            return AccountKeys(account, unavailable=True, launches=launched)
        return AccountKeys(account, entry.hash, entry.at, None, True, launched)
