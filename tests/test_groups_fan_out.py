"""What it costs to have many told: for whom, of what, and what stays free."""

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.fan_out import FanOut
from safeum_home.config import LimitSection
from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from tests.group_case import GroupCase
from tests.world import Client, Refused, World

ANN = AccountId("@" + "a" * 26 + ":home.test")
LIMITS = {"deliveries_per_account": 1.0, "deliveries_per_account_burst": 40}
TEXT = {"kind": "text", "text": "hi"}
LARGE = "x" * 8100
"""Takes more than 8 KiB: nine deliveries for each who is told."""


class FanOutCase(GroupCase):
    """A group of four, at a node that delivers 40 times at once for each account, and then once a second."""

    def setUp(self) -> None:
        self.sent, self.emoji = 0, "❤️"
        super().setUp()
        self.world.befriend(self.bob, self.carol)
        self.world.befriend(self.alice, self.eve)
        self.chat = self.group(self.alice, self.bob, self.carol, self.dave)
        self.small = self.send(self.alice)["id"]
        self.large = self.send(self.alice, LARGE)["id"]
        self.limited(**LIMITS)

    def limited(self, **limits: Any) -> None:
        """The same node, with other limits."""
        self.world = World(self.world.database, self.world.vault, **limits)
        self.alice, self.bob, self.carol, self.dave = map(self.world.login, ("alice", "bob", "carol", "dave"))

    def send(self, client: Client, text: str = "hi", chat: str | None = None) -> dict[str, Any]:
        self.sent += 1
        body = {"kind": "text", "text": text}
        return client.call("chat.send", chat=chat or self.chat, client_id=f"c{self.sent}", body=body)

    def react(self, client: Client, message: str) -> dict[str, Any]:
        emoji = "👍" if self.emoji == "❤️" else "❤️"
        done = client.call("message.react", chat=self.chat, message=message, emoji=emoji)
        self.emoji = emoji
        return done

    def times(self, do: Any, *args: Any) -> tuple[int, float]:
        """How often something can be done at once, and when it can be done again."""
        for done in range(1000):
            try:
                do(*args)
            except Refused as refused:
                self.assertEqual(refused.code, "rate_limited")
                return done, round(refused.error["data"]["retry_after"], 3)
        raise AssertionError("it is not limited")


class MessageTests(FanOutCase):
    def test_each_member_counts(self) -> None:
        """A message into a group of four is four deliveries; whoever has none left waits, and only there."""
        self.assertEqual(self.times(self.send, self.bob), (10, 4.0))
        self.carol.take()
        self.refused("rate_limited", self.bob, "chat.send", chat=self.chat, client_id="more", body=TEXT)
        self.assertEqual(self.carol.take(), [])
        self.send(self.carol)
        self.send(self.bob, chat=self.direct(self.bob, self.carol))
        self.world.clock.advance(4)
        self.send(self.bob)
        self.assertEqual(self.times(self.send, self.bob), (0, 4.0))

    def direct(self, one: Client, other: Client) -> str:
        contacts = one.call("contact.list", limit=50)["contacts"]
        [chat] = [each["chat"] for each in contacts if each["account"] == other.account]
        return str(chat)

    def test_its_size_counts(self) -> None:
        """One of eight KiB is as much as eight or nine small ones."""
        self.assertEqual(self.times(self.send, self.bob, LARGE), (1, 32.0))
        self.assertEqual(self.times(self.send, self.bob)[0], 1)

    def test_none_is_too_large(self) -> None:
        """What costs more than there can ever be empties the bucket, and is not refused for ever."""
        self.limited(deliveries_per_account=1.0, deliveries_per_account_burst=6)
        self.assertEqual(self.times(self.send, self.bob, LARGE), (1, 6.0))
        self.world.clock.advance(6)
        self.send(self.bob, LARGE)

    def test_direct_chats_are_free(self) -> None:
        """However much somebody writes to one person."""
        chat = self.direct(self.bob, self.carol)
        for _ in range(30):
            self.send(self.bob, LARGE, chat)
        self.assertEqual(self.times(self.send, self.bob)[0], 10)


class ChangeTests(FanOutCase):
    def test_reactions(self) -> None:
        """They are taken for four KiB until the message was read, and settled then."""
        self.assertEqual(self.times(self.react, self.bob, self.small), (6, 4.0))

    def test_reactions_to_what_is_large(self) -> None:
        """What was told owes the rest, which is waited for."""
        self.assertEqual(self.times(self.react, self.bob, self.large), (1, 16.0))
        self.world.clock.advance(16)
        self.react(self.bob, self.large)  # 20 were there, and 36 are owed
        self.assertEqual(self.times(self.react, self.bob, self.large), (0, 36.0))
        self.assertEqual(self.times(self.send, self.bob), (0, 20.0))

    def test_what_changes_nothing(self) -> None:
        """The same reaction again tells nobody, and costs as little as it can."""
        same = {"chat": self.chat, "message": self.large, "emoji": "👍"}
        self.limited(deliveries_per_account=1.0, deliveries_per_account_burst=60)
        self.bob.call("message.react", **same)
        self.bob.call("message.react", **same)
        self.assertEqual(self.times(self.react, self.bob, self.small), (1, 4.0))

    def test_what_is_refused(self) -> None:
        """A change that is not allowed tells nobody, and costs as little."""
        self.refused("not_yours", self.bob, "message.delete", chat=self.chat, message=self.small)
        self.assertEqual(self.times(self.send, self.bob), (9, 4.0))

    def test_other_changes(self) -> None:
        """Editing, deleting, pinning, inviting and roles all count."""
        about = {"chat": self.chat, "message": self.small}
        doings: list[tuple[str, dict[str, Any]]] = [
            ("message.edit", {**about, "body": {"kind": "text", "text": "other"}}),
            ("chat.pin", about),
            ("message.delete", about),
            ("group.set", {"chat": self.chat, "name": "Other"}),
            ("group.avatar.remove", {"chat": self.chat}),
            ("group.role", {"chat": self.chat, "account": self.bob.account, "role": "admin"}),
            ("group.invite", {"chat": self.chat, "accounts": [self.eve.account]}),
        ]
        for method, params in doings:
            self.limited(**LIMITS)
            self.times(self.send, self.alice)
            self.refused("rate_limited", self.alice, method, **params)
            self.world.clock.advance(60)
            self.alice.call(method, **params)
            self.assertLess(self.times(self.send, self.alice)[0], 10, method)

    def test_descriptions(self) -> None:
        """What a group says of itself changes as seldom as what an account does."""
        self.limited(group_descriptions_per_account=0.02, group_descriptions_per_account_burst=3)
        names = iter(range(1000))

        def rename() -> None:
            self.alice.call("group.set", chat=self.chat, name=f"Walks {next(names)}")

        self.alice.call("group.avatar.remove", chat=self.chat)
        self.assertEqual(self.times(rename), (2, 50.0))
        self.refused("rate_limited", self.alice, "group.avatar.remove", chat=self.chat)
        self.alice.call("group.role", chat=self.chat, account=self.bob.account, role="admin")


class DefaultTests(SynchronousTestCase):
    """The limits of a configuration that says nothing of them."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.section = LimitSection()
        rate, burst = self.section.deliveries_per_account, self.section.deliveries_per_account_burst
        self.fan_out = FanOut(RateLimit(rate, burst, self.clock.seconds, debts=True))

    def test_a_hundred_members(self) -> None:
        """Whoever may send so many messages to somebody may send as many to a hundred."""
        for _ in range(self.section.commands_burst):
            self.fan_out.take(ANN, 100, 500)
        for _ in range(600):
            self.clock.advance(1)
            for _ in range(int(self.section.commands_per_second)):
                self.fan_out.take(ANN, 100, 500)

    def test_a_lively_talk_of_two_thousand(self) -> None:
        """Nobody is stopped who writes three times a second for minutes; no program writes hundreds."""
        for _ in range(600):
            self.clock.advance(1)
            for _ in range(3):
                self.fan_out.take(ANN, 2000, 1000)
        with self.assertRaises(Problem):
            for _ in range(self.section.commands_burst):
                self.fan_out.take(ANN, 2000, 1000)
