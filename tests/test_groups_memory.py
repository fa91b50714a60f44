"""A group in memory is changed along with the database; who writes meanwhile sees it before or after."""

from typing import Any

from safeum_home.ids import ChatId
from tests.group_case import GroupCase
from tests.world import Refused, texts


class MemoryTests(GroupCase):
    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.alice, self.bob, self.carol)
        self.registry = self.world.domain.registry
        self.database = self.world.database

    def reads(self) -> int:
        """How often the group was read so far."""
        return self._reads

    def watch(self) -> None:
        self._reads = 0
        read = self.registry._opener.read

        def counted(c: Any, chat: ChatId) -> Any:
            self._reads += 1
            return read(c, chat)

        self.patch(self.registry._opener, "read", counted)

    def test_a_change_reads_nothing_again(self) -> None:
        """Joining, leaving, roles and names leave the group in memory, as it is now."""
        self.watch()
        self.alice.call("group.invite", chat=self.chat, accounts=[self.dave.account])
        self.dave.call("group.accept", chat=self.chat)
        self.alice.call("group.role", chat=self.chat, account=self.dave.account, role="admin")
        self.alice.call("group.set", chat=self.chat, name="Hikes")
        self.bob.call("group.leave", chat=self.chat)
        self.alice.write(self.chat, "hi")
        self.assertEqual(self.reads(), 0)
        kept = self.registry.get(ChatId(self.chat))
        assert kept is not None and kept.record.group is not None
        self.assertEqual(set(kept.members), {self.alice.account, self.carol.account, self.dave.account})
        self.assertEqual((kept.writers, kept.record.group.name), (frozenset(kept.members), "Hikes"))

    def test_a_change_that_fails(self) -> None:
        """Leaves memory as it was; that of a refusal too."""
        self.watch()
        self.database.failing = True
        self.refused("storage_unavailable", self.bob, "group.leave", chat=self.chat)
        self.database.failing = False
        self.refused("not_permitted", self.bob, "group.set", chat=self.chat, name="x")
        self.bob.write(self.chat, "still here")
        self.assertEqual(texts(self.carol.messages()), ["still here"])
        self.assertEqual(self.reads(), 0)

    def test_who_writes_while_it_is_removed(self) -> None:
        """A message that waits for one change waits for the next one too, and is refused after it."""
        stored = self.database.count("events")
        tablet = self.world.login("alice")
        self.database.hold = True
        naming = self.alice.ask("group.set", chat=self.chat, name="x")
        removing = tablet.ask("group.remove", chat=self.chat, account=self.bob.account)
        writing = self.bob.ask("chat.send", **self.bob.message(self.chat, "let me in"))
        self.database.release()
        self.assertIsNotNone(self.alice.answer(naming))
        self.assertEqual((tablet.answer(removing), self.bob.answer(writing)), (None, None))
        self.database.release()
        self.assertIsNotNone(tablet.answer(removing))
        self.database.release()
        self.database.hold = False
        refusal = self.assertRaises(Refused, self.bob.answer, writing)
        self.assertEqual(refusal.code, "not_a_contact")
        alerts_and_notices = 3
        self.assertEqual(self.database.count("events"), stored + alerts_and_notices)

    def test_another_change_meanwhile(self) -> None:
        """Where something else changes the chat at the same time, it is read again."""
        self.watch()
        self.database.hold = True
        naming = self.alice.ask("group.set", chat=self.chat, name="x")
        self.registry.changing(ChatId(self.chat))
        self.database.release()
        self.assertIsNotNone(self.alice.answer(naming))
        self.assertIsNone(self.registry.get(ChatId(self.chat)))
        self.registry.changed(ChatId(self.chat))
        self.database.hold = False
        self.bob.write(self.chat, "hi")
        self.assertEqual(self.reads(), 1)

    def test_everything_is_forgotten_meanwhile(self) -> None:
        """What was changed is read again too."""
        self.watch()
        self.database.hold = True
        self.alice.ask("group.set", chat=self.chat, name="x")
        self.registry.forget()
        self.database.release()
        self.database.hold = False
        self.assertIsNone(self.registry.get(ChatId(self.chat)))
        self.bob.write(self.chat, "hi")
        self.assertEqual(self.reads(), 1)

    def test_many_at_once(self) -> None:
        """All who join at once are in it, each told to all."""
        link = self.alice.call("group.link.reset", chat=self.chat)["link"]
        people = [self.dave, self.eve, *(self.world.register(f"guest{n}") for n in range(8))]
        self.database.hold = True
        asked = [(person, person.ask("group.join", link=link)) for person in people]
        while self.database.held:
            self.database.release()
        self.database.hold = False
        self.assertTrue(all(person.answer(number) for person, number in asked))
        members = [event["params"]["members"] for event in self.alice.take("group.member")]
        self.assertEqual(members, list(range(4, 14)))
        self.assertEqual(len(self.roster(self.alice, self.chat)), 13)
