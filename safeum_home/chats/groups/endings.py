"""Groups that are over for an account: it left, declined, or was removed, or the group was erased.

A device that was away is told so at that place, whatever became of it later: the account may be in the
group again, which is another chat to that device then, or nothing of the group may be left, its key least of
all. So it is kept under the key of the account's own chat with the node.
"""

from collections.abc import Iterable

from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.chats.groups.draft import Draft, Entry, opened
from safeum_home.chats.groups.events import GroupEvents
from safeum_home.chats.groups.roster import Role, RosterState
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.sealed_records import SealedRecords
from safeum_home.damage import undamaged
from safeum_home.errors import Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Key, Keyring, Missed, Published
from safeum_home.storage import chats, group_endings, roster
from safeum_home.storage.erasure import erase_chat
from safeum_home.storage.rows import EndingRow


class EndingRecord(Struct, frozen=True):
    """What became of the account's place."""

    chat: ChatId
    state: int


_OVER = (RosterState.LEFT, RosterState.REMOVED)


_records = SealedRecords(EndingRecord)


def _context(account: bytes, position: int) -> bytes:
    return b"ending" + account + position.to_bytes(8, "big")


class GroupEndings:
    """Keeps what is over, and tells of it; erases groups."""

    def __init__(
        self,
        blinder: Blinder,
        keyring: Keyring,
        opener: ChatOpener,
        events: GroupEvents,
    ) -> None:
        self._blinder = blinder
        self._keyring = keyring
        self._opener = opener
        self._events = events

    def keep(self, c: Connection, chat: ChatId, entries: Iterable[Entry]) -> None:
        """Keep those of a group's new entries with which it is over for somebody."""
        last = {entry.account: entry for entry in entries if entry.state in _OVER}
        rows = [row for entry in last.values() if (row := self._row(c, chat, entry))]
        group_endings.put_endings(c, rows)

    def erase(self, draft: Draft, epoch: int) -> None:
        """Erase a group whose last member has just left; `epoch` is the keyring's present one.

        It takes one position.
        """
        place = draft.position()
        rows = roster.invited(draft.c, draft.chat.blind)
        invited = undamaged(rows, lambda row: opened(draft.key, row), "members")
        ended = [Entry(entry.account, RosterState.REMOVED, Role.MEMBER, None, 0, place) for entry in invited]
        erase_chat(draft.c, draft.chat.blind, epoch)
        draft.entries += ended
        draft.erased = True

    def _row(self, c: Connection, chat: ChatId, entry: Entry) -> EndingRow | None:
        blind = self._blinder.account(entry.account)
        if (key := self._key(c, entry.account)) is None:
            return None  # the account was closed
        record = EndingRecord(chat, entry.state)
        sealed = _records.seal(key, record, _context(blind, entry.position))
        key.wipe()
        return EndingRow(blind, self._blinder.ending(entry.account, chat), entry.position, sealed)

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of groups that are over."""
        blind = self._blinder.account(account)
        rows = group_endings.endings_since(c, blind, after, limit)
        if not rows or (key := self._key(c, account)) is None:
            return Missed([], None)
        known = self._events.called(c, account)

        def tell(row: EndingRow) -> Published:
            try:
                record = _records.open(key, row.sealed, _context(row.account, row.position))
                state = RosterState(record.state)
            except ValueError:
                raise Tampered from None
            entry = Entry(account, state, Role.MEMBER, None, 0, row.position)
            return self._events.member(record.chat, entry, known, 0)

        return Missed(undamaged(rows, tell, "groups"), rows[-1].position if len(rows) == limit else None)

    def _key(self, c: Connection, account: AccountId) -> Key | None:
        """The key of an account's own chat with the node; None where the account was closed."""
        row = chats.chat(c, self._blinder.chat(self._opener.system_chat(account)))
        return None if row is None else self._keyring.unwrap(row.chat, row.key)
