"""The bus of one process: who is told, in which order, and who is not told any more."""

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.bus.local import LocalBus
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Published

ALICE, BOB = AccountId("@alice"), AccountId("@bob")


class Listener:
    """A subscriber that remembers."""

    def __init__(self, device: str, bus: LocalBus | None = None) -> None:
        self.device = DeviceId(device)
        self.host = f"{device}'s address"
        self.keeps_up = True
        self.held = 0
        self.used_at = 0.0
        self.on_use: Callable[[], None] | None = None
        self.woken = self.asleep = False
        self.heard: list[Any] = []
        self._bus = bus

    def deliver(self, event: Published) -> None:
        self.heard.append(event.frame)
        if self._bus is not None:
            self._bus.unsubscribe(ALICE, self)

    def replaced(self) -> None:
        self.heard.append("replaced")

    def revoked(self) -> None:
        self.heard.append("revoked")

    def account_closed(self) -> None:
        self.heard.append("account closed")


class BusTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.bus = LocalBus()
        self.phone, self.laptop = Listener("phone"), Listener("laptop")
        self.bus.subscribe(ALICE, self.phone)
        self.bus.subscribe(ALICE, self.laptop)

    def test_publish(self) -> None:
        """All devices of the account are told at once, in order, but the one that is left out."""
        self.bus.publish(ALICE, Published(b"1"))
        self.bus.publish(ALICE, Published(b"2", skip=self.phone.device))
        self.bus.publish(BOB, Published(b"3"))
        self.assertEqual((self.phone.heard, self.laptop.heard), ([b"1"], [b"1", b"2"]))

    def test_replaced(self) -> None:
        """A device has one subscriber: the new one is told, the old one only that it was replaced."""
        again = Listener("phone")
        self.bus.subscribe(ALICE, again)
        self.bus.subscribe(ALICE, again)
        self.bus.publish(ALICE, Published(b"1"))
        self.assertEqual((self.phone.heard, again.heard), (["replaced"], [b"1"]))
        self.bus.unsubscribe(ALICE, self.phone)
        self.bus.publish(ALICE, Published(b"2"))
        self.assertEqual(again.heard, [b"1", b"2"])

    def test_the_same_device_of_another_account(self) -> None:
        """Accounts have nothing to do with each other."""
        other = Listener("phone")
        self.bus.subscribe(BOB, other)
        self.bus.revoke(BOB, other.device.__eq__)
        self.assertEqual((self.phone.heard, other.heard), ([], ["revoked"]))

    def test_revoke(self) -> None:
        """The revoked device alone is told."""
        self.bus.revoke(ALICE, self.laptop.device.__eq__)
        self.bus.revoke(ALICE, DeviceId("unknown").__eq__)
        self.assertEqual((self.phone.heard, self.laptop.heard), ([], ["revoked"]))

    def test_leaving_while_being_told(self) -> None:
        """One that leaves because of an event does not keep the next one from it."""
        leaving = Listener("leaving", self.bus)
        bus = self.bus
        bus.unsubscribe(ALICE, self.laptop)
        bus.subscribe(ALICE, leaving)
        bus.subscribe(ALICE, self.laptop)
        bus.publish(ALICE, Published(b"1"))
        bus.publish(ALICE, Published(b"2"))
        self.assertEqual((leaving.heard, self.laptop.heard), ([b"1"], [b"1", b"2"]))

    def test_nothing_stays(self) -> None:
        """An account without sessions takes no memory; leaving twice is harmless."""
        self.assertEqual(self.bus.connected(ALICE), {"phone", "laptop"})
        for listener in (self.phone, self.laptop, self.laptop):
            self.bus.unsubscribe(ALICE, listener)
        self.assertEqual((self.bus.connected(ALICE), self.bus._subscribers), (frozenset(), {}))

    def test_account_closed(self) -> None:
        """All sessions of an account are told but for the one that is named, and no others."""
        ending, other, stranger = Listener("one"), Listener("two"), Listener("three")
        self.bus.subscribe(ALICE, ending)
        self.bus.subscribe(ALICE, other)
        self.bus.subscribe(BOB, stranger)
        self.bus.close_account(ALICE, DeviceId("one"))
        self.assertEqual((ending.heard, other.heard, stranger.heard), ([], ["account closed"], []))
        self.bus.close_account(ALICE)
        self.assertEqual(ending.heard, ["account closed"])
