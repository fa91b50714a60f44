"""Nodes of members that do what their accounts may not."""

from itertools import count
from typing import Any, ClassVar

from safeum_home.chats.across.groups.posts import ROOM
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, system_account
from safeum_home.protocol.federation.events import (
    MOST_OCTETS,
    new_event,
    node_of,
    signed_octets,
)
from tests.groups_across_case import A, B, C
from tests.posts_hostile_case import HostileCase
from tests.world import Client


class MemberNodeTests(HostileCase):
    """A member's node does not get more than an account at the group's node would."""

    def setUp(self) -> None:
        super().setUp()
        self.ids = count()

    def tell(self, author: Client, content: dict[str, Any], id: str = "", **changed: Any) -> str | None:
        """The code with which the group's node answers a post; None where it takes it."""
        id = id or f"p{next(self.ids)}"
        waiting = self.nodes.peers[A].waiting
        waiting[:] = [row for row in waiting if row.type != "group.posted"]
        self.hear(A, node_of(author.account), self.post(author, content, id, **changed))
        noted = [row for row in waiting if row.type == "group.posted"]
        return noted[0].pointer[16:].decode().partition("\0")[2] or None if noted else None

    def test_taken(self) -> None:
        """A post like those that are refused below."""
        self.assertIsNone(self.tell(self.bob, self.message()))
        self.assertEqual(self.words(self.alice, self.chat)[-1], "hi")

    def test_whose(self) -> None:
        """A node speaks for its own accounts, and for those who are in the group."""
        event = self.post(self.bob, self.message())
        for origin in (A, C):
            problem = self.assertRaises(Problem, self.hear, A, origin, event)
            self.assertIs(problem.code, Code.WRONG_SENDER_NODE)
        dan = self.nodes[B].register("dan")
        self.assertEqual(self.tell(dan, self.message()), "not_a_contact")
        direct = self.alice.call("contact.list", limit=50)["contacts"][0]["chat"]
        for chat in (direct, "!" + "a" * 26):
            self.assertEqual(self.tell(self.bob, self.message(), chat=ChatId(chat)), "not_a_contact")

    def test_not_theirs(self) -> None:
        """Edits, deletions and pins that their accounts may not make."""
        self.write(self.carol, "carol's")
        self.write(self.alice, "alice's")
        page = {m["body"].get("text"): m for m in self.page(self.alice)}
        theirs = {"node": C, "id": page["carol's"]["origin"]}
        hers = {"node": A, "id": page["alice's"]["id"]}
        edit = self.message("x", edited=self.now + 1, message={"node": B, "id": page["carol's"]["origin"]})
        before = self.full(self.alice)
        self.assertEqual(self.tell(self.bob, edit), "message_gone")
        for name in (theirs, hers):
            self.assertEqual(self.tell(self.bob, {"act": "deletion", "message": name}), "not_yours")
            self.assertEqual(
                self.tell(self.bob, {"act": "pin", "message": name, "pinned": True}), "not_permitted"
            )
            problem = self.assertRaises(
                Problem, self.tell, self.bob, self.message("x", edited=self.now + 1, message=name)
            )
            self.assertIs(problem.code, Code.MALFORMED_EVENT)
        self.write(self.ben, "ben's")
        beside = {"node": B, "id": self.page(self.alice)[-1]["origin"]}
        edit = self.message("x", edited=self.now + 1, message=beside)
        self.assertEqual(self.tell(self.bob, edit), "not_yours")
        before.append(self.full(self.alice)[-1])
        nowhere = {"node": A, "id": "m1"}
        act = {"act": "reaction", "message": nowhere, "emoji": "👍"}
        self.assertEqual(self.tell(self.bob, act), "message_gone")
        self.assertEqual(self.tell(self.bob, {**act, "message": hers, "emoji": "no"}), "invalid_emoji")
        self.assertEqual(self.full(self.alice), before)

    def test_what(self) -> None:
        """What an account cannot send a node cannot either."""
        notice = {"kind": "notice", "action": "removed"}
        stub = {"kind": "deleted", "by": self.bob.account, "at": 1}
        for body in (notice, stub, {"kind": "text", "text": ""}, {"kind": "node.x"}, {}):
            self.assertEqual(self.tell(self.bob, {**self.message(), "body": body}), "malformed_event", body)
        eve = self.nodes[B].register("eve").account
        named: list[dict[str, Any]] = [{"mentions": [eve]}, {"forwarded": {"at": 1, "author": eve}}]
        for more in named:
            self.assertEqual(self.tell(self.bob, self.message(**more)), "not_a_member")
        self.assertEqual(self.tell(self.bob, self.message(), at=self.now + 10**7), "malformed_event")
        for wrong in ({"unknown": 1}, {"sent": -1}, {"edited": 5}, {"mentions": [eve] * 21}):
            problem = self.assertRaises(Problem, self.tell, self.bob, self.message(**wrong))
            self.assertIs(problem.code, Code.MALFORMED_EVENT)

    def test_size(self) -> None:
        """What would be too long once it is passed on is not taken: it would be lost for all others."""
        longest = {"kind": "text", "text": "\x01" * 8192}
        mentions = [client.account for client in self.everybody]
        self.assertIsNone(self.tell(self.bob, {**self.message(mentions=mentions), "body": longest}))
        self.settle()
        self.assertEqual(self.page(self.carol)[-1]["body"], longest)
        carried = {"kind": "poll", "text": "x" * 16_000}
        self.assertIsNone(self.tell(self.bob, {**self.message(), "body": carried}, "m2"))
        padded = self.post(self.bob, {**self.message(mentions=mentions), "body": longest}, "m3")
        self.assertLess(len(signed_octets(padded)), MOST_OCTETS - ROOM)

    def test_again(self) -> None:
        """A reaction that is told once more, after it was taken back, is not there again."""
        self.write(self.carol, "hi")
        name = {"node": C, "id": self.page(self.alice)[-1]["origin"]}
        react = {"act": "reaction", "message": name, "emoji": "👍"}
        self.assertIsNone(self.tell(self.bob, react, "m1"))
        self.assertIsNone(self.tell(self.bob, {**react, "emoji": None}, "m2"))
        self.assertIsNone(self.tell(self.bob, react, "m1"))
        self.assertNotIn("reactions", self.page(self.alice)[-1])
        self.assertIsNone(self.tell(self.bob, react, "m3"))
        self.assertEqual(self.page(self.alice)[-1]["reactions"], [{"emoji": "👍", "count": 1}])
        self.settle()
        self.all_alike()

    def test_old_edit(self) -> None:
        """An edit that is told once more changes nothing, nor does one of before it."""
        self.tell(self.bob, self.message(), "m1")
        name = {"node": B, "id": "m1"}
        self.tell(self.bob, self.message("two", edited=self.now + 2, message=name), "m2")
        self.tell(self.bob, self.message("one", edited=self.now + 1, message=name), "m3")
        self.tell(self.bob, self.message(), "m1")
        self.assertEqual(self.words(self.alice, self.chat)[-1], "two")
        self.settle()
        self.all_alike()

    def test_posted_by_another(self) -> None:
        """What becomes of a post only the group's node says."""
        self.nodes.away.add(A)
        self.begin(self.bob, "hi")
        self.patience(self.bob)
        post = self.bob.call("chat.history", chat=self.chat)["waiting"][0]["id"]
        told = new_event("group.posted", system_account(C), self.now, {"post": post, "code": "not_permitted"})
        self.hear(B, C, told)
        self.assertEqual(self.waiting(self.bob), ["hi"])
        told = new_event("group.posted", AccountId(self.alice.account), self.now, {"post": post})
        self.assertIs(self.assertRaises(Problem, self.hear, B, A, told).code, Code.WRONG_SENDER_NODE)
        told = new_event("group.posted", system_account(A), self.now, {"post": post})
        self.hear(B, A, told)
        self.assertEqual(self.waiting(self.bob), ["hi"])
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.waiting(self.bob), [])


class LimitTests(HostileCase):
    """An account at another node has no more told than one at the group's."""

    limits: ClassVar[dict[str, Any]] = {
        "deliveries_per_account": 1.0,
        "deliveries_per_account_burst": 100,
    }

    def test_rate(self) -> None:
        """Beyond it what its node tells has to wait: it is not refused, and not lost."""

        def flood() -> None:
            for number in range(30):
                self.hear(A, B, self.post(self.bob, self.message(str(number)), f"m{number}"))

        problem = self.assertRaises(Problem, flood)
        self.assertIs(problem.code, Code.RATE_LIMITED)
        self.assertGreater(problem.retry_after or 0, 0)
        said = self.words(self.alice, self.chat)
        self.assertEqual(said[-1], "19")
        self.nodes[A].settle(problem.retry_after or 0)
        self.hear(A, B, self.post(self.bob, self.message("20"), "m20"))
        self.hear(A, C, self.post(self.carol, self.message("others go on"), "m1"))
        self.assertEqual(self.words(self.alice, self.chat)[-2:], ["20", "others go on"])
