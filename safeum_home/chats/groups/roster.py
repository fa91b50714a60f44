"""An entry of a group's roster, sealed under the group's key, bound to account, state and position."""

from enum import IntEnum

from msgspec import Struct
from msgspec.structs import replace

from safeum_home.chats.sealed_records import SealedRecords
from safeum_home.errors import Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Key
from safeum_home.protocol.types import GroupRole
from safeum_home.storage.rows import RosterRow


class RosterState(IntEnum):
    """The numbers under which rows keep them."""

    INVITED = 1
    MEMBER = 2
    LEFT = 3
    REMOVED = 4


class Role(IntEnum):
    """The numbers under which entries keep them."""

    MEMBER = 1
    ADMIN = 2
    OWNER = 3

    @property
    def word(self) -> GroupRole:
        """As it is written on the wire."""
        return _WORDS[self]


_WORDS: dict[Role, GroupRole] = {Role.MEMBER: "member", Role.ADMIN: "admin", Role.OWNER: "owner"}


class RosterRecord(Struct, frozen=True, omit_defaults=True):
    """`by` invited or removed the account, or made it what it is; `since` is where it became a member.

    `address` and `name` are what another node has told of it. `told`, in a copy of a group, is what its hub
    calls the time since which it is a member.
    """

    account: AccountId
    role: Role = Role.MEMBER
    by: AccountId | None = None
    since: int = 0
    address: str = ""
    name: str = ""
    told: str = ""

    def renamed(self, address: str, name: str) -> "RosterRecord":
        """The same of somebody who is called this now."""
        return replace(self, address=address, name=name)


_records = SealedRecords(RosterRecord)


def _context(chat: bytes, account: bytes, position: int, state: int) -> bytes:
    return b"roster" + chat + account + position.to_bytes(8, "big") + bytes((state,))


def seal_entry(
    key: Key, chat: bytes, account: bytes, position: int, state: RosterState, record: RosterRecord
) -> RosterRow:
    """The row of an entry; `account` is the blind index of the record's."""
    sealed = _records.seal(key, record, _context(chat, account, position, state))
    return RosterRow(chat, account, position, state, sealed)


def open_entry(key: Key, row: RosterRow) -> RosterRecord:
    """Raises `Tampered`."""
    try:
        context = _context(row.chat, row.account, row.position, row.state)
    except (ValueError, OverflowError):
        raise Tampered from None
    return _records.open(key, row.sealed, context)
