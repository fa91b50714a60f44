"""Setting and removing PINs, and what a wrong one tells: nothing."""

from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.closing import SAME_SECONDS
from safeum_home.accounts.passwords import PIN_MEMORY, PIN_OPERATIONS, PasswordHasher
from safeum_home.accounts.pins import check_pin, is_pin
from safeum_home.accounts.records import AccountRecord, PinRecord, unseal
from safeum_home.config import PasswordSection
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.storage import accounts
from tests.world import LAPTOP, PASSWORD, Client, Refused, World

_no_threads: Any = None
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

    def test_a_password_that_is_changed_meanwhile(self) -> None:
        """Who proved the password that was sets no PIN once there is another one."""
        phone = Client(self.world).login("alice")
        pool = self.world.pool
        pool.hold = True
        phone.ask("account.pin.set", password=PASSWORD, pin=PINS[0])
        pool.run(1)  # the password is right; the PIN is still to be hashed
        waiting, pool._waiting = pool._waiting, []
        pool.hold = False
        self.alice.call("account.password", current=PASSWORD, new="battery staple horse")
        pool._waiting = waiting
        while pool._waiting:
            pool.run()
        self.world.settle()
        self.assertEqual(self.alice.call("account.pin.list"), {"count": 0})

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
        """PINs that were set at other costs than they have now still close the account."""
        self.set(PINS[0])
        world = World(self.world.database, self.world.vault)
        world.hasher._pin_cost = 2, 16384
        Client(world).call("account.block", username="alice", pin=PINS[0])

    def test_costs_of_passwords_are_not_theirs(self) -> None:
        """Where those are changed a wrong PIN costs those who have some what it costs everybody else."""
        costs = {
            PasswordHasher(_no_threads, PasswordSection(memory_mib=memory, operations=operations)).pin_cost()
            for memory, operations in ((8, 1), (64, 2), (128, 3))
        }
        self.assertEqual(costs, {(PIN_OPERATIONS, PIN_MEMORY)})
        self.set(PINS[0])
        self.world.register("bob")
        world = World(self.world.database, self.world.vault)
        changed: Any = world.hasher
        changed._section, changed._memory = PasswordSection(memory_mib=16, operations=3), 16384
        run: list[tuple[Any, ...]] = []

        def verifier(pin: str, salt: bytes, *cost: int) -> "Deferred[bytes]":
            run.append((len(salt), *cost))
            return succeed(b"v" * 32)

        asked = ("alice", "bob", "nobody")
        with patch.object(changed, "pin_verifier", verifier):
            for name in asked:
                self.refused("wrong_pin", Client(world), "account.block", username=name, pin=PINS[1])
        self.assertEqual(run, [(16, *changed.pin_cost())] * len(asked))

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


class SilenceCase(PinCase):
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


class SilenceTests(SilenceCase):
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
