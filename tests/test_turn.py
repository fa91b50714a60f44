"""The relay of calls as far as the node has to do with it: credentials, secrets, the section `[turn]`."""

import hmac
import os
import re
from base64 import b64encode
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from hashlib import sha1
from io import StringIO
from itertools import zip_longest
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from msgspec.json import encode
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin import turn_cli
from safeum_home.admin.cli import main
from safeum_home.admin.offline import Offline
from safeum_home.admin.turn_wire import TurnGrant
from safeum_home.config import Config, ConfigError, TurnSection, parse
from safeum_home.daemon import Owner
from safeum_home.errors import Code, Erased, Problem
from safeum_home.grants.turn import RELAY_PERIOD, NotGranted, RelayGrant, granted
from safeum_home.node.turn_operation import turn_handlers
from safeum_home.protocol.commands.calls import RelayCredentials
from safeum_home.sealing.relay import DerivedRelaySecrets
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import open_vault
from tests.test_config import NODE, ROOT
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


class CommandTests(SynchronousTestCase):
    """`safeum-home turn`, with something in the place of the relay."""

    def setUp(self) -> None:
        self.config = Path(self.mktemp())
        self.config.write_text(NODE)
        self.grants: list[RelayGrant] = []

    def _turn(self, *options: str, again: bool = False) -> tuple[int, str, str]:
        """The exit code, and what is said and complained of."""

        def relay(config: Config, ask: Callable[[], RelayGrant], say: Callable[[str], None]) -> int:
            if again:
                try:
                    ask()
                except NotGranted as refusal:
                    say(str(refusal))
            else:
                self.grants.append(ask())
            return 7

        unused: Any = None
        offline = Offline(unused, unused, unused, relay, unused, unused)
        with redirect_stdout(StringIO()) as said, redirect_stderr(StringIO()) as complained:
            code = main(["turn", "--config", str(self.config), *options], offline)
        return code, said.getvalue(), complained.getvalue()

    def test_through(self) -> None:
        """A command prints what the node gives: its exit code is that of the relay."""
        grant = self.mktemp()
        Path(grant).write_bytes(encode(TurnGrant(["a" * 64], 5.0, b"PEM")))
        self.assertEqual(self._turn("--through", f"cat {grant}"), (7, "", ""))
        self.assertEqual(self.grants, [RelayGrant(("a" * 64,), 5.0, b"PEM")])

    def test_through_nothing(self) -> None:
        """What gives none is as a node that does not answer; what it prints is not repeated."""
        for command, reason in (
            ("false", "false: exit code 1"),
            ("no-such-command-anywhere", "no-such-command-anywhere: No such file"),
            ("echo hunter2", "echo: what it prints is not"),
            ("""echo '{"secrets": ["hunter2"], "seconds": 5}'""", "echo: what it prints is not"),
        ):
            code, said, complained = self._turn("--through", command)
            self.assertEqual((code, said), (3, ""))
            self.assertIn(f"No node answers at {reason}", complained)
            self.assertNotIn("hunter2", complained)

    def test_later(self) -> None:
        """A relay that runs is told, and goes on."""
        code, said, _ = self._turn("--through", "false", again=True)
        self.assertEqual((code, said), (7, "no node answers at false: exit code 1\n"))

    def test_no_node(self) -> None:
        """Nobody is at the socket."""
        self.patch(turn_cli, "is_passed_on", lambda output: True)
        for options in ((), ("--grant",)):
            code, said, complained = self._turn("--socket", "/nowhere/admin.sock", *options)
            self.assertEqual((code, said), (3, ""))
            self.assertIn("No node answers at /nowhere/admin.sock", complained)


class DocumentedTests(SynchronousTestCase):
    """docs/turn.md."""

    def setUp(self) -> None:
        self.text = (ROOT / "docs" / "turn.md").read_text()

    def test_settings(self) -> None:
        """It has all of them, and their defaults."""
        rows = dict(re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (`[^|]+`) \|", self.text, re.M))
        shown = {
            name: default
            for names, defaults in rows.items()
            for name, default in zip_longest(names.split(", "), defaults.split(", "), fillvalue=defaults)
        }
        expected = {
            f"`{name}`": f"`{msgspec.json.encode(value).decode()}`"
            for name, value in msgspec.structs.asdict(TurnSection()).items()
        }
        self.assertEqual(shown, expected)

    def test_configurations(self) -> None:
        """Each that it shows is one."""
        blocks = re.findall(r"^```toml\n(.*?)^```$", self.text, re.M | re.S)
        self.assertGreater(len(blocks), 2)
        for block in blocks:
            self.assertTrue(parse(block if "[node]" in block else NODE + block).turn.urls)
