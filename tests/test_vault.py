"""Vaults: one of each account, replaced as a whole or not at all, by who has seen the last one."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure import vault as clients
from safeum_home.keys import vault
from safeum_home.protocol.commands.vault import MOST_OCTETS, MOST_PARTS, PART
from safeum_home.protocol.signing import decode_octets, encode_octets
from tests.group_case import GroupCase
from tests.world import PASSWORD, Client, Refused, World

LONGEST = bytes(range(256)) * (MOST_OCTETS // 256) + bytes(MOST_OCTETS % 256)
PIN = "284716"


class VaultCase(SynchronousTestCase):
    """Alice has two devices."""

    limits: dict[str, Any] = {}  # replaced by whoever has others

    def setUp(self) -> None:
        self.world = World(**self.limits)
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.tablet = self.world.login("alice")
        for client in (self.alice, self.tablet, self.bob):
            client.take()

    def refused(self, code: str, client: Client, method: str, **params: Any) -> str:
        error = self.assertRaises(Refused, client.call, method, **params)
        self.assertEqual(error.code, code)
        return str(error.error["data"].get("detail", ""))

    def put(self, client: Client, n: int, octets: bytes) -> None:
        """All of it, in parts."""
        parts = [octets[start : start + PART] for start in range(0, len(octets), PART)]
        for number, part in enumerate(parts):
            about = {"n": n, "part": number, "parts": len(parts), "data": encode_octets(part)}
            answer = client.call("vault.put", **about)
            self.assertEqual(answer["n"], n if number == len(parts) - 1 else n - 1)

    def read(self, client: Client) -> tuple[int, bytes]:
        first = client.call("vault.get")
        data = [first["data"]]
        for part in range(1, first["parts"]):
            data.append(client.call("vault.get", part=part, n=first["n"])["data"])
        return first["n"], b"".join(decode_octets(each, len(each) * 3 // 4) or b"" for each in data)


class VaultTests(VaultCase):
    def test_sizes(self) -> None:
        """What a client's longest vault has fits."""
        self.assertEqual(clients.MOST, MOST_OCTETS)
        self.assertEqual(MOST_PARTS, 24)

    def test_nothing(self) -> None:
        self.assertEqual(self.alice.call("vault.get"), {"n": 0, "parts": 0, "data": ""})
        self.assertEqual(self.refused("vault_conflict", self.alice, "vault.get", n=1), "0")

    def test_replaced(self) -> None:
        """All devices read it, also after a start; no other account does."""
        self.put(self.alice, 1, b"first")
        self.assertEqual(self.read(self.tablet), (1, b"first"))
        self.put(self.tablet, 2, LONGEST)
        self.assertEqual(self.read(self.alice), (2, LONGEST))
        self.put(self.alice, 3, b"short again")
        self.assertEqual(self.read(self.alice), (3, b"short again"))
        self.assertEqual(self.read(self.bob), (0, b""))
        self.assertEqual(self.world.database.count("vaults"), 1)
        world = World(self.world.database, self.world.vault)
        self.alice.world = world
        self.assertEqual(self.read(self.alice.resume()), (3, b"short again"))

    def test_told(self) -> None:
        """The account's other devices are; nothing of it comes to who was away."""
        cursor = self.world.cursor
        self.put(self.alice, 1, b"x" * (PART + 1))
        self.assertEqual(
            self.tablet.take(), [{"jsonrpc": "2.0", "method": "vault.changed", "params": {"n": 1}}]
        )
        self.assertEqual(self.alice.take() + self.bob.take(), [])
        self.assertEqual(self.tablet.resume(cursor).take("vault.changed"), [])

    def test_conflict(self) -> None:
        """Who has not seen the last one is told which that is, before all of it is sent."""
        self.put(self.alice, 1, b"first")
        about = {"part": 0, "parts": 3, "data": "YQ"}
        for n in (3, 9):
            self.assertEqual(self.refused("vault_conflict", self.tablet, "vault.put", n=n, **about), "1")
        self.assertEqual(
            self.refused("vault_conflict", self.tablet, "vault.put", n=1, part=0, parts=1, data="YQ"), "1"
        )
        self.put(self.tablet, 2, b"second")
        self.assertEqual(self.refused("vault_conflict", self.alice, "vault.put", n=1, **about), "2")
        self.assertEqual(self.read(self.alice), (2, b"second"))

    def test_ahead(self) -> None:
        """Who has had newer ones than there are goes on from these, and says which one is to go."""
        self.put(self.alice, 1, b"first")
        about = {"part": 0, "parts": 1, "data": encode_octets(b"ninth")}
        for after in (0, 2, 8):
            told = self.refused("vault_conflict", self.tablet, "vault.put", n=9, after=after, **about)
            self.assertEqual(told, "1")
        for after in (9, 10):
            self.refused("invalid_params", self.tablet, "vault.put", n=9, after=after, **about)
        self.refused("invalid_params", self.tablet, "vault.put", n=2**53 - 1, after=1, **about)
        self.refused("invalid_params", self.tablet, "vault.put", n=2**20 + 2, after=1, **about)
        for _ in range(2):  # its answer may have been lost
            self.assertEqual(self.tablet.call("vault.put", n=9, after=1, **about), {"n": 9})
        self.assertEqual(self.read(self.alice), (9, b"ninth"))
        self.assertEqual(len(self.alice.take("vault.changed")), 1)
        self.assertEqual(self.refused("vault_conflict", self.alice, "vault.put", n=2, **about), "9")

    def test_ahead_in_parts(self) -> None:
        """All parts say the same of it; it is looked at again with the last one."""
        parts = {"n": 5, "parts": 2, "data": "YQ"}
        self.alice.call("vault.put", part=0, after=0, **parts)
        self.refused("vault_incomplete", self.alice, "vault.put", part=1, after=0, **{**parts, "n": 6})
        self.alice.call("vault.put", part=0, after=0, **parts)
        self.put(self.tablet, 1, b"faster")
        told = self.refused("vault_conflict", self.alice, "vault.put", part=1, after=0, **parts)
        self.assertEqual(told, "1")
        self.assertEqual(self.read(self.alice), (1, b"faster"))

    def test_at_once(self) -> None:
        """Of two that write the same version one comes first, though both have begun."""
        for client in (self.alice, self.tablet):
            client.call("vault.put", n=1, part=0, parts=2, data=encode_octets(client.device.encode()))
        self.alice.call("vault.put", n=1, part=1, parts=2, data="YQ")
        self.assertEqual(
            self.refused("vault_conflict", self.tablet, "vault.put", n=1, part=1, parts=2, data="Yg"), "1"
        )
        self.assertEqual(self.read(self.tablet), (1, self.alice.device.encode() + b"a"))

    def test_sent_again(self) -> None:
        """The answer was lost: it is the same, and nobody is told twice."""
        for told in (1, 0):
            self.alice.call("vault.put", n=1, part=0, parts=2, data=encode_octets(b"x" * PART))
            answer = self.alice.call("vault.put", n=1, part=1, parts=2, data="YQ")
            self.assertEqual((answer, len(self.tablet.take())), ({"n": 1}, told))

    def test_read_meanwhile(self) -> None:
        """Nobody puts parts of two versions together."""
        self.put(self.alice, 1, b"x" * (PART + 1))
        first = self.tablet.call("vault.get")
        self.put(self.alice, 2, b"y" * (PART + 1))
        self.assertEqual(self.refused("vault_conflict", self.tablet, "vault.get", part=1, n=first["n"]), "2")
        self.refused("not_found", self.tablet, "vault.get", part=2, n=2)

    def test_order(self) -> None:
        """A part has to follow on the one before, of the same device, version and number."""
        begun = {"n": 1, "parts": 3, "data": "YQ"}
        for after in (
            {"part": 2},
            {"part": 1, "parts": 2},
            {"part": 1, "n": 2},
        ):
            self.alice.call("vault.put", part=0, **begun)
            code = "vault_conflict" if "n" in after else "vault_incomplete"
            self.refused(code, self.alice, "vault.put", **{**begun, **after})
        self.refused("vault_incomplete", self.tablet, "vault.put", part=1, **begun)
        self.assertEqual(self.read(self.alice), (0, b""))

    def test_forms(self) -> None:
        part = "A" * (PART * 4 // 3)
        for more in (
            {"part": 1, "parts": 1},
            {"part": 0, "parts": MOST_PARTS + 1},
            {"part": 0, "parts": 1, "n": 0},
            {"part": 0, "parts": 1, "data": ""},
            {"part": 0, "parts": 1, "data": "YR"},
            {"part": 0, "parts": 1, "data": part + "AAAA"},
        ):
            about = {"n": 1, "data": "YQ", **more}
            self.refused("invalid_params", self.alice, "vault.put", **about)
        for number in range(MOST_PARTS - 1):
            self.alice.call("vault.put", n=1, part=number, parts=MOST_PARTS, data=encode_octets(b"x" * PART))
        last = encode_octets(b"x" * (MOST_OCTETS - PART * (MOST_PARTS - 1) + 1))
        self.refused(
            "too_large", self.alice, "vault.put", n=1, part=MOST_PARTS - 1, parts=MOST_PARTS, data=last
        )


class WaitingTests(VaultCase):
    """Parts that nothing follows on."""

    def begin(self, client: Client) -> None:
        client.call("vault.put", n=1, part=0, parts=2, data=encode_octets(b"x" * PART))

    def ends(self, client: Client, code: str | None = None) -> None:
        about = {"n": 1, "part": 1, "parts": 2, "data": "YQ"}
        if code is None:
            client.call("vault.put", **about)
        else:
            self.refused(code, client, "vault.put", **about)

    def test_time(self) -> None:
        self.begin(self.alice)
        self.world.clock.advance(vault.WAITS + 1)
        self.begin(self.bob)
        self.ends(self.alice, "vault_incomplete")
        self.ends(self.bob)

    def test_room(self) -> None:
        """For more than there is room for the oldest ones go."""
        self.patch(vault.Vaults.__init__, "__defaults__", (PART * 2,))
        self.world = World(self.world.database, self.world.vault)
        clients = (self.alice, self.tablet, self.bob)
        for client in clients:
            client.world = self.world
            self.begin(client.resume())
        self.ends(self.alice, "vault_incomplete")
        self.ends(self.tablet)
        self.ends(self.bob)


class BoundTests(VaultCase):
    limits: dict[str, Any] = {"vault_parts_per_account": 0.001, "vault_parts_per_account_burst": 3}

    def test_rate(self) -> None:
        """Reading and writing count together."""
        self.put(self.alice, 1, b"x")
        self.read(self.alice)
        self.put(self.tablet, 2, b"x")
        self.refused("rate_limited", self.tablet, "vault.get")
        self.refused("rate_limited", self.alice, "vault.put", n=3, part=0, parts=1, data="YQ")
        self.put(self.bob, 1, b"x")


class AtRestTests(VaultCase):
    def rows(self) -> list[tuple[Any, ...]]:
        query = "SELECT part, version, parts, sealed FROM vaults ORDER BY part"
        return [tuple(row) for row in self.world.database.now(lambda c: c.exec_driver_sql(query).all())]

    def change(self, statement: str, *values: Any) -> None:
        self.world.database.transact(lambda c: c.exec_driver_sql(statement, values))

    def test_sealed(self) -> None:
        """What a client has encrypted is sealed once more, and bound to where it stands."""
        octets = b"canary" * PART
        self.put(self.alice, 1, octets[: PART + 100])
        before = self.rows()
        self.assertNotIn(b"canarycanary", b"".join(row[-1] for row in before))
        self.put(self.alice, 2, octets[: PART + 100])
        for part, _, _, sealed in before:  # somebody's hand in the database puts the old one back
            self.change("UPDATE vaults SET sealed = ? WHERE part = ?", sealed, part)
        self.refused("not_found", self.alice, "vault.get")
        self.flushLoggedErrors()
        self.put(self.alice, 3, b"another one")  # which does not open what was there
        self.assertEqual(self.read(self.alice), (3, b"another one"))

    def test_swapped_parts(self) -> None:
        self.put(self.alice, 1, b"x" * (PART * 2))
        for part in (0, 1):
            self.change("UPDATE vaults SET part = ? WHERE part = ?", part + 10, part)
        for part in (0, 1):
            self.change("UPDATE vaults SET part = ? WHERE part = ?", 1 - part, part + 10)
        self.refused("not_found", self.alice, "vault.get")
        self.flushLoggedErrors()


class ClosedTests(GroupCase):
    def test_gone(self) -> None:
        """With the account its vault is gone, and what waits for more parts."""
        self.alice.call("account.pin.set", password=PASSWORD, pin=PIN)
        for client in (self.alice, self.bob):
            client.call("vault.put", n=1, part=0, parts=1, data="YQ")
        Client(self.world, "198.51.100.1").call("account.block", username="alice", pin=PIN)
        self.world.settle(5)
        self.assertEqual(self.world.database.count("vaults"), 1)
        self.assertEqual(self.bob.call("vault.get")["n"], 1)
