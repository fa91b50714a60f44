"""The relay against mistakes of its operator, coturn that was taken over, and accounts that take too much."""

import os
import pwd
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing, redirect_stderr
from functools import cache
from io import StringIO
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from unittest import SkipTest

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin import turn_cli
from safeum_home.admin.cli import main
from safeum_home.admin.offline import Offline
from safeum_home.admin.turn_wire import TurnGrant
from safeum_home.config import ConfigError, LimitSection, TurnSection, parse
from safeum_home.daemon import Owner, being
from safeum_home.grants.turn import RelayGrant
from safeum_home.outgoing.addresses import Addresses
from safeum_home.turn.coturn import configuration
from safeum_home.turn.keeping import Kept
from tests.test_config import NODE

SECRET = "ab" * 32
NETWORKS = ["64:ff9b::/96", "64:ff9b:1:2:3:4::/96", "10.0.0.0/8", "127.0.0.1/32"]


class NonsenseTests(SynchronousTestCase):
    """`[turn]`: what cannot be meant."""

    def test_refused(self) -> None:
        for lines in (
            'urls = ["turn:turn.example:99999"]',
            'urls = ["turn:[::::::]:3478"]',
            'urls = ["turn:[192.0.2.1]:3478"]',
            'port = 5349\ncertificate = "/chain.pem"\nkey = "secret:x"',
            "port = 50000",
            'tls_port = 65535\ncertificate = "/chain.pem"\nkey = "secret:x"',
            'relay = ["224.0.0.1"]',
            'relay = ["::"]',
            'listen = ["ff02::1"]',
            'external = ["0.0.0.0/10.0.0.1"]',
            'external = ["192.0.2.1/::1"]',
            'external = ["192.0.2.1", "192.0.2.2"]',
            'external = ["192.0.2.1", "192.0.2.2/10.0.0.1"]',
            'allow = ["0.0.0.0/0"]',
            'allow = ["::/0"]',
            'allow = ["::/96"]',
            'allow = ["126.0.0.0/7"]',
            'allow = ["::ffff:0:0/96"]',
            'allow = ["2002::/16"]',
            'allow = ["2001::/32"]',
            'allow = ["64:ff9b::/32"]',
            'allow = ["64:ff9b:1::/48"]',
            "octets_per_second = 1000",
        ):
            self.assertRaises(ConfigError, parse, f"{NODE}[turn]\n{lines}")

    def test_taken(self) -> None:
        for lines in (
            'urls = ["turn:turn.example:65535", "turns:[2001:db8::1]"]',
            'external = ["192.0.2.1"]',
            'external = ["192.0.2.1/10.0.0.1", "2001:db8::1/fd00::1"]',
            'allow = ["127.0.0.0/8", "127.0.0.1/32", "::1/128", "10.0.0.0/8", "fd00::/8", "64:ff9b::/96"]',
            "port = 5349",
            "octets_per_second = 500000",
        ):
            parse(f"{NODE}[turn]\n{lines}")


@cache
def ranges(allow: Sequence[str], deny: Sequence[str]) -> list[tuple[bool, Any, Any]]:
    """Whether each is relayed to, in the order in which coturn looks at them."""
    section = TurnSection(allow=list(allow), deny=list(deny))
    found: list[tuple[bool, Any, Any]] = []
    for line in configuration(section, "home.example", Path("/ram/secrets"), None).splitlines():
        name, _, value = line.partition("=")
        if name in ("allowed-peer-ip", "denied-peer-ip"):
            first, last = map(ip_address, value.split("-"))
            found.append((name.startswith("allowed"), first, last))
    return sorted(found, key=lambda each: not each[0])


class RangeTests(SynchronousTestCase):
    """What coturn relays to where the operator has exceptions: it looks at what is allowed first."""

    def is_relayed(self, section: TurnSection, address: str) -> bool:
        at: Any = ip_address(address)
        for answer, first, last in ranges(tuple(section.allow), tuple(section.deny)):
            if first.version == at.version and first <= at <= last:
                return answer
        return True

    @settings(max_examples=50)
    @given(
        st.sets(st.sampled_from(NETWORKS)).map(sorted),
        st.sampled_from(["64:ff9b::", "64:ff9b:1:2:3:4:"]),
        st.ip_addresses(v=4) | st.sampled_from(["10.0.0.1", "127.0.0.1", "127.0.0.2", "169.254.169.254"]),
    )
    def test_translated(self, allow: list[str], prefix: str, inside: Any) -> None:
        """As with what the node itself connects to: what is private stays so behind a translator."""
        address = str(ip_address(f"{prefix}{inside}"))
        expected = f"{prefix}:/96".replace(":::", "::") in allow and Addresses(allow).allows(address)
        if str(inside) != "0.0.0.0":
            self.assertEqual(self.is_relayed(TurnSection(allow=allow), address), expected)

    def test_denied(self) -> None:
        """A host of a network that is allowed."""
        section = TurnSection(
            allow=["10.0.0.0/8", "fd00::/8"], deny=["10.1.2.3/32", "fd00::1/128", "8.8.8.8/32"]
        )
        relayed = ["10.1.2.2", "10.1.2.4", "10.255.255.255", "fd00::2", "8.8.4.4"]
        for address in relayed:
            self.assertTrue(self.is_relayed(section, address), address)
        for address in ("10.1.2.3", "fd00::1", "8.8.8.8", "192.168.0.1"):
            self.assertFalse(self.is_relayed(section, address), address)

    def test_denied_behind_a_translator(self) -> None:
        section = TurnSection(allow=["64:ff9b::/96", "10.0.0.0/8"], deny=["10.1.2.3/32"])
        self.assertTrue(self.is_relayed(section, "64:ff9b::10.1.2.2"))
        self.assertFalse(self.is_relayed(section, "64:ff9b::10.1.2.3"))


class RoomTests(SynchronousTestCase):
    def test_one_account(self) -> None:
        """It gets a small part of the relay at once, and not all of it in an hour."""
        limits, section = LimitSection(), TurnSection()
        at_once = limits.relay_credentials_per_account_burst * section.allocations_each
        later = 3600 * limits.relay_credentials_per_account * section.allocations_each
        self.assertLessEqual(at_once, section.allocations / 20)
        self.assertLess(at_once + later, section.allocations)


class TakenOverTests(SynchronousTestCase):
    """coturn's user owns the directory that its secrets are in, and may put there what it likes."""

    def setUp(self) -> None:
        if os.geteuid() != 0:
            raise SkipTest("only root has more than coturn's user")
        nobody = pwd.getpwnam("nobody")
        self.owner = Owner(nobody.pw_uid, nobody.pw_gid)
        # Not below what only root enters.
        folders = [tempfile.TemporaryDirectory(dir=base) for base in ("/dev/shm", "/tmp")]
        for folder in folders:
            self.addCleanup(folder.cleanup)
        self.memory, self.disk = (Path(folder.name) for folder in folders)
        os.chown(self.memory, *self.owner)
        os.chmod(self.disk, 0o755)
        self.kept = Kept(self.memory, self.owner, "realm", None)
        self.kept.take(RelayGrant((SECRET,), 1.0, None))

    def test_link(self) -> None:
        """Nothing is written where that leads, nor made there: it could not write there itself."""
        there = self.disk / "node.db"
        with closing(sqlite3.connect(there)) as database:
            database.execute("CREATE TABLE accounts (a)")
        before = there.read_bytes()
        for target in (there, self.disk / "new"):
            self.kept.database.unlink()
            self.kept.database.symlink_to(target)
            self.assertRaises(OSError, self.kept.take, RelayGrant(("cd" * 32,), 1.0, None))
        self.assertEqual(there.read_bytes(), before)
        self.assertEqual([path.name for path in self.disk.iterdir()], ["node.db"])
        self.assertEqual((os.geteuid(), os.getegid()), (0, os.getgid()))

    def test_its_own(self) -> None:
        self.assertEqual(self.kept.database.stat().st_uid, self.owner.uid)
        self.assertEqual(self.kept.database.stat().st_mode & 0o777, 0o600)

    def test_no_database(self) -> None:
        """What is none is told as a failure: the relay goes on with what it has."""
        self.kept.database.write_bytes(b"nothing of the kind" * 100)
        self.assertRaises(OSError, self.kept.take, RelayGrant((SECRET,), 1.0, None))

    def test_groups(self) -> None:
        """Nor with the rights of root's groups."""
        with being(self.owner):
            self.assertEqual((os.geteuid(), os.getegid(), os.getgroups()), (*self.owner, []))


class GrantTests(SynchronousTestCase):
    """`turn --grant`: what it prints is kept nowhere."""

    def granted(self, output: Any) -> int:
        self.patch(turn_cli, "_granted", lambda socket: TurnGrant([SECRET], 3600.0))
        self.patch(sys, "stdout", output)
        config = Path(self.mktemp())
        config.write_text(NODE)
        unused: Any = None
        with redirect_stderr(StringIO()):
            try:
                return main(["turn", "--config", str(config), "--grant"], Offline(*[unused] * 6))
            except SystemExit as ended:
                return int(ended.code or 0)
            finally:
                output.flush()

    def test_pipe(self) -> None:
        reading, writing = os.pipe()
        with open(writing, "w") as output:
            self.assertEqual(self.granted(output), 0)
        with open(reading) as given:
            self.assertIn(SECRET, given.read())

    def test_file(self) -> None:
        with open(self.mktemp(), "w+") as output:
            self.assertEqual(self.granted(output), 2)
            output.seek(0)
            self.assertEqual(output.read(), "")
