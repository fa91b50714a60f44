"""A group that was erased, as those are told who were in it, or invited.

Nothing of the group is left, its key least of all. What an account is still to be told is kept under the key
of its own chat with the node.
"""

from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.chats.group_draft import Draft, Entry, opened
from safeum_home.chats.group_events import GroupEvents
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.roster import Role, RosterState
from safeum_home.chats.sealed_records import SealedRecords
from safeum_home.damage import undamaged
from safeum_home.errors import Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Key, Keyring, Missed, Published
from safeum_home.storage import chats, group_endings, roster
from safeum_home.storage.erasure import erase_chat
from safeum_home.storage.rows import EndingRow, RosterRow


class EndingRecord(Struct, frozen=True):
    """The place that the account had last."""

    chat: ChatId
    state: int


GONE_TOLD = 500
"""So many of those who had left before are still told so, the last of them."""

_records = SealedRecords(EndingRecord)


def _context(account: bytes, position: int) -> bytes:
    return b"ending" + account + position.to_bytes(8, "big")


class GroupEndings:
    """Erases groups, and tells of it."""

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

    def erase(self, draft: Draft, last: Entry, epoch: int) -> None:
        """Erase a group whose `last` member has just left; `epoch` is the keyring's present one.

        It takes one position.
        """
        place = draft.position()
        invited = self._entries(draft, roster.invited(draft.c, draft.chat.blind))
        ended = [Entry(entry.account, RosterState.REMOVED, Role.MEMBER, None, 0, place) for entry in invited]
        # Devices that were away then have no other place to learn it from.
        gone = self._entries(draft, roster.gone(draft.c, draft.chat.blind, GONE_TOLD))
        before = [entry for entry in gone if entry.account != last.account]
        erase_chat(draft.c, draft.chat.blind, epoch)
        told = (last, *ended, *before)
        kept = [row for entry in told if (row := self._row(draft.c, draft.chat.id, entry))]
        group_endings.put_endings(draft.c, kept)
        draft.entries += ended
        draft.erased = True

    def _entries(self, draft: Draft, rows: list[RosterRow]) -> list[Entry]:
        return undamaged(rows, lambda row: opened(draft.key, row), "members")

    def _row(self, c: Connection, chat: ChatId, entry: Entry) -> EndingRow | None:
        blind = self._blinder.account(entry.account)
        if (key := self._key(c, entry.account)) is None:
            return None  # the account was closed
        record = EndingRecord(chat, entry.state)
        sealed = _records.seal(key, record, _context(blind, entry.position))
        key.wipe()
        return EndingRow(blind, entry.position, sealed)

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of groups that were erased."""
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
