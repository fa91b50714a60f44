"""Keys of devices: bound to the key of their account, and for as long as they are there."""

from typing import Any

from safeum_home.keys.launches import LASTS
from tests.keys_case import (
    FIRST,
    LAUNCHED,
    SECOND,
    THIRD,
    KeysCase,
    Pair,
    publish,
    query,
)
from tests.world import Client


class LaunchTests(KeysCase):
    """Keys of devices."""

    def launched(self, client: Client, pair: Pair, bound: Pair | None, at: int = LAUNCHED) -> dict[str, Any]:
        signature = None if bound is None else bound.bind(client.account, client.device, pair, at)
        return {"sign": pair.sign, "box": pair.box, "at": at, "signature": signature}

    def launch(self, client: Client, pair: Pair, bound: Pair | None = None, at: int = LAUNCHED) -> None:
        client.call("keys.launch", **self.launched(client, pair, bound, at))

    def launches(self) -> list[dict[str, Any]]:
        return list(query(self.bob, self.alice, launches=True)[0].get("launches", []))

    def test_shown_to_contacts(self) -> None:
        """They are there for contacts who ask for them, of each device the last; nothing is stored."""
        tablet = self.world.login("alice")
        self.launch(tablet, THIRD)
        for pair in (FIRST, SECOND):
            self.launch(self.alice, pair)
        shown = [{"device": self.alice.device, "sign": SECOND.sign, "box": SECOND.box, "at": LAUNCHED}]
        shown.insert(0, {"device": tablet.device, "sign": THIRD.sign, "box": THIRD.box, "at": LAUNCHED})
        self.assertEqual(self.launches(), shown)
        self.assertNotIn("launches", query(self.bob, self.alice)[0])
        self.assertNotIn("launches", query(self.carol, self.alice, launches=True)[0])
        self.assertEqual(self.world.database.count("key_log"), 0)
        self.assertEqual(self.bob.take(), [])

    def test_bound(self) -> None:
        """They may be signed by the account's own keys; by no others, nor by these once they are replaced."""
        launched = self.launched(self.alice, SECOND, bound=FIRST)
        self.refused("bad_keys", self.alice, "keys.launch", **launched)
        publish(self.alice, FIRST)
        self.refused("bad_keys", self.alice, "keys.launch", **{**launched, "box": FIRST.box})
        self.refused("bad_keys", self.alice, "keys.launch", **{**launched, "at": LAUNCHED + 1})
        self.launch(self.alice, SECOND, bound=FIRST)
        self.assertEqual(self.launches()[0]["bound"], launched["signature"])
        publish(self.alice, THIRD, replaces=FIRST.hash)
        self.assertNotIn("bound", self.launches()[0])

    def test_bound_for_a_day(self) -> None:
        """A signature binds for 24 hours, and from an hour before its time; then it is left out."""
        publish(self.alice, FIRST)
        now, hour = int(self.world.clock.seconds() * 1000), 60 * 60 * 1000
        for at in (now - 25 * hour, now + hour + 1000):
            self.refused(
                "bad_keys", self.alice, "keys.launch", **self.launched(self.alice, SECOND, FIRST, at)
            )
        for at in (now - 23 * hour, now + hour - 1000):
            self.launch(self.alice, SECOND, bound=FIRST, at=at)
            self.assertIn("bound", self.launches()[0])
        self.world.clock.advance(25 * 60 * 60 - 2)
        self.assertIn("bound", self.launches()[0])
        self.world.clock.advance(2)
        self.assertNotIn("bound", self.launches()[0])

    def test_not_back(self) -> None:
        """What is older than keys that are bound does not replace them; other devices' clocks may be off."""
        publish(self.alice, FIRST)
        self.launch(self.alice, SECOND, at=LAUNCHED + 2)
        self.launch(self.alice, SECOND, bound=FIRST, at=LAUNCHED + 1)
        for bound in (FIRST, None):
            older = self.launched(self.alice, THIRD, bound, LAUNCHED)
            self.refused("bad_keys", self.alice, "keys.launch", **older)
        self.launch(self.alice, THIRD, bound=FIRST, at=LAUNCHED + 1)
        self.assertEqual(self.launches()[0]["sign"], THIRD.sign)

    def test_gone(self) -> None:
        """They go a minute after their device has; one that comes back in time keeps them."""
        self.launch(self.alice, FIRST)
        self.alice.drop()
        self.world.settle(LASTS - 1)
        self.assertEqual(len(self.launches()), 1)
        self.alice.resume(self.alice.cursor)
        self.world.settle(LASTS + 1)
        self.assertEqual(len(self.launches()), 1)
        self.alice.drop()
        self.world.settle(LASTS + 1)
        self.assertEqual(self.launches(), [])

    def test_revoked(self) -> None:
        """Those of a device that is revoked go at once."""
        self.launch(self.alice, FIRST)
        self.world.login("alice").call("device.revoke", device=self.alice.device)
        self.assertEqual(self.launches(), [])

    def test_replaced_connection(self) -> None:
        """A device whose new connection comes before the end of the old one has not gone."""
        self.launch(self.alice, FIRST)
        old = self.alice.connection
        self.alice.connect()
        self.alice.opened(self.alice.call("session.resume", token=self.alice.token, since=None))
        old.lose()
        self.world.settle(LASTS + 1)
        self.assertEqual(len(self.launches()), 1)

    def test_bounds(self) -> None:
        """They are asked for of few accounts at a time."""
        accounts = [self.bob.account] * 5
        self.refused("invalid_params", self.alice, "keys.query", accounts=accounts, launches=True)
