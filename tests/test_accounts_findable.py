"""The node's set of those who can be found: its pages, and how it is built, kept and built again."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.findable_set import FindableSet
from safeum_home.protocol.contact_sync import ENTRY, page_of
from tests.sync_support import need_group, new_world, open_world, sign_up

ENTRIES = st.binary(min_size=ENTRY, max_size=ENTRY)
WEEK = 7 * 86_400


def held(kept: FindableSet) -> list[bytes]:
    """All entries, page after page."""
    octets = b"".join(kept.entries(number) for number in range(kept.pages))
    return [octets[at : at + ENTRY] for at in range(0, len(octets), ENTRY)]


class SetTests(SynchronousTestCase):
    """Pages."""

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.tuples(st.booleans(), st.one_of(ENTRIES, st.sampled_from([bytes(24), b"\xff" * 24])))))
    def test_as_a_sorted_set(self, steps: list[tuple[bool, bytes]]) -> None:
        """Whatever is put and dropped, what is held is what a set would hold, in order, each in its page."""
        kept, model = FindableSet(page=4), set()
        for put, entry in steps:
            if put:
                self.assertTrue(kept.put(entry))
                model.add(entry)
            else:
                kept.drop(entry)
                model.discard(entry)
        self.assertEqual(held(kept), sorted(model))
        self.assertEqual(len(kept), len(model))
        for number in range(kept.pages):
            entries = kept.entries(number)
            self.assertLessEqual(len(entries), 4 * ENTRY)
            for at in range(0, len(entries), ENTRY):
                self.assertEqual(page_of(entries[at : at + 8], kept.pages), number)

    def test_a_full_set_takes_no_more(self) -> None:
        """Where splitting does not help, an entry is refused and the others stay."""
        kept = FindableSet(page=2, most_pages=4)
        same = [bytes(8) + bytes([number]) * 16 for number in range(3)]
        self.assertEqual([kept.put(entry) for entry in same], [True, True, False])
        self.assertEqual((held(kept), kept.pages), (same[:2], 4))
        self.assertTrue(kept.put(same[0]))
        self.assertTrue(kept.put(b"\xff" * 24))

    def test_versions_are_of_the_content(self) -> None:
        """Another version after a change, the old one where it was undone, the same in another set."""
        kept = FindableSet()
        kept.put(bytes(24))
        before = kept.version(0)
        kept.put(b"\x01" * 24)
        self.assertNotEqual(kept.version(0), before)
        kept.drop(b"\x01" * 24)
        kept.drop(b"\x02" * 24)
        self.assertEqual(kept.version(0), before)
        other = FindableSet()
        other.put(bytes(24))
        self.assertEqual(other.version(0), before)


class KeeperTests(SynchronousTestCase):
    """The set follows the accounts."""

    def setUp(self) -> None:
        need_group()
        self.world = new_world(self)
        self.keeper = self.world.domain.findable

    def entries(self) -> list[bytes]:
        assert self.keeper.served is not None
        return held(self.keeper.served.set)

    @property
    def period(self) -> int:
        assert self.keeper.served is not None
        return self.keeper.served.period

    def test_a_restart_gives_the_same_set(self) -> None:
        """It is built from the rows, with the numbers of those who allow it, and nobody else."""
        self.keeper.start()
        for number in range(4):
            sign_up(self.world, f"+4915112345{number:02}", findable=number % 2 == 0)
        self.world.register("alice").call("account.findable", findable=True)
        before = self.entries()
        self.assertEqual(len(before), 2)
        again = open_world(self, database=self.world.database, vault=self.world.vault)
        assert again.domain.findable.served is not None
        self.assertEqual(held(again.domain.findable.served.set), before)

    def test_numbers_are_not_kept(self) -> None:
        """What the keeper holds names no number and no account."""
        self.keeper.start()
        client = sign_up(self.world, "+491511234567", findable=True)
        (entry,) = self.entries()
        self.assertNotIn(b"491511234567", entry)
        self.assertNotIn("491511234567", repr(vars(self.keeper)))
        self.assertNotIn(client.account, repr(vars(self.keeper)))

    def test_another_key_in_each_period(self) -> None:
        """When a period ends the set is built under the next key; no entry is the same."""
        self.keeper.start()
        sign_up(self.world, "+491511234567", findable=True)
        before, served = self.entries(), self.keeper.served
        assert served is not None
        left = self.keeper.ends(served.period) - self.world.clock.seconds()
        self.assertTrue(0 < left <= WEEK)
        self.world.clock.advance(left - 1)
        self.assertIs(self.keeper.served, served)
        self.world.clock.advance(2)
        self.assertEqual(self.period, served.period + 1)
        self.assertEqual(len(self.entries()), 1)
        self.assertNotEqual(self.entries(), before)

    def test_changes_while_the_set_is_built(self) -> None:
        """What was changed after its row was read counts, in the order of the changes."""
        self.keeper.start()
        on, off = sign_up(self.world, "+491511234567"), sign_up(self.world, "+491511234568", findable=True)
        database = self.world.database
        database.hold_reads = True
        period = self.period
        self.world.clock.advance(self.keeper.ends(period) - self.world.clock.seconds() + 1)
        for client, findable in ((on, True), (off, False), (on, False), (on, True)):
            client.call("account.findable", findable=findable)
        self.assertEqual(len(self.entries()), 1, "at once, in the set that is still served")
        self.assertEqual(self.period, period)
        database.hold_reads = False
        database.answer_reads()
        self.world.settle()
        self.assertEqual(self.period, period + 1)
        served = self.entries()
        fresh = open_world(self, database=database, vault=self.world.vault)
        fresh.clock.advance(self.world.clock.seconds() - fresh.clock.seconds())
        fresh.settle()
        assert fresh.domain.findable.served is not None
        self.assertEqual(held(fresh.domain.findable.served.set), served)
        self.assertEqual(len(served), 1)

    def test_a_damaged_row_is_left_out(self) -> None:
        """The others can be found all the same; that one was left out is logged without a name."""
        self.keeper.start()
        clients = [sign_up(self.world, f"+4915112345{number:02}", findable=True) for number in range(3)]
        events: list[Any] = []
        observer: Any = events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        blind = self.world.vault.blinder.account(clients[0].account)  # type: ignore[arg-type]
        self.world.database.execute("UPDATE accounts SET sealed = x'00' WHERE account = ?", blind)
        again = open_world(self, database=self.world.database, vault=self.world.vault)
        assert again.domain.findable.served is not None
        self.assertEqual(len(again.domain.findable.served.set), 2)
        logged = repr(events)
        self.assertIn("accounts cannot be opened", logged)
        for client in clients:
            self.assertNotIn(client.account, logged)
            self.assertNotIn(client.address[1:13], logged)

    def test_a_database_that_is_away(self) -> None:
        """Then the node tries again, and answers `busy` until the set is there."""
        self.world.database.reading_fails = True
        self.keeper.start()
        self.assertIsNone(self.keeper.served)
        self.world.database.reading_fails = False
        self.world.clock.advance(5)
        self.assertIsNotNone(self.keeper.served)

    def test_rows_that_changed_without_a_word(self) -> None:
        """A commit that was reported as failed and is there all the same: the set is built anew."""
        self.keeper.start()
        client = sign_up(self.world, "+491511234567", findable=True)
        (entry,) = self.entries()
        served = self.keeper.served
        assert served is not None
        served.set.drop(entry)
        self.world.database.reading_fails = True
        self.world.domain.forget()
        self.assertEqual(self.entries(), [])
        self.world.database.reading_fails = False
        self.world.clock.advance(5)
        self.assertEqual(self.entries(), [entry])
        client.call("account.findable", findable=False)
        self.assertEqual(self.entries(), [])

    def test_stopping(self) -> None:
        """Nothing is left to be done, also in the middle of building."""
        self.world.database.hold_reads = True
        self.keeper.start()
        self.keeper.stop()
        self.keeper.join()
        self.world.database.answer_reads()
        self.assertIsNone(self.keeper.served)
        self.assertEqual(self.world.timers, [])

    def test_many_accounts(self) -> None:
        """More than are opened in one go."""
        self.keeper.start()
        clients = [sign_up(self.world, f"+4915112{number:05}") for number in range(260)]
        for client in clients[::13]:
            client.call("account.findable", findable=True)
        again: Any = open_world(
            self, database=self.world.database, vault=self.world.vault
        ).domain.findable.served
        self.assertEqual(held(again.set), self.entries())
        self.assertEqual(len(again.set), 20)
