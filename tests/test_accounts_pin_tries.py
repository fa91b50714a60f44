"""How many PINs may be tried: for each login, for each address, and by the node as a whole."""

from twisted.logger import LogEvent, formatEvent

from tests.sms import logged
from tests.test_accounts_pins import PINS, SilenceCase
from tests.world import LAPTOP, PASSWORD, Client, Refused


class TryTests(SilenceCase):
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
