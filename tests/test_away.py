"""The database goes away while a node does what nobody waits for: that is done once it is back."""

from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred

from safeum_home.accounts.registration import Mode
from safeum_home.chats.groups import lives as group_lives
from safeum_home.ids import AccountId, ChatId, system_account
from safeum_home.jobs import AGAIN
from safeum_home.node.turning import LEAST_SECONDS
from safeum_home.protocol.federation.events import new_event
from safeum_home.protocol.federation.groups import ERASED, HISTORY
from safeum_home.safenum.money.rate_table import RateTable
from safeum_home.storage.keys import LASTING
from tests.across_case import B
from tests.closing_case import PIN
from tests.conference_case import start, told
from tests.conferences_case import ConferenceCase
from tests.erasure_case import ErasureCase
from tests.group_case import GroupCase
from tests.group_history_case import GroupHistoryCase
from tests.groups_across_case import A, C
from tests.history_across_case import HistoryCase
from tests.money_case import RATES
from tests.world import PASSWORD, World


def away_after_turn(world: World) -> Any:
    """While this is entered the database takes no changes any more as soon as the keyring has turned."""
    turned = world.domain.turns.turned

    def then_away() -> "Deferred[None]":
        return turned().addCallback(lambda _: setattr(world.database, "failing", True))

    return patch.object(world.domain.turns, "turned", then_away)


def back(world: World) -> None:
    """It is there again, and what waits for it finds that."""
    world.database.failing = world.database.reading_fails = False
    world.settle(AGAIN)


class ErasureTests(ErasureCase):
    def test_rows(self) -> None:
        """Rows that nobody can open any more are swept away, though that could not begin."""
        with away_after_turn(self.world):
            self.off()
        self.assertGreater(self.world.database.count("erasing"), 0)
        back(self.world)
        self.assertEqual(self.world.database.count("erasing"), 0)

    def test_looked_anew(self) -> None:
        """What turned out to be stored is looked at, however long that cannot be read."""
        settings = self.world.domain.control.registration
        epoch = self.world.vault.keyring.epoch
        with patch.object(self.world.domain.turns, "turned", Deferred):
            self.alice.ask("chat.history.set", chat=self.chat, enabled=False)
        settings.set_to = Mode.CLOSED
        self.world.database.reading_fails = True
        self.world.domain.forget()
        self.world.settle(60)
        self.assertIs(settings.mode, Mode.CLOSED)
        back(self.world)
        self.assertIs(settings.mode, Mode.OPEN)
        self.assertEqual(self.world.vault.keyring.epoch, epoch + 1)
        self.assertEqual(self.world.database.count("erasing"), 0)


class ClosingTests(GroupCase):
    def test_groups(self) -> None:
        """Who is closed has left his groups before that is answered, and each of them has an owner."""
        chat = self.group(self.alice, self.bob, self.carol)
        self.alice.call("account.pin.set", password=PASSWORD, pin=PIN)
        database, closing = self.world.database, self.world.domain.closing
        forget = closing._forget

        def closed(account: AccountId, username: str) -> None:
            forget(account, username)
            database.failing = True

        with patch.object(closing, "_forget", closed):
            number = self.alice.ask("session.block", pin=PIN)
            self.world.settle(60)
        self.assertIsNone(self.alice.answer(number))
        back(self.world)
        self.world.settle(2 * LEAST_SECONDS)
        self.assertEqual(self.alice.answer(number), {})
        owners = [one for one, (role, _) in self.roster(self.bob, chat).items() if role == "owner"]
        self.assertEqual((owners, database.count("erasing")), (["bob"], 0))


class ReceiptTests(HistoryCase):
    def test_owed(self) -> None:
        """Another node has its receipt when it can be noted, not only after the next start."""
        world, turned = self.nodes[B], Deferred[None]()
        with patch.object(world.domain.turns, "turned", lambda: turned):
            self.switch(self.alice)
            self.nodes.settle()
        self.successResultOf(world.domain.turns.turned())
        world.database.failing = True
        turned.callback(None)
        world.settle(60)
        self.assertEqual(self.chat_of(self.alice)["pending"], [B])
        back(world)
        self.settle()
        self.assertEqual(self.chat_of(self.alice)["pending"], [])


class GroupReceiptTests(GroupHistoryCase):
    def test_copy_that_is_gone(self) -> None:
        """The keyring is turned for a copy that was dropped, however long nobody can tell that it is due."""
        world = self.nodes[C]
        self.hold(C)
        self.come(self.carol, "group.leave", chat=self.chat)
        epoch, read = world.vault.keyring.epoch, world.database.read
        world.database.transact(lambda c: LASTING.mark_erased(c, epoch))

        def unless_of_epoch(fn: Any) -> Any:
            world.database.reading_fails = fn == LASTING.erased_epoch
            return read(fn)

        across = group_lives.switched_off(self.record(A), 1, [C])
        told = {"life": across.life[0], "kept": False, "pending": [C]}
        with patch.object(world.database, "read", unless_of_epoch):
            self.hear(A, C, new_event(HISTORY, system_account(A), 1, told, ChatId(self.chat)))
            world.settle(60)
        self.assertEqual(world.vault.keyring.epoch, epoch)
        back(world)
        self.assertEqual(world.vault.keyring.epoch, epoch + 1)
        [row] = [row for row in self.nodes.peers[C].waiting if row.type == ERASED]
        self.nodes.peers[C].waiting.remove(row)
        self.release()


class RateTests(ErasureCase):
    def test_rates(self) -> None:
        """Nobody hears for ever that there are no rates since they could not be read at the start."""
        tables = self.world.domain.money.tables
        self.successResultOf(Deferred.fromCoroutine(tables.replace(RATES, RateTable(RATES))))
        self.world.database.reading_fails = True
        again = World(self.world.database, self.world.vault)
        again.domain.money.read_anew()
        again.settle(60)
        self.assertEqual(len(again.domain.money.tables.table), 0)
        back(again)
        self.assertEqual(len(again.domain.money.tables.table), len(RATES))


class RingTests(ConferenceCase):
    def test_rings(self) -> None:
        """For whom it is to ring is read as soon as it can be, while it rings."""
        self.world.database.reading_fails = True
        start(self.alice, self.chat)
        self.assertEqual(told(self.bob), [])
        back(self.world)
        self.assertEqual(told(self.bob), [("rings", self.alice.account)])

    def test_too_late(self) -> None:
        """But not when nobody waits any more."""
        self.world.database.reading_fails = True
        start(self.alice, self.chat)
        self.world.settle(60)
        back(self.world)
        self.assertEqual(told(self.bob), [])
