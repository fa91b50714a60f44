"""Finding contacts by number: both sides' permission, what is asked for, and what the node gets to know."""

import os

import msgspec

from safeum_home.client.errors import RemoteProblem
from safeum_home.protocol import MAX_FRAME, oprf, ristretto
from safeum_home.protocol.contact_sync import PAGE
from tests.sync_support import (
    BASE,
    BOB,
    CAROL,
    DAY,
    NOBODY,
    ORDER,
    Finder,
    SyncCase,
    open_world,
    sign_up,
    text,
)
from tests.test_protocol_oprf import octets
from tests.world import Refused


class FindingTests(SyncCase):
    """Two-sided permission."""

    def test_who_allows_it_is_found(self) -> None:
        """By those who ask for the number, with account and address and nothing else."""
        found = self.finder.find(BOB, CAROL, NOBODY)
        self.assertEqual(list(found), [BOB])
        self.assertEqual(
            msgspec.to_builtins(found[BOB]), {"account": self.bob.account, "address": self.bob.address}
        )

    def test_permission_is_effective_at_once(self) -> None:
        """Given, taken back and given again; `account.findable` without a parameter says how it stands."""
        self.assertEqual(self.carol.call("account.findable"), {"findable": False})
        for findable in (True, False, True):
            self.assertEqual(self.carol.call("account.findable", findable=findable), {"findable": findable})
            self.assertEqual(self.carol.call("account.findable"), {"findable": findable})
            self.assertEqual(CAROL in self.finder.find(BOB, CAROL), findable)

    def test_permission_is_sealed(self) -> None:
        """It survives a restart, and the row that holds it shows no number."""
        row = self.world.database.now(lambda c: c.exec_driver_sql("SELECT sealed FROM accounts").fetchall())
        self.assertFalse(any(b"4915112345" in octets for (octets,) in row))
        again = open_world(self, database=self.world.database, vault=self.world.vault)
        dave = sign_up(again, "+491510000001")
        self.assertEqual(list(Finder(dave).find(BOB, CAROL)), [BOB])

    def test_a_password_that_is_changed_leaves_it(self) -> None:
        """Both are in one record."""
        alice = self.world.register("alice")
        alice.call("account.findable", findable=True)
        alice.call("account.password", current="correct horse battery", new="another horse battery")
        self.assertEqual(alice.call("account.findable"), {"findable": True})

    def test_a_commit_that_fails_changes_nothing(self) -> None:
        """Neither the row nor the set."""
        self.world.database.failing = True
        with self.assertRaises(Refused) as caught:
            self.carol.call("account.findable", findable=True)
        self.assertEqual(caught.exception.code, "storage_unavailable")
        self.world.database.failing = False
        self.assertEqual(self.carol.call("account.findable"), {"findable": False})
        self.assertEqual(list(self.finder.find(CAROL)), [])

    def test_who_is_found_gets_nothing_from_it(self) -> None:
        """Being found tells nobody; whoever was found has to be asked as anybody else."""
        self.bob.take()
        self.finder.find(BOB)
        self.world.settle()
        self.assertEqual(self.bob.take(), [])
        self.ada.call("contact.request", account=self.bob.account, address="bob@home.example")
        (event,) = self.bob.take("contact.changed")
        self.assertEqual(event["params"]["contact"]["state"], "incoming")

    def test_oneself_is_left_out(self) -> None:
        """An own number in an own address book is nobody to ask."""
        self.ada.call("account.findable", findable=True)
        self.assertEqual(list(self.finder.find("+491510000000", BOB)), [BOB])

    def test_who_has_no_number_is_in_no_set(self) -> None:
        """The permission is kept, and means nothing."""
        self.world.register("alice").call("account.findable", findable=True)
        served = self.world.domain.findable.served
        assert served is not None
        self.assertEqual(len(served.set), 1)


class FinderTests(SyncCase):
    """What is asked for again, and what is not."""

    def test_nothing_is_asked_twice(self) -> None:
        """Numbers that were evaluated are kept, and so is the set while its version is the same."""
        self.finder.find(BOB, CAROL)
        self.assertEqual(self.finder.methods(), ["contacts.directory", "contacts.sync", "contacts.page"])
        self.finder.find(BOB, CAROL)
        self.assertEqual(self.finder.methods(), ["contacts.directory"])
        self.carol.call("account.findable", findable=True)
        self.assertEqual(set(self.finder.find(BOB, CAROL)), {BOB, CAROL})
        self.assertEqual(self.finder.methods(), ["contacts.directory", "contacts.page"])

    def test_a_new_period(self) -> None:
        """Then all is asked for again, under the new key."""
        self.finder.find(BOB)
        self.world.clock.advance(7 * DAY)
        self.finder.heard.clear()
        self.assertEqual(list(self.finder.find(BOB)), [BOB])
        self.assertEqual(self.finder.methods(), ["contacts.directory", "contacts.sync", "contacts.page"])

    def test_a_period_that_ends_meanwhile(self) -> None:
        """The finder begins anew."""
        ask = self.finder.ask
        moved: list[float] = []

        async def late(params: object, result: object, /) -> object:
            if type(params).__name__ == "ContactsPage" and not moved:
                self.world.clock.advance(7 * DAY)
                moved.append(self.world.clock.seconds())
            return await ask(params, result)  # type: ignore[arg-type]  # it is passed on

        self.finder.ask = late  # type: ignore[assignment]  # the same but for the delay
        self.assertEqual(list(self.finder.find(BOB)), [BOB])
        self.assertEqual(len(moved), 1)

    def test_a_set_that_is_split_meanwhile(self) -> None:
        """All pages are fetched again: which those are depends on the set, never on a number."""
        served = self.world.domain.findable.served
        assert served is not None
        self.finder.find(BOB)
        for number in range(PAGE):
            served.set.put(number.to_bytes(2, "little") + os.urandom(22))
        self.finder.heard.clear()
        self.assertEqual(list(self.finder.find(BOB, NOBODY)), [BOB])
        pages = [msgspec.json.decode(frame)["params"].get("page") for frame in self.finder.heard]
        self.assertEqual(pages[2:], [0, 1])

    def test_big_address_books_go_in_batches(self) -> None:
        """So that neither side is held up by them for long."""
        numbers = [f"+4916{number:08}" for number in range(501)]
        self.assertEqual(list(self.finder.find(*numbers, BOB)), [BOB])
        sizes = [len(msgspec.json.decode(f)["params"].get("points", [])) for f in self.finder.heard]
        self.assertEqual(sizes, [0, 250, 250, 2, 0])
        self.assertTrue(all(len(frame) < MAX_FRAME for frame in self.finder.heard))

    def test_one_at_a_time(self) -> None:
        """A second look-up while one is under way is refused, and may follow it."""
        ask = self.finder.ask
        refused: list[str] = []

        async def nested(params: object, result: object, /) -> object:
            if not refused:
                with self.assertRaises(RemoteProblem) as caught:
                    self.finder.find(CAROL)
                refused.append(caught.exception.code)
            return await ask(params, result)  # type: ignore[arg-type]  # it is passed on

        self.finder.ask = nested  # type: ignore[assignment]  # the same, and more
        self.assertEqual(list(self.finder.find(BOB)), [BOB])
        self.assertEqual(refused, ["busy"])
        self.assertEqual(self.finder.find(CAROL), {})

    def test_what_is_no_number_is_not_sent(self) -> None:
        """Nothing at all is, then."""
        with self.assertRaises(RemoteProblem) as caught:
            self.finder.find(BOB, "0151 1234567")
        self.assertEqual(caught.exception.code, "invalid_params")
        self.assertEqual(self.finder.find(), {})
        self.assertEqual(self.finder.heard, [])

    def test_a_node_that_is_busy_is_asked_again(self) -> None:
        """Where it says when."""
        served, self.world.domain.findable.served = self.world.domain.findable.served, None

        def built() -> None:
            self.world.domain.findable.served = served

        self.world.clock.callLater(1, built)
        self.assertEqual(list(self.finder.find(BOB)), [BOB])
        self.assertEqual(self.finder.waited, [5.0])


class PrivacyTests(SyncCase):
    """What reaches the node."""

    def test_no_number_reaches_the_node(self) -> None:
        """Not in any frame, as it is, hashed, unblinded or evaluated; and no two frames are alike."""
        numbers = [BOB, CAROL, *(f"+4917{number:08}" for number in range(50))]
        self.finder.find(*numbers)
        heard = b"".join(self.finder.heard)
        served = self.world.domain.findable.served
        assert served is not None
        for number in numbers:
            message = number.encode()
            output = served.key.output(message)
            secrets = [message, message[1:], oprf.hash_to_group(message), output, output[:8], output[32:]]
            for secret in secrets:
                for form in (secret, text(secret).rstrip("=").encode(), secret.hex().encode()):
                    self.assertNotIn(form, heard)
        other = Finder(sign_up(self.world, "+491510000001"))
        other.find(*numbers)
        mine, theirs = (
            {
                point
                for frame in each.heard
                for point in msgspec.json.decode(frame)["params"].get("points", ())
            }
            for each in (self.finder, other)
        )
        self.assertEqual((len(mine), len(theirs), mine & theirs), (len(numbers), len(numbers), set()))

    def test_what_the_node_hears_fits_every_address_book(self) -> None:
        """A point is the element of any number, times some scalar: shown where both logarithms are known.

        So also who has the key cannot tell which number was blinded: each is as likely as each other.
        """
        bob, carol, scalar = 1234567, 7654321, 99
        (sent,) = ristretto.multiply(octets(bob * scalar), [BASE])
        other = bob * scalar * pow(carol, -1, ORDER) % ORDER
        self.assertEqual(ristretto.multiply(octets(other), ristretto.multiply(octets(carol), [BASE])), [sent])

    def test_the_set_tells_nothing_to_who_did_not_ask(self) -> None:
        """Neither numbers nor accounts are in it, nor what could be compared with another node's set."""
        page = self.finder.client.call("contacts.page", period=self.period, page=0)
        entries = msgspec.convert(page["entries"], bytes)
        for known in (BOB.encode(), BOB.encode()[1:], self.bob.account.encode()):
            self.assertNotIn(known, entries)
        other = open_world(self)
        sign_up(other, BOB, findable=True)
        served = other.domain.findable.served
        assert served is not None
        self.assertNotEqual(served.set.entries(0)[:8], entries[:8])

    def test_nothing_is_stored(self) -> None:
        """Looking for contacts leaves nothing in the database."""
        before = self.world.database.transactions
        self.finder.find(BOB, CAROL, NOBODY)
        self.world.settle()
        self.assertEqual(self.world.database.transactions, before)
