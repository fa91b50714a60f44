"""What nodes say of groups that they have no say in, and hubs that do with people what they like."""

from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred

from safeum_home.chats.across.groups import places as group_places
from safeum_home.ids import (
    AccountId,
    ChatId,
    direct_chat_id,
    group_id,
    new_account_id,
    support_account,
    system_account,
)
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import Event, new_event
from safeum_home.protocol.federation.groups import Called
from safeum_home.protocol.federation.questions import GroupAnswer, GroupCommand
from tests.groups_across_case import A, B, C, GroupsAcrossCase
from tests.world import World, contact

TABLES = ("chats", "roster", "members", "events", "keys", "endings", "agreements", "group_nodes")


class HostileCase(GroupsAcrossCase):
    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.bob)

    @property
    def seed(self) -> str:
        """What the group's id is made of."""
        chat = self.nodes[A].domain.registry.get(ChatId(self.chat))
        assert chat is not None and chat.record.group is not None
        return chat.record.group.seed

    def begins(self, life: str) -> dict[str, Any]:
        """What the hub tells where a copy begins."""
        return {"name": "x", "begins": life, "seed": self.seed}

    def event(self, type: str, content: dict[str, Any], node: str = A, **more: Any) -> Event:
        sender = more.get("sender", system_account(node))
        return new_event(type, sender, 0, content, ChatId(more.get("chat", self.chat)))

    def hear(self, event: Event, origin: str = A, at: str = B) -> str | None:
        """Tell a node an event of `origin`: the code where it is refused, and then nothing has changed."""
        world = self.nodes[at]
        before = self.count(world)
        kind = next(kind for kind in world.domain.shared if kind.type == event.type)
        done: list[Any] = []
        Deferred.fromCoroutine(kind.apply(origin, event)).addBoth(done.append)
        if not isinstance(done[0], Applied):
            self.assertEqual(self.count(world), before)
            return str(done[0].value.code.value.code)
        done[0].placed()
        stored: list[Any] = []
        world.database.transact(done[0].store).addBoth(stored.append)
        if stored[0] is None:
            done[0].publish()
        done[0].ended()
        if stored[0] is None:
            return None
        self.assertEqual(self.count(world), before)
        return str(stored[0].value.code.value.code)

    def count(self, world: World) -> dict[str, int]:
        return {table: world.database.count(table) for table in TABLES}

    def unheard(self, event: Event, origin: str = A, at: str = B) -> None:
        """It is taken, and nothing comes of it."""
        before = self.count(self.nodes[at])
        self.assertIsNone(self.hear(event, origin, at))
        self.assertEqual(self.count(self.nodes[at]), before)

    def entry(self, account: str, state: str, **more: Any) -> dict[str, Any]:
        return {"who": {"account": account, "address": account}, "state": state, **more}


class LyingTests(HostileCase):
    def test_member_without_consent(self) -> None:
        """Nobody is a member, or one again, who has not said so at its own node."""
        told = self.event("group.entry", self.entry(self.ben.account, "member", since="s1"))
        self.assertEqual(self.hear(told), "not_a_contact")
        again = self.event("group.entry", self.entry(self.bob.account, "member", since="another"))
        self.assertEqual(self.hear(again), "not_a_contact")
        carol = self.event("group.entry", self.entry(self.carol.account, "member", since="s1"))
        self.assertEqual(self.hear(carol, at=C), "not_a_contact")
        self.unheard(self.event("group", {"name": "x", "begins": "life", "seed": self.seed}), at=C)

    def test_invited_by_nobody(self) -> None:
        """An invitation is by a contact of who is invited, whatever the hub says."""
        by = {"account": self.carol.account, "address": self.carol.account}
        group = {"name": "Trap", "seed": self.seed}
        content = self.entry(self.ben.account, "invited", by=by, group=group)
        self.assertEqual(self.hear(self.event("group.entry", content)), "not_a_contact")
        content.pop("by")
        self.assertEqual(self.hear(self.event("group.entry", content)), "malformed_event")
        nobody = self.entry(new_account_id(B), "invited", by=by, group=group)
        self.assertEqual(self.hear(self.event("group.entry", nobody)), "not_found")

    def test_other_node(self) -> None:
        """A group is its hub's alone, and a direct chat is no group."""
        mallory = new_account_id(C)
        contents: dict[str, dict[str, Any]] = {
            "group": {"name": "Mine now"},
            "group.entry": self.entry(mallory, "member", since="s1"),
            "group.over": {},
        }
        for type, content in contents.items():
            forged = self.event(type, content, C)
            self.assertEqual(self.hear(forged, C), "not_a_contact", type)
            self.assertEqual(self.hear(self.event(type, content, A), C), "wrong_sender_node", type)
            own = self.event(type, content, A, sender=self.alice.account)
            self.assertEqual(self.hear(own), "wrong_sender_node", type)
        chat = contact(self.bob, self.alice)["chat"]
        self.assertEqual(self.hear(self.event("group", {"name": "x"}, chat=chat)), "not_a_contact")
        self.assertEqual(self.hear(self.event("group.over", {}, chat=chat)), "not_a_contact")
        # Nor can a copy be told to a node as if that were the hub of its own group.
        self.assertEqual(self.hear(self.event("group", {"name": "x"}, B), B, A), "not_a_contact")

    def test_again_and_again(self) -> None:
        """A copy is begun anew for who has agreed to be in it, and else is over once."""
        self.alice.write(self.chat, "hello")
        self.settle()
        before = self.nodes[B].domain.turns.epoch
        for number in range(5):
            self.assertIsNone(self.hear(self.event("group", self.begins(f"life {number}"))))
            self.nodes[B].settle(30)
        self.assertEqual(self.nodes[B].domain.turns.epoch, before + 1)
        self.assertEqual(self.of_chat(B, "chats"), 0)
        states = [event["params"]["member"]["state"] for event in self.bob.take("group.member")]
        self.assertEqual(states, ["left"])

    def test_unknown_groups(self) -> None:
        """Of groups that nobody is in nothing is kept, whatever is told of them."""
        chat = group_id(A, "seed")
        for type, content in (
            ("group", {"name": "x"}),
            ("group", {"name": "x", "begins": "life", "seed": "seed"}),
            ("group.entry", self.entry(new_account_id(A), "member", since="s1")),
            ("group.entry", self.entry(self.ben.account, "left")),
            ("group.over", {}),
        ):
            self.unheard(self.event(type, content, chat=chat))

    def test_ids_of_other_chats(self) -> None:
        """A group has the id of no other chat, be it one that is still to come, or another hub's."""
        bob, ben = AccountId(self.bob.account), AccountId(self.ben.account)
        by = {"account": self.alice.account, "address": self.alice.account}
        for chat in (
            direct_chat_id(bob, ben),
            direct_chat_id(bob, bob),
            direct_chat_id(bob, support_account(B)),
            group_id(C, "seed"),
        ):
            for seed in ({}, {"seed": "seed"}):
                group = {"name": "Trap", **seed}
                invited = self.entry(bob, "invited", by=by, group=group)
                self.assertEqual(self.hear(self.event("group.entry", invited, chat=chat)), "malformed_event")
                begins = self.event("group", {**group, "begins": "life"}, chat=chat)
                self.assertEqual(self.hear(begins), "malformed_event")

    def test_names(self) -> None:
        """Nobody is called what belongs to another node, or to a number."""
        account = new_account_id(C)
        for address in ("alice@a.example", "@someone", "+491701234567@c.example", self.carol.account, "x"):
            who = {"account": account, "address": address}
            content = {"who": who, "state": "member", "since": "s1"}
            self.assertEqual(self.hear(self.event("group.entry", content)), "malformed_event", address)

    def test_called(self) -> None:
        """A node says how its own accounts are called, and no others."""
        for sender, address, code in (
            (self.bob.account, "alice@a.example", "malformed_event"),
            (self.bob.account, "+491701234567@b.example", "malformed_event"),
            (self.alice.account, "alice@a.example", "wrong_sender_node"),
        ):
            told = self.event("group.called", {"address": address, "display_name": "x"}, sender=sender)
            self.assertEqual(self.hear(told, B, A), code)
        self.unheard(self.event("group.called", {"address": self.ben.address}, sender=self.ben.account), B, A)

    def test_endless(self) -> None:
        """A copy holds no more members than any group has, nor more of who was removed."""
        with (
            patch.object(group_places, "MOST_MEMBERS", 4),
            patch("safeum_home.chats.across.groups.copies.LEFT_KEPT", 3),
        ):
            accounts = [new_account_id(C) for _ in range(10)]
            for each in accounts[:2]:
                told = self.event("group.entry", self.entry(each, "member", since="s1"))
                self.assertIsNone(self.hear(told))
            told = self.event("group.entry", self.entry(accounts[2], "member", since="s1"))
            self.assertEqual(self.hear(told), "limit_reached")
            before = self.nodes[B].database.count("roster")
            for each in accounts:
                self.hear(self.event("group.entry", self.entry(each, "invited")))
                self.assertIsNone(self.hear(self.event("group.entry", self.entry(each, "removed"))))
            self.assertLessEqual(self.nodes[B].database.count("roster"), before + 3)

    def test_left(self) -> None:
        """Nobody leaves for accounts of another node."""
        content: dict[str, Any] = {}
        amy = self.event("group.left", content, sender=self.alice.account)
        self.assertEqual(self.hear(amy, B, A), "wrong_sender_node")
        self.unheard(self.event("group.left", {"since": "nonsense"}, sender=self.bob.account), B, A)
        self.assertIn("bob@b.example", self.roster(self.alice, self.chat))


class AskingTests(HostileCase):
    """Questions of nodes about groups."""

    def ask(self, account: str, method: str, node: str = B, **params: Any) -> str | None:
        answer = self.nodes[A].domain.answers[GroupCommand]
        asked = GroupCommand(Called(account, account), method, params)
        done: list[Any] = []
        answering: Any = answer(node, asked)
        Deferred.fromCoroutine(answering).addBoth(done.append)
        return None if isinstance(done[0], GroupAnswer) else str(done[0].value.code.value.code)

    def test_whose(self) -> None:
        """A node speaks for its own accounts alone, whatever role these have."""
        params = {"chat": self.chat, "name": "Mine"}
        self.assertEqual(self.ask(self.alice.account, "group.set", **params), "not_permitted")
        self.assertEqual(self.ask(self.bob.account, "group.set", C, **params), "not_permitted")
        self.assertEqual(self.ask(self.bob.account, "group.set", **params), "not_permitted")
        self.assertEqual(self.info(self.alice, self.chat)["group"]["name"], "Walks")
        self.assertEqual(self.ask(new_account_id(B), "group.set", **params), "not_found")

    def test_what(self) -> None:
        """What is not about a group of the node, or not of its form, is refused."""
        for method, params in (
            ("group.create", {"client_id": "1", "name": "x"}),
            ("chat.history", {"chat": self.chat}),
            ("account.block", {"username": "alice", "pin": "123456"}),
            ("group.members", {"chat": self.chat}),
            ("group.set", {"chat": self.chat, "unknown": 1}),
            ("group.set", {"chat": "nonsense"}),
            ("group.invite", {"chat": self.chat, "accounts": ["x"]}),
            ("", {}),
        ):
            self.assertEqual(self.ask(self.bob.account, method, **params), "invalid_params", method)
        chat = contact(self.bob, self.alice)["chat"]
        self.assertEqual(self.ask(self.bob.account, "group.leave", chat=chat), "not_found")

    def test_called(self) -> None:
        """What somebody is called is checked here, too."""
        asked = GroupCommand(Called(self.bob.account, "alice@a.example"), "group.leave", {"chat": self.chat})
        answering: Any = self.nodes[A].domain.answers[GroupCommand](B, asked)
        done: list[Any] = []
        Deferred.fromCoroutine(answering).addBoth(done.append)
        self.assertEqual(done[0].value.code.value.code, "invalid_params")
        self.assertIn("bob@b.example", self.roster(self.alice, self.chat))

    def test_copies_are_not_asked(self) -> None:
        """A node that holds a copy says nothing of it to others."""
        answering: Any = self.nodes[B].domain.answers[GroupCommand]
        asked = GroupCommand(
            Called(AccountId(self.carol.account), self.carol.account), "group.leave", {"chat": self.chat}
        )
        done: list[Any] = []
        Deferred.fromCoroutine(answering(C, asked)).addBoth(done.append)
        self.assertEqual(done[0].value.code.value.code, "not_found")
