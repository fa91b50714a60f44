"""Telling groups' nodes once more of what waits: one that was put back from a backup may have lost it."""

from contextlib import suppress
from functools import partial

from sqlalchemy import Connection

from safeum_home.chats.opening import ChatOpener
from safeum_home.errors import Tampered
from safeum_home.ports import Database
from safeum_home.ports.federation import Noted, Peers
from safeum_home.protocol.federation.group_posts import POST
from safeum_home.storage import posts
from safeum_home.storage.rows import PostRow

PAGE = 200


def pointer(chat: bytes, position: int) -> bytes:
    """Of a post."""
    return chat + position.to_bytes(8, "big")


def position_in(pointer: bytes) -> int:
    """Where the post is that a pointer leads to."""
    return int.from_bytes(pointer[-8:], "big")


async def tell_again(database: Database, opener: ChatOpener, peers: Peers) -> None:
    """Note all that waits; raises `storage_unavailable`."""
    after, woken = 0, set[str]()
    while page := await database.read(partial(posts.open_posts, after=after, limit=PAGE)):
        after = page[-1].position
        woken |= await database.transact(partial(_note, opener=opener, peers=peers, rows=page))
    peers.wake(sorted(woken))


def _note(c: Connection, opener: ChatOpener, peers: Peers, rows: list[PostRow]) -> set[str]:
    noted = []
    for row in rows:
        with suppress(Tampered):
            contents = opener.group(c, row.chat)
            if contents is not None and contents.record.group is not None:
                noted.append(Noted(contents.record.group.hub, POST, pointer(row.chat, row.position)))
    peers.note(c, noted)
    return {each.node for each in noted}
