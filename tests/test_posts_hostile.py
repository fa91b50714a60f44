"""A group's node that makes things up, and members' nodes that do what their accounts may not."""

from itertools import count
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.chats.across.groups.posts import ROOM
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, system_account
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import (
    MOST_OCTETS,
    Event,
    new_event,
    node_of,
    sign_event,
    signed_octets,
)
from tests.groups_across_case import A, B, C
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


class HubTests(HostileCase):
    """The group's node can hold back, and not make up."""

    def test_genuine(self) -> None:
        """What an author's node has signed is believed: so the others are refused for what they lack."""
        self.hear(C, A, self.passed(self.signed(self.post(self.bob, self.message()))))
        self.assertEqual(self.words(self.carol, self.chat)[-1], "hi")

    def test_made_up(self) -> None:
        """Without the signature of the author's node, or with another one's, nothing is."""
        event = self.post(self.bob, self.message())
        unsigned = msgspec.to_builtins(event)
        self.believed_not(Code.BAD_SIGNATURE, self.passed(unsigned))
        forged = self.signed(event, A)
        self.believed_not(Code.BAD_SIGNATURE, self.passed(forged))
        by_hub = {**forged, "signatures": {A: forged["signatures"][B]}}
        self.believed_not(Code.WRONG_SENDER_NODE, self.passed(by_hub))
        self.believed_not(Code.WRONG_SENDER_NODE, self.passed({**unsigned, "node": A}))
        own = msgspec.to_builtins(self.post(self.carol, self.message()))
        self.believed_not(Code.BAD_SIGNATURE, self.passed(own))

    def test_changed(self) -> None:
        """What was signed is as it is: text, time, group, and what it answers."""
        genuine = self.signed(self.post(self.bob, self.message()))
        for changed in (
            {"content": self.message("ho")},
            {"at": self.now + 1},
            {"id": "m2"},
            {"sender": self.ben.account},
        ):
            self.believed_not(Code.BAD_SIGNATURE, self.passed({**genuine, **changed}))
        other = self.signed(self.post(self.bob, self.message(), chat=ChatId("!" + "a" * 26)))
        self.believed_not(Code.MALFORMED_EVENT, self.passed(other))

    def test_again(self) -> None:
        """What was said once is said once, and of several states the last one stays."""
        first = self.signed(self.post(self.bob, self.message()))
        self.hear(C, A, self.passed(first))
        before = self.rows_of(C)
        self.hear(C, A, self.passed(first))
        name = {"node": B, "id": "m1"}
        edit = self.message("ho", edited=self.now + 5, message=name)
        self.hear(C, A, self.passed(self.signed(self.post(self.bob, edit, "m2")), "group.change"))
        self.assertEqual(self.words(self.carol, self.chat)[-1], "ho")
        self.hear(C, A, self.passed(first))
        self.hear(C, A, self.passed(first, "group.change"))
        self.assertEqual(self.words(self.carol, self.chat)[-1], "ho")
        earlier = self.message("hm", edited=self.now + 4, message=name)
        self.hear(C, A, self.passed(self.signed(self.post(self.bob, earlier, "m4")), "group.change"))
        self.assertEqual(self.words(self.carol, self.chat)[-1], "ho")
        gone = self.signed(self.post(self.bob, {"act": "deletion", "message": name}, "m3"))
        left = {"message": name, "sender": self.bob.account, "sent": self.now}
        self.hear(C, A, self.passed(gone, "group.change", left=left))
        self.assertEqual(self.words(self.carol, self.chat)[-1], "deleted")
        self.hear(C, A, self.passed(first))
        self.assertEqual(self.words(self.carol, self.chat)[-1], "deleted")
        self.assertNotEqual(self.rows_of(C), before)
        self.assertEqual(len([w for w in self.words(self.carol, self.chat) if w == "deleted"]), 1)

    def test_others_messages(self) -> None:
        """Nobody edits what somebody else has written, though his node has signed that he does."""
        self.hear(C, A, self.passed(self.signed(self.post(self.bob, self.message()))))
        name = {"node": B, "id": "m1"}
        by_ben = self.message("ho", edited=self.now + 5, message=name)
        event = self.passed(self.signed(self.post(self.ben, by_ben, "m2")), "group.change")
        self.believed_not(Code.NOT_YOURS, event)
        by_amy = msgspec.to_builtins(self.post(self.amy, by_ben, "m2"))
        self.believed_not(Code.MALFORMED_EVENT, self.passed(by_amy, "group.change"))

    def test_deletions(self) -> None:
        """A stub says by whom: that one's node has signed it."""
        self.hear(C, A, self.passed(self.signed(self.post(self.bob, self.message()))))
        name = {"node": B, "id": "m1"}
        left = {"message": name, "sender": self.bob.account, "sent": self.now}
        act = {"act": "deletion", "message": name}
        unsigned = msgspec.to_builtins(self.post(self.ben, act, "m2"))
        self.believed_not(Code.BAD_SIGNATURE, self.passed(unsigned, "group.change", left=left))
        genuine = self.signed(self.post(self.ben, act, "m2"))
        self.believed_not(Code.MALFORMED_EVENT, self.passed(genuine, "group.change"))
        wrong = {**left, "sender": self.alice.account}
        self.believed_not(Code.MALFORMED_EVENT, self.passed(genuine, "group.change", left=wrong))
        of_another = {**left, "message": {"node": B, "id": "m7"}}
        self.believed_not(Code.MALFORMED_EVENT, self.passed(genuine, "group.change", left=of_another))
        whose = {**left, "sender": self.ben.account}
        self.believed_not(Code.NOT_YOURS, self.passed(genuine, "group.change", left=whose))

    def test_reactions(self) -> None:
        """A reaction is signed by the node of who reacts."""
        self.hear(C, A, self.passed(self.signed(self.post(self.bob, self.message()))))
        act = {"act": "reaction", "message": {"node": B, "id": "m1"}, "emoji": "👍"}
        unsigned = msgspec.to_builtins(self.post(self.ben, act, "m2"))
        self.believed_not(Code.BAD_SIGNATURE, self.passed(unsigned, "group.reaction"))
        self.hear(C, A, self.passed(self.signed(self.post(self.ben, act, "m2")), "group.reaction"))
        self.assertEqual(self.page(self.carol)[-1]["reactions"], [{"emoji": "👍", "count": 1}])

    def test_reactions_again(self) -> None:
        """A reaction that was taken back stays so, also where it is told once more."""
        self.hear(C, A, self.passed(self.signed(self.post(self.bob, self.message()))))
        act = {"act": "reaction", "message": {"node": B, "id": "m1"}}
        up, none = ({**act, "emoji": emoji} for emoji in ("👍", None))
        first = self.passed(self.signed(self.post(self.ben, up, "m2")), "group.reaction")
        self.hear(C, A, first)
        self.hear(C, A, self.passed(self.signed(self.post(self.ben, none, "m3")), "group.reaction"))
        before = self.rows_of(C)
        self.hear(C, A, first)
        self.assertEqual(self.rows_of(C), before)
        self.assertNotIn("reactions", self.page(self.carol)[-1])
        self.hear(C, A, self.passed(self.signed(self.post(self.ben, up, "m4")), "group.reaction"))
        self.assertEqual(self.page(self.carol)[-1]["reactions"], [{"emoji": "👍", "count": 1}])

    def test_notices(self) -> None:
        """What the node says of the group is of the group's node alone, and no account's."""
        body = {"kind": "notice", "action": "removed", "who": self.bob.account}
        by_bob = self.signed(self.post(self.bob, {**self.message(), "body": body}))
        self.believed_not(Code.MALFORMED_EVENT, self.passed(by_bob))
        system = new_event(
            "group.post",
            system_account(C),
            self.now,
            {**self.message(), "body": body},
            ChatId(self.chat),
            "m1",
        )
        self.believed_not(Code.BAD_SIGNATURE, self.passed(msgspec.to_builtins(system)))

    def test_wording(self) -> None:
        """A node signs what a group's node says of it, but says nothing that this one has worded."""
        bob, ben = self.bob.account, self.ben.account
        good: list[dict[str, Any]] = [
            {"action": "named", "by": bob, "text": "Walks"},
            {"action": "joined", "who": ben},
            {"action": "joined", "who": ben, "by": bob},
            {"action": "history_off", "by": bob},
        ]
        bad: list[dict[str, Any]] = [
            {"action": "pay_now", "by": bob},
            {"action": "pay_now"},
            {"action": "removed", "who": ben, "by": bob, "text": "Your account is over"},
            {"action": "named", "by": bob, "text": "x" * 65},
            {"action": "named", "by": bob, "text": "two\nlines"},
            {"action": "named", "by": bob},
            {"action": "left", "who": ben, "by": bob},
            {"action": "removed", "who": ben},
            {"action": "named", "by": "nobody", "text": "Walks"},
        ]
        for number, said in enumerate((*good, *bad)):
            content = {**self.message(), "body": {"kind": "notice", **said}}
            post = new_event(
                "group.post", system_account(A), self.now, content, ChatId(self.chat), f"n{number}"
            )
            event = self.passed(msgspec.to_builtins(post))
            if said in bad:
                self.believed_not(Code.MALFORMED_EVENT, event)
            else:
                self.hear(C, A, event)
                self.assertEqual(self.page(self.carol)[-1]["body"], {"kind": "notice", **said})

    def test_another_hub(self) -> None:
        """Another node cannot tell of a group that it does not order."""
        event = self.passed(self.signed(self.post(self.bob, self.message())))
        content = event.content
        for sender in (system_account(B), self.bob.account):
            told = new_event("group.message", AccountId(sender), self.now, content, ChatId(self.chat))
            problem = self.assertRaises(Problem, self.hear, C, B, told)
            self.assertIn(problem.code, (Code.NOT_A_CONTACT, Code.WRONG_SENDER_NODE))
        self.assertIs(self.assertRaises(Problem, self.hear, C, B, event).code, Code.WRONG_SENDER_NODE)

    def test_keys_not_to_be_had(self) -> None:
        """Where an author's node is away the group stands in line for two minutes; then that is left out."""
        event = self.passed(self.signed(self.post(self.bob, self.message())))
        self.nodes.peers[C].silent.add(B)
        waited = 0.0
        while (problem := self.assertRaises(Problem, self.hear, C, A, event)).code is Code.BUSY:
            assert problem.retry_after is not None
            self.nodes[C].settle(problem.retry_after)
            waited += problem.retry_after
            self.assertLessEqual(waited, 120)
        self.assertIs(problem.code, Code.UNKNOWN_KEY)
        self.assertEqual(waited, 120)
        self.nodes.peers[C].silent.clear()
        self.hear(C, A, event)
        self.nodes.peers[C].silent.add(B)
        self.assertIs(self.assertRaises(Problem, self.hear, C, A, event).code, Code.UNKNOWN_KEY)
        self.nodes[C].settle(3_600)
        self.assertIs(self.assertRaises(Problem, self.hear, C, A, event).code, Code.BUSY)

    def test_keys_again_and_again(self) -> None:
        """It is the same where the keys are to be had each time, a while later."""
        waited = 0
        for number in range(20):
            event = self.passed(self.signed(self.post(self.bob, self.message(), f"m{number}")))
            self.nodes.peers[C].silent.add(B)
            code = self.assertRaises(Problem, self.hear, C, A, event).code
            if code is Code.BUSY:
                self.nodes[C].settle(29)
                waited += 29
                self.nodes.peers[C].silent.clear()
                self.hear(C, A, event)
        self.assertIs(code, Code.UNKNOWN_KEY)
        self.assertGreater(waited, 60)
        self.assertLessEqual(waited, 120)


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
