"""The chats in memory: bounded, opened once, never older than the contacts behind them."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Erased, Problem, Tampered
from safeum_home.ids import AccountId, ChatId, support_account, system_account
from tests.world import NODE, World


class RegistryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.chat = ChatId(self.world.befriend(self.alice, self.bob))
        self.database = self.world.database
        vault = self.world.vault
        self.opener = ChatOpener(
            vault.keyring, vault.fleeting, vault.blinder, system_account(NODE), support_account(NODE)
        )
        self.registry = ChatRegistry(self.database, vault.blinder, self.opener, size=2)

    def load(self, chat: str) -> Any:
        return self.successResultOf(self.registry.load(ChatId(chat)))

    def test_load(self) -> None:
        """A chat is opened with its members and those who may write; once, until it is forgotten."""
        chat = self.load(self.chat)
        both = {self.alice.account, self.bob.account}
        self.assertEqual((set(chat.members), set(chat.writers)), (both, both))
        self.assertIs(self.registry.get(self.chat), chat)
        self.assertIs(self.load(self.chat), chat)

    def test_none(self) -> None:
        """A chat that does not exist is none, and nothing is kept of it."""
        self.assertIsNone(self.load("!" + "a" * 26))
        self.assertEqual((len(self.registry._open), self.registry._loading), (0, {}))

    def test_system(self) -> None:
        """An account's system chat is written by the node alone."""
        chat = self.load(self.registry.system_chat(AccountId(self.alice.account)))
        self.assertEqual((chat.members, chat.writers), ((self.alice.account,), {system_account(NODE)}))

    def test_bounded(self) -> None:
        """The one not asked for longest makes room."""
        others = [self.registry.system_chat(AccountId(one.account)) for one in (self.alice, self.bob)]
        first = self.load(self.chat)
        self.load(others[0])
        self.load(self.chat)
        self.load(others[1])
        self.assertIs(self.registry.get(self.chat), first)
        self.assertIsNone(self.registry.get(others[0]))
        self.assertEqual(len(self.registry._open), 2)

    def test_bounded_by_members(self) -> None:
        """So many members are kept in all, and at least the chat that was asked for last."""
        blinder = self.world.vault.blinder
        registry = self.registry = ChatRegistry(self.database, blinder, self.opener, most_members=2)
        chats = [registry.system_chat(AccountId(one.account)) for one in (self.alice, self.bob)]
        first, second = map(self.load, chats)
        pair = self.load(self.chat)
        self.assertEqual([chat.stale for chat in (first, second, pair)], [True, True, False])
        self.assertEqual(registry._members, 2)
        registry.forget_account(AccountId(self.bob.account))
        self.assertEqual((registry._members, pair.stale), (0, True))

    def test_one_read_for_all(self) -> None:
        """Those who wait for one chat are served by one read, in their order."""
        self.database.hold_reads = True
        order: list[int] = []
        for number in range(3):
            self.registry.load(self.chat).addCallback(lambda _: None).addCallback(
                lambda _, number: order.append(number), number
            )
        self.assertEqual(self.database.held, 1)
        self.database.answer_reads()
        self.assertEqual(order, [0, 1, 2])

    def test_changing(self) -> None:
        """While a contact is changed whoever asks waits, and is given the chat as it is then."""
        old = self.load(self.chat)
        self.registry.changing(self.chat)
        self.registry.changing(self.chat)
        self.assertIsNone(self.registry.get(self.chat))
        waiting = self.registry.load(self.chat)
        self.registry.changed(self.chat)
        self.assertNoResult(waiting)
        self.registry.changed(self.chat)
        self.assertIsNot(self.successResultOf(waiting), old)
        self.assertEqual((self.registry._changing, self.registry._loading), ({}, {}))

    def test_changed_while_reading(self) -> None:
        """What was read before or during a change is read again, at every moment that the read may end."""
        for answered in range(3):
            self.database.hold_reads = True
            waiting = [self.registry.load(self.chat)]
            for place, step in enumerate((self.registry.changing, self.registry.changed, None)):
                if step is not None:
                    step(self.chat)
                else:
                    waiting.append(self.registry.load(self.chat))
                if place == answered:
                    self.database.answer_reads(1)
                    if answered < 2:
                        self.assertNoResult(waiting[0])
            self.database.hold_reads = False
            while self.database.held:
                self.database.answer_reads()
            opened = [self.successResultOf(deferred) for deferred in waiting]
            self.assertIs(opened[0], opened[1])
            self.assertEqual((self.registry._changing, self.registry._loading), ({}, {}))
            self.registry._open.clear()

    def test_a_read_that_fails(self) -> None:
        """All who waited are told, and the next one asks anew."""
        self.database.reading_fails = self.database.hold_reads = True
        waiting = [self.registry.load(self.chat) for _ in range(2)]
        self.database.answer_reads()
        for deferred in waiting:
            self.failureResultOf(deferred, Problem)
        self.database.reading_fails = self.database.hold_reads = False
        self.assertIsNotNone(self.load(self.chat))

    def test_damaged(self) -> None:
        """A chat whose row cannot be opened is refused, and not kept."""
        self.database.execute("UPDATE chats SET sealed = x'00'")
        self.failureResultOf(self.registry.load(self.chat), Tampered)
        self.assertEqual((len(self.registry._open), self.registry._loading), (0, {}))

    def test_wiped(self) -> None:
        """When the node stops no key is left that opens anything."""
        chat = self.load(self.chat)
        self.registry.wipe()
        self.assertRaises(Erased, chat.key.seal, b"x", b"")
