"""The relay as it is run: `safeum-home turn` beside its node, asked by clients that are not ours."""

import asyncio
import fcntl
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.caller import call
from safeum_home.admin.turn_wire import TurnGrant
from safeum_home.admin.wire import Params
from safeum_home.protocol.commands.calls import RelayCredentials
from safeum_home.turn.log import SERVES
from tests.e2e.needs import tool
from tests.e2e.node_process import BIN, PATIENCE, NodeProcess, _free_port
from tests.e2e.people import sign_up
from tests.e2e.relay import Allocation, Echo, RelayProcess, Section, needs, refused, wait

SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class RelayCase(SynchronousTestCase):
    """A node that serves, and its relay; peers at 127.0.0.1 are allowed."""

    def setUp(self) -> None:
        needs()
        self.section = Section('allow = ["127.0.0.1/32"]')
        self.node = NodeProcess(more=self.section.text)
        self.addCleanup(self.node.close)
        self.node.start()
        config, log = self.node.folder / "node.toml", self.node.folder / "relay.log"
        self.relay = RelayProcess.of(config, log, *self.options(config))
        self.addCleanup(self.relay.stop)
        self.relay.started()

    def options(self, config: Path) -> Sequence[str]:
        """Of `safeum-home turn`."""
        return ()

    def credentials(self, name: str) -> RelayCredentials:
        """Of a new account."""
        _, client = sign_up(self.node, name)
        with client:
            return RelayCredentials(**client.call("turn.credentials"))

    def grant(self) -> TurnGrant:
        return call(str(self.node.state / "admin.sock"), "turn.grant", Params(), TurnGrant)


class ServedTests(RelayCase):
    """What an account gets by `turn.credentials` is good at the relay, which has its secrets by a command."""

    def options(self, config: Path) -> Sequence[str]:
        return "--through", f"{BIN}/safeum-home turn --grant --config {config}"

    def test_served(self) -> None:
        """For each of three ways to use it."""
        self._peer()
        self._both_through_the_relay()
        self._coturns_own_client()
        self.assertTrue(self.relay.log.read_text().endswith(f"{SERVES}\n"), "nothing is said of them")

    def _peer(self) -> None:
        """What is sent to a peer through the relay comes back from it."""
        access = self.credentials("ann")
        self.assertEqual(access.urls, [f"turn:127.0.0.1:{self.section.port}?transport=udp"])

        async def talk() -> bytes:
            loop = asyncio.get_running_loop()
            peer, _ = await loop.create_datagram_endpoint(lambda: Echo(True), local_addr=("127.0.0.1", 0))
            allocation = await Allocation.make(self.section.port, access)
            allocation.transport.sendto(b"hello", peer.get_extra_info("sockname"))
            heard: bytes = await allocation.heard.get()
            await allocation.close()
            peer.close()
            return heard

        self.assertEqual(wait(talk()), b"hello")

    def _both_through_the_relay(self) -> None:
        """Two accounts that show their addresses to nobody but the relay reach each other."""
        ben, cay = self.credentials("ben"), self.credentials("cay")

        async def talk() -> tuple[bytes, bytes]:
            async def say() -> None:
                # Datagrams may be lost, and are where the other's channel is not bound yet.
                while True:
                    one.transport.sendto(b"from ben", other.address)
                    other.transport.sendto(b"from cay", one.address)
                    await asyncio.sleep(0.2)

            one = await Allocation.make(self.section.port, ben)
            other = await Allocation.make(self.section.port, cay, transport="tcp")
            self.assertEqual(await one.permit(other.address[0]), 0)
            self.assertEqual(await other.permit(one.address[0]), 0)
            saying = asyncio.ensure_future(say())
            heard = await other.heard.get(), await one.heard.get()
            saying.cancel()
            await one.close()
            await other.close()
            return heard

        self.assertEqual(wait(talk()), (b"from ben", b"from cay"))

    def _coturns_own_client(self) -> None:
        """coturn's own client loses none of its messages to coturn's own peer."""
        access, port = self.credentials("dan"), _free_port()
        peer = subprocess.Popen(
            [tool("turnutils_peer", "coturn"), "-L", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            client = ["turnutils_uclient", "-u", access.username, "-w", access.password, "-n", "10", "-c"]
            client += ["-p", str(self.section.port), "-e", "127.0.0.1", "-r", str(port), "127.0.0.1"]
            done = subprocess.run(client, capture_output=True, text=True, timeout=PATIENCE, check=False)
        finally:
            peer.kill()
            peer.wait()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"tot_send_msgs=10, tot_recv_msgs=10")


class HiddenTests(RelayCase):
    """Where the secrets are, and what becomes of the relay when its node is gone."""

    def test_hidden(self) -> None:
        """As long as the node is there, and when it is killed."""
        self._secrets_are_nowhere_else()
        self._configuration_is_sealed()
        self._node_is_killed()

    def _secrets_are_nowhere_else(self) -> None:
        """Not on a disk, in arguments, the environment or a log: in memory, where coturn alone reads them."""
        self.credentials("eve")
        secrets = [secret.encode() for secret in self.grant().secrets]
        self.assertEqual(len(set(secrets)), 3)
        ids = self.relay.process.pid, self.relay.coturn
        places = [Path(f"/proc/{pid}/{what}") for pid in ids for what in ("cmdline", "environ")]
        places += [path for path in self.node.folder.rglob("*") if path.is_file()]
        self.assertGreater(len(places), 8)
        for place in places:
            octets = place.read_bytes()
            for secret in secrets:
                self.assertNotIn(secret, octets, str(place))
                self.assertNotIn(bytes.fromhex(secret.decode()), octets, str(place))
        self.assertEqual(Path(f"/proc/{ids[1]}/environ").read_bytes(), b"")
        [kept] = [
            folder
            for folder in Path("/dev/shm").glob("safeum-turn-*")
            if secrets[1] in (folder / "secrets.sqlite").read_bytes()
        ]
        self.assertEqual(kept.stat().st_mode & 0o777, 0o700)
        self.assertEqual((kept / "secrets.sqlite").stat().st_mode & 0o777, 0o600)
        self.assertEqual(kept.stat().st_uid, Path(f"/proc/{ids[1]}").stat().st_uid)
        self.assertNotEqual(kept.stat().st_uid, 0)

    def _configuration_is_sealed(self) -> None:
        """It is a file in memory that nobody can change; there is no secret in it."""
        arguments = Path(f"/proc/{self.relay.coturn}/cmdline").read_bytes().split(b"\0")
        descriptor = arguments[arguments.index(b"-c") + 1].decode().replace("self", str(self.relay.coturn))
        self.assertTrue(os.readlink(descriptor).startswith("/memfd:"))
        with open(descriptor, "rb") as file:
            self.assertEqual(fcntl.fcntl(file, fcntl.F_GET_SEALS), SEALS)
            text = file.read().decode()
        self.assertIn("use-auth-secret", text)
        self.assertFalse(any(secret in text for secret in self.grant().secrets))
        writable = os.open(descriptor, os.O_RDWR)
        self.addCleanup(os.close, writable)
        self.assertRaises(PermissionError, os.write, writable, b"no-auth\n")

    def _node_is_killed(self) -> None:
        """The relay goes on without its node, with old credentials and new ones."""
        access = self.credentials("fay")
        self.node.kill()
        self.assertEqual(refused(self.section.port, access), 0)
        another = RelayProcess.of(self.node.folder / "node.toml", self.node.folder / "another.log")
        self.addCleanup(another.stop)
        self.assertEqual(another.process.wait(PATIENCE), 3)
        self.assertIn("No node answers at", another.log.read_text())
        self.relay.renew()
        self.relay.until(lambda: "could not be renewed: no node answers" in self.relay.log.read_text())
        self.assertEqual(refused(self.section.port, access), 0)
