"""What a chat is, once it is open: its kind, its key, its record, and who may write."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from safeum_home.chats.record import ChatRecord
from safeum_home.chats.roster import RosterRecord
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Key


class ChatKind(IntEnum):
    """The numbers under which rows keep them."""

    DIRECT = 1
    SYSTEM = 2
    SUPPORT = 3
    GROUP = 4
    SELF = 5


class ChatContents(NamedTuple):
    """What it takes to read a chat on behalf of one account.

    `members` are all members but in a group: there it is that account alone, and `entry` is its own.
    """

    id: ChatId
    blind: bytes
    kind: ChatKind
    key: Key
    members: tuple[AccountId, ...]
    record: ChatRecord
    changed: int
    entry: RosterRecord | None = None


@dataclass(slots=True)
class Chat:
    """A chat that is open. `writers` are those who may write into it now."""

    id: ChatId
    blind: bytes
    kind: ChatKind
    key: Key
    members: tuple[AccountId, ...]
    writers: frozenset[AccountId]
    record: ChatRecord
