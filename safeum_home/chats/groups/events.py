"""What is told of a group's members and invitations, live and to devices that were away."""

from collections.abc import Mapping

from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.chats.contents import ChatContents, ChatKind
from safeum_home.chats.groups.draft import Entry, opened
from safeum_home.chats.groups.roster import RosterState
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import ChatRecord, open_record
from safeum_home.damage import undamaged
from safeum_home.errors import Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import WAKING, Blinder, Cursors, Directory, Key, Keyring, Known, Missed, Published
from safeum_home.protocol import frames
from safeum_home.protocol.events import GroupInvitation, MemberChanged
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.group_types import GroupMember, GroupState, Invitation
from safeum_home.storage import chats, roster
from safeum_home.storage.rows import RosterRow

_STATES: dict[RosterState, GroupState] = {
    RosterState.INVITED: "invited",
    RosterState.MEMBER: "member",
    RosterState.LEFT: "left",
    RosterState.REMOVED: "removed",
}
_ALL = 2**31
Names = Mapping[AccountId, Known | None]


class GroupEvents:
    """Makes the events `group.member` and `group.invited`."""

    def __init__(
        self,
        blinder: Blinder,
        cursors: Cursors,
        keyring: Keyring,
        opener: ChatOpener,
        directory: Directory,
    ) -> None:
        self._blinder = blinder
        self._cursors = cursors
        self._keyring = keyring
        self._opener = opener
        self._directory = directory

    def shown(self, entry: Entry, known: Known | None) -> GroupMember:
        """An entry as members see it. What is known of an account that was closed is its id alone."""
        address, name = self.called_as(entry, known)
        return GroupMember(entry.account, address, name, entry.role.word, _STATES[entry.state])

    def member(self, chat: ChatId, entry: Entry, known: Known | None, people: int) -> Published:
        """`group.member`; `people` is how many members there are."""
        cursor = self._cursors.encode(entry.position)
        event = MemberChanged(cursor, chat, self.shown(entry, known), people)
        return Published(frames.text_frame(frames.encode_event(event)), entry.position)

    def invited(
        self, record: ChatRecord, entry: Entry, by: Known | None, people: int, again: bool = False
    ) -> Published:
        """`group.invited`, for the account that is invited; `again` where the group has changed."""
        cursor = self._cursors.encode(entry.position)
        event = GroupInvitation(cursor, self.invitation(record, entry, by, people))
        wake = None if again else WAKING
        return Published(frames.text_frame(frames.encode_event(event)), entry.position, wake=wake)

    def invitation(self, record: ChatRecord, entry: Entry, by: Known | None, people: int) -> Invitation:
        """What an invitation tells; raises `Tampered` where there is no group."""
        if (group := record.group) is None:
            raise Tampered
        inviter = entry.by or entry.account
        address, name = _called(inviter, by)
        about = record.id, group.name, group.about, inviter, address, name, people or group.people
        return Invitation(*about, group.secure, group.pair)

    def called_as(self, entry: Entry, known: Known | None) -> tuple[str, str]:
        """Address and name of who an entry is of; what this node knows counts more."""
        address, name = _called(entry.account, known)
        if address == entry.account and entry.address:
            return entry.address, entry.name
        return address, name

    # --- for devices that were away --------------------------------------------------------------

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of the rosters of an account's groups, of its place in them, and of invitations."""
        blind = self._blinder.account(account)
        own = roster.own_since(c, blind, after, limit)
        others = roster.others_since(c, blind, after, limit)
        invited = roster.invited_before(c, blind, after, limit)
        told = undamaged(own, lambda row: self._own(c, account, row), "members")
        told += undamaged(invited, lambda found: self._own(c, account, found[1], found[0]), "invitations")
        open_chat = self._opener.opener(c, account, (row.chat for row in others))

        def open_row(row: RosterRow) -> tuple[ChatContents, Entry]:
            chat = open_chat(row.chat)
            return chat, self.entry(c, chat.key, row)

        entries = [
            (chat, entry)
            for chat, entry in undamaged(others, open_row, "members")
            # What was so before the account came is not told: it asks for the roster.
            if chat.entry is not None and entry.position >= chat.entry.since
        ]
        # Names and numbers of members are asked for once for all of them.
        known = self._directory.people(c, {entry.account for _, entry in entries})
        people = chats.count_members_of(c, list({chat.blind for chat, _ in entries}))
        told += [
            self.member(chat.id, entry, known.get(entry.account), people.get(chat.blind, 0))
            for chat, entry in entries
        ]
        ends = [rows[-1].position for rows in (own, others) if len(rows) == limit]
        ends += [invited[-1][0]] if len(invited) == limit else []
        return Missed(sorted(told, key=lambda event: event.position), min(ends, default=None))

    def called(self, c: Connection, account: AccountId | None) -> Known | None:
        """What an account is called, inside a snapshot or a transaction."""
        return None if account is None else self._directory.people(c, {account}).get(account)

    def _own(self, c: Connection, account: AccountId, row: RosterRow, place: int | None = None) -> Published:
        """An account's own entry, as it is told at `place`: where it is from, or where the group changed."""
        record, key = self.open_group(c, row.chat)
        entry = self.entry(c, key, row)
        if entry.account != account:
            raise Tampered
        if place is not None:
            entry = entry._replace(position=place)
        people = chats.count_members(c, row.chat)
        if entry.state is RosterState.INVITED:
            return self.invited(record, entry, self.called(c, entry.by), people, place is not None)
        return self.member(record.id, entry, self.called(c, account), people)

    def open_group(self, c: Connection, chat: bytes) -> tuple[ChatRecord, Key]:
        """A group by the index of its row, for who need not be a member; raises `Tampered`."""
        row = chats.chat(c, chat)
        if row is None or row.kind != ChatKind.GROUP:
            raise Tampered
        key = self._keyring.unwrap(row.chat, row.key)
        record = open_record(key, row.chat, row.sealed)
        if record.group is None:
            raise Tampered
        return record, key

    def hubs(self, c: Connection, account: bytes) -> set[str]:
        """The nodes that order the groups which an account is in, or invited into."""
        rows = roster.own_since(c, account, 0, _ALL)
        records = undamaged(rows, lambda row: self.open_group(c, row.chat)[0], "groups")
        return {record.group.hub for record in records if record.group is not None}

    def entry(self, c: Connection, key: Key, row: RosterRow) -> Entry:
        """The entry in a row; who is called a member, and is none, has left. Raises `Tampered`."""
        entry = opened(key, row)
        if entry.state is RosterState.MEMBER and chats.member(c, row.chat, row.account) is None:
            return entry._replace(state=RosterState.LEFT)
        return entry


def _called(account: AccountId, known: Known | None) -> tuple[str, str]:
    if known is None:
        return account, ""
    return ids.public_address(known.username, account, node_of(account)), known.display_name
