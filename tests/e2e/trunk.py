"""A carrier, an edge and a node, each in its place: SIPp, real Kamailio and Janus, and a real node.

The carrier and the edge have a network namespace each, with a wire between them; another wire leads from the
edge to us, where the node and apps are. Nothing else is connected to either.
"""

import itertools
import os
import random
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.e2e import g711, rtp_events
from tests.e2e.namespaces import Namespace, needs_namespaces, wire
from tests.e2e.needs import apt, missing, root, tool
from tests.e2e.node_process import BIN, PATIENCE, NodeProcess
from tests.e2e.relay import until
from tests.e2e.sniffer import Sniffer

ROOT = Path(__file__).parent.parent.parent
SCENARIOS = Path(__file__).parent / "sipp"
JANUS_USER = "safeum-janus"
OUR_NUMBERS = "+35449"
_wires = itertools.count()
CARRIER_TONE = 1000
"""Hertz of what is heard of the carrier."""
SECTION = """
[trunk]
carriers = [{carriers}]
listen = "{edge}:5060"
numbers = ["{numbers}"]
media = "{edge}"
app = ["{app}"]
websocket = "{app}:8188"
janus_user = "{user}"
{more}
"""
BRIDGE = """
[[safenum.carriers]]
name = "carrier"
kind = "janus"
settings = {{ endpoint = "tcp:{app}:8188"{settings} }}
"""


def needs() -> None:
    """Kamailio, Janus and SIPp, namespaces, and a user for Janus; installed where root finds them missing."""
    root("run Kamailio and Janus as users of their own")
    tool("kamailio")
    tool("janus")
    tool("sipp", "sip-tester")
    tool("ip", "iproute2")
    if not Path("/usr/share/kamailio/db_sqlite").exists() and (failed := apt("kamailio-sqlite-modules")):
        missing(f"kamailio-sqlite-modules are not installed: {failed} failed")
    needs_namespaces()
    if subprocess.run(["id", JANUS_USER], capture_output=True, check=False).returncode:
        subprocess.run(["useradd", "--system", "--no-create-home", JANUS_USER], check=True)


class Program:
    """`safeum-home carrier PART` in the edge's namespace; `log` is what it prints."""

    def __init__(self, trunk: "Trunk", part: str) -> None:
        self.part = part
        self.log = trunk.folder / f"{part}.log"
        self._trunk = trunk
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it serves."""
        was = self.said().count(" serves.")
        command = [str(BIN / "safeum-home"), "carrier", self.part, "--config", str(self._trunk.config)]
        environment = {**os.environ, "RUNTIME_DIRECTORY": str(self._trunk.memory)}
        with self.log.open("ab") as output:
            self._process = self._trunk.edge.popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT, env=environment
            )
        process = self._process
        until(lambda: process.poll() is not None or self.said().count(" serves.") > was)
        if process.poll() is not None:
            raise AssertionError(f"{self.part} has ended:\n{self.said()}")

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def pid(self) -> int:
        """Of the program itself, which `safeum-home` runs."""
        assert self._process is not None
        found = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(found[0])

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL to the program, and wait for what has run it to notice."""
        assert self._process is not None
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)

    def stop(self) -> int:
        """SIGTERM to who runs it; the exit status."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(PATIENCE)


class Sipp:
    """A SIPp at the carrier: some calls of a scenario."""

    def __init__(self, carrier: Namespace, folder: Path, command: Sequence[str]) -> None:
        self.folder = folder
        with (folder / "screen").open("wb") as screen:
            self._process = carrier.popen(
                command, stdin=subprocess.DEVNULL, stdout=screen, stderr=screen, cwd=folder
            )

    def wait(self) -> int:
        """Wait until its calls are over: 0 where all went as the scenario says."""
        return self._process.wait(PATIENCE)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def messages(self) -> str:
        """What it has sent and received."""
        return "".join(path.read_text(errors="replace") for path in self.folder.glob("*messages*"))

    def received(self, beginning: str) -> bool:
        """Whether a message came whose first line begins so."""
        return any(
            part.split("\n\n", 1)[-1].lstrip().startswith(beginning)
            for part in self.messages().split("message received")[1:]
        )

    def until_received(self, beginning: str) -> None:
        until(lambda: self.received(beginning))

    def errors(self) -> str:
        return "".join(path.read_text(errors="replace") for path in self.folder.glob("*errors*"))

    def stop(self) -> None:
        if self.running:
            self._process.kill()
        self._process.wait(PATIENCE)


class Trunk:
    """All of it. `start` the node, then `kamailio` and `janus`; `close` ends whatever is left."""

    def __init__(
        self,
        more: str = "",
        settings: str = "",
        node: str = "",
        numbers: str = OUR_NUMBERS,
        limits: Mapping[str, object] | None = None,
        bridge: bool = True,
    ) -> None:
        """`more` lines of [trunk], `settings` of the bridge (", name = value"), lines of the node's file.

        Without a `bridge` the node does not speak with Janus.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="safeum-trunk-", dir="/tmp"))
        self.memory = Path(tempfile.mkdtemp(prefix="safeum-trunk-", dir="/dev/shm"))
        self.memory.chmod(0o711)
        self.edge, self.carrier = Namespace(), Namespace()
        self._sipps: list[Sipp] = []
        self._tone = g711.tone(CARRIER_TONE, 2)
        net = _free_net()
        self.app, self.app_address = f"198.18.{net}.2", f"198.18.{net}.1"
        """Janus' address for apps, and the app's and the node's own."""
        self.edge_address = f"198.19.{net}.2"
        self.carrier_address, self.second_address, self.foreign_address = (
            f"198.19.{net}.{number}" for number in (3, 4, 9)
        )
        """Two servers of the carrier, and somebody else who is at the same wire."""
        ours = f"app-{os.getpid()}-{next(_wires)}"
        wire(None, ours, f"{self.app_address}/24", self.edge, "app", f"{self.app}/24")
        wire(
            self.edge, "trunk", f"{self.edge_address}/24", self.carrier, "trunk", f"{self.carrier_address}/24"
        )
        for address in (self.second_address, self.foreign_address):
            self.carrier.run("ip", "address", "add", f"{address}/24", "dev", "trunk")
        servers = [f'"{each}:5060"' for each in (self.carrier_address, self.second_address)]
        section = SECTION.format(
            carriers=", ".join(servers),
            edge=self.edge_address,
            app=self.app,
            numbers=numbers,
            user=JANUS_USER,
            more=more,
        )
        if bridge:
            section += BRIDGE.format(app=self.app, settings=settings)
        self.node = NodeProcess(more=f"{node}\n{section}", limits=limits)
        self.kamailio, self.janus = Program(self, "kamailio"), Program(self, "janus")

    @property
    def config(self) -> Path:
        return self.node.folder / "node.toml"

    def start(self) -> "Trunk":
        """The node, then the processes beside it."""
        self.node.start()
        self.kamailio.start()
        self.janus.start()
        return self

    # --- the carrier

    def sipp(
        self,
        scenario: str,
        *options: str,
        to: str | None = None,
        at: str | None = None,
        port: int = 5060,
        calls: int = 1,
        keys: Mapping[str, str] | None = None,
    ) -> Sipp:
        """Run a scenario `at` an address of the carrier: `to` the edge for those that call, else served."""
        folder = Path(tempfile.mkdtemp(prefix=f"{scenario}-", dir=self.folder))
        address = at or self.carrier_address
        text = (SCENARIOS / f"{scenario}.xml").read_text()
        # SIPp itself takes no keyword for a status code.
        text = text.replace("[code]", (keys or {}).get("code", ""))
        (folder / "scenario.xml").write_text(text)
        command = [tool("sipp", "sip-tester"), "-sf", "scenario.xml", "-nostdin"]
        command += ["-i", address, "-mi", address, "-p", str(port), "-m", str(calls)]
        command += ["-aa", "-trace_msg", "-trace_err"]
        (folder / "tone.alaw").write_bytes(self._tone)
        (folder / "key.pcap").write_bytes(rtp_events.captured("5"))
        for name, value in (keys or {}).items():
            command += ["-key", name, value]
        command += [*options, *([to] if to else [])]
        made = Sipp(self.carrier, folder, command)
        self._sipps.append(made)
        return made

    def call_in(
        self,
        number: str,
        caller: str = "+4930123456",
        scenario: str = "in",
        seconds: float = 3.0,
        port: int = 5070,
        headers: str = "X-Carrier-Ref: 1",
        at: str | None = None,
    ) -> Sipp:
        """Somebody in the world calls a number of ours, and hangs up `seconds` after it is answered."""
        keys = {"caller": caller, "headers": headers}
        options = ["-s", number, "-d", str(int(seconds * 1000))]
        return self.sipp(scenario, *options, to=f"{self.edge_address}:5060", port=port, keys=keys, at=at)

    def answers(
        self,
        scenario: str = "out",
        calls: int = 1,
        seconds: float = 600.0,
        at: str | None = None,
        **keys: str,
    ) -> Sipp:
        """The carrier takes calls that go out, as a scenario says."""
        given = {"code": "486", "reason": "Busy Here", **keys}
        made = self.sipp(scenario, "-d", str(int(seconds * 1000)), calls=calls, keys=given, at=at)
        until(lambda: _listens(self.carrier, at or self.carrier_address, 5060))
        return made

    def sniffer(self) -> Sniffer:
        """What goes over the wire to the carrier."""
        with self.edge.entered():
            return Sniffer("trunk")

    def close(self) -> None:
        for sipp in self._sipps:
            sipp.stop()
        for each in (self.janus, self.kamailio):
            each.stop()
        failed: list[Exception] = []
        closings: list[Callable[[], None]] = [self.node.close, self.edge.close, self.carrier.close]
        for closing in closings:
            try:
                closing()
            except (AssertionError, OSError) as error:
                failed.append(error)
        shutil.rmtree(self.memory)
        shutil.rmtree(self.folder)
        if failed:
            raise failed[0]


def _free_net() -> int:
    """The third octet of networks that nobody has here: test modules run side by side."""
    taken = Path("/proc/net/fib_trie").read_text()
    return random.choice([net for net in range(256) if f"198.18.{net}." not in taken])


def _listens(where: Namespace, address: str, port: int) -> bool:
    wanted = "".join(f"{int(part):02X}" for part in reversed(address.split("."))) + f":{port:04X}"
    listed = subprocess.run([*where.inside, "cat", "/proc/self/net/udp"], capture_output=True, check=True)
    return wanted in listed.stdout.decode()
