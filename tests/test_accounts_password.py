"""Changing a password, and what it ends."""

from typing import Any

from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from tests.number_case import NUMBER
from tests.world import CONSENT, HOST, LAPTOP, PASSWORD, Client, Refused, World

NEW = "staple battery horse"


class PasswordChangeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice = self.world.register("alice")

    def refused(self, code: str, client: Client, method: str, **params: Any) -> None:
        self.assertEqual(self.assertRaises(Refused, client.call, method, **params).code, code)

    def test_change(self) -> None:
        """The new password lets in and the old one does not; other devices are out, this one stays."""
        other = Client(self.world).login("alice")
        self.alice.call("account.password", current=PASSWORD, new=NEW)
        self.assertEqual(other.connection.close_code, 4010)
        self.assertEqual(len(self.alice.call("device.list")["devices"]), 1)
        about = {"username": "alice", "device": LAPTOP}
        self.refused("bad_credentials", Client(self.world), "session.login", password=PASSWORD, **about)
        self.refused("bad_token", Client(self.world), "session.resume", token=other.token)
        Client(self.world).login("alice", NEW)
        self.alice.resume()

    def test_after_a_restart(self) -> None:
        self.alice.call("account.password", current=PASSWORD, new=NEW)
        world = World(self.world.database, self.world.vault)
        Client(world).login("alice", NEW)

    def test_refused(self) -> None:
        """Not without the present password, and not for a weak one; then nothing has changed."""
        self.refused("bad_credentials", self.alice, "account.password", current="wrong", new=NEW)
        for weak in ("short", "password1", "alice"):
            self.refused("weak_password", self.alice, "account.password", current=PASSWORD, new=weak)
        Client(self.world).login("alice")

    def test_own_number(self) -> None:
        """Somebody's number is the first password that is tried: in neither spelling is it taken."""
        verification = Client(self.world).call("verification.create", number=NUMBER)["verification"]
        Client(self.world).call("verification.request", verification=verification)
        about = {"code": self.world.texts.code, "password": PASSWORD, "device": LAPTOP, "consent": CONSENT}
        client = Client(self.world)
        client.opened(client.call("verification.submit", verification=verification, **about))
        for weak in (NUMBER, NUMBER[1:]):
            self.refused("weak_password", client, "account.password", current=PASSWORD, new=weak)
        client.call("account.password", current=PASSWORD, new=NUMBER[::-1])

    def test_a_pin_that_is_set_meanwhile(self) -> None:
        """A password that another device is just making a PIN is refused, though it was none before."""
        same = "28471659"
        other = Client(self.world).login("alice")
        self.world.pool.hold = True
        pin = other.ask("account.pin.set", password=PASSWORD, pin=same)
        change = self.alice.ask("account.password", current=PASSWORD, new=same)
        for _ in range(6):
            self.world.pool.run()
        self.world.pool.hold = False
        self.assertIsNotNone(other.answer(pin))
        self.assertEqual(self.assertRaises(Refused, self.alice.answer, change).code, "busy")
        self.refused("weak_password", self.alice, "account.password", current=PASSWORD, new=same)
        self.assertEqual(self.alice.call("account.pin.list"), {"count": 1})
        Client(self.world).login("alice")

    def test_a_pin_beside_any_other_password(self) -> None:
        """What could not be a PIN does not wait for those who change them."""
        other = Client(self.world).login("alice")
        self.world.pool.hold = True
        pin = other.ask("account.pin.set", password=PASSWORD, pin="284716")
        self.world.pool.run()
        change = self.alice.ask("account.password", current=PASSWORD, new=NEW)
        for _ in range(6):
            self.world.pool.run()
        self.world.pool.hold = False
        self.assertEqual(other.answer(pin), {"ordinal": 1})
        self.assertEqual(self.alice.answer(change), {})
        self.assertEqual(self.alice.call("account.pin.list"), {"count": 1})

    def test_guessing_is_limited(self) -> None:
        self.world = World(logins_per_account=0.1, logins_per_account_burst=2)
        alice = self.world.register("alice")
        for _ in range(2):
            self.refused("bad_credentials", alice, "account.password", current="wrong", new=NEW)
        self.refused("rate_limited", alice, "account.password", current=PASSWORD, new=NEW)

    def test_a_login_under_way(self) -> None:
        """Somebody who knew the old password and was just being let in stays outside."""
        for before in (False, True):
            password, new = (NEW, PASSWORD) if before else (PASSWORD, NEW)
            thief = Client(self.world)
            self.world.pool.hold = True
            about = {"username": "alice", "password": password, "device": LAPTOP}
            if before:
                theft = thief.ask("session.login", **about)
            change = self.alice.ask("account.password", current=password, new=new)
            if not before:
                self.world.pool.run(1)
                theft = thief.ask("session.login", **about)
            self.world.pool.run()
            self.world.pool.run()
            self.world.pool.hold = False
            self.world.settle()
            self.assertEqual(self.alice.answer(change), {})
            if before:
                self.assertEqual(thief.connection.close_code, 4010)
            else:
                self.assertEqual(self.assertRaises(Refused, thief.answer, theft).code, "bad_credentials")
            self.assertEqual(len(self.alice.call("device.list")["devices"]), 1)

    def test_found_stored_later(self) -> None:
        """A change that was refused and turned out to be stored is known once the node looks anew."""
        transact = self.world.database.transact

        def stored_and_refused(fn: Any) -> Any:
            transact(fn)
            return fail(Problem(Code.STORAGE_UNAVAILABLE, retry_after=2.0))

        self.patch(self.world.database, "transact", stored_and_refused)
        change = {"current": PASSWORD, "new": NEW}
        self.assertRaises(Refused, self.alice.call, "account.password", **change)
        self.patch(self.world.database, "transact", transact)
        self.world.domain.forget()
        self.assertRaises(Refused, Client(self.world).login, "alice")
        Client(self.world).login("alice", NEW)

    def test_costs_that_were_changed(self) -> None:
        """A hash of former costs is replaced at the next login, so that it takes as long as any other."""
        hashed = self.world.pool.hashed
        Client(self.world).login("alice")
        self.assertEqual(self.world.pool.hashed, hashed + 1)
        self.world.hasher._memory *= 2
        Client(self.world).login("alice")
        self.assertEqual(self.world.pool.hashed, hashed + 3)
        Client(self.world, HOST).login("alice")
        self.assertEqual(self.world.pool.hashed, hashed + 4)
