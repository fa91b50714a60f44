"""What is sealed of a chat as a whole: a record under the chat's own key."""

from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.chats.sealed_records import SealedRecords
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Key
from safeum_home.storage import chats


class GroupRecord(Struct, frozen=True, omit_defaults=True):
    """What a group has besides: `hub` is the node that orders its messages.

    `earlier`: whoever joins sees what was written before. `avatar` names the picture, see
    `chats.groups.pages`. `link` is the code of the link by which it is joined. `people` is how many members
    the hub of another node has said that there are, and `life` the name it has for the time of this copy.
    `seed`: see `ids.group_id`. `secure`, and `pair`, are from its beginning and for ever: see `chats.secure`.
    """

    hub: str
    name: str
    about: str = ""
    avatar: str | None = None
    earlier: bool = False
    link: str | None = None
    people: int = 0
    life: str = ""
    seed: str = ""
    secure: bool = False
    pair: bool = False


class ErasureRecord(Struct, frozen=True):
    """When the past of a chat was erased (milliseconds), and the keyring's epoch at that moment."""

    at: int
    epoch: int


class PinsRecord(Struct, frozen=True):
    """When pins were changed last (milliseconds; each time later than before), and by whom.

    Where two nodes have changed them at once the later state counts, at both. `place` is the position of a
    change that was made here.
    """

    at: int
    by: AccountId
    place: int = 0


class ConfirmedRecord(Struct, frozen=True):
    """What another node has signed: that it has erased all of a chat from before `life`. `event` is that."""

    node: str
    life: tuple[int, ...]
    event: bytes


class AcrossRecord(Struct, frozen=True, omit_defaults=True):
    """Of a chat with members of other nodes: the history's `life` (see `chats.lives`), since `at`.

    `asked`: when somebody of this node switched it off last. Times are in milliseconds.
    `awaited`: of a group, the nodes that have not confirmed it, as far as the group's own node knows.
    """

    life: tuple[int, ...]
    at: int
    asked: int = 0
    confirmed: tuple[ConfirmedRecord, ...] = ()
    awaited: tuple[str, ...] = ()


class ChatRecord(Struct, frozen=True, omit_defaults=True):
    """`members` are those of a chat that is no group (a group has a roster).

    `history`: whether messages are kept. `erased`: up to which position everything was erased; 0: nothing
    was, else `erasure` says when. `kept`: up to which position messages were not to be kept; 0: it was
    always kept. `pinned`: positions of messages, the one pinned last at the end; `pins`: since when, noted
    where other nodes are told of it. `across`: what other nodes have to do with what was erased.
    """

    id: ChatId
    members: tuple[AccountId, ...] = ()
    history: bool = True
    erased: int = 0
    pinned: tuple[int, ...] = ()
    group: GroupRecord | None = None
    erasure: ErasureRecord | None = None
    kept: int = 0
    pins: PinsRecord | None = None
    across: AcrossRecord | None = None


_records = SealedRecords(ChatRecord)


def seal_record(key: Key, chat: bytes, record: ChatRecord) -> bytes:
    """A record for the row of the chat with this blind index."""
    return _records.seal(key, record, b"chat" + chat)


def keep_record(c: Connection, key: Key, chat: bytes, record: ChatRecord, position: int) -> None:
    """Store another record of a chat, inside a transaction in which it was read; told at `position`."""
    chats.update_chat(c, chat, seal_record(key, chat, record), position)


def open_record(key: Key, chat: bytes, sealed: bytes) -> ChatRecord:
    """Raises `Tampered`."""
    return _records.open(key, sealed, b"chat" + chat)
