"""What the node that orders a group answers to posts, and what the author's node makes of that."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection

from safeum_home.chats.across.posts.box import PostBox
from safeum_home.chats.across.posts.records import Settled
from safeum_home.chats.opening import ChatOpener
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import ChatId, system_account
from safeum_home.ports import Database
from safeum_home.ports.federation import Applied
from safeum_home.ports.sealing import BLIND
from safeum_home.protocol.federation.events import Event, new_event
from safeum_home.protocol.federation.group_posts import POSTED, Posted
from safeum_home.protocol.federation.people import content


def posted(chat: bytes, post: str, code: str | None) -> bytes:
    """The pointer of an answer to a post: its chat, its id, and why it was refused. None names anybody."""
    return chat + f"{post}\0{code or ''}".encode()


class PostedKind:
    """`ports.SharedKind`: `group.posted`, from the group's node to that of the author."""

    type = POSTED
    together = True
    """Many may be stored in one transaction."""

    def __init__(
        self, node: str, database: Database, opener: ChatOpener, posts: PostBox, now: Callable[[], int]
    ) -> None:
        """`now` is in milliseconds."""
        self._opener = opener
        self._node = node
        self._database = database
        self._posts = posts
        self._now = now

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        post, _, code = pointer[BLIND:].decode().partition("\0")
        plain: dict[str, Any] = msgspec.to_builtins(Posted(post, code or None))
        return new_event(POSTED, system_account(self._node), self._now(), plain, self._chat(c, pointer))

    def _chat(self, c: Connection, pointer: bytes) -> ChatId | None:
        """The group, behind all of which it stands; None where nothing is left of that."""
        try:
            chat = self._opener.group(c, pointer[:BLIND])
        except Tampered:
            return None
        return None if chat is None else chat.id

    async def apply(self, node: str, event: Event) -> Applied:
        told = content(event, Posted)
        if event.node != node or event.sender != system_account(node):
            raise Problem(Code.WRONG_SENDER_NODE)
        self._posts.heard(node)
        place, outcome = self._database.next_position(), list[Settled]()

        def placed() -> None:
            nonlocal place
            place = self._database.next_position()

        def store(c: Connection) -> None:
            outcome.clear()
            if (settled := self._posts.posted(c, node, told.post, told.code, place)) is not None:
                outcome.append(settled)

        def publish() -> None:
            for settled in outcome:
                self._posts.settle(settled)

        return Applied(store, publish, lambda: None, placed)
