"""A group's node that makes things up."""

from typing import Any

import msgspec

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, system_account
from safeum_home.protocol.federation.events import (
    new_event,
)
from tests.groups_across_case import A, B, C
from tests.posts_hostile_case import HostileCase


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
