"""Another node that lies about messages: each lie is refused with its code, and nothing is stored."""

from typing import Any

from safeum_home.errors import Code, Problem
from safeum_home.ids import ChatId
from safeum_home.protocol.federation.events import Event
from tests.across_case import A, AcrossCase, B, befriend_across, consent
from tests.chats_across_hostile_case import STUB, HostileCase, remove


class SenderTests(HostileCase):
    """Who says it."""

    def test_not_a_member(self) -> None:
        """Who is not in the chat tells nothing of it."""
        self.refused(
            "not_a_contact", B, self.event("chat.message", self.message(), sender=self.carol.account)
        )

    def test_no_such_chat(self) -> None:
        """A chat that there is not."""
        self.refused("not_a_contact", B, self.event("chat.message", self.message(), chat="!" + "a" * 26))

    def test_other_kinds_of_chats(self) -> None:
        """An account's chat with itself, and its alerts, are no business of others."""
        own = self.nodes[A].domain.registry.self_chat(self.alice.account)  # type: ignore[arg-type]
        self.alice.write(own, "note")
        self.alice.take()
        for chat in (own, self.nodes[A].domain.registry.system_chat(self.alice.account)):  # type: ignore[arg-type]
            self.refused("not_a_contact", B, self.event("chat.message", self.message(), chat=chat))

    def test_local_chat(self) -> None:
        """Two people of one node: none of it is another node's, whoever it says that it is."""
        dave = self.nodes[A].register("dave")
        chat = self.nodes[A].befriend(self.alice, dave)
        for sender in (self.bob, dave):
            for node in (A, B):
                event = self.event("chat.message", self.message(), chat=chat, sender=sender.account)
                right = (sender is self.bob and node == B) or (sender is dave and node == A)
                self.refused("not_a_contact" if right else "wrong_sender_node", node, event)

    def test_another_node(self) -> None:
        """A node speaks for its own accounts alone; nor does anybody else come back with its events."""
        self.refused("wrong_sender_node", "c.example", self.event("chat.message", self.message()))
        event = self.event("chat.message", self.message(), sender=self.alice.account)
        self.refused("wrong_sender_node", B, event)
        lie = Event(
            type="chat.message",
            node=B,
            sender=self.alice.account,
            at=self.now,
            content=self.message(),
            chat=self.chat,
            id="m1",
        )
        self.refused("wrong_sender_node", B, lie)

    def test_no_consent(self) -> None:
        """Who is in the list no more cannot write, edit and react, but take back what was written."""
        self.heard()
        mine = self.own()
        remove(self.alice, self.bob)
        self.refused("not_a_contact", B, self.event("chat.message", self.message(), "m2"))
        self.refused("not_a_contact", B, self.event("chat.message", self.message("ho", edited=self.now)))
        self.refused("not_a_contact", B, self.event("chat.reaction", {"message": mine, "emoji": "👍"}))
        self.refused("not_a_contact", B, self.event("chat.marker", {"read": mine, "delivered": mine}, None))
        self.hear(B, self.event("chat.deletion", {}))
        self.assertEqual(self.page(self.alice)[0]["body"]["kind"], "deleted")

    def test_one_way(self) -> None:
        """Who has Alice in no list at home can still be written by her node's rules alone."""
        consent(self.alice, self.bob, False)
        self.heard()
        self.assertEqual(self.shown(self.alice), [(self.bob.account, "hi")])


class FloodTests(AcrossCase):
    """Accounts of another node that say too much."""

    options = {"events_per_foreign_account": 0.1, "events_per_foreign_account_burst": 3}

    def test_messages_and_reactions(self) -> None:
        """All that an account has told counts, and what is beyond that is told later; others are heard."""
        carol = self.nodes[B].register("carol")
        other = befriend_across(self.alice, carol)
        mine = {"node": A, "id": self.write(self.alice, "mine")}
        self.alice.take()
        self.hear(B, self.event("chat.message", self.message()))
        self.hear(B, self.event("chat.reaction", {"message": mine, "emoji": "👍"}, None))
        self.hear(B, self.event("chat.marker", {"read": mine, "delivered": mine}, None))
        self.alice.take()
        later = self.event("chat.message", self.message("later"), "m2")
        for event in (
            later,
            self.event("chat.message", self.message("ho", edited=self.now)),
            self.event("chat.reaction", {"message": mine, "emoji": "👎"}, None),
            self.event("chat.deletion", {}),
        ):
            self.refused("rate_limited", B, event)
        hers: dict[str, Any] = {"chat": other, "sender": carol.account}
        self.hear(B, self.event("chat.message", self.message(), "c1", **hers))
        self.alice.take()
        # Lies about others take nothing from these.
        for _ in range(3):
            self.refused("not_a_contact", B, self.event("chat.message", self.message(), sender=carol.account))
        for id in ("c2", "c3"):
            self.hear(B, self.event("chat.message", self.message(), id, **hers))
        self.nodes[A].settle(11)
        self.hear(B, later)
        self.assertEqual(self.shown(self.alice)[-1], (self.bob.account, "later"))
        self.alice.take()
        self.refused("rate_limited", B, self.event("chat.deletion", {}))


class OthersMessagesTests(HostileCase):
    """What was written by somebody else."""

    def test_message_of_another_account(self) -> None:
        """Another account of the same node edits and deletes what the first one has written: no."""
        self.heard()
        for chat in (self.chat, self.other):
            code = "not_a_contact" if chat == self.chat else "message_gone"
            told: dict[str, Any] = {"sender": self.carol.account, "chat": chat}
            edit = self.event("chat.message", self.message("ho", edited=self.now), **told)
            self.refused(code, B, edit)
            self.refused(code, B, self.event("chat.deletion", {}, **told))

    def test_author_is_checked(self) -> None:
        """Nobody but the author changes a message, even if its id were taken for one of another node."""
        mine = self.own()
        world = self.nodes[A]
        sent = world.vault.blinder.foreign(B, "m1")
        position = world.vault.cursors.decode(mine["id"])
        world.database.execute("UPDATE dedupe SET sent = ? WHERE position = ?", sent, position)
        self.refused("not_yours", B, self.event("chat.message", self.message("ho", edited=self.now)))
        self.refused("not_yours", B, self.event("chat.deletion", {}))

    def test_ids_of_this_node(self) -> None:
        """The id of a message of Alice is no id of a message of Bob: a new message, and hers stays."""
        mine = self.own()
        self.heard(mine["id"], "hi")
        self.assertEqual([words for _, words in self.shown(self.alice)], ["mine", "hi"])
        self.hear(B, self.event("chat.deletion", {}, mine["id"]))
        self.assertEqual([words for _, words in self.shown(self.alice)], ["mine", "deleted"])

    def test_same_id(self) -> None:
        """The same id with another text, and no edit: what is there stays."""
        self.heard()
        before = self.rows(self.nodes[A])
        self.hear(B, self.event("chat.message", self.message("ho")))
        self.assertEqual(self.rows(self.nodes[A]), before)
        told = self.event("chat.message", self.message("ho"), sender=self.carol.account, chat=self.other)
        self.refused("message_gone", B, told)

    def test_earlier_state(self) -> None:
        """What was edited does not go back, and what was deleted does not come back."""
        self.heard()
        self.hear(B, self.event("chat.message", self.message("two", edited=self.now - 1)))
        self.alice.take()
        before = self.rows(self.nodes[A])
        for edited in (self.now - 2, self.now - 1):
            self.hear(B, self.event("chat.message", self.message("one", edited=edited)))
        self.assertEqual(self.rows(self.nodes[A]), before)
        self.hear(B, self.event("chat.deletion", {}))
        self.alice.take()
        before = self.rows(self.nodes[A])
        self.hear(B, self.event("chat.message", self.message("three", edited=self.now)))
        self.hear(B, self.event("chat.deletion", {}))
        self.assertEqual(self.rows(self.nodes[A]), before)
        self.assertEqual(self.alice.take(), [])

    def test_stub(self) -> None:
        """A stub is told as a message, too; nothing is told back."""
        self.heard()
        stub = {"sent": self.now, "body": {**STUB, "by": self.bob.account}}
        for _ in range(2):
            self.hear(B, self.event("chat.message", stub))
        [changed] = self.alice.take("chat.changed")
        self.assertEqual(changed["params"]["message"]["body"], stub["body"])
        self.assertEqual(self.nodes.peers[A].waiting, [])

    def test_changing(self) -> None:
        """Where the chat changes between hearing and storing it is to be told again; nothing is stored."""
        registry = self.nodes[A].domain.registry

        def change() -> None:
            registry.changing(ChatId(self.chat))
            registry.changed(ChatId(self.chat))

        mine = self.own()
        contents: dict[str, dict[str, Any]] = {
            "chat.message": self.message(),
            "chat.marker": {"read": mine, "delivered": mine},
            "chat.reaction": {"message": mine, "emoji": "👍"},
            "chat.pins": {"pinned": [mine]},
        }
        for type, content in contents.items():
            before = self.rows(self.nodes[A])
            told = self.event(type, content)
            problem = self.assertRaises(Problem, self.hear, B, told, change)
            self.assertEqual(problem.code, Code.BUSY)
            self.assertEqual(self.rows(self.nodes[A]), before)
            self.hear(B, told)
            self.assertNotEqual(self.rows(self.nodes[A]), before)

    def test_another_kind(self) -> None:
        """A text stays one; a copy is not edited."""
        self.heard()
        unknown = {"sent": self.now, "body": {"kind": "x.poll"}, "edited": self.now}
        self.refused("not_editable", B, self.event("chat.message", unknown))
        self.hear(B, self.event("chat.message", self.message(forwarded={"at": 1}), "m2"))
        self.alice.take()
        edited = self.message("ho", forwarded={"at": 1}, edited=self.now)
        self.refused("not_editable", B, self.event("chat.message", edited, "m2"))
