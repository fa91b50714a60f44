"""What a chat is, once it is open: its kind, its key, its members, and who may write."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Key


class ChatKind(IntEnum):
    """The numbers under which rows keep them."""

    DIRECT = 1
    SYSTEM = 2
    SUPPORT = 3


class ChatContents(NamedTuple):
    """What it takes to read a chat."""

    id: ChatId
    blind: bytes
    kind: ChatKind
    key: Key
    members: tuple[AccountId, ...]


@dataclass(slots=True)
class Chat:
    """A chat that is open. `writers` are the members who may write into it now."""

    id: ChatId
    blind: bytes
    kind: ChatKind
    key: Key
    members: tuple[AccountId, ...]
    writers: frozenset[AccountId]
