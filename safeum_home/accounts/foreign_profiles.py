"""Profiles across nodes: told to the nodes of an account's contacts, and kept while it is one here."""

from collections import OrderedDict
from collections.abc import Callable

from msgspec import to_builtins
from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.directory import AccountDirectory, OpenAccount, open_profile
from safeum_home.accounts.foreign_notes import PROFILE
from safeum_home.accounts.profile_changes import ProfileChanges, present
from safeum_home.accounts.profile_views import ProfileViews
from safeum_home.accounts.records import ProfileRecord, seal
from safeum_home.accounts.relation import ACCEPTED, STATES
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder, Bus, Database, Key, Keyring, WrappedKey
from safeum_home.ports.federation import Applied
from safeum_home.ports.sealing import BLIND
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.people import ProfileContent, address_of, content
from safeum_home.protocol.types import Profile
from safeum_home.storage import avatars, contacts, profiles
from safeum_home.storage.keys import LASTING
from safeum_home.storage.rows import ProfileRow

MOST_LISTS = 64
"""Accounts of which it is remembered at which nodes their contacts are."""


class ForeignProfiles:
    """`ports.SharedKind` `profile`: the last one told is the one that is kept."""

    type = PROFILE
    may_wait = True

    def __init__(
        self,
        node: str,
        keyring: Keyring,
        blinder: Blinder,
        database: Database,
        directory: AccountDirectory,
        side: ContactSide,
        views: ProfileViews,
        changes: ProfileChanges,
        bus: Bus,
        now: Callable[[], int],
        limit: RateLimit,
    ) -> None:
        """`now` is in milliseconds. `limit` bounds how often each account may have another profile."""
        self._node = node
        self._database = database
        self._keyring = keyring
        self._blinder = blinder
        self._directory = directory
        self._side = side
        self._views = views
        self._changes = changes
        self._bus = bus
        self._now = now
        self._limit = limit
        self._nodes: OrderedDict[bytes, tuple[int, frozenset[bytes]]] = OrderedDict()
        """Where the contacts of some accounts are, and when that was so."""

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        """An account's profile as contacts see it; None where it has none at that node (any more)."""
        owner = self._directory.behind(c, pointer[:BLIND])
        if owner is None or not self._has_contact(c, owner, pointer[BLIND:]):
            return None
        record = present(c, owner)
        shown = self._views.shown(c, record)
        said = ProfileContent(
            ids.public_address(owner.username, owner.account, self._node),
            shown.display_name,
            shown.status,
            shown.about,
            list(record.fields),
            shown.avatar,
            shown.safenum,
        )
        return new_event(self.type, owner.account, self._now(), to_builtins(said))

    def _has_contact(self, c: Connection, owner: OpenAccount, node: bytes) -> bool:
        """Whether it is in contact with anybody of a node."""
        # Each of their nodes is told, one after the other: the whole list is not opened for each.
        newest = contacts.newest(c, owner.blind)
        held = self._nodes.get(owner.blind)
        if held is None or held[0] != newest:
            accepted = (entry for _, entry in self._side.rows(c, owner) if entry.state is ACCEPTED)
            nodes = {node_of(entry.account) for entry in accepted}
            held = self._nodes[owner.blind] = newest, frozenset(map(self._blinder.node, nodes))
            while len(self._nodes) > MOST_LISTS:
                # Several threads build: another one may have been here.
                self._nodes.pop(next(iter(self._nodes), b""), None)
        return node in held[1]

    async def apply(self, node: str, event: Event) -> Applied:
        """What an account of another node shows; refused where nobody here is its contact."""
        if node_of(event.sender) != node:
            raise Problem(Code.WRONG_SENDER_NODE)
        told = content(event, ProfileContent)
        account = AccountId(event.sender)
        record = ProfileRecord(
            account,
            told.display_name,
            told.status,
            told.about,
            tuple(told.fields),
            told.safenum is not None,
            told.avatar,
            address_of(event, told.address),
            told.safenum,
        )
        blind = self._blinder.account(account)
        has_key = await self._database.read(lambda c: self._has_key(c, blind))
        self._limit.take(account)
        fresh = None if has_key else self._keyring.new_key(blind)
        position = self._database.next_position()
        watchers: list[AccountId] = []

        def placed() -> None:
            nonlocal position
            position = self._database.next_position()

        def store(c: Connection) -> None:
            watchers.clear()
            here = contacts.mutual_here(c, blind)
            if not here:
                raise Problem(Code.NOT_A_CONTACT)
            if self._put(c, record, blind, fresh, position):
                owners = undamaged(here, lambda owner: self._directory.behind(c, owner), "accounts")
                watchers.extend(owner.account for owner in owners if owner is not None)

        def publish() -> None:
            changed = self._changes.event(account, self._views.foreign(record), position)
            for watcher in watchers:
                self._bus.publish(watcher, changed)

        def ended() -> None:
            if fresh is not None:
                fresh[0].wipe()

        return Applied(store, publish, ended, placed)

    def _has_key(self, c: Connection, blind: bytes) -> bool:
        """Whether there is one for the profile of an account; raises `not_a_contact`."""
        if not contacts.mutual_here(c, blind):
            raise Problem(Code.NOT_A_CONTACT)
        return LASTING.key(c, blind) is not None

    def _put(
        self,
        c: Connection,
        record: ProfileRecord,
        blind: bytes,
        fresh: tuple[Key, WrappedKey] | None,
        position: int,
    ) -> bool:
        """Store a profile; whether it is another than it was."""
        row, wrapped = profiles.profile(c, blind), LASTING.key(c, blind)
        if wrapped is None:
            if fresh is None:
                raise Problem(Code.BUSY, retry_after=1.0)  # it was erased since it was looked for
            LASTING.put_key(c, blind, fresh[1])
            profiles.put_profile(c, ProfileRow(blind, position, seal(fresh[0], record, blind)))
            return True
        key = self._keyring.unwrap(blind, wrapped)
        try:
            held = undamaged([row] if row else [], lambda row: open_profile(key, row), "profiles")
            if held == [record]:
                return False
            if held and held[0].avatar != record.avatar:
                avatars.delete_avatar(c, blind)
            profiles.put_profile(c, ProfileRow(blind, position, seal(key, record, blind)))
        finally:
            key.wipe()
        return True

    def shown(self, c: Connection, viewer: OpenAccount, account: AccountId) -> tuple[str, Profile]:
        """The address and profile of a contact of `viewer` at another node; raises `not_found`."""
        record = self.record(c, viewer, account)
        return record.address, self._views.foreign(record)

    def record(self, c: Connection, viewer: OpenAccount, account: AccountId) -> ProfileRecord:
        """The same as it is kept."""
        blind = self._blinder.account(account)
        side = contacts.contact(c, blind, viewer.blind)
        row = profiles.profile(c, blind)
        if side is None or STATES[side.state] is not ACCEPTED or row is None:
            raise Problem(Code.NOT_FOUND)
        held = undamaged([row], lambda row: self._directory.read_profile(c, row), "profiles")
        if not held:
            raise Problem(Code.NOT_FOUND)
        return held[0]
