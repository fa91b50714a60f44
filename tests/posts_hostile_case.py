"""Nodes that say what they like into groups."""

from typing import Any

import msgspec
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, system_account
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import (
    Event,
    new_event,
    sign_event,
)
from tests.groups_across_case import A, C
from tests.nodes import KEY
from tests.posts_case import PostsCase
from tests.world import Client

TABLES = ("events", "dedupe", "changes", "reactions", "members", "chats", "posts", "passed_on", "roster")


class HostileCase(PostsCase):
    """Nodes that say what they like."""

    def signed(self, event: Event, by: str | None = None) -> dict[str, Any]:
        """An event as its node, or `by`, has signed it."""
        octets = sign_event(event, KEY, self.nodes.peers[by or event.node].key)
        plain: dict[str, Any] = msgspec.json.decode(octets)
        return plain

    def post(self, author: Client, content: dict[str, Any], id: str = "m1", **changed: Any) -> Event:
        """What the node of `author` would make of a post."""
        told = {"chat": self.chat, "at": self.now, **changed}
        return new_event("group.post", AccountId(author.account), told["at"], content, told["chat"], id)

    def message(self, words: str = "hi", **more: Any) -> dict[str, Any]:
        return {"act": "message", "sent": self.now, "body": {"kind": "text", "text": words}, **more}

    @property
    def now(self) -> int:
        return int(self.nodes[A].clock.seconds() * 1000)

    def passed(self, plain: dict[str, Any], type: str = "group.message", **more: Any) -> Event:
        """What the group's node passes on."""
        content = {"at": self.now, "event": plain, **more}
        return new_event(type, system_account(A), self.now, content, ChatId(self.chat))

    def hear(self, node: str, origin: str, event: Event) -> None:
        """Tell `node` an event of `origin`; raises `Problem`."""
        world = self.nodes[node]
        signed = msgspec.convert(self.signed(event, origin), Event)
        kind = next(kind for kind in world.domain.shared if kind.type == event.type)
        done: list[Any] = []
        applying: Any = kind.apply(origin, signed)
        Deferred.fromCoroutine(applying).addBoth(done.append)
        if not isinstance(done[0], Applied):
            raise done[0].value
        done[0].placed()
        stored: list[Any] = []
        world.database.transact(done[0].store).addBoth(stored.append)
        done[0].ended()
        if stored[0] is not None:
            raise stored[0].value
        done[0].publish()

    def rows_of(self, node: str) -> list[Any]:

        def read(c: Connection) -> list[Any]:
            return [c.exec_driver_sql(f"SELECT * FROM {table}").all() for table in TABLES]

        return self.nodes[node].database.now(read)

    def believed_not(self, code: Code, event: Event, node: str = C) -> None:
        """The node refuses it with this code, and nothing changes."""
        before = self.rows_of(node)
        self.assertIs(self.assertRaises(Problem, self.hear, node, A, event).code, code)
        self.assertEqual(self.rows_of(node), before)
