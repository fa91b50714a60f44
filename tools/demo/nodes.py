"""Two nodes on loopback that deal with each other alone, in a folder that goes with them.

A third one may be let in, which somebody else runs: whoever writes a node tries it against these.
"""

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

    def __init__(self, reactor: Any, ports: tuple[int, int], guest: str | None = None) -> None:
        """`guest` is the name of a node that may come, too."""
        self._reactor = reactor
        self._ports = ports
        self._guest = guest
        self.names = tuple(f"localhost:{port}" for port in ports)
        self._authority = Authority()
        self._folder = TemporaryDirectory(prefix="safeum-demo-")
        self.ca = Path(self._folder.name, "ca.pem")
        self.guest_chain = self.ca.with_name("guest.pem")
        self.guest_key = self.ca.with_name("guest-key.pem")
        """What the guest has to show, by the same authority, PEM."""
        self._nodes: list[Node] = []

    @property
    def trusted(self) -> bytes:
        """The authority's certificate, PEM; the same is in the file `ca`."""
        return self._authority.pem

    async def start(self, give_up: Callable[[], None]) -> None:
        """Done when both serve; `give_up` is called where one never will."""
        self.ca.write_bytes(self._authority.pem)
        if self._guest is not None:
            chain, key = self._authority.issue(self._guest.partition(":")[0])
            self.guest_chain.write_bytes(chain)
            self.guest_key.touch(mode=0o600)
            self.guest_key.write_bytes(key)
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
                mode="closed",
                allow=[other] if self._guest is None else [other, self._guest],
                ca=str(self.ca),
                networks=["127.0.0.0/8"],
            ),
        )
