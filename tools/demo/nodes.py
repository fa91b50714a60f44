"""Two nodes on loopback that deal with each other alone, in a folder that goes with them."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from safeum_home.config import Config, DatabaseSection, FederationSection, ListenSection, NodeSection
from safeum_home.gateway.tls import ServerTls
from safeum_home.node.development import start_passing
from safeum_home.node.service import Node
from safeum_home.node.terminal_sms import SECTION
from tools.authority import Authority


class TwoNodes:
    """`start` them; `stop` leaves nothing behind."""

    def __init__(self, reactor: Any, ports: tuple[int, int]) -> None:
        self._reactor = reactor
        self._ports = ports
        self.names = tuple(f"localhost:{port}" for port in ports)
        self._authority = Authority()
        self._folder = TemporaryDirectory(prefix="safeum-demo-")
        self.ca = Path(self._folder.name, "ca.pem")
        self._nodes: list[Node] = []

    @property
    def trusted(self) -> bytes:
        """The authority's certificate, PEM; the same is in the file `ca`."""
        return self._authority.pem

    async def start(self, give_up: Callable[[], None]) -> None:
        """Done when both serve; `give_up` is called where one never will."""
        self.ca.write_bytes(self._authority.pem)
        for port, name, other in zip(self._ports, self.names, reversed(self.names), strict=True):
            tls = ServerTls(*self._authority.issue("localhost", "127.0.0.1"))
            self._nodes.append(start_passing(self._reactor, self._config(port, name, other), tls, give_up))
        for node in self._nodes:
            await node.ready

    async def stop(self) -> None:
        for node in self._nodes:
            await node.stopService()
        self._folder.cleanup()

    def _config(self, port: int, name: str, other: str) -> Config:
        state = Path(self._folder.name, str(port))
        state.mkdir()
        return Config(
            node=NodeSection(name=name, state_dir=str(state)),
            listen=ListenSection(clients=[f"tcp:{port}:interface=127.0.0.1"]),
            database=DatabaseSection(),
            sms=SECTION,
            federation=FederationSection(
                mode="closed", allow=[other], ca=str(self.ca), networks=["127.0.0.0/8"]
            ),
        )
