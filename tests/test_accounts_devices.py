"""Devices and their tokens: who is let in, who is shown, and how one is put out."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import AccountId, DeviceId
from tests.world import HOST, LAPTOP, PASSWORD, Client, Refused, World

A = "A" * 43


class DeviceCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice = self.world.register("alice")

    def refused(self, code: str, client: Client, method: str, **params: Any) -> None:
        self.assertEqual(self.assertRaises(Refused, client.call, method, **params).code, code)

    def bad(self, token: str) -> None:
        self.refused("bad_token", Client(self.world), "session.resume", token=token)

    def devices(self, client: Client) -> list[str]:
        return [entry["device"] for entry in client.call("device.list")["devices"]]


class TokenTests(DeviceCase):
    def test_restart(self) -> None:
        """A token outlives the node's process, with nothing but its hash on the disk."""
        self.alice.world = World(self.world.database, self.world.vault)
        self.alice.resume()
        dump = self.world.database.now(_dump)
        self.assertIn("INSERT INTO", dump)
        for secret in (*self.alice.token.split("."), "alice", PASSWORD, LAPTOP["name"]):
            self.assertNotIn(secret, dump)

    def test_wrong(self) -> None:
        """Only the token itself will do, as it was written."""
        device, _, secret = self.alice.token.partition(".")
        other = Client(self.world).login("alice")
        bob = self.world.register("bob")
        changed = ("A" if secret[0] != "A" else "B") + secret[1:]
        for token in (
            f"{device}.{changed}",
            f"{device}.{secret[:-1]}",
            f"{device}.{secret}A",
            f"{device}.{secret[:20]}\n{secret[20:]}",
            f"{device}.{secret}=",
            f"{device} .{secret}",
            f"{other.device}.{secret}",
            f"{bob.device}.{secret}",
            f"{device}.{A}",
            "." * 60,
            f"{device}..{secret}",
            "é" * 60,
        ):
            self.bad(token)
        self.alice.resume()

    def test_rows_that_were_moved(self) -> None:
        """Whoever can write the database cannot make another's account his own with it."""
        bob = self.world.register("bob")
        account, device = self.world.vault.blinder.account, self.world.vault.blinder.device
        self.world.database.execute(
            "UPDATE devices SET account = ? WHERE device = ?",
            account(AccountId(bob.account)),
            device(DeviceId(self.alice.device)),
        )
        self.bad(self.alice.token)
        alias = self.world.vault.blinder.alias
        self.world.database.execute(
            "UPDATE aliases SET account = ? WHERE alias = ?",
            account(AccountId(self.alice.account)),
            alias("bob"),
        )
        self.refused("not_found", self.alice, "contact.find", address="bob")
        about = {"username": "bob", "password": PASSWORD, "device": LAPTOP}
        self.refused("bad_credentials", Client(self.world), "session.login", **about)


def _dump(c: Any) -> str:
    return "\n".join(c.connection.driver_connection.iterdump())


class RevokeTests(DeviceCase):
    def test_list(self) -> None:
        """The owner sees all devices, the oldest first, with which is which."""
        self.world.clock.advance(5)
        phone = Client(self.world).login("alice", name="phone", system="Android 15")
        phone.drop()
        [laptop, second] = self.alice.call("device.list")["devices"]
        self.assertEqual(
            laptop,
            {
                "device": self.alice.device,
                **LAPTOP,
                "created_at": 1_700_000_000_000,
                "current": True,
                "connected": True,
                **dict.fromkeys(("type", "model", "region", "time_zone")),
                "address": HOST,
            },
        )
        self.assertEqual(
            (second["name"], second["current"], second["connected"], second["created_at"]),
            ("phone", False, False, 1_700_000_005_000),
        )

    def test_revoke(self) -> None:
        """A revoked device's session is closed with 4010, and its token is of no use."""
        phone = Client(self.world).login("alice")
        self.assertEqual(self.alice.call("device.revoke", device=phone.device), {})
        self.assertEqual(phone.connection.close_code, 4010)
        self.bad(phone.token)
        self.assertEqual(self.devices(self.alice), [self.alice.device])
        self.refused("device_not_found", self.alice, "device.revoke", device=phone.device)

    def test_revoke_oneself(self) -> None:
        """A device may revoke itself: it is answered, then closed."""
        self.assertEqual(self.alice.call("device.revoke", device=self.alice.device), {})
        self.assertEqual(self.alice.connection.close_code, 4010)
        self.bad(self.alice.token)

    def test_only_ones_own(self) -> None:
        """Another account's device looks like none."""
        bob = self.world.register("bob")
        self.refused("device_not_found", self.alice, "device.revoke", device=bob.device)
        bob.resume()

    def test_a_commit_that_fails(self) -> None:
        """What was not stored was not done: the session goes on."""
        phone = Client(self.world).login("alice")
        self.world.database.failing = True
        self.refused("storage_unavailable", self.alice, "device.revoke", device=phone.device)
        self.assertIsNone(phone.connection.close_code)

    def test_revoked_while_resuming(self) -> None:
        """A token that was read before it was revoked, and told of after it, opens nothing."""
        phone = Client(self.world).login("alice")
        phone.drop()
        phone.connect()
        self.world.database.hold_reads = True
        asked = phone.ask("session.resume", token=phone.token)
        self.alice.call("device.revoke", device=phone.device)
        self.world.database.hold_reads = False
        self.world.database.answer_reads()
        self.assertEqual(self.assertRaises(Refused, phone.answer, asked).code, "bad_token")

    def test_damaged(self) -> None:
        """A device that cannot be opened is not shown and not let in; the others are."""
        phone = Client(self.world).login("alice")
        blind = self.world.vault.blinder.device(DeviceId(phone.device))
        self.world.database.execute("UPDATE devices SET sealed = x'00' WHERE device = ?", blind)
        self.assertEqual(self.devices(self.alice), [self.alice.device])
        self.bad(phone.token)
        self.alice.call("device.revoke", device=phone.device)
        self.assertEqual(phone.connection.close_code, 4010)


class LimitTests(DeviceCase):
    def setUp(self) -> None:
        self.world = World(devices=3)
        self.alice = self.world.register("alice")

    def test_the_oldest_makes_room(self) -> None:
        """Who logs in with a password is let in: the oldest device that is not connected goes."""
        others = [Client(self.world).login("alice") for _ in range(2)]
        self.alice.drop()
        self.world.settle()
        newest = Client(self.world).login("alice")
        self.assertEqual(self.devices(newest), [others[0].device, others[1].device, newest.device])
        self.bad(self.alice.token)
        others[0].drop()
        Client(self.world).login("alice")
        self.bad(others[0].token)
        others[1].call("device.list")

    def test_all_connected(self) -> None:
        """No device that is connected goes: then the login is refused, and nothing is stored of it."""
        for _ in range(2):
            Client(self.world).login("alice")
        stored = self.world.database.count("events")
        about = {"username": "alice", "password": PASSWORD, "device": LAPTOP}
        self.refused("limit_reached", Client(self.world), "session.login", **about)
        self.assertEqual(
            (self.world.database.count("events"), self.world.database.count("devices")), (stored, 3)
        )

    def test_the_one_that_goes_connects(self) -> None:
        """A device that came back while it made room is closed, and comes in no more."""
        for _ in range(2):
            Client(self.world).login("alice")
        self.alice.drop()
        self.world.settle()
        self.world.database.hold = True
        late = Client(self.world)
        asked = late.ask("session.login", username="alice", password=PASSWORD, device=LAPTOP)
        self.alice.connect()
        self.alice.opened(self.alice.call("session.resume", token=self.alice.token))
        self.world.database.release()
        late.opened(late.answer(asked) or {})
        self.assertEqual(self.alice.connection.close_code, 4010)
        self.bad(self.alice.token)
