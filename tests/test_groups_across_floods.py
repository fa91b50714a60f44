"""Hubs and members' nodes that say too much: what they can fill, and how fast."""

from itertools import count
from typing import Any, ClassVar

import msgspec

from safeum_home.errors import Code, Problem
from safeum_home.ids import ChatId, group_id, system_account
from safeum_home.protocol.federation.events import Event, new_event
from tests.groups_across_case import A, B, C
from tests.test_posts_hostile import HostileCase


class FloodCase(HostileCase):
    def setUp(self) -> None:
        super().setUp()
        self.ids = count()

    def of_hub(self, words: str = "hi", chat: str = "") -> Event:
        """A message that the hub has from one of its own accounts."""
        post = self.post(
            self.alice, self.message(words), f"m{next(self.ids)}", chat=ChatId(chat or self.chat)
        )
        content = {"at": self.now, "event": msgspec.to_builtins(post)}
        return new_event("group.message", system_account(A), self.now, content, ChatId(chat or self.chat))

    def told(self, type: str, content: dict[str, Any]) -> Event:
        return new_event(type, system_account(A), self.now, content, ChatId(self.chat))

    def taken(self, event: Event, node: str = B) -> bool:
        """Whether a node takes what the hub tells; else it is to be told again later."""
        try:
            self.hear(node, A, event)
        except Problem as problem:
            self.assertIs(problem.code, Code.RATE_LIMITED)
            assert problem.retry_after is not None
            return False
        return True


class HubTests(FloodCase):
    """One hub."""

    limits: ClassVar[dict[str, Any]] = {"events_per_hub": 0.1, "events_per_hub_burst": 300}

    def fill(self) -> None:
        while self.taken(self.of_hub()):
            self.assertLess(self.events(B), 1_000)

    def test_everything(self) -> None:
        """All that a hub tells counts; it has to wait with the rest, and loses nothing."""
        self.fill()
        last = self.of_hub("last")
        who = {"account": self.amy.account, "address": "amy@a.example"}
        passed = msgspec.to_builtins(
            self.post(
                self.alice, {"act": "reaction", "message": {"node": A, "id": "m1"}, "emoji": "👍"}, "r1"
            )
        )
        before = self.rows_of(B)
        for event in (
            last,
            self.told("group", {"name": "x"}),
            self.told("group.entry", {"who": who, "state": "left"}),
            self.told("group.reaction", {"at": self.now, "event": passed}),
            self.told("group.change", last.content),
            self.told("group.pins", {"pinned": []}),
            self.told("group.over", {}),
        ):
            self.assertFalse(self.taken(event), event.type)
        self.assertEqual(self.rows_of(B), before)
        self.assertTrue(self.taken(self.of_hub(), C))
        self.nodes[B].settle(11)
        self.assertTrue(self.taken(last))
        self.assertEqual(self.words(self.bob, self.chat)[-1], "last")

    def test_size(self) -> None:
        """A long message counts as several."""
        self.assertTrue(self.taken(self.of_hub()))
        long, taken = "x" * 8192, 0
        while self.taken(self.of_hub(long)):
            taken += 1
            self.assertLess(taken, 34)
        self.assertGreater(taken, 10)


class NobodyTests(FloodCase):
    """Copies that nobody is in."""

    def test_invitation(self) -> None:
        """Nothing is written into a group that somebody is only invited into."""
        chat = group_id(A, "seed")
        by = {"account": self.alice.account, "address": "alice@a.example"}
        who = {"account": self.ben.account, "address": "ben@b.example"}
        content = {"who": who, "state": "invited", "by": by, "group": {"name": "Trap", "seed": "seed"}}
        self.hear(B, A, new_event("group.entry", system_account(A), self.now, content, chat))
        before = self.rows_of(B)
        problem = self.assertRaises(Problem, self.hear, B, A, self.of_hub(chat=chat))
        self.assertIs(problem.code, Code.NOT_A_CONTACT)
        self.assertEqual(self.rows_of(B), before)
