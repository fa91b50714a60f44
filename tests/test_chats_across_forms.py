"""Another node says what has no form, or points at nothing: it is refused with its code."""

from typing import Any

from safeum_home.protocol.federation.events import new_event
from tests.across_case import A, B
from tests.chats_across_hostile_case import STUB, HostileCase, remove


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
        remove(self.alice, self.bob)
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
