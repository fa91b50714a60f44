"""Setting and removing PINs, and what a wrong one tells: nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import LogEvent, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.closing import SAME_SECONDS
from safeum_home.accounts.pins import check_pin, is_pin
from safeum_home.accounts.records import AccountRecord, PinRecord, unseal
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.storage import accounts
from tests.sms import logged
from tests.world import LAPTOP, PASSWORD, Client, Refused, World

PINS = ("284716", "905813", "7361940285")


class PinCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice = self.world.register("alice")

    def refused(self, code: str, client: Client, method: str, **params: Any) -> None:
        self.assertEqual(self.assertRaises(Refused, client.call, method, **params).code, code)

    def set(self, pin: str, password: str = PASSWORD) -> int:
        return int(self.alice.call("account.pin.set", password=password, pin=pin)["ordinal"])

    def record(self) -> AccountRecord:
        """Alice's record, as it is on the disk."""
        blind = self.world.vault.blinder.account(AccountId(self.alice.account))
        row = self.world.database.now(lambda c: accounts.account(c, blind))
        assert row is not None
        return unseal(self.world.vault.keyring.unwrap(blind, row.key), AccountRecord, row.sealed, blind)


class RuleTests(SynchronousTestCase):
    def test_trivial(self) -> None:
        """What anybody would try first is refused, and so is the password itself."""
        for pin in (
            "000000",
            "123456",
            "654321",
            "890123",
            "121212",
            "123123",
            "11111111",
            "123321",
            "112233",
        ):
            self.assertIs(self.assertRaises(Problem, check_pin, pin, "").code, Code.WEAK_PIN, pin)
        self.assertIs(self.assertRaises(Problem, check_pin, "28471699", "28471699").code, Code.WEAK_PIN)
        for pin in PINS:
            check_pin(pin, PASSWORD)

    @given(st.from_regex(r"\A[0-9]{6,12}\Z"))
    def test_few_are_refused(self, pin: str) -> None:
        """A refusal has a reason that can be seen: few digits, digits in a row, or it is well known."""
        rows = "0123456789" * 3
        seen = (
            len(set(pin)) <= 4 or pin in rows or pin in rows[::-1] or pin in ("159753", "147258", "147258369")
        )
        try:
            check_pin(pin, "")
        except Problem:
            self.assertTrue(seen, pin)

    def test_shape(self) -> None:
        """Only ASCII digits, 6 to 12 of them."""
        for text in ("12345", "1234567890123", "12345a", " 123456", "123456\n", "١٢٣٤٥٦", ""):
            self.assertFalse(is_pin(text), text)


class PinTests(PinCase):
    def test_set_list_remove(self) -> None:
        """Up to three; they are numbered in their order, and move up where one goes."""
        self.assertEqual([self.set(pin) for pin in PINS], [1, 2, 3])
        self.refused("limit_reached", self.alice, "account.pin.set", password=PASSWORD, pin="482957")
        self.assertEqual(self.alice.call("account.pin.list"), {"count": 3})
        self.alice.call("account.pin.remove", password=PASSWORD, ordinal=2)
        self.assertEqual(self.alice.call("account.pin.list"), {"count": 2})
        self.refused("wrong_pin", Client(self.world), "account.block", username="alice", pin=PINS[1])
        self.refused("not_found", self.alice, "account.pin.remove", password=PASSWORD, ordinal=3)
        self.assertEqual(self.set(PINS[1]), 3)
        for left in (2, 1, 0):
            self.alice.call("account.pin.remove", password=PASSWORD, ordinal=1)
            self.assertEqual(self.alice.call("account.pin.list"), {"count": left})
        self.assertIsNone(self.record().pins)

    def test_refused(self) -> None:
        """Not without the password, not a weak one, not the same twice, and nothing that is no PIN."""
        self.set(PINS[0])
        before = self.record()
        for pin, password, code in (
            (PINS[1], "wrong", "bad_credentials"),
            ("123456", PASSWORD, "weak_pin"),
            (PINS[0], PASSWORD, "weak_pin"),
            ("12345", PASSWORD, "invalid_params"),
            ("1234567890123", PASSWORD, "invalid_params"),
            ("28471x", PASSWORD, "invalid_params"),
        ):
            self.refused(code, self.alice, "account.pin.set", password=password, pin=pin)
        self.refused("bad_credentials", self.alice, "account.pin.remove", password="wrong", ordinal=1)
        self.assertEqual(self.record(), before)

    def test_the_password_itself(self) -> None:
        other = self.world.register("bob", "58204917")
        self.refused("weak_pin", other, "account.pin.set", password="58204917", pin="58204917")

    def test_a_password_that_is_a_pin(self) -> None:
        """A password is not changed to what is a PIN: typed for a login, it must not be ambiguous."""
        self.set("58204917")
        self.refused("weak_password", self.alice, "account.password", current=PASSWORD, new="58204917")
        self.alice.call("account.password", current=PASSWORD, new="58204918")

    def test_the_password_is_limited(self) -> None:
        """A device that was left open is no way to guess the password."""
        self.world = World(logins_per_account=0.1, logins_per_account_burst=2)
        self.alice = self.world.register("alice")
        for _ in range(2):
            self.refused("bad_credentials", self.alice, "account.pin.set", password="wrong", pin=PINS[0])
        hashed = self.world.pool.hashed
        self.refused("rate_limited", self.alice, "account.pin.set", password=PASSWORD, pin=PINS[0])
        self.refused("rate_limited", self.alice, "account.pin.remove", password=PASSWORD, ordinal=1)
        self.assertEqual(self.world.pool.hashed, hashed)

    def test_at_rest(self) -> None:
        """A record has Argon2id hashes under a salt of its own, and keeps them when the password changes."""
        self.set(PINS[0])
        pins = self.record().pins
        assert pins is not None
        self.assertEqual((len(pins.salt), [len(one) for one in pins.verifiers]), (16, [32]))
        self.assertEqual(PinRecord(pins.salt, *self.world.hasher.pin_cost(), pins.verifiers), pins)
        self.alice.call("account.password", current=PASSWORD, new="staple battery horse")
        self.assertEqual(self.record().pins, pins)

    def test_after_other_costs(self) -> None:
        """PINs that were set at other costs than are configured now still close the account."""
        self.set(PINS[0])
        self.world.hasher._memory *= 2
        world = World(self.world.database, self.world.vault)
        Client(world).call("account.block", username="alice", pin=PINS[0])

    def test_two_devices_at_once(self) -> None:
        """Two first PINs set at the same time have different salts: one of them is told to try again."""
        other = self.world.login("alice")
        self.world.database.hold = True
        first = self.alice.ask("account.pin.set", password=PASSWORD, pin=PINS[0])
        second = other.ask("account.pin.set", password=PASSWORD, pin=PINS[1])
        self.world.database.hold = False
        self.world.database.release()
        self.assertEqual(self.alice.answer(first), {"ordinal": 1})
        self.assertEqual(self.assertRaises(Refused, other.answer, second).code, "busy")
        self.assertEqual(other.call("account.pin.set", password=PASSWORD, pin=PINS[1]), {"ordinal": 2})


class SilenceTests(PinCase):
    """For an unknown login, an account without a PIN, and one whose PIN is another."""

    def setUp(self) -> None:
        super().setUp()
        self.set(PINS[0])
        self.world.register("bob")
        self.names = ("alice", "bob", "nobody", "@not a login@")

    def cost(self, method: str, **params: Any) -> tuple[int, int, list[dict[str, Any]]]:
        """Hashes and commits of a command, and what was written."""
        client, database = Client(self.world), self.world.database
        before = self.world.pool.hashed, database.transactions
        client.ask(method, **params)
        self.world.settle(SAME_SECONDS)
        return (
            self.world.pool.hashed - before[0],
            database.transactions - before[1],
            client.connection.written,
        )

    def test_account_block(self) -> None:
        """The same answer, one hash, one commit."""
        costs = [self.cost("account.block", username=name, pin=PINS[1]) for name in self.names]
        self.assertEqual(costs, [costs[0]] * 4)
        self.assertEqual(costs[0][:2], (1, 1))
        self.assertEqual(costs[0][2][0]["error"]["data"]["code"], "wrong_pin")

    def test_login(self) -> None:
        """A wrong password costs one hash; one that looks like a PIN two, and a commit; and so does a PIN."""
        about = {"device": LAPTOP}
        for text, hashes, commits in (("wrong password", 1, 0), (PINS[1], 2, 1)):
            costs = [self.cost("session.login", username=name, password=text, **about) for name in self.names]
            self.assertEqual(costs, [costs[0]] * 4)
            self.assertEqual(costs[0][:2], (hashes, commits))
        right = self.cost("session.login", username="alice", password=PINS[0], **about)
        self.assertEqual((right[0], right[2]), (2, costs[0][2]))

    def test_limits(self) -> None:
        """From however many addresses: after ten tries the same refusal for all, and nothing is hashed."""
        for name in self.names:
            codes = []
            for number in range(11):
                client = Client(self.world, f"192.0.2.{number}")
                hashed = self.world.pool.hashed
                codes.append(
                    self.assertRaises(Refused, client.call, "account.block", username=name, pin=PINS[1]).code
                )
            self.assertEqual(codes, ["wrong_pin"] * 10 + ["rate_limited"])
            self.assertEqual(self.world.pool.hashed, hashed)

    def test_limits_of_an_address(self) -> None:
        """Whoever tries many logins is stopped, and uses up nothing of the owner's tries elsewhere."""
        self.world.domain.control.limits.set("pin_tries_per_address", "3")
        for number in range(3):
            self.refused("wrong_pin", Client(self.world), "account.block", username=f"u{number}", pin=PINS[1])
        for _ in range(20):
            self.refused("rate_limited", Client(self.world), "account.block", username="alice", pin=PINS[1])
        held = {row.name: row.held_back for row in self.world.domain.control.limits.rows()}
        self.assertEqual((held["pin_tries_per_address"], held["pin_tries"]), (1, 0))
        elsewhere = Client(self.world, "198.51.100.7")
        self.assertEqual(elsewhere.call("account.block", username="alice", pin=PINS[0]), {})

    def alarms(self, events: list[LogEvent]) -> list[str]:
        lines = [formatEvent(event) for event in events]
        return [line for line in lines if line.startswith("ALARM: too many wrong PINs")]

    def test_limits_of_the_node(self) -> None:
        """From many addresses at many logins: then no PIN is taken from outside, and the log says so once."""
        events = logged(self)
        limits, about = self.world.domain.control.limits, {"device": LAPTOP}
        limits.set("pin_tries_anywhere", "4")
        for number in range(4):
            host, name = f"192.0.2.{number}", f"u{number % 2}"
            if number % 2:
                self.refused(
                    "wrong_pin", Client(self.world, host), "account.block", username=name, pin=PINS[1]
                )
            else:
                self.cost("session.login", username=name, password=PINS[1], **about)
        self.assertEqual(self.alarms(events), [])
        for number in range(3):
            other = Client(self.world, f"198.51.100.{number}")
            self.refused("rate_limited", other, "account.block", username="alice", pin=PINS[0])
        self.assertEqual(self.cost("session.login", username="alice", password=PINS[0], **about)[0], 1)
        alarms = self.alarms(events)
        self.assertEqual(len(alarms), 1)
        for told in ("alice", "198.51", PINS[0]):
            self.assertNotIn(told, alarms[0])
        held = {row.name: row.held_back for row in limits.rows()}
        self.assertEqual(held["pin_tries_anywhere"], 1)
        # Sessions of the account are not touched by it.
        self.alice.call("session.block", pin=PINS[0])

    def test_right_ones_do_not_count(self) -> None:
        """Nobody who closes an account uses up what others have. In place of a password all count alike."""
        self.world.domain.control.limits.set("pin_tries_anywhere", "2")
        bob = self.world.login("bob")
        bob.call("account.pin.set", password=PASSWORD, pin=PINS[1])
        Client(self.world).call("account.block", username="alice", pin=PINS[0])
        self.cost("session.login", username="bob", password=PINS[1], device=LAPTOP)
        self.assertEqual(bob.connection.close_code, 4011)
        self.refused("wrong_pin", Client(self.world), "account.block", username="carol", pin=PINS[0])
        self.refused("rate_limited", Client(self.world), "account.block", username="carol", pin=PINS[0])

    def test_logins_are_no_way_around(self) -> None:
        """PINs tried as passwords count as well; beyond the limit they are passwords and nothing else."""
        about = {"username": "alice", "device": LAPTOP}
        for number in range(10):
            pin = f"90412{number}"
            self.cost("session.login", password=pin, **about)
        self.refused("rate_limited", Client(self.world), "account.block", username="alice", pin=PINS[0])
        self.assertEqual(self.cost("session.login", password=PINS[0], **about)[0], 1)
        self.world.login("alice")
        # Whoever is logged in has tries of his own.
        self.alice.call("session.block", pin=PINS[0])

    def test_own_tries_are_limited(self) -> None:
        for _ in range(10):
            self.refused("wrong_pin", self.alice, "session.block", pin=PINS[1])
        self.refused("rate_limited", self.alice, "session.block", pin=PINS[0])
