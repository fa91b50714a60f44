"""Keys that were replaced while their account was in no chat with somebody: he hears of it when they meet."""

from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.ids import AccountId
from safeum_home.jobs import AGAIN
from safeum_home.keys.reminding import SOON
from safeum_home.protocol.federation.events import new_event
from tests.across_case import A, B
from tests.groups_across_case import GroupsAcrossCase
from tests.keys_case import KeysCase, Pair, changes, publish, query, told
from tests.world import Client

FIRST, SECOND, THIRD = Pair(1), Pair(2), Pair(3)


class ComingTests(KeysCase):
    """Carol is in a group with Bob, leaves it, and comes back with other keys."""

    def setUp(self) -> None:
        super().setUp()
        self.world.befriend(self.alice, self.carol)
        self.group = self.alice.call("group.create", client_id="g", name="us")["chat"]["chat"]
        self.come(self.bob)
        self.come(self.carol)
        publish(self.carol, FIRST)
        query(self.bob, self.carol)
        self.carol.call("group.leave", chat=self.group)
        self.world.settle(1)

    def come(self, other: Client) -> None:
        self.alice.call("group.invite", chat=self.group, accounts=[other.account])
        other.call("group.accept", chat=self.group)

    def test_told(self) -> None:
        """Who had seen the keys of before is told, be he connected or away."""
        away = self.world.login("bob")
        away.resume(away.cursor)
        away.drop()
        publish(self.carol, SECOND, replaces=FIRST.hash)
        publish(self.carol, THIRD, replaces=SECOND.hash)
        self.world.settle(1)
        self.bob.take()
        since = self.world.cursor
        self.come(self.carol)
        self.world.settle(1)
        self.assertEqual(told(self.bob), changes(self.carol, SECOND, THIRD))
        away.resume(since)
        self.world.settle(1)
        self.assertEqual(told(away), changes(self.carol, SECOND, THIRD))

    def test_unchanged(self) -> None:
        """Keys that were never replaced are not told."""
        self.come(self.carol)
        self.world.settle(1)
        self.assertEqual(told(self.bob), [])

    def test_restart(self) -> None:
        """What is owed is told after a restart as well."""
        publish(self.carol, SECOND, replaces=FIRST.hash)
        self.world.settle(1)
        self.bob.take()
        self.come(self.carol)
        self.restart()
        self.world.domain.reminders.look()  # as when it starts
        self.world.settle(1)
        self.assertEqual(told(self.bob), changes(self.carol, FIRST, SECOND))

    def test_database_away(self) -> None:
        """What could not be stored for a while is told when it can be, and nothing is logged as a failure."""
        publish(self.carol, SECOND, replaces=FIRST.hash)
        self.world.settle(1)
        self.bob.take()
        self.come(self.carol)
        self.world.database.failing = True
        self.world.settle(1)
        self.assertEqual(told(self.bob), [])
        self.world.database.failing = False
        self.world.settle(AGAIN)
        self.world.settle(SOON)
        self.assertEqual(told(self.bob), changes(self.carol, FIRST, SECOND))

    def test_replaced_at_once(self) -> None:
        """What is told anyhow is not told again behind it."""
        publish(self.carol, SECOND, replaces=FIRST.hash)
        self.world.settle(1)
        self.bob.take()
        self.come(self.carol)
        publish(self.carol, THIRD, replaces=SECOND.hash)
        self.world.settle(1)
        self.assertEqual(told(self.bob), changes(self.carol, SECOND, THIRD))

    def test_damaged(self) -> None:
        """An entry that cannot be opened keeps others from nothing."""
        for number in range(25):
            self.world.database.execute(
                "INSERT INTO key_log (account, number, position, sealed) VALUES (?, 0, -1, ?)",
                number.to_bytes(16, "big"),
                b"\x01" + bytes(60),
            )
        publish(self.carol, SECOND, replaces=FIRST.hash)
        self.bob.take()
        self.come(self.carol)
        self.world.settle(1)
        self.world.settle(1)
        self.assertEqual(told(self.bob), changes(self.carol, FIRST, SECOND))
        self.flushLoggedErrors()

    def test_contact(self) -> None:
        """Both who have a new chat are told of each other's."""
        publish(self.carol, SECOND, replaces=FIRST.hash)
        tablet, phone = self.world.login("bob"), self.world.login("carol")
        self.world.befriend(self.bob, self.carol)
        self.world.settle(1)
        self.assertEqual(told(tablet), changes(self.carol, FIRST, SECOND))
        self.assertEqual(told(phone), [])


class ComingAcrossTests(GroupsAcrossCase):
    """The same where the account is of another node."""

    def came_back(self, group: str) -> list[Any]:
        """What Amy hears of Bob, who has left the group, has other keys, and comes back."""
        link = self.come(self.alice, "group.link.reset", chat=group)["link"]
        self.come(self.bob, "group.leave", chat=group)
        publish(self.bob, SECOND, replaces=FIRST.hash)
        self.settle()
        self.amy.take()
        self.come(self.bob, "group.join", link=link)
        self.settle()
        self.nodes[B].settle(1)
        self.settle()
        return told(self.amy)

    def test_told(self) -> None:
        """His node tells that of the chat, which knew the keys of before."""
        group = self.group(self.bob, self.carol, self.amy)
        publish(self.bob, FIRST)
        self.assertEqual(query(self.amy, self.bob)[0]["hash"], FIRST.hash)
        self.assertEqual(self.came_back(group), changes(self.bob, FIRST, SECOND))
        self.assertEqual(self.nodes[A].database.count("key_log"), 2)

    def test_closed(self) -> None:
        """Of an account that was closed, as its node says, the last hash is kept: it may come back."""
        group = self.group(self.bob, self.carol, self.amy)
        publish(self.bob, FIRST)
        query(self.amy, self.bob)
        link = self.come(self.alice, "group.link.reset", chat=group)["link"]
        world = self.nodes[A]
        kind = next(each for each in world.domain.shared if each.type == "account.closed")
        event = new_event(
            "account.closed", AccountId(self.bob.account), int(world.clock.seconds() * 1000), {}
        )
        applied: list[Any] = []
        Deferred.fromCoroutine(kind.apply(B, event)).addCallback(applied.append)
        applied[0].placed()
        world.database.transact(applied[0].store)
        applied[0].publish()
        applied[0].ended()
        self.settle()
        self.amy.take()
        self.assertEqual(world.database.count("key_log"), 1)
        publish(self.bob, SECOND, replaces=FIRST.hash)
        self.nodes.peers[B].waiting.clear()  # what it keeps to itself
        joining = self.bob.ask("group.join", link=link)
        self.settle()
        self.bob.answer(joining)
        self.settle()
        world.clock.advance(11)
        self.assertEqual(query(self.amy, self.bob)[0]["hash"], SECOND.hash)
        self.assertEqual(told(self.amy), changes(self.bob, FIRST, SECOND))
