"""What changes of keys cost, and whom; what changes nothing is free."""

from sqlalchemy import Connection

from safeum_home.chats.interlocutors import Interlocutors
from safeum_home.ids import AccountId
from tests.across_case import A, B, befriend_across
from tests.keys_across_case import FIRST, SECOND, THIRD, KeysAcrossCase
from tests.keys_case import KeysCase, Pair, changes, publish, told

FEW = {"key_changes_per_account": 0.00001, "key_changes_per_account_burst": 2}


class OwnTests(KeysCase):
    """At the account's own node."""

    limits = FEW

    def test_mismatches(self) -> None:
        """Whoever guesses which hash is in force keeps nobody from changing his keys."""
        publish(self.alice, FIRST)
        identity = SECOND.identity(self.alice.account)
        for _ in range(5):
            self.refused("key_mismatch", self.alice, "keys.publish", identity=identity, replaces=THIRD.hash)
        publish(self.alice, SECOND, replaces=FIRST.hash)
        self.assertEqual(told(self.bob), changes(self.alice, FIRST, SECOND))


class ForeignTests(KeysAcrossCase):
    """At nodes of those who are in a chat with it."""

    options = FEW

    def test_asked_at_once(self) -> None:
        """A change that several people learn of at one moment is one."""
        self.ask()
        self.nodes.peers[B].held.add(A)
        self.swap(SECOND, FIRST)
        database = self.nodes[A].database
        self.nodes[A].clock.advance(11)
        database.hold = True
        for _ in range(2):
            self.alice.ask("keys.query", accounts=[self.bob.account])
        database.hold = False
        database.release()
        self.nodes.peers[B].held.clear()
        self.settle()
        self.swap(THIRD, SECOND)
        self.settle()
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND, THIRD))

    def test_one_node(self) -> None:
        """All accounts of a node together have a limit, too: it can make as many as it likes."""
        self.options = {"key_changes_per_account": 0.00001, "key_changes_per_account_burst": 1}
        self.setUp()
        since = self.since
        for number in range(101):
            other = self.nodes[B].register(f"other{number:03}")
            befriend_across(self.alice, other)
            code = self.says(FIRST.hash, SECOND.hash, since + 1, sender=other.account)
            self.assertEqual(code, "rate_limited" if number == 100 else None)
        self.assertEqual(len(told(self.alice)), 100)

    def test_nothing_new(self) -> None:
        """News that change nothing are cheap: nobody looks up who would be told."""
        self.ask()
        self.swap(SECOND, FIRST)
        self.settle()
        looked: list[object] = []
        of = Interlocutors.of

        def counted(people: Interlocutors, c: Connection, account: AccountId) -> dict[bytes, AccountId]:
            looked.append(account)
            return of(people, c, account)

        self.patch(Interlocutors, "of", counted)
        for at in range(self.since - 5, self.since):
            self.assertIsNone(self.says(FIRST.hash, Pair(at).hash, at))
        self.assertEqual(looked, [])

    def test_one_too_many(self) -> None:
        """Nor for a change that is one too many."""
        for number in range(2):
            self.says(Pair(number).hash, Pair(number + 1).hash, self.since + number + 1)
        self.patch(Interlocutors, "of", lambda *_: self.fail("looked up"))
        self.assertEqual(self.says(SECOND.hash, Pair(9).hash, self.since + 9), "rate_limited")


class LostTests(KeysCase):
    """A log whose last entry cannot be opened."""

    def setUp(self) -> None:
        super().setUp()
        publish(self.alice, FIRST)
        self.world.database.execute("UPDATE key_log SET sealed = ?", b"\x01" + bytes(60))
        self.restart()
        self.addCleanup(self.flushLoggedErrors)

    def test_it_is_a_change(self) -> None:
        """What comes behind it is a change, which is to be meant, and which is told."""
        nothing = "A" * 43
        identity = SECOND.identity(self.alice.account)
        for replaces in (None, FIRST.hash):
            refused = self.refused(
                "key_mismatch", self.alice, "keys.publish", identity=identity, replaces=replaces
            )
            self.assertEqual(refused.error["data"]["detail"], f"{nothing} since 0")
        publish(self.alice, SECOND, replaces=nothing)
        self.assertEqual(told(self.bob), [(self.alice.account, nothing, SECOND.hash)])
        self.assertEqual(self.world.database.count("key_log"), 2)
