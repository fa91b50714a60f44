"""Accounts that are closed leave their groups, whatever else is erased then, and whatever is damaged."""

from typing import Any

from safeum_home import ids
from safeum_home.chats.groups import draft as group_draft
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.node.turning import LEAST_SECONDS
from safeum_home.storage.keys import LASTING
from tests.group_case import GroupCase
from tests.world import PASSWORD, Client

PIN = "284716"


class LeavingCase(GroupCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.block = Client(self.world, "198.51.100.1")

    def ask(self) -> int:
        """Somebody closes Alice's account."""
        return self.block.ask("account.block", username="alice", pin=PIN)

    def closed(self) -> None:
        number = self.ask()
        self.world.settle(2 * LEAST_SECONDS)
        self.assertEqual(self.block.answer(number), {})

    def until_answered(self, number: int) -> None:
        for _ in range(40):
            if self.block.answer(number) is not None:
                return
            self.world.settle(1)
        self.fail("it was not answered")

    def damage(self, client: Client, chat: str) -> None:
        place = (self.blind_chat(chat), self.blind(client))
        query = "UPDATE roster SET sealed = zeroblob(80) WHERE chat = ? AND account = ?"
        self.world.database.transact(lambda c: c.exec_driver_sql(query, place))

    def owners(self, client: Client, chat: str) -> list[str]:
        return [one for one, (role, _) in self.roster(client, chat).items() if role == "owner"]

    def left_out(self) -> None:
        """What was damaged was logged as that, and nothing else was logged."""
        for failure in self.flushLoggedErrors():
            self.fail(failure.getTraceback())


class SweepingTests(LeavingCase):
    def test_while_rows_are_swept_away(self) -> None:
        """A sweep does not forget the account before it has left: the group has an owner."""
        chat = self.group(self.alice, self.bob, self.carol)
        left: list[Any] = []

        async def later() -> None:
            left.append(None)
            raise RuntimeError

        leave = self.world.domain.closing._leave_groups
        self.patch(self.world.domain.closing, "_leave_groups", later)
        self.closed()  # its rows are swept away all the same, but those that leaving takes
        self.assertTrue(left)
        self.assertEqual(self.world.database.count("erasing"), 1)
        self.patch(self.world.domain.closing, "_leave_groups", leave)
        self.world.domain.forget()
        self.world.settle(2 * LEAST_SECONDS)
        self.assertEqual(self.owners(self.bob, chat), ["bob"])
        self.assertEqual(self.world.database.count("erasing"), 0)


class TurnTests(LeavingCase):
    def assert_turned(self, chat: str) -> None:
        self.assertEqual(self.rows("chats", chat), 0)
        erased = self.world.database.now(LASTING.erased_epoch)
        assert erased is not None
        self.assertLess(erased, self.world.vault.keyring.epoch)

    def test_a_group_of_its_own(self) -> None:
        """It is erased with the account: before the answer no old copy opens it any more."""
        chat = self.group(self.alice)
        self.alice.write(chat, "to myself")
        self.world.settle()
        number = self.ask()
        self.until_answered(number)
        self.assert_turned(chat)

    def test_where_the_storage_failed(self) -> None:
        """It leaves as soon as it can: before the turn, and before the answer."""
        chat = self.group(self.alice)
        closing = self.world.domain.closing
        failed: list[bool] = []
        leave = closing._leave_groups

        async def once() -> None:
            if not failed:
                failed.append(True)
                raise Problem(Code.STORAGE_UNAVAILABLE)
            await leave()

        self.patch(closing, "_leave_groups", once)
        number = self.ask()
        self.until_answered(number)
        self.assert_turned(chat)

    def test_after_a_crash(self) -> None:
        """Who left at the start of the node makes it turn once more."""
        chat = self.group(self.alice)
        closing = self.world.domain.closing
        leaves = closing._leave_groups

        async def dies() -> None:
            raise RuntimeError

        self.patch(closing, "_leave_groups", dies)
        self.closed()
        self.assertEqual(self.rows("chats", chat), 1)
        self.patch(closing, "_leave_groups", leaves)
        self.world.domain.forget()
        self.world.settle(2 * LEAST_SECONDS)
        self.assert_turned(chat)


class DamageTests(LeavingCase):
    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.alice, self.bob, self.carol)
        self.direct = ids.direct_chat_id(AccountId(self.alice.account), AccountId(self.dave.account))
        self.alice.write(self.direct, "to dave")
        self.world.settle()

    def test_an_entry_of_somebody_else(self) -> None:
        """Who follows is found among the others, and all the rest is swept away."""
        self.damage(self.carol, self.chat)
        self.closed()
        self.assertEqual(self.owners(self.bob, self.chat), ["bob"])
        self.assertEqual(self.world.database.count("erasing"), 0)
        self.assertEqual(self.rows("events", self.direct), 0)
        self.bob.call("group.leave", chat=self.chat)
        self.left_out()

    def test_its_own_entry(self) -> None:
        """It is dropped, and the group goes on as it can."""
        self.damage(self.alice, self.chat)
        self.closed()
        self.assertEqual(self.world.database.count("erasing"), 0)
        self.assertEqual(set(self.roster(self.bob, self.chat)), {"bob", "carol"})
        self.left_out()

    def test_the_group_itself(self) -> None:
        """Its entry is dropped; what is damaged is no reason to keep what was erased."""
        query = "UPDATE chats SET sealed = zeroblob(80) WHERE chat = ?"
        place = (self.blind_chat(self.chat),)
        self.world.database.transact(lambda c: c.exec_driver_sql(query, place))
        self.closed()
        self.assertEqual(self.world.database.count("erasing"), 0)
        self.assertEqual(self.rows("events", self.direct), 0)
        self.left_out()

    def test_a_fault_of_leaving(self) -> None:
        """It keeps the account's own entry, and nothing else, from being swept away."""

        async def breaks() -> bool:
            raise ValueError("a row")

        self.patch(self.world.domain.closing, "_leave_groups", breaks)
        self.closed()
        self.assertEqual(self.rows("events", self.direct), 0)
        self.assertEqual(self.world.database.count("erasing"), 1)


class CostTests(GroupCase):
    def test_who_is_no_owner(self) -> None:
        """Nobody follows, so nobody's entry but its own is opened."""
        chat = self.group(self.alice, self.bob, self.carol)
        opened: list[Any] = []
        inner = group_draft.opened

        def counted(*args: Any) -> Any:
            opened.append(args)
            return inner(*args)

        self.patch(group_draft, "opened", counted)
        self.bob.call("group.leave", chat=chat)
        self.assertEqual(len(opened), 1)
        self.alice.call("group.leave", chat=chat)
        self.assertEqual(self.roster(self.carol, chat)["carol"][0], "owner")


class AwayTests(GroupCase):
    """A device that was away while its account left, and while the group was erased after that."""

    def missed(self, chat: str) -> list[str]:
        """What a second device of Bob's is told of his own places."""
        self.alice.call("group.leave", chat=chat)
        self.world.settle(30)
        self.away.resume(self.since)
        events = [event["params"] for event in self.away.take("group.member")]
        return [event["member"]["state"] for event in events if event["chat"] == chat]

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.alice, self.bob)
        self.away = self.world.login("bob")
        self.since = self.world.cursor
        self.away.drop()

    def test_left(self) -> None:
        """It learns that he left."""
        self.bob.call("group.leave", chat=self.chat)
        self.assertEqual(self.missed(self.chat), ["left"])

    def test_removed(self) -> None:
        """It learns that he was removed."""
        self.alice.call("group.remove", chat=self.chat, account=self.bob.account)
        self.assertEqual(self.missed(self.chat), ["removed"])
