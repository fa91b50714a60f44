"""What is in the rows of posts, and the keys that some have for themselves."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from msgspec import Struct, structs
from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.sealed import open_beside, seal_beside
from safeum_home.chats.sealed_records import SealedRecords
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Key
from safeum_home.storage import posts
from safeum_home.storage.keys import FLEETING, message_owner
from safeum_home.storage.posts import PostState
from safeum_home.storage.rows import PostRow

HOUR = 3_600_000
MOST_REFUSED = 100
"""Posts that devices which were away are told of when what was written before was erased."""
_CODES = {code.code: code for code in Code}


class PostRecord(Struct, frozen=True, omit_defaults=True):
    """A post, sealed under the group's key. `message` is what its author is shown, `about` what it changes.

    `code` says why it was refused.
    """

    chat: ChatId
    author: AccountId
    at: int
    act: dict[str, Any]
    message: bytes = b""
    about: int = 0
    code: str = ""


_records = SealedRecords(PostRecord)


class Settled(NamedTuple):
    """A post that is over, with what a command is answered; `refused` is told at `place`."""

    position: int
    outcome: object
    refused: PostRecord | None = None
    place: int = 0


def problem_of(code: str) -> Problem:
    """What a group's node has refused a post with."""
    return Problem(_CODES.get(code, Code.NOT_PERMITTED))


def opened(c: Connection, chat: Chat | ChatContents, row: PostRow, key: Key | None = None) -> PostRecord:
    """What is in a row; `key` is the group's, where that had another one. Raises `Tampered`."""
    context = _context(row.chat, row.position)
    return _records.decode(open_beside(c, chat, row.position, row.sealed, context, key))


def sealed_post(c: Connection, chat: Chat | ChatContents, position: int, record: PostRecord) -> bytes:
    """For the row at `position`: under the group's key, and under its own where it has one."""
    context = _context(chat.blind, position)
    if chat.record.history:
        return _records.seal(chat.key, record, context)
    return seal_beside(c, chat, position, _records.encode(record), context)


def _context(chat: bytes, position: int) -> bytes:
    return b"post" + chat + position.to_bytes(8, "big")


class PostKeys:
    """Posts of groups without history are not kept either: each has a key, which goes with it."""

    def __init__(self, epoch: Callable[[], int]) -> None:
        """`epoch` is the present one of the keyring of such keys."""
        self._epoch = epoch

    def put(self, c: Connection, chat: ChatContents, position: int) -> None:
        """Before the post is sealed."""
        owner = message_owner(chat.blind, position)
        own, wrapped = chat.fleeting.new_key(owner)
        own.wipe()
        FLEETING.put_key(c, owner, wrapped)

    def drop(self, c: Connection, row: PostRow) -> bool:
        """Destroy the own key of a post; whether it had one."""
        if not FLEETING.delete_key(c, message_owner(row.chat, row.position)):
            return False
        FLEETING.mark_erased(c, self._epoch())
        return True

    def erase(
        self, c: Connection, chat: Chat, before: Key, places: Sequence[int], hour: int
    ) -> list[Settled]:
        """All that was written into a copy and waits is erased with it, inside that transaction.

        `before` is the key that it had. What is left of each is that it was refused, told at one of `places`;
        where they are too few only those devices hear of the others that are there.
        """
        settled = list[Settled]()
        for number, row in enumerate(posts.of_chat(c, chat.blind)):
            try:
                found = opened(c, chat, row, before)
            except Tampered:
                found = None
            self.drop(c, row)
            told = number < len(places)
            if found is None or row.state == PostState.REFUSED or not told:
                posts.drop_post(c, row.position)
            if found is None or row.state == PostState.REFUSED:
                continue
            place, code = places[min(number, len(places) - 1)], Code.HISTORY_ERASED.code
            record = structs.replace(found, act={}, message=b"", code=code)
            if told:
                posts.refuse(c, row.position, place, hour, sealed_post(c, chat, row.position, record))
            settled.append(Settled(row.position, problem_of(code), record, place))
        return settled
