"""Secure chats whose members are at several nodes, and hubs and nodes that would have them otherwise."""

from typing import Any

from msgspec import to_builtins

from safeum_home.ids import AccountId, ChatId, direct_chat_id, group_id
from safeum_home.protocol.federation.events import new_event
from tests.groups_across_case import A, B, GroupsAcrossCase
from tests.test_groups_across_hostile import HostileCase
from tests.test_secure_node import LONGEST, PAIR, SECURE, sealed
from tests.world import Client


class SecureAcrossTests(GroupsAcrossCase):
    def say(self, client: Client, chat: str, **more: Any) -> dict[str, Any]:
        about = {"chat": chat, "client_id": f"{client.device}{next(client._ids)}", "body": sealed()}
        return self.come(client, "chat.send", **{**about, **more})

    def test_all_over(self) -> None:
        """It is one at each node, and what is sealed is the same at each, be it as long as may be."""
        chat = self.create(self.bob, self.carol, **SECURE)
        for client in (self.bob, self.carol):
            [invited] = client.take("group.invited")
            self.assertTrue(invited["params"]["invitation"]["secure"])
            self.come(client, "group.accept", chat=chat)
        for client in (self.alice, self.bob, self.carol):
            group = self.info(client, chat)["group"]
            self.assertEqual((group["secure"], group["pair"], group["name"]), (True, False, "Secure chat"))
            self.say(client, chat)
            self.say(client, chat, body=sealed(quiet=True))
        shown = self.shown(self.alice, chat)
        self.assertEqual(len([body for _, _, body in shown if body["kind"] == "secure"]), 6)
        for client in (self.bob, self.carol):
            seen = self.shown(client, chat)
            self.assertEqual(seen, shown[-len(seen) :])
        self.say(self.bob, chat, body=sealed("A" * LONGEST))
        for client in (self.alice, self.bob, self.carol):
            self.assertEqual(len(self.info(client, chat)["last"]["body"]["data"]), LONGEST)

    def test_unread(self) -> None:
        chat = self.group(self.bob, **SECURE)
        self.say(self.alice, chat)
        self.say(self.alice, chat, body=sealed(quiet=True))
        self.settle()
        self.assertEqual(self.info(self.bob, chat)["unread"], 1)

    def test_pair(self) -> None:
        """The hub alone invites, and nobody else; the other one has the same rights at the other node."""
        chat = self.group(self.bob, **PAIR)
        self.assertTrue(self.info(self.bob, chat)["group"]["pair"])
        self.assertEqual(self.info(self.bob, chat)["role"], "owner")
        self.nodes[B].befriend(self.bob, self.ben)
        ask = self.bob.ask("group.invite", chat=chat, accounts=[self.ben.account])
        self.settle()
        self.assertEqual(self.bob.answers[ask]["error"]["data"]["code"], "group_full")
        self.come(self.bob, "chat.history.set", chat=chat, enabled=False)
        self.settle()
        self.assertFalse(self.info(self.alice, chat)["history"])

    def test_in_clear(self) -> None:
        """A copy takes nothing in clear either: its hub is not even asked."""
        chat = self.group(self.bob, **SECURE)
        self.hold(B)
        for more in ({"body": {"kind": "text", "text": "hi"}}, {"mentions": [self.alice.account]}):
            about = {"chat": chat, "client_id": "1", "body": sealed(), **more}
            self.refused("secure_only", self.bob, "chat.send", **about)
        self.release()

    def test_elsewhere(self) -> None:
        direct = direct_chat_id(AccountId(self.alice.account), AccountId(self.bob.account))
        for chat in (direct, self.group(self.bob)):
            about = {"chat": chat, "client_id": "1", "body": sealed()}
            self.refused("not_secure", self.bob, "chat.send", **about)


class HostileSecureTests(HostileCase):
    """`self.chat` is a group in clear, `secure` a secure one: both with their hub at A, and with Bob of B."""

    def setUp(self) -> None:
        super().setUp()
        self.secure = self.group(self.bob, **SECURE)
        about = {"chat": self.secure, "client_id": "first", "body": sealed()}
        self.first = self.alice.call("chat.send", **about)["id"]
        self.settle()

    def seed_of(self, chat: str) -> str:
        opened = self.nodes[A].domain.registry.get(ChatId(chat))
        assert opened is not None and opened.record.group is not None
        return opened.record.group.seed

    def passed(self, chat: str, act: dict[str, Any], type: str = "group.message") -> str | None:
        """The hub passes on what it says that Alice has done."""
        said = new_event("group.post", AccountId(self.alice.account), 0, act, ChatId(chat), "made up")
        return self.hear(self.event(type, {"at": 0, "event": to_builtins(said)}, chat=chat))

    def test_messages_of_the_hub(self) -> None:
        """A copy of a secure chat takes no word in clear from its hub, and others nothing sealed."""
        message = {"act": "message", "sent": 0, "body": sealed()}
        reference = {"node": A, "id": self.first}
        for more in (
            {"body": {"kind": "text", "text": "I am Alice"}},
            {"body": {"kind": "later", "text": "I am Alice"}},
            {"reply_to": reference},
            {"mentions": [self.bob.account]},
            {"forwarded": {"at": 0}},
        ):
            self.assertEqual(self.passed(self.secure, {**message, **more}), "secure_only")
        self.assertEqual(self.passed(self.chat, message), "not_secure")
        self.assertIsNone(self.passed(self.secure, message))

    def test_changes_of_the_hub(self) -> None:
        """Nor does it react in the name of others, or have a message be another one."""
        reference = {"node": A, "id": self.first}
        act: dict[str, Any] = {"act": "reaction", "message": reference, "emoji": "👍"}
        self.assertEqual(self.passed(self.secure, act, "group.reaction"), "secure_only")
        act = {"act": "message", "sent": 0, "body": sealed("b3RoZXI"), "edited": 9, "message": reference}
        self.assertEqual(self.passed(self.secure, act, "group.change"), "not_editable")

    def test_posts_of_nodes(self) -> None:
        """The hub takes none of a node that lets its accounts write in clear."""
        for chat, body, code in (
            (self.secure, {"kind": "text", "text": "hi"}, "secure_only"),
            (self.chat, sealed(), "not_secure"),
        ):
            act = {"act": "message", "sent": 0, "body": body}
            post = new_event("group.post", AccountId(self.bob.account), 0, act, ChatId(chat), "post")
            before = self.nodes[A].database.count("events")
            self.nodes.peers[A].waiting.clear()
            self.assertIsNone(self.hear(post, B, A))
            self.assertEqual(self.nodes[A].database.count("events"), before)
            [answer] = self.nodes.peers[A].waiting
            self.assertIn(code.encode(), answer.pointer)
            self.nodes.peers[A].waiting.clear()

    def test_direct(self) -> None:
        """What is sealed is taken into no direct chat from another node."""
        chat = direct_chat_id(AccountId(self.alice.account), AccountId(self.bob.account))
        content = {"sent": 0, "body": sealed()}
        event = new_event("chat.message", AccountId(self.alice.account), 0, content, chat, "made up")
        self.assertEqual(self.hear(event), "not_secure")

    def test_no_more(self) -> None:
        """A secure chat is one for ever, and another group never; and it is called nothing."""
        for chat, group in (
            (self.secure, {"name": "Walks"}),
            (self.secure, {**SECURE, "pair": True}),
            (self.secure, {**SECURE, "name": "Divorce"}),
            (self.secure, {**SECURE, "about": "of Bob"}),
            (self.secure, {**SECURE, "avatar": "a" * 43}),
            (self.chat, SECURE),
            (self.chat, {"name": "Walks", "pair": True}),
        ):
            self.assertEqual(self.hear(self.event("group", group, chat=chat)), "malformed_event", group)

    def test_anew(self) -> None:
        """Nor is it another one to a node that has forgotten it: its id says what it is."""
        entry = self.entry(self.ben.account, "invited", by=self.entry(self.alice.account, "member")["who"])
        for chat, group in ((self.secure, {"name": "Walks"}), (self.secure, PAIR), (self.chat, SECURE)):
            seed = self.seed_of(chat)
            told = {**group, "seed": seed}
            begins = self.event("group", {**told, "begins": "life"}, chat=chat)
            invites = self.event("group.entry", {**entry, "group": told}, chat=chat)
            self.assertEqual((self.hear(begins), self.hear(invites)), ("malformed_event",) * 2)

    def test_invited_by_name(self) -> None:
        """An invitation says no more of it either."""
        entry = self.entry(self.ben.account, "invited", by=self.entry(self.alice.account, "member")["who"])
        told = {**SECURE, "name": "Divorce", "seed": self.seed_of(self.secure)}
        event = self.event("group.entry", {**entry, "group": told}, chat=self.secure)
        self.assertEqual(self.hear(event), "malformed_event")

    def test_other_seeds(self) -> None:
        cases: list[tuple[str, dict[str, Any]]] = [
            ("other.seed", {}),
            ("seed.", {}),
            ("pair.seed", {"pair": True}),
        ]
        for seed, more in cases:
            chat, told = group_id(A, seed), {"name": "Walks", "begins": "life", "seed": seed, **more}
            self.assertEqual(self.hear(self.event("group", told, chat=chat)), "malformed_event")
