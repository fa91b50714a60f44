"""What a group's node answers to posts stands behind what came of them; telling of entries costs little."""

from typing import Any
from unittest.mock import patch

from safeum_home.chats.groups import draft
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.federation.group_posts import POSTED, REACTION
from tests.groups_across_case import A, B
from tests.posts_case import PostsCase


class AnsweredTests(PostsCase):
    def answers(self) -> list[Event | None]:
        """The answers that wait for Bob's node, as they are told."""
        kind = self.nodes._kind(A, POSTED)
        rows = [row for row in self.nodes.peers[A].waiting if row.node == B and row.type == POSTED]
        return self.nodes[A].database.now(lambda c: [kind.build(c, row.pointer) for row in rows])

    def test_in_line(self) -> None:
        """The group is in it: what of that stands in line, the answer stands behind."""
        self.write(self.alice, "one")
        message = self.find(self.bob, "one")
        self.hold(B)
        self.bob.ask("message.react", chat=self.chat, message=message, emoji="👍")
        self.settle()
        types = [row.type for row in self.nodes.peers[A].waiting if row.node == B]
        self.assertEqual(types, [REACTION, POSTED])
        [event] = self.answers()
        assert event is not None
        self.assertEqual((event.type, event.chat), (POSTED, self.chat))
        self.release()
        self.assertEqual(self.page(self.bob)[-1]["reactions"][0]["count"], 1)

    def test_group_is_over(self) -> None:
        """Where nothing is left of the group the answer is told all the same."""
        message = self.write(self.bob, "one")
        self.hold(B)
        self.bob.ask("message.react", chat=self.chat, message=message, emoji="👍")
        self.settle()
        for client in (self.carol, self.ben, self.bob, self.amy, self.alice):
            self.come(client, "group.leave", chat=self.chat)
        [event] = self.answers()
        assert event is not None
        self.assertIsNone(event.chat)
        self.release()


class EntryTests(PostsCase):
    def test_members_are_known(self) -> None:
        """Who is told of an entry is not opened again for each."""
        opened: list[Any] = []

        def count(key: Any, row: Any) -> Any:
            opened.append(row)
            return draft.opened(key, row)

        with patch("safeum_home.chats.across.groups.copies.opened", count):
            for role in ("admin", "member", "admin"):
                self.alice.call("group.role", chat=self.chat, account=self.carol.account, role=role)
                self.settle()
                told = [len(client.take("group.member")) for client in (self.bob, self.ben)]
                self.assertEqual(told, [1, 1])
        self.assertEqual(opened, [])
