"""Changing a profile: in one commit, and told to the account's own devices and its contacts."""

from collections.abc import Callable

from sqlalchemy import Connection

from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.directory import AccountDirectory, OpenAccount, open_profile
from safeum_home.accounts.foreign_notes import ForeignNotes
from safeum_home.accounts.profile_views import ProfileViews
from safeum_home.accounts.records import ProfileRecord, seal
from safeum_home.damage import undamaged
from safeum_home.ids import AccountId
from safeum_home.ports import Bus, Cursors, Database, Published
from safeum_home.protocol import frames
from safeum_home.protocol.events import ProfileChanged
from safeum_home.protocol.types import ContactState, Profile
from safeum_home.storage import profiles
from safeum_home.storage.rows import ProfileRow

_CHANGES = 500
"""More contacts do not change while a contact list is read."""

Edit = Callable[[Connection, ProfileRecord], ProfileRecord | None]
"""What becomes of a profile, inside the transaction; None where there is nothing to be told."""


class ProfileChanges:
    """Every change of a profile goes through here, whatever part of it is changed."""

    def __init__(
        self,
        database: Database,
        cursors: Cursors,
        directory: AccountDirectory,
        side: ContactSide,
        views: ProfileViews,
        bus: Bus,
        notes: ForeignNotes,
        renamed: Callable[[Connection, bytes], set[str]],
    ) -> None:
        """`notes` is what other nodes are told; `renamed` notes for those whose groups an account is in.

        It is given the account's blind index, and returns which nodes to wake.
        """
        self._database = database
        self._cursors = cursors
        self._directory = directory
        self._side = side
        self._views = views
        self._bus = bus
        self._notes = notes
        self._renamed = renamed

    async def change(self, mine: OpenAccount, edit: Edit) -> Callable[[], None]:
        """Let `edit` change the profile; what is returned tells of it, and is called once that is answered.

        An `edit` that returns its record as it was has the profile told again.
        """
        known_at = self._database.committed
        watchers = await self._side.accepted(mine)
        position = self._database.next_position()

        more: set[str] = set()

        def store(c: Connection) -> tuple[ProfileRecord, Profile, Profile] | None:
            self._directory.must_be_there(c, mine)
            before = present(c, mine)
            record = edit(c, before)
            if record is None:
                return None
            profiles.put_profile(c, ProfileRow(mine.blind, position, seal(mine.key, record, mine.blind)))
            own, shown = self._views.own(c, record), self._views.shown(c, record)
            for entry in self._side.changed(c, mine, known_at, _CHANGES):
                # Who came or went while the contact list was read.
                (watchers.add if entry.state is ContactState.ACCEPTED else watchers.discard)(entry.account)
            self._notes.profile(c, mine.blind, self._notes.nodes(watchers))
            if record.display_name != before.display_name:
                more.update(self._renamed(c, mine.blind))
            return record, own, shown

        stored = await self._database.transact(store)
        if stored is None:
            return _nothing
        record, own, shown = stored
        self._notes.wake(self._notes.nodes(watchers) | more)
        mine.display_name, mine.status = record.display_name, record.status
        self._directory.keep(mine)
        to_self, to_contacts = (self.event(mine.account, each, position) for each in (own, shown))

        def publish() -> None:
            self._bus.publish(mine.account, to_self)
            for account in watchers:
                self._bus.publish(account, to_contacts)

        return publish

    def event(self, account: AccountId, profile: Profile, position: int) -> Published:
        """`profile.changed`."""
        event = ProfileChanged(self._cursors.encode(position), account, profile)
        return Published(frames.text_frame(frames.encode_event(event)), position)


def present(c: Connection, mine: OpenAccount) -> ProfileRecord:
    """The profile as it is; an empty one where there is none, or it cannot be opened any more."""
    row = profiles.profile(c, mine.blind)
    held = undamaged([row] if row else [], lambda row: open_profile(mine.key, row), "profiles")
    return held[0] if held else ProfileRecord(mine.account, "", "")


def _nothing() -> None:
    """Nothing is to be told."""
