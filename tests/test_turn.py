"""The relay of calls as far as the node has to do with it: credentials, secrets, the section `[turn]`."""

import hmac
import os
from base64 import b64encode
from hashlib import sha1
from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config import ConfigError, TurnSection, parse
from safeum_home.errors import Code, Erased, Problem
from safeum_home.node.turn_operation import turn_handlers
from safeum_home.ports.turn import RELAY_PERIOD, RelayGrant, granted
from safeum_home.protocol.commands.calls import RelayCredentials
from safeum_home.sealing.relay import DerivedRelaySecrets
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import open_vault
from safeum_home.turn.keeping import Owner
from tests.test_config import NODE
from tests.world import Refused, World
from tests.world_parts import arena

URLS = ["turn:turn.example:3478?transport=udp", "turns:turn.example:5349?transport=tcp"]
SELF = Owner(os.geteuid(), os.getegid())


class CredentialTests(SynchronousTestCase):
    """`turn.credentials`."""

    def setUp(self) -> None:
        self.world = World(
            turn=TurnSection(URLS), relay_credentials_per_account=0.1, relay_credentials_per_account_burst=3
        )
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")

    def _secret(self, before: int = 0) -> bytes:
        return self.world.vault.relay.of(int(self.world.clock.seconds() // RELAY_PERIOD) - before)

    def test_form(self) -> None:
        """A time and something random, and its HMAC: as every relay with that interface takes them."""
        found = self.alice.call("turn.credentials")
        now = self.world.clock.seconds()
        self.assertEqual(found["urls"], URLS)
        self.assertEqual(found["until"], int(now + 600) * 1000)
        until, _, name = found["username"].partition(":")
        self.assertEqual(int(until) * 1000, found["until"])
        self.assertRegex(name, r"\A[A-Za-z0-9_-]{22}\Z")
        mac = hmac.new(self._secret(), found["username"].encode(), sha1).digest()
        self.assertEqual(found["password"], b64encode(mac).decode())

    def test_nobody_is_named(self) -> None:
        """Nothing in them is the account's or the device's, or the same twice."""
        found = [self.alice.call("turn.credentials") for _ in range(2)] + [self.bob.call("turn.credentials")]
        names = [each["username"].partition(":")[2] for each in found]
        self.assertEqual(len(set(names)), 3)
        for own in ("alice", self.alice.account, self.alice.device):
            for each in found:
                self.assertNotIn(str(own), each["username"])

    def test_rate(self) -> None:
        """So many at once for one account, which takes nothing from others; limits may change."""
        other = self.world.login("alice")
        for client in (self.alice, other, self.alice):
            client.call("turn.credentials")
        for client in (self.alice, other):
            self.assertEqual(self.assertRaises(Refused, client.call, "turn.credentials").code, "rate_limited")
        self.bob.call("turn.credentials")
        self.world.clock.advance(10)
        self.alice.call("turn.credentials")
        self.world.domain.control.limits.set("relay_credentials_per_account_burst", "4")
        self.alice.call("turn.credentials")

    def test_no_relay(self) -> None:
        """Without one there is nothing to be told, and no limit."""
        world = World(relay_credentials_per_account_burst=1)
        alice = world.register("alice")
        for _ in range(3):
            found = alice.call("turn.credentials")
            self.assertEqual(found, {"urls": [], "username": "", "password": "", "until": 0})

    def test_hidden(self) -> None:
        """A password is in no repr."""
        self.assertNotIn("hunter2", repr(RelayCredentials([], "user", "hunter2", 0)))
        self.assertNotIn("hunter2", repr(RelayGrant(("hunter2",), 1.0, b"hunter2")))

    def test_rotation(self) -> None:
        """Each day has another secret; the relay has that of the day before and the next, too."""
        before = self._secret()
        self.world.clock.advance(RELAY_PERIOD)
        found = self.alice.call("turn.credentials")
        mac = hmac.new(self._secret(), found["username"].encode(), sha1).digest()
        self.assertEqual(found["password"], b64encode(mac).decode())
        self.assertNotEqual(before, self._secret())
        given = granted(self.world.vault.relay, self.world.clock.seconds(), None)
        self.assertEqual(
            given.secrets, tuple(self._secret(days).decode() for days in (1, 0, -1)), "before, now, next"
        )

    def test_grant_lasts(self) -> None:
        """Whenever it was given, it holds until the relay asks again, whatever is minted meanwhile."""
        secrets = self.world.vault.relay
        for now in (RELAY_PERIOD + 0.0, RELAY_PERIOD + 1.0, 2 * RELAY_PERIOD - 1.0, RELAY_PERIOD * 20_000.1):
            grant = granted(secrets, now, None)
            for at in (now, now + grant.seconds - 0.001, now + grant.seconds, now + RELAY_PERIOD - 1):
                self.assertIn(secrets.of(int(at // RELAY_PERIOD)).decode(), grant.secrets)
            # What was minted last with the one that goes has expired.
            last = (int(now // RELAY_PERIOD) - 1) * RELAY_PERIOD + 86400
            self.assertLessEqual(last, now)


class SecretTests(SynchronousTestCase):
    """The secrets that a node and its relay share."""

    def test_derived(self) -> None:
        """The same after each start, another one of each root and for each period, until they are wiped."""
        root = generate(arena())
        one, again, other = (open_vault(each, None).relay for each in (root, root, generate(arena())))
        self.assertIsInstance(one, DerivedRelaySecrets)
        self.assertEqual([one.of(n) for n in range(3)], [again.of(n) for n in range(3)])
        self.assertEqual(len({secrets.of(n) for secrets in (one, other) for n in range(3)}), 6)
        self.assertRegex(one.of(1).decode(), r"\A[0-9a-f]{64}\Z")
        again.wipe()
        self.assertRaises(Erased, again.of, 1)

    def _grant(self, text: str) -> Any:
        config = parse(NODE + text)
        vault = open_vault(generate(arena()), None)
        vault.secrets.set("turn-key", b"PEM")
        vault.secrets.set("other", b"hunter2")
        reactor = SimpleNamespace(seconds=lambda: 1.5 * RELAY_PERIOD)
        node: Any = SimpleNamespace(config=config, reactor=reactor, seal=SimpleNamespace(vault=vault))
        handler = turn_handlers(node)["turn.grant"]
        return handler.call(handler.params())

    def test_grant(self) -> None:
        """Of the sealed store the relay is given the key that the configuration names, and nothing else."""
        turn = '[turn]\nurls = ["turn:turn.example"]\ncertificate = "/chain.pem"\n'
        found = self._grant(turn + 'key = "secret:turn-key"')
        self.assertEqual((len(found.secrets), found.seconds, found.key), (3, RELAY_PERIOD / 2, b"PEM"))
        self.assertNotIn(found.secrets[0], repr(found))
        self.assertIsNone(self._grant(turn + 'key = "file:/run/key.pem"').key)
        with self.assertRaises(Problem) as caught:
            self._grant(turn + 'key = "secret:missing"')
        self.assertIs(caught.exception.code, Code.NOT_FOUND)
        with self.assertRaises(Problem) as caught:
            self._grant("")
        self.assertIs(caught.exception.code, Code.WRONG_STATE)


class SectionTests(SynchronousTestCase):
    """`[turn]`."""

    def test_refused(self) -> None:
        """What is no URL, address or network, or could be more than one line for coturn."""
        for line in (
            'urls = ["stun:turn.example"]',
            'urls = ["turn:turn.example?transport=sctp"]',
            'urls = ["turn:user@turn.example"]',
            'urls = ["turn:turn.example\\n"]',
            f"urls = {['turn:turn.example'] * 9}",
            "valid_seconds = 59",
            "valid_seconds = 86401",
            'key = "hunter2"',
            'certificate = "chain.pem"\nkey = "secret:x"',
            'certificate = "/chain.pem"',
            'realm = "a\\nno-auth"',
            'listen = ["localhost"]',
            'listen = ["fe80::1%eth0"]',
            'relay = ["127.0.0.1\\nno-auth"]',
            'external = ["1.2.3.4/5.6.7.8/9.9.9.9"]',
            'external = ["public"]',
            'allow = ["10.0.0.1/8"]',
            'deny = ["everybody"]',
            "port = 0",
            "first_port = 80",
            "first_port = 50000\nlast_port = 49999",
            "allocations = 0",
            'user = "root; true"',
            'static_secret = "x"',
        ):
            self.assertRaises(ConfigError, parse, f"{NODE}[turn]\n{line}")

    def test_taken(self) -> None:
        """Both kinds of addresses, with ports or without."""
        urls = '["turn:[2001:db8::1]:3478", "turns:turn.example", "turn:192.0.2.1?transport=tcp"]'
        found = parse(f'{NODE}[turn]\nurls = {urls}\nexternal = ["192.0.2.1/10.0.0.1"]\nlisten = ["::1"]')
        self.assertEqual(len(found.turn.urls), 3)
