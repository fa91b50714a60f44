"""Another node that lies about messages: each lie is refused with its code, and nothing is stored."""

from typing import Any

from safeum_home.errors import Code, Problem
from safeum_home.ids import ChatId
from safeum_home.protocol.federation.events import Event, new_event
from tests.across_case import A, AcrossCase, B, befriend_across, consent
from tests.world import Client

STUB = {"kind": "deleted", "at": 1}


class HostileCase(AcrossCase):
    """The node of Bob tells that of Alice what it likes. Carol is at Bob's node, a friend of Alice too."""

    def setUp(self) -> None:
        super().setUp()
        self.carol = self.nodes[B].register("carol")
        self.other = befriend_across(self.alice, self.carol)
        self.alice.take()

    def own(self, words: str = "mine") -> dict[str, str]:
        """What names a message of Alice that Bob's node knows."""
        sent = self.write(self.alice, words)
        self.alice.take()
        return {"node": A, "id": sent}

    def heard(self, id: str = "m1", words: str = "hi", **changed: Any) -> None:
        """A message that Alice has got."""
        self.hear(B, self.event("chat.message", self.message(words), id, **changed))
        self.alice.take()


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
        _remove(self.alice, self.bob)
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


def _remove(owner: Client, foreign: Client) -> None:
    """`foreign` is in the list of `owner` no more."""
    blinder, registry = owner.world.vault.blinder, owner.world.domain.registry
    chat: Any = None
    for entry in owner.call("contact.list", limit=50)["contacts"]:
        if entry["account"] == foreign.account:
            chat = entry["chat"]
    registry.changing(chat)
    owner.world.database.execute(
        "UPDATE contacts SET state = 0 WHERE owner = ? AND peer = ?",
        blinder.account(owner.account),  # type: ignore[arg-type]  # it is one
        blinder.account(foreign.account),  # type: ignore[arg-type]
    )
    registry.changed(chat)


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


class FormTests(HostileCase):
    """What is said."""

    def test_bodies(self) -> None:
        """Kinds that the node alone writes, texts that are too long, and what is no body."""
        bodies: list[dict[str, Any]] = [
            {"kind": "notice", "action": "named"},
            {"kind": "login_alert", "device": "D" + "a" * 16, "name": "x", "system": "x", "at": 1},
            {"kind": "number_claim", "state": "moved", "at": 1},
            {"kind": "text", "text": ""},
            {"kind": "text", "text": "x" * 8193},
            {"kind": "text", "text": "x", "more": 1},
            {"kind": "node.later"},
            {"kind": "x.long", "text": "x" * 64 * 1024},
            {"kind": 1},
            {},
            {**STUB, "by": self.carol.account},
            {**STUB, "by": self.alice.account},
        ]
        for body in bodies:
            told = self.event("chat.message", {"sent": self.now, "body": body})
            self.refused("malformed_event", B, told)

    def test_unknown_body(self) -> None:
        """A kind that nobody knows is carried as it is."""
        body = {"kind": "x.poll", "text": "which?", "among": [1, None, {"a": True}]}
        self.hear(B, self.event("chat.message", {"sent": self.now, "body": body}))
        self.assertEqual(self.page(self.alice)[0]["body"], body)

    def test_contents(self) -> None:
        """Members that are not known, are missing, or are of another type."""
        contents: list[tuple[str, dict[str, Any]]] = [
            ("chat.message", {}),
            ("chat.message", self.message(serial=7)),
            ("chat.message", self.message() | {"sent": "now"}),
            ("chat.message", self.message() | {"body": "hi"}),
            ("chat.message", self.message(reply_to="m0")),
            ("chat.message", self.message(mentions=[self.alice.account] * 21)),
            ("chat.message", self.message(signature="x" * 86)),
            ("chat.message", self.message(reactions=[{"emoji": "👍", "count": 9}])),
            ("chat.deletion", {"by": self.alice.account}),
            ("chat.marker", {"read": None}),
            ("chat.reaction", {"emoji": "👍"}),
            ("chat.reaction", {"message": {"node": A, "id": "x"}, "emoji": "👍" * 41}),
        ]
        for type, content in contents:
            self.refused("malformed_event", B, self.event(type, content))
        for type in ("chat.message", "chat.deletion"):
            content = self.message() if type == "chat.message" else {}
            self.refused("malformed_event", B, self.event(type, content, None))
        event = new_event("chat.message", self.bob.account, self.now, self.message(), None, "m1")  # type: ignore[arg-type]
        self.refused("malformed_event", B, event)

    def test_mentions(self) -> None:
        """Who is mentioned, or named as an author, is in the chat."""
        told = self.event("chat.message", self.message(mentions=[self.carol.account]))
        self.refused("not_a_member", B, told)
        twice = self.event("chat.message", self.message(mentions=[self.alice.account] * 2))
        self.refused("invalid_params", B, twice)
        copy = self.message(forwarded={"at": 1, "author": self.carol.account})
        self.refused("not_a_member", B, self.event("chat.message", copy))

    def test_file(self) -> None:
        """What is said of a file has the form that it is to have: no paths, no sizes that are none."""
        good = {"kind": "file", "file": "F" + "a" * 26, "name": "x", "type": "image/png", "size": 1}
        for wrong in (
            {"name": "../../etc/passwd"},
            {"name": ".."},
            {"name": "a/b"},
            {"name": "a\\b"},
            {"name": "a\0b"},
            {"file": "../" + "a" * 24},
            {"file": "F" + "A" * 26},
            {"size": -1},
            {"size": 1.5},
            {"size": 2**53},
            {"type": "image/png; x=1"},
            {"preview": "A" * 12_000},
            {"preview": "?"},
            {"path": "x"},
        ):
            told = self.event("chat.message", {"sent": self.now, "body": {**good, **wrong}})
            self.refused("malformed_event", B, told)
        self.hear(B, self.event("chat.message", {"sent": self.now, "body": good}))

    def test_times(self) -> None:
        """What is said to be of the future is of now."""
        later = self.now + 3_600_000
        self.hear(B, self.event("chat.message", self.message() | {"sent": later}))
        soon = self.now + 60_000
        self.hear(B, self.event("chat.message", self.message() | {"sent": soon}, "m2"))
        self.assertEqual([m["at"] for m in self.page(self.alice)], [self.now, soon])
        self.hear(B, self.event("chat.message", self.message("ho", edited=later)))
        self.assertEqual(self.page(self.alice)[0]["edited"], self.now)
        self.hear(B, self.event("chat.deletion", {}, at=later))
        self.assertEqual(self.page(self.alice)[0]["body"]["at"], self.now)
        stub = {**STUB, "by": self.bob.account, "at": later}
        told = {"sent": self.now, "body": stub, "mentions": [self.alice.account], "edited": self.now}
        self.hear(B, self.event("chat.message", told, "m3"))
        message = self.page(self.alice)[-1]
        self.assertEqual(message["body"]["at"], self.now)
        self.assertFalse({"mentions", "edited"} & message.keys())


class ReferenceTests(HostileCase):
    """What it points at."""

    def test_reply(self) -> None:
        """An answer to what is not there is a message that answers nothing."""
        elsewhere = self.alice.write(self.other, "for Carol")["id"]
        for reference in (
            {"node": A, "id": "nonsense"},
            {"node": A, "id": elsewhere},
            {"node": B, "id": "m0"},
            {"node": "c.example", "id": "m0"},
        ):
            self.hear(B, self.event("chat.message", self.message(reply_to=reference), str(reference)[:64]))
        for message in self.page(self.alice):
            self.assertNotIn("reply_to", message)

    def test_marker(self) -> None:
        """A marker stands at a message of the chat, and is the sender's own."""
        elsewhere = self.alice.write(self.other, "for Carol")["id"]
        self.alice.take()
        for id, node in (("nonsense", A), (elsewhere, A), ("m0", B), ("m0", "c.example")):
            for place in ({"read": {"node": node, "id": id}}, {"delivered": {"node": node, "id": id}}):
                content = {"read": None, "delivered": None} | place
                self.refused("message_gone", B, self.event("chat.marker", content, None))
        mine = self.own()
        content = {"read": mine, "delivered": mine}
        forged = self.event("chat.marker", content, None, sender=self.carol.account)
        self.refused("not_a_contact", B, forged)

    def test_marker_never_goes_back(self) -> None:
        """An earlier marker changes nothing."""
        first, second = self.own(), self.own()
        self.hear(B, self.event("chat.marker", {"read": second, "delivered": second}, None))
        [receipt] = self.alice.take("chat.receipt")
        self.assertEqual(receipt["params"]["read"], second["id"])
        before = self.rows(self.nodes[A])
        self.hear(B, self.event("chat.marker", {"read": first, "delivered": first}, None))
        self.assertEqual(self.rows(self.nodes[A]), before)
        self.assertEqual(self.alice.take(), [])

    def test_pins(self) -> None:
        """Pins are of messages of the chat, of now, and never back."""
        mine = self.own()
        elsewhere = {"node": A, "id": self.alice.write(self.other, "for Carol")["id"]}
        self.alice.take()
        pins = {"pinned": [mine]}
        for code, content, more in (
            ("not_a_contact", pins, {"sender": self.carol.account}),
            ("malformed_event", pins, {"at": self.now + 3_600_000}),
            ("malformed_event", {"pinned": [mine] * 21}, {}),
            ("malformed_event", {"pinned": [mine["id"]]}, {}),
        ):
            self.refused(code, B, self.event("chat.pins", content, None, **more))
        told: dict[str, Any] = {"pinned": [elsewhere, mine, mine, {"node": B, "id": "m0"}]}
        self.hear(B, self.event("chat.pins", told, None))
        self.assertEqual(self.pinned(self.alice), [mine["id"]])
        before = self.rows(self.nodes[A])
        for at in (self.now - 1, self.now):
            self.hear(B, self.event("chat.pins", {"pinned": []}, None, at=at))
        self.assertEqual(self.rows(self.nodes[A]), before)
        _remove(self.alice, self.bob)
        self.alice.take()
        self.refused("not_a_contact", B, self.event("chat.pins", {"pinned": []}, None, at=self.now + 1))

    def test_reaction(self) -> None:
        """A reaction is to a message of the chat, is one emoji, and the sender's own."""
        elsewhere = self.alice.write(self.other, "for Carol")["id"]
        self.alice.take()
        for id, node in (("nonsense", A), (elsewhere, A), ("m0", B), ("m0", "c.example")):
            told = {"message": {"node": node, "id": id}, "emoji": "👍"}
            self.refused("message_gone", B, self.event("chat.reaction", told, None))
        mine = self.own()
        letter = self.event("chat.reaction", {"message": mine, "emoji": "x"}, None)
        self.refused("invalid_emoji", B, letter)
        told = {"message": mine, "emoji": "👍"}
        self.refused("not_a_contact", B, self.event("chat.reaction", told, None, sender=self.carol.account))
        for _ in range(3):
            self.hear(B, self.event("chat.reaction", told, None))
        self.assertEqual(self.page(self.alice)[0]["reactions"], [{"emoji": "👍", "count": 1}])
