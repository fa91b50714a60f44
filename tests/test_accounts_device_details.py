"""What is known of a device, to whom, and for how long."""

from ipaddress import ip_address
from typing import Any
from zoneinfo import available_timezones

from msgspec import ValidationError, convert
from twisted.logger import ILogObserver, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from safeum_home.protocol.types import DeviceInfo
from safeum_home.sealing.keys import SealedKey
from tests.world import PASSWORD, Client, Refused, World

PHONE = {
    "name": "my phone",
    "system": "Android 16",
    "type": "phone",
    "model": "Fairphone 6",
    "region": "Bavaria, \N{SNOWMAN}",
    "time_zone": "Europe/Berlin",
}
DETAILS = ("type", "model", "region", "time_zone", "address")
V4, V6 = "203.0.113.77", "2001:db8:7:7::77"


def forms(host: str) -> list[bytes]:
    """How an address could have been written down."""
    address = ip_address(host)
    numbers = (
        str(int(address)),
        f"{int(address):x}",
        address.packed.hex(),
        address.exploded,
        address.compressed,
    )
    texts = [each.encode() for each in (host, *numbers, address.reverse_pointer)]
    return [address.packed, address.packed[::-1], *texts, *(each.upper() for each in texts)]


@implementer(ILogObserver)
class Listening:
    """All that is logged."""

    def __init__(self) -> None:
        self.said = b""

    def __call__(self, event: Any) -> None:
        text = f"{formatEvent(event)} {event!r}"
        if "log_failure" in event:
            text += event["log_failure"].getTraceback(elideFrameworkCode=False, detail="verbose")
        self.said += text.encode()


class DetailTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()

    def login(self, host: str = V4, **more: Any) -> Client:
        client = Client(self.world, host)
        device = {**PHONE, **more}
        return client.opened(client.call("session.login", username="alice", password=PASSWORD, device=device))

    def listed(self, client: Client) -> list[dict[str, Any]]:
        devices: list[dict[str, Any]] = client.call("device.list")["devices"]
        return devices

    def test_shown_to_the_owner(self) -> None:
        """What a device said of itself, and where it is connected from just now."""
        alice = self.world.register("alice", host=V6)
        phone = self.login()
        first, second = self.listed(alice)
        self.assertEqual([first[key] for key in DETAILS], [None] * 4 + [V6])
        self.assertEqual([second[key] for key in DETAILS], [*(PHONE[key] for key in DETAILS[:4]), V4])
        self.assertEqual(self.listed(phone)[1] | {"current": False}, second)
        self.assertEqual(second["name"], "my phone")

    def test_an_address_goes_with_its_connection(self) -> None:
        """Whoever is gone has none; who comes back elsewhere has the new one, at once."""
        alice = self.world.register("alice")
        phone = self.login()
        phone.drop()
        self.assertEqual([e["address"] for e in self.listed(alice)][1:], [None])
        self.assertEqual([e["connected"] for e in self.listed(alice)][1:], [False])
        phone.host = V6
        phone.resume()
        self.assertEqual(self.listed(alice)[1]["address"], V6)
        elsewhere = Client(self.world, V4)
        elsewhere.opened(elsewhere.call("session.resume", token=phone.token))
        self.assertEqual(phone.connection.close_code, 4009)
        self.assertEqual(self.listed(alice)[1]["address"], V4)
        self.world.settle()
        self.assertEqual(self.listed(alice)[1]["address"], V4)
        again = World(self.world.database, self.world.vault)
        alice.world = again
        alice.resume()
        self.assertIsNone(self.listed(alice)[1]["address"])

    def test_interfaces(self) -> None:
        """A link-local address comes without the name of the node's own interface."""
        self.world.register("alice")
        self.assertEqual(self.listed(self.login("fe80::1%eth0"))[1]["address"], "fe80::1")

    def test_to_nobody_else(self) -> None:
        """Nothing that a contact is sent holds any of it, nor does the login's alert hold the address."""
        alice, bob = self.world.register("alice"), self.world.register("bob")
        chat = self.world.befriend(alice, bob)
        phone = self.login()
        phone.write(chat, "hi")
        phone.call("profile.set", profile={"display_name": "Alice"})
        bob.call("profile.get", account=alice.account)
        bob.call("contact.list")
        sent = repr(bob.connection.written)
        self.assertIn("Alice", sent)
        for hidden in (*PHONE.values(), V4):
            self.assertNotIn(hidden, sent)
        [alert] = [
            e["params"]["body"] for e in alice.take("chat.message") if e["params"]["sender"] != alice.account
        ]
        self.assertEqual(set(alert), {"kind", "device", "name", "system", "at"})
        self.assertNotIn(V4, repr(alice.connection.written))

    def test_addresses_are_kept_nowhere(self) -> None:
        """No form of an address is stored, not even sealed, or logged, whatever happens."""
        log = Listening()
        globalLogPublisher.addObserver(log)
        self.addCleanup(globalLogPublisher.removeObserver, log)
        sealed: list[bytes] = []
        seal = SealedKey.seal

        def watched(key: SealedKey, plaintext: bytes, context: bytes) -> bytes:
            sealed.append(plaintext + context)
            return seal(key, plaintext, context)

        self.patch(SealedKey, "seal", watched)
        hosts = (V4, V6)
        alice, bob = (
            self.world.register(name, host=host) for name, host in zip(("alice", "bob"), hosts, strict=True)
        )
        chat = self.world.befriend(alice, bob)
        phone = self.login(V6)
        for client in (alice, phone, bob):
            client.write(chat, "hi")
            client.call("profile.set", profile={"display_name": "somebody"})
            self.listed(client)
            client.resume(client.cursor)
        self.assertRaises(Refused, phone.call, "account.password", current="wrong", new=PASSWORD)
        phone.call("device.revoke", device=phone.device)
        self.world.settle()
        dump = self.world.database.now(
            lambda c: "\n".join(c.connection.driver_connection.iterdump())  # type: ignore[union-attr]
        )
        self.world.database.execute("ALTER TABLE devices RENAME TO gone")
        self.assertEqual(self.assertRaises(Refused, self.listed, alice).code, "internal_error")
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        self.assertIn(b"device.list", log.said)
        self.assertIn(b"my phone", b"".join(sealed))
        self.assertIn("INSERT INTO", dump)
        octets = b"".join(bytes.fromhex(text) for text in _blobs(dump))
        for host in hosts:
            for form in forms(host):
                for where in (dump.encode(), octets, *sealed, log.said):
                    # Four octets may stand anywhere by chance.
                    if len(form) > 4:
                        self.assertNotIn(form, where)


def _blobs(dump: str) -> list[str]:
    return [text.split("'")[0] for text in dump.split("X'")[1:]]


class BoundTests(SynchronousTestCase):
    def taken(self, **changed: Any) -> bool:
        try:
            convert({**PHONE, **changed}, DeviceInfo)
        except ValidationError:
            return False
        return True

    def test_time_zones(self) -> None:
        """Every zone that there is, and nothing that could be something else."""
        self.assertGreater(len(available_timezones()), 400)
        for zone in available_timezones():
            self.assertTrue(self.taken(time_zone=zone), zone)
        for wrong in (
            "",
            "Europe/",
            "/Europe",
            "../etc/passwd",
            "Europe//Berlin",
            "Europe/Ber lin",
            "Europe/Berlin\n",
            "+01:00",
            "a" * 41,
            "a/b/c/d",
            "\N{CYRILLIC SMALL LETTER A}",
        ):
            self.assertFalse(self.taken(time_zone=wrong), wrong)

    def test_types(self) -> None:
        """Six, and no other."""
        for kind in ("phone", "tablet", "desktop", "web", "bot", "other", None):
            self.assertTrue(self.taken(type=kind))
        for wrong in ("Phone", "", "watch", 1):
            self.assertFalse(self.taken(type=wrong))

    def test_only_a_name_and_a_system_are_asked_for(self) -> None:
        """The rest is up to the client."""
        convert({"name": "x", "system": "y"}, DeviceInfo)
        self.assertFalse(self.taken(serial_number="1"))
