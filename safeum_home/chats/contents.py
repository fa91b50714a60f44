"""What a chat is, once it is open: its kind, its key, its record, and who may write."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from safeum_home.chats.groups.roster import RosterRecord
from safeum_home.chats.record import ChatRecord
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Key, Keyring


class ChatKind(IntEnum):
    """The numbers under which rows keep them."""

    DIRECT = 1
    SYSTEM = 2
    SUPPORT = 3
    GROUP = 4
    SELF = 5
    VOICEMAIL = 6


OF_NODE = (ChatKind.SYSTEM, ChatKind.VOICEMAIL)
"""Those in which the node alone writes, to one account."""


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
    fleeting: Keyring
    entry: RosterRecord | None = None


def member_behind(members: Iterable[AccountId], blinder: Blinder, account: bytes) -> AccountId:
    """Whose blind index this is; StopIteration where it is none of `members`."""
    return next(member for member in members if blinder.account(member) == account)


@dataclass(slots=True)
class Chat:
    """A chat that is open. `writers` are those who may write into it now.

    `stale`: it has been changing since it was opened, and its key may be another one. `fleeting` opens
    the keys of messages that have one of their own (`chats.sealed`).
    """

    id: ChatId
    blind: bytes
    kind: ChatKind
    key: Key
    members: tuple[AccountId, ...]
    writers: frozenset[AccountId]
    record: ChatRecord
    fleeting: Keyring
    stale: bool = False
    blinds: tuple[bytes, ...] | None = None
    """Blind indexes of `members`, where somebody has asked for them."""
    nodes: tuple[str, ...] = ()
    """Other nodes that members are on: they are told of what becomes of the chat. None in a copy."""
    hub: str | None = None
    """The other node that orders a group, of which this is a copy."""


def check_local(chat: Chat) -> None:
    """What nodes do not tell each other is for chats within one of them; raises `not_across_nodes`."""
    if chat.nodes or chat.hub is not None:
        raise Problem(Code.NOT_ACROSS_NODES)
