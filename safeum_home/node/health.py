"""Where `GET /health` is answered in clear, also while the node is sealed."""

from typing import Any

from twisted.internet.interfaces import IListeningPort

from safeum_home.config import Config
from safeum_home.gateway.http import EdgeSite, Health, site_root
from safeum_home.node.edge import edge_limits
from safeum_home.node.listening import listen


class HealthEndpoint:
    """The endpoint `listen.health` of the configuration, where it has one."""

    def __init__(self, reactor: Any, config: Config, health: Health) -> None:
        """`health` says how the node is."""
        self._reactor = reactor
        self._config = config
        self._health = health
        self._port: IListeningPort | None = None

    async def start(self) -> None:
        """Raises `CannotListen`."""
        if (description := self._config.listen.health) is not None:
            site = EdgeSite(self._reactor, edge_limits(self._config.limits), site_root(self._health))
            self._port = await listen(self._reactor, description, site)

    async def stop(self) -> None:
        if self._port is not None and (stopped := self._port.stopListening()) is not None:
            await stopped

    @property
    def address(self) -> str | None:
        """Where it listens, as `host:port` or a path."""
        if self._port is None:
            return None
        host = self._port.getHost()
        return f"{getattr(host, 'host', '')}:{getattr(host, 'port', host)}"
