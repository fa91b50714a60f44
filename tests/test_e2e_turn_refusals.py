"""What the relay refuses: credentials that are not its node's, and peers that are nobody's business."""

import asyncio
import os
import resource
import shutil
import signal
import ssl
import tempfile
import time
from os import urandom
from pathlib import Path
from socket import AF_INET6, socket
from typing import ClassVar

import msgspec
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from safeum_home.admin.turn_wire import TurnGrant
from safeum_home.gateway.tls import self_signed
from tests.e2e.node_process import PATIENCE
from tests.e2e.relay import (
    Allocation,
    RelayProcess,
    Section,
    credentials,
    is_running,
    needs,
    peers,
    refused,
    until,
    wait,
)

NODE = '[node]\nname = "localhost"\nstate_dir = "/nowhere"\n'
SECRETS = [urandom(32).hex() for _ in range(5)]
HOUR = 3600.0


class AloneCase(SynchronousTestCase):
    """Relays without a node."""

    def setUp(self) -> None:
        needs()
        self.folder = Path(tempfile.mkdtemp(prefix="safeum-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.folder)

    def give(self, *secrets: str, key: bytes | None = None) -> None:
        """What the relay is given when it asks."""
        grant = TurnGrant(list(secrets), HOUR, key)
        (self.folder / "grant").write_bytes(msgspec.json.encode(grant))

    def start(self, section: Section, *without: str) -> RelayProcess:
        config = self.folder / "node.toml"
        config.write_text(NODE + section.text)
        relay = RelayProcess.alone(config, self.folder / "grant", self.folder / "log", *without)
        self.addCleanup(relay.stop)
        return relay.started()


class CredentialTests(AloneCase):
    """Who has credentials that are right, and good now, is served: nobody else."""

    def setUp(self) -> None:
        super().setUp()
        before = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_CORE, before)
        self.give(*SECRETS[:3])
        self.section = Section('allow = ["127.0.0.1/32"]\nallocations_each = 8')
        self.relay = self.start(self.section)

    def _refused(self, secret: str, seconds: float = 60.0, **changed: str) -> int:
        access = credentials(secret, time.time() + seconds)
        return refused(self.section.port, msgspec.structs.replace(access, **changed))

    def test_refused(self) -> None:
        """Wrong ones, those of another node, expired ones, and those that were changed."""
        self.assertEqual([self._refused(secret) for secret in SECRETS[:3]], [0, 0, 0])
        self.assertEqual(self._refused("f" * 64), 401)
        self.assertEqual(self._refused(SECRETS[1], -1), 401)
        self.assertEqual(self._refused(SECRETS[1], password="wrong"), 401)
        self.assertEqual(self._refused(SECRETS[1], password=""), 401)
        later = f"{int(time.time() + HOUR)}:somebody"
        self.assertEqual(self._refused(SECRETS[1], username=later), 401)
        self.assertEqual(self._refused(SECRETS[1], -1, username=later), 401)
        self.assertEqual(self._refused(SECRETS[1], username="somebody"), 401)
        # One pair of them is good for so many allocations at once, whoever has got hold of it.
        access = credentials(SECRETS[1], time.time() + 60, "one")

        async def story() -> int:
            made = [await Allocation.make(self.section.port, access) for _ in range(8)]
            code = await asyncio.to_thread(refused, self.section.port, access)
            for allocation in made:
                await allocation.close()
            return code

        self.assertEqual(wait(story()), 486)

    def test_rotation(self) -> None:
        """Those of the period before are good, those from before that are not; what runs goes on."""
        port = self.section.port

        async def story() -> None:
            running = await Allocation.make(port, credentials(SECRETS[0], time.time() + 60))
            self.give(*SECRETS[1:4])
            self.relay.renew()
            while await asyncio.to_thread(self._refused, SECRETS[3]):
                pass
            self.assertEqual(
                [await asyncio.to_thread(self._refused, secret) for secret in SECRETS[:4]], [401, 0, 0, 0]
            )
            self.assertEqual(await running.refresh(), 0)
            self.assertEqual(await running.bind("127.0.0.1"), 0)
            await running.close()

        wait(story())

    def test_running_goes_on(self) -> None:
        """Credentials that have expired begin nothing; what was begun with them is as long as it is."""
        port, access = self.section.port, credentials(SECRETS[1], time.time() + 2)

        async def story() -> None:
            running = await Allocation.make(port, access)
            while await asyncio.to_thread(refused, port, access) == 0:
                pass
            self.assertEqual(await running.refresh(), 0)
            self.assertEqual(await running.bind("127.0.0.1"), 0)
            await running.close()

        wait(story())

    def test_killed(self) -> None:
        """What is killed takes the rest with it, and leaves nothing in the way of the next start."""
        config, grant = self.folder / "node.toml", self.folder / "grant"
        self.assertRegex(Path(f"/proc/{self.relay.coturn}/limits").read_text(), r"core file size +0 +0 ")
        # A second relay at the same port is refused: it would take half of the clients.
        other = RelayProcess.alone(config, grant, self.folder / "other")
        self.addCleanup(other.stop)
        self.assertEqual(other.process.wait(PATIENCE), 1)
        self.assertIn("Address already in use", other.log.read_text())
        coturn, left = self.relay.coturn, self._directories()
        self.relay.process.kill()
        self.relay.process.wait(PATIENCE)
        until(lambda: not is_running(coturn))
        self.assertTrue(left <= self._directories())
        relay = self.start(self.section)
        self.assertFalse(left & self._directories())
        os.kill(relay.coturn, signal.SIGKILL)
        self.assertEqual(relay.process.wait(PATIENCE), 1)
        self.assertIn("coturn has ended by itself: SIGKILL", relay.log.read_text())

    def _directories(self) -> set[Path]:
        """Those in memory that have the secrets of this test."""
        found = Path("/dev/shm").glob("safeum-turn-*/secrets.sqlite")
        return {path for path in found if SECRETS[1].encode() in path.read_bytes()}


class TlsTests(AloneCase):
    """The relay over TLS."""

    def test_certificate_is_renewed(self) -> None:
        """Another certificate and key are served once they are there."""
        chain = self.folder / "chain.pem"
        first, key = self_signed(["localhost"])
        chain.write_bytes(first)
        self.give(*SECRETS[:3], key=key)
        section = Section(f'certificate = "{chain}"\nkey = "secret:turn-key"\nallow = ["127.0.0.1/32"]')
        relay = self.start(section)

        def served() -> str:
            return ssl.get_server_certificate(("127.0.0.1", section.tls_port))

        self.assertEqual(served().encode().split(), first.split())
        context = ssl.create_default_context(cadata=first.decode())
        context.check_hostname = False
        access = credentials(SECRETS[1], time.time() + 60)
        code = refused(section.tls_port, access, transport="tcp", ssl=context)
        self.assertEqual(code, 0)
        second, key = self_signed(["localhost"])
        chain.write_bytes(second)
        self.give(*SECRETS[:3], key=key)
        relay.renew()
        relay.until(lambda: served().encode().split() == second.split())
        self.assertNotIn(b"PRIVATE", relay.log.read_bytes())


class PeerTests(AloneCase):
    """Peers that are in the operator's own networks, in whatever way they are written."""

    REFUSED: ClassVar = [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "::ffff:8.8.8.8",
        "::ffff:0:10.1.2.3",
        "64:ff9b::10.1.2.3",
        "64:ff9b:1::10.1.2.3",
        "2002:a01:203::1",
        "2001::1",
        "fe80::1",
        "fd00::1",
        "fec0::1",
        "ff02::1",
    ]
    PUBLIC: ClassVar = ["8.8.8.8", "2a00:1450::1"]

    def _answers(self, *without: str) -> dict[str, set[int]]:
        with socket(AF_INET6) as probe:
            try:
                probe.bind(("::1", 0))
            except OSError:
                raise SkipTest("no IPv6 here") from None
        self.give(*SECRETS[:3])
        section = Section(listen=("127.0.0.1", "::1"))
        self.start(section, *without)
        access = credentials(SECRETS[1], time.time() + 60)
        return peers(section.port, access, [*self.REFUSED, *self.PUBLIC])

    def test_refused(self) -> None:
        """403 to whoever wants to send there, or to hear from there; the log does not say where that was."""
        found = self._answers()
        self.assertEqual({peer for peer, codes in found.items() if codes != {403}}, set(self.PUBLIC))
        self.assertEqual([found[peer] for peer in self.PUBLIC], [{0}, {0}])
        logged = (self.folder / "log").read_text()
        self.assertIn("ERROR: A peer IP (address) denied in the range", logged)
        for address in ("10.1.2.3", "a01:203", "fd00::1", "169.254"):
            self.assertNotIn(address, logged)

    def test_by_these_lines(self) -> None:
        """It is the configuration that refuses them: without, all are served but what is no address."""
        found = self._answers("denied-peer-ip", "no-multicast-peers")
        refused = {peer for peer, codes in found.items() if codes != {0}}
        self.assertEqual(refused, {"0.0.0.0", "::"})
