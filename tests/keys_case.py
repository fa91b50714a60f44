"""Key pairs for tests, and people who publish them. The product makes no private keys at the node."""

from collections.abc import Iterable
from hashlib import sha256
from itertools import pairwise
from typing import Any

from nacl.public import PrivateKey
from nacl.signing import SigningKey
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.protocol.key_types import identity_octets, key_hash, launch_octets
from safeum_home.protocol.signing import encode_octets
from tests.world import Client, Refused, World

LAUNCHED = 1_700_000_000_000
"""When programs were launched: on the day of the tests' clock."""


class Pair:
    """A unique key: the two private keys of it, made from a seed."""

    def __init__(self, seed: int) -> None:
        self.signing = SigningKey(seed.to_bytes(32, "big"))
        self.sign = encode_octets(bytes(self.signing.verify_key))
        secret = sha256(bytes(self.signing)).digest()
        self.box = encode_octets(bytes(PrivateKey(secret).public_key))

    @property
    def hash(self) -> str:
        return str(key_hash(self.sign, self.box))

    def signed(self, octets: bytes) -> str:
        return encode_octets(bytes(self.signing.sign(octets).signature))

    def identity(self, account: str, at: int = 1) -> dict[str, Any]:
        """As it is published."""
        signature = self.signed(identity_octets(account, self.sign, self.box, at))
        return {"sign": self.sign, "box": self.box, "at": at, "signature": signature}

    def bind(self, account: str, device: str, launch: "Pair", at: int = LAUNCHED) -> str:
        """A signature of a device's keys."""
        return self.signed(launch_octets(account, device, launch.sign, launch.box, at))


def publish(client: Client, pair: Pair, replaces: str | None = None, at: int = 1) -> dict[str, Any]:
    identity = pair.identity(client.account, at)
    return client.call("keys.publish", identity=identity, replaces=replaces)


def query(client: Client, *others: Client, launches: bool = False) -> list[dict[str, Any]]:
    accounts = [other.account for other in others]
    return list(client.call("keys.query", accounts=accounts, launches=launches)["keys"])


def told(client: Client) -> list[tuple[str, str, str]]:
    """The changes that a device has heard of: whose, before and after."""
    changes = [event["params"] for event in client.take("keys.changed")]
    return [(change["account"], change["before"], change["after"]) for change in changes]


def changes(client: Client, *pairs: Pair) -> list[tuple[str, str, str]]:
    """What is told where an account has had these keys, one after the other."""
    return [(client.account, before.hash, after.hash) for before, after in pairwise(pairs)]


def hashes(pairs: Iterable[Pair]) -> list[str]:
    return [pair.hash for pair in pairs]


FIRST, SECOND, THIRD = Pair(1), Pair(2), Pair(3)


class KeysCase(SynchronousTestCase):
    """Alice and Bob have a chat; Carol is a stranger to both."""

    limits: dict[str, Any] = {}

    def setUp(self) -> None:
        self.world = World(**self.limits)
        self.alice, self.bob, self.carol = map(self.world.register, ("alice", "bob", "carol"))
        self.chat = self.world.befriend(self.alice, self.bob)

    def restart(self) -> None:
        """The node's memory is gone."""
        self.world = World(self.world.database, self.world.vault, **self.limits)
        for client in (self.alice, self.bob, self.carol):
            client.world = self.world
            client.connect()
            client.opened(client.call("session.resume", token=client.token, since=client.cursor))

    def refused(self, code: str, client: Client, method: str, **params: Any) -> Refused:
        refused: Refused = self.assertRaises(Refused, client.call, method, **params)
        self.assertEqual(refused.code, code)
        return refused
