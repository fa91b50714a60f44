"""What coturn is told, what is kept for it in memory, and what is passed on of its log."""

import os
import sqlite3
import stat
import tempfile
from contextlib import closing
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config import TurnSection
from safeum_home.daemon import Owner
from safeum_home.errors import Code, Problem
from safeum_home.grants.turn import RelayGrant
from safeum_home.outgoing.addresses import REFUSED, Addresses, embedded
from safeum_home.turn import keeping
from safeum_home.turn.coturn import configuration
from safeum_home.turn.keeping import Kept, directory
from safeum_home.turn.log import LONGEST, SERVES, RelayLog

URLS = ["turn:turn.example:3478?transport=udp", "turns:turn.example:5349?transport=tcp"]
SELF = Owner(os.geteuid(), os.getegid())


class ConfigurationTests(SynchronousTestCase):
    """turnserver.conf."""

    def _lines(self, section: TurnSection, tls: bool = False) -> list[str]:
        paths = (Path("/ram/chain"), Path("/ram/key")) if tls else None
        return configuration(section, "home.example", Path("/ram/secrets"), paths).splitlines()

    def test_least(self) -> None:
        """Authentication, no administration, no TLS without a certificate, and nothing about a secret."""
        lines = self._lines(TurnSection())
        for line in (
            "use-auth-secret",
            "no-cli",
            "no-tls",
            "no-dtls",
            "no-tcp-relay",
            "no-multicast-peers",
            "realm=home.example",
            "userdb=/ram/secrets",
        ):
            self.assertIn(line, lines)
        for beginning in ("static-auth-secret", "allow-loopback", "allowed-peer", "listening-ip", "no-auth"):
            self.assertFalse([line for line in lines if line.startswith(beginning)], beginning)
        self.assertNotIn("web-admin", lines)

    def test_tls(self) -> None:
        """With a certificate; old versions are refused in any case."""
        lines = self._lines(TurnSection(tls_port=443), tls=True)
        for line in ("cert=/ram/chain", "pkey=/ram/key", "tls-listening-port=443", "no-tlsv1", "no-tlsv1_1"):
            self.assertIn(line, lines)
        self.assertNotIn("no-tls", lines)

    def test_settings(self) -> None:
        """Each comes to a line."""
        lines = self._lines(
            TurnSection(
                realm="calls.example",
                listen=["192.0.2.1", "2001:db8::1"],
                relay=["192.0.2.2"],
                external=["198.51.100.1/192.0.2.2"],
                allocations=5,
                allocations_each=2,
                octets_per_second=10,
                octets_per_second_each=3,
                allow=["10.1.0.0/16"],
                deny=["8.8.0.0/16"],
            )
        )
        for line in (
            "realm=calls.example",
            "listening-ip=192.0.2.1",
            "listening-ip=2001:db8::1",
            "relay-ip=192.0.2.2",
            "external-ip=198.51.100.1/192.0.2.2",
            "total-quota=5",
            "user-quota=2",
            "bps-capacity=10",
            "max-bps=3",
            "allowed-peer-ip=10.1.0.0-10.1.255.255",
            "denied-peer-ip=8.8.0.0-8.8.255.255",
        ):
            self.assertIn(line, lines)
        self.assertNotIn("relay-ip=192.0.2.1", lines)
        self.assertNotIn("allow-loopback-peers", lines)

    def test_loopback(self) -> None:
        """It is relayed to only where it is allowed."""
        for network in ("127.0.0.1/32", "127.0.0.0/8", "::1/128", "::/0", "0.0.0.0/0"):
            self.assertIn("allow-loopback-peers", self._lines(TurnSection(allow=[network])), network)

    def test_no_range_is_without_an_end(self) -> None:
        """coturn takes zero at the end of a range for no end, and `::` at its beginning for IPv4."""
        section = TurnSection(allow=["0.0.0.0/32", "::/128", "::/0"], deny=["0.0.0.0/32", "::/128"])
        ranges = [line.partition("=")[2].split("-") for line in self._lines(section) if "-peer-ip=" in line]
        self.assertTrue(ranges)
        for first, last in ranges:
            self.assertNotEqual(int(ip_address(last)), 0)
            self.assertNotEqual(first, "::")
            self.assertEqual(ip_address(first).version, ip_address(last).version)

    @given(st.ip_addresses() | st.sampled_from(REFUSED).flatmap(lambda each: st.ip_addresses(network=each)))
    def test_addresses(self, address: IPv4Address | IPv6Address) -> None:
        """What the node itself may not connect to is in what is not relayed to, and nothing else."""
        ranges = [
            line.partition("=")[2].split("-") for line in self._lines(TurnSection()) if "denied-" in line
        ]
        denied = any(
            ip_address(first).version == address.version and ip_address(first) <= address <= ip_address(last)  # type: ignore[operator]  # of one version
            for first, last in ranges
        )
        is_isatap = (
            isinstance(address, IPv6Address)
            and address in ip_network("2000::/3")
            and bool(embedded(address))
            and not denied
        )
        if not is_isatap and int(address) != 0:
            self.assertEqual(denied, not Addresses().allows(str(address)))


class LogTests(SynchronousTestCase):
    """What is passed on of what coturn says."""

    def setUp(self) -> None:
        self.now = 0.0
        self.log = RelayLog(lambda: self.now)

    def _take(self, text: str) -> list[str]:
        return list(self.log.take(text.encode()))

    def _serve(self) -> None:
        self.assertEqual(self._take("0: : Total General servers: 2\n"), [SERVES])

    def test_start(self) -> None:
        """What matters is said at once; all of it where it ends without serving, in pieces as it comes."""
        self.assertEqual(self._take("0: : Listener address: 192.0.2.1\n0: : Cannot bi"), [])
        self.assertEqual(self._take("nd to 192.0.2.1\n"), ["0: : Cannot bind to 192.0.2.1"])
        everything = ["0: : Listener address: 192.0.2.1", "0: : Cannot bind to 192.0.2.1"]
        self.assertEqual(list(self.log.ended()), everything)
        self._serve()
        self.assertEqual(list(self.log.ended()), [])

    def test_addresses(self) -> None:
        """None is passed on, in any way to write it."""
        self._serve()
        for address in (
            "192.0.2.1",
            "192.0.2.1:4000",
            "[2001:db8::1]:4000",
            "::1",
            "2001:db8:1:2:3:4:5:6",
            "::ffff:192.0.2.1",
            "64:ff9b::192.0.2.1",
            "fe80::1%eth0",
        ):
            [line] = self._take(f"1: : ERROR: A peer IP {address} denied in the range: 192.0.0.0-192.0.9.9\n")
            self.assertTrue(line.startswith("1: : ERROR: A peer IP "), line)
            for part in ("192", "2001", "db8", "ff9b", "fe80", "::1"):
                self.assertNotIn(part, line)
        kept = "2: : ERROR: check_stun_auth: Cannot find credentials of user <1795951339:x>"
        self.assertEqual(self._take(f"{kept}\n"), [kept])

    def test_inner_life(self) -> None:
        """What is of no use is not said."""
        self._serve()
        self.assertEqual(self._take("1: : IO method: epoll\nsocket: Protocol not supported\n\n"), [])

    def test_flood(self) -> None:
        """Whoever makes it say much is not given the disk: what is left out is counted."""
        self._serve()
        found = self._take("1: : ERROR: x\n" * 1000)
        self.assertLess(len(found), 250)
        self.now = 10.0
        self.assertEqual(self._take("1: : ERROR: y\n"), ["(800 lines were left out)", "1: : ERROR: y"])

    def test_line_without_an_end(self) -> None:
        """It is not kept for ever."""
        self._serve()
        found = self._take("error" + "x" * 10 * LONGEST)
        self.assertEqual(len(found), 1)
        self.assertLessEqual(len(found[0]), LONGEST)


class KeepingTests(SynchronousTestCase):
    """The directory in memory."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(dir="/dev/shm")
        self.addCleanup(folder.cleanup)
        self.base = Path(folder.name)
        self.environment = {"RUNTIME_DIRECTORY": str(self.base)}

    def _rows(self, kept: Kept) -> set[tuple[str, str]]:
        with closing(sqlite3.connect(kept.database)) as database:
            return set(database.execute("SELECT realm, value FROM turn_secret"))

    def test_secrets(self) -> None:
        """Those that were granted last, and of the others not an octet."""
        with directory(SELF, self.environment) as folder:
            self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
            kept = Kept(folder, SELF, "realm", None)
            old, new = "a" * 64, "b" * 64
            self.assertFalse(kept.take(RelayGrant((old, old[1:] + "d", old[1:] + "e"), 1.0, None)))
            self.assertEqual(len(self._rows(kept)), 3)
            kept.take(RelayGrant((new,), 1.0, None))
            self.assertEqual(self._rows(kept), {("realm", new)})
            self.assertNotIn(old[1:].encode(), b"".join(path.read_bytes() for path in folder.iterdir()))
            self.assertEqual(stat.S_IMODE(kept.database.stat().st_mode), 0o600)
        self.assertEqual(list(self.base.iterdir()), [])

    def test_tls(self) -> None:
        """A certificate or key that is another one is put in place, and said."""
        chain = b"one"

        def tls(given: bytes | None) -> tuple[bytes, bytes]:
            return chain, cast(bytes, given)

        with directory(SELF, self.environment) as folder:
            kept = Kept(folder, SELF, "realm", tls)
            assert kept.tls is not None
            self.assertTrue(kept.take(RelayGrant((), 1.0, b"key")))
            self.assertFalse(kept.take(RelayGrant((), 1.0, b"key")))
            chain = b"two"
            self.assertTrue(kept.take(RelayGrant((), 1.0, b"key")))
            self.assertTrue(kept.take(RelayGrant((), 1.0, b"other")))
            self.assertEqual([path.read_bytes() for path in kept.tls], [b"two", b"other"])
            self.assertEqual(stat.S_IMODE(kept.tls[1].stat().st_mode), 0o400)

    def test_left_behind(self) -> None:
        """What a relay left that was killed goes; what one has that runs stays."""
        left = self.base / "safeum-turn-left"
        left.mkdir()
        (left / "secrets.sqlite").write_bytes(b"secret")
        (self.base / "other").mkdir()
        with directory(SELF, self.environment) as first, directory(SELF, self.environment) as second:
            self.assertEqual(set(self.base.iterdir()), {first, second, self.base / "other"})

    def test_disk(self) -> None:
        """A directory on a disk is refused."""
        self.patch(keeping, "is_in_memory", lambda path: False)
        with self.assertRaises(Problem) as caught, directory(SELF, self.environment):
            pass
        self.assertIs(caught.exception.code, Code.UNSAFE_SOURCE)
