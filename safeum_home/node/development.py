"""A node to try things on: random root secret, everything in memory or in a folder that goes with it."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from safeum_home.config import Config, DatabaseSection, ListenSection, NodeSection
from safeum_home.gateway.tls import ServerTls, self_signed
from safeum_home.node.bridging import BridgeKinds
from safeum_home.node.free_port import PORT, check_free
from safeum_home.node.report import report_of
from safeum_home.node.service import Node
from safeum_home.node.terminal_sms import SECTION, terminal_bridge
from safeum_home.sealing.hardening import harden_process
from safeum_home.sealing.memory import Arena, Level
from safeum_home.sealing.root import generate
from safeum_home.spawn import spawn

CERTIFICATE = Path("run", "ca.pem")

_WELCOME = """\

  SafeUM Home runs at wss://{place}. Its root secret is random and in memory only:
  ALL DATA OF THIS NODE IS GONE WHEN IT EXITS.

  Talk to it, each in a terminal of its own:
      .venv/bin/safeum chat --node {place} --ca {certificate}
  Text messages with codes are shown here, and sent to nobody.
  (The certificate is new: chats that are open from before do not trust it, start them anew.)

  Stop it with Ctrl-C.
"""


class DevelopmentNode(Service):
    """`twistd -n safeum --development`."""

    def __init__(self, reactor: Any, port: int = PORT, certificate: Path = CERTIFICATE) -> None:
        """`certificate` is where the public certificate is written for clients; port 0 is any free one."""
        self._reactor = reactor
        self._name = f"localhost:{port}" if port else "localhost"
        self._port = port
        self._certificate = certificate
        self._folder: TemporaryDirectory[str] | None = None
        self._node: Node | None = None

    def startService(self) -> None:
        """Raises SystemExit, with a sentence for people, where something else listens already."""
        check_free(self._port)
        super().startService()
        self._folder = TemporaryDirectory(prefix="safeum-")
        config = Config(
            node=NodeSection(name=self._name, state_dir=self._folder.name),
            listen=ListenSection(clients=[f"tcp:{self._port}:interface=127.0.0.1"]),
            database=DatabaseSection(),
            sms=SECTION,
        )
        chain, key = self_signed(["localhost", "127.0.0.1"])
        self._certificate.parent.mkdir(exist_ok=True)
        self._certificate.write_bytes(chain)
        self._node = start_passing(self._reactor, config, ServerTls(chain, key))
        spawn(self._welcome(self._node), "starting")

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _welcome(self, node: Node) -> None:
        await node.ready
        [listening] = report_of(node).listening
        place = f"localhost:{listening.rpartition(':')[2]}"
        print(_WELCOME.format(place=place, certificate=self._certificate), flush=True)

    async def _stop(self) -> None:
        if self._node is not None:
            await self._node.stopService()
        if self._folder is not None:
            self._folder.cleanup()


def start_passing(
    reactor: Any, config: Config, tls: ServerTls, give_up: Callable[[], None] = lambda: None
) -> Node:
    """A node, started, whose root secret is made here and never on a disk; `give_up` is as in `Node`."""
    arena = Arena(floor=Level.UNLOCKED)
    node = Node(
        reactor,
        config,
        arena,
        harden_process(lock_all=False),
        in_memory=True,
        tls=tls,
        give_up=give_up,
        kinds=BridgeKinds(sms=terminal_bridge),
    )
    node.startService()
    node.feed(generate(arena))
    return node
