"""Claims on numbers while something else happens: what is there counts, and no answer tells of a PIN."""

from typing import Any

from safeum_home.ids import AccountId
from tests.closing_case import OTHER, PIN
from tests.number_case import DAY, NUMBER, OTHER_NUMBER, NumberCase
from tests.world import NODE, PASSWORD, Client, Refused

NEW = "the new holder's password"


class RaceCase(NumberCase):
    def setUp(self) -> None:
        super().setUp()
        self.old = self.enter()

    def claim(self, expected: str = "number_claimed") -> dict[str, Any]:
        return self.refused_submission(expected, *self.sent(), password=NEW, claim=True)

    def ask(self) -> tuple[Client, int]:
        """A claim that is under way."""
        client = self.client()
        return client, client.ask("verification.submit", **self.submitted(*self.sent(), NEW, claim=True))

    def code(self, client: Client, asked: int) -> str:
        return str(self.assertRaises(Refused, client.answer, asked).code)

    def good(self) -> None:
        """A claim that has run its time."""
        self.old.drop()
        self.claim()
        self.world.clock.advance(8 * DAY)


class ConnectedTests(RaceCase):
    def test_present_for_the_week(self) -> None:
        """Whoever sends messages day by day, and leaves before the week is over, keeps the number."""
        bob = self.world.register("bob")
        chat = self.world.befriend(self.old, bob)
        self.claim("number_kept")
        for day in range(7):
            self.world.clock.advance(DAY)
            self.old.write(chat, f"here I am, {day}")
        self.old.drop()
        self.claim("number_kept")
        self.assertEqual(self.world.database.count("accounts"), 2)

    def test_back_before_the_claim_is_stored(self) -> None:
        """A device that comes back between the look at who is there and the commit has kept the number."""
        self.old.drop()
        self.world.database.hold = True
        asked = self.ask()
        self.old.resume()
        self.world.database.release()
        self.world.database.release()
        self.world.database.hold = False
        self.assertEqual(self.code(*asked), "number_kept")
        self.old.drop()
        self.claim("number_kept")

    def test_logged_in_before_the_claim_is_stored(self) -> None:
        """As does a login that waits for the same commit, in front of the claim or behind it."""
        for first in (True, False):
            self.old.drop()
            params = {"username": NUMBER, "password": PASSWORD, "device": {"name": "new", "system": "linux"}}
            phone = self.client()
            self.world.database.hold = True
            if first:
                login = phone.ask("session.login", **params)
            asked = self.ask()
            if not first:
                login = phone.ask("session.login", **params)
            self.world.database.release()
            self.world.database.release()
            self.world.database.hold = False
            phone.opened(phone.answer(login) or {})
            self.assertEqual(self.code(*asked), "number_kept")
            phone.drop()
            self.claim("number_kept")
            self.world.clock.advance(31 * DAY)

    def test_looked_before_the_claim_was_stored(self) -> None:
        """A device whose look for a claim is from before the commit, and told after it, looks again."""
        self.old.drop()
        database = self.world.database
        database.hold = True
        asked = self.ask()
        self.old.connect()
        database.hold_reads = True
        resumed = self.old.ask("session.resume", token=self.old.token)
        database.answer_reads(1)
        self.assertEqual(database.held, 2)
        database.hold_reads = False
        database.release()
        self.assertEqual(self.code(*asked), "number_claimed")
        database.answer_reads()
        database.hold = False
        database.release()
        self.assertEqual((self.old.answer(resumed) or {})["account"], self.old.account)
        self.old.drop()
        self.claim("number_kept")


class PinTests(RaceCase):
    """A number's account with a PIN; another one's owner has the same state, and is asked something wrong."""

    def setUp(self) -> None:
        super().setUp()
        self.other = self.enter(OTHER_NUMBER)
        for client in (self.old, self.other):
            client.call("account.pin.set", password=PASSWORD, pin=PIN)

    def away(self) -> None:
        self.old.drop()
        self.other.drop()

    def answers(self, right: str = PIN, wrong: str = OTHER) -> list[Any]:
        """What claims are answered, with a PIN and with what is none."""
        answers: list[Any] = []
        for number, password in ((NUMBER, right), (OTHER_NUMBER, wrong)):
            submission = self.submitted(*self.sent(number), password, claim=True)
            client = self.client()
            asked = client.ask("verification.submit", **submission)
            self.world.settle(1.0)
            answers.append(self.assertRaises(Refused, client.answer, asked).error["data"])
        return answers

    def test_away(self) -> None:
        """The whole time of a claim, to the millisecond."""
        self.away()
        pin, text = self.answers()
        self.assertEqual(pin["code"], "number_claimed")
        self.assertEqual(pin, text)
        self.assertAlmostEqual(pin["retry_after"], 7 * DAY, 3)
        self.assertEqual(self.world.database.count("accounts"), 1)

    def test_connected(self) -> None:
        """Whoever was there when the PIN was entered would have kept the number."""
        pin, text = self.answers()
        self.assertEqual((pin, pin["code"]), (text, "number_kept"))
        self.assertEqual(self.world.database.count("accounts"), 1)

    def test_claimed_before(self) -> None:
        """What was left of it is left."""
        self.away()
        for number in (NUMBER, OTHER_NUMBER):
            self.refused_submission("number_claimed", *self.sent(number), password=NEW, claim=True)
        self.world.clock.advance(3 * DAY)
        pin, text = self.answers()
        self.assertEqual((pin["code"], text["code"]), ("number_claimed",) * 2)
        # The second one is asked a moment of the test's clock later.
        self.assertAlmostEqual(pin["retry_after"] - text["retry_after"], 1.0, 3)
        self.assertLess(pin["retry_after"], 4 * DAY)

    def test_a_good_claim(self) -> None:
        """The number goes to a new account: with a password that is too short it is said to be so."""
        self.away()
        for number in (NUMBER, OTHER_NUMBER):
            self.refused_submission("number_claimed", *self.sent(number), password=NEW, claim=True)
        self.world.clock.advance(8 * DAY)
        pin, text = self.answers()
        self.assertEqual((pin, pin["code"]), (text, "weak_password"))
        self.assertEqual(self.world.database.count("accounts"), 1)


class MoveRaceTests(RaceCase):
    def test_opened_anew_meanwhile(self) -> None:
        """Whatever was opened of the old account before the commit does not keep the number for it."""
        bob = self.world.register("bob")
        self.world.befriend(self.old, bob)
        self.good()
        self.world.pool.hold = True
        client, asked = self.ask()
        self.world.pool.run()
        self.world.domain.directory.forget()
        bob.call("profile.get", account=self.old.account)
        self.world.pool.hold = False
        self.world.pool.run()
        new = client.opened(client.answer(asked) or {})
        self.assertEqual(new.address, f"{NUMBER}@{NODE}")
        self.assertEqual(bob.call("profile.get", account=self.old.account)["address"], self.old.account)
        self.assertEqual(self.client().login(self.old.account).address, self.old.account)

    def test_read_before_the_move(self) -> None:
        """A device that was looked up before the move, and told after it, is told its new address."""
        self.good()
        database = self.world.database
        database.hold = True
        client, asked = self.ask()
        self.old.connect()
        self.world.domain.directory.forget()
        database.hold_reads = True
        resumed = self.old.ask("session.resume", token=self.old.token)
        database.hold_reads = False
        database.release()
        database.hold = False
        client.opened(client.answer(asked) or {})
        database.answer_reads()
        self.assertEqual((self.old.answer(resumed) or {})["address"], self.old.account)

    def test_closed_at_that_moment(self) -> None:
        """Where the old account is closed before its number has moved, the claimant is told to come again."""
        self.old.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.good()
        self.world.pool.hold = True
        claim = self.ask()
        stranger = Client(self.world, "198.51.100.3")
        block = stranger.ask("account.block", username=NUMBER, pin=PIN)
        for _ in range(4):
            self.world.pool.run()
        self.world.pool.hold = False
        self.world.pool.run()
        self.world.settle(1.0)
        self.assertEqual(stranger.answer(block), {})
        self.assertEqual(self.code(*claim), "busy")
        self.assertNotEqual(self.enter(password=NEW).account, AccountId(self.old.account))
