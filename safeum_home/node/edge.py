"""Listening for clients: limits, and the endpoints of the configuration."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.web.resource import IResource

from safeum_home.config import Config, LimitSection
from safeum_home.gateway.bodies import Streams, no_streams
from safeum_home.gateway.downloads import DownloadsResource
from safeum_home.gateway.edge import EdgeFactory
from safeum_home.gateway.http import (
    ClientDiscovery,
    EdgeSite,
    Health,
    NodeDiscoveryResource,
    place,
    site_root,
    websocket_url,
)
from safeum_home.gateway.idling import Idling
from safeum_home.gateway.invite_page import GroupPage, InvitePage
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.gateway.services import Services
from safeum_home.gateway.session import Session
from safeum_home.gateway.tls import ServerTls
from safeum_home.gateway.uploads import UploadsResource
from safeum_home.gateway.websocket import ClientWebSocketFactory
from safeum_home.node.listening import CannotListen, NoIPv6, listen
from safeum_home.node.live_limits import Use
from safeum_home.ports import ClientConnection
from safeum_home.protocol.files import DOWNLOADS_PATH, UPLOADS_PATH
from safeum_home.protocol.http import NODE_DISCOVERY_PATH
from safeum_home.protocol.invites import GROUP_PATH, INVITE_PATH

SERVICE_RESTART = 1012
"""The close code that tells clients to come back (IANA WebSocket Close Code registry)."""
_CLOSING_SECONDS = 2.0


def edge_limits(section: LimitSection) -> EdgeLimits:
    """What the configuration allows a connection."""
    return EdgeLimits(
        connections=section.connections,
        connections_per_address=section.connections_per_address,
        ping_interval=section.ping_seconds,
    )


class Edge:
    """The node's side towards clients, from the first connection to the last."""

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: Config,
        services: Services,
        tls: ServerTls,
        health: Health,
        resources: Mapping[str, IResource] | None = None,
        streams: Streams = no_streams,
    ) -> None:
        """`resources` are served besides the node's own, by their paths; `streams` takes bodies for them."""
        self._reactor = reactor
        self._config = config
        self.tls = tls
        limits = edge_limits(config.limits)
        self._services = services
        websocket = ClientWebSocketFactory(reactor, limits, self._session, config.listen.origins)
        name = config.node.name
        self._discovery = ClientDiscovery(name, websocket_url(name), limits, services.node_key)
        root = site_root(health, self._discovery, resources)
        root.putChild(INVITE_PATH[1:].encode(), InvitePage(name))
        root.putChild(GROUP_PATH[1:].encode(), GroupPage(name))
        if (federation := config.federation).server and federation.mode != "off":
            place(root, NODE_DISCOVERY_PATH, NodeDiscoveryResource(federation.server))
        site = EdgeSite(reactor, limits, root)
        site.streams = streams
        if (transfers := services.transfers) is not None:
            origins = config.listen.origins
            uploads = UploadsResource(transfers, origins)
            place(root, UPLOADS_PATH, uploads)
            place(root, DOWNLOADS_PATH, DownloadsResource(reactor, transfers, limits.read_stall, origins))
            site.streams = lambda *head: uploads.stream(*head) or streams(*head)
        self.factory = EdgeFactory(reactor, tls, limits, websocket, site)
        self._idling = Idling(services, websocket.timeouts)
        self._ports: list[IListeningPort] = []

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self.factory.connections.total

    def use(self) -> Use:
        """What of the limits is in force here."""
        return Use(
            ("connections_per_address", "connections", "ping_seconds"),
            self._limit,
            self.factory.connections.held_back,
        )

    def _limit(self, section: LimitSection) -> None:
        self.factory.connections.change(section.connections, section.connections_per_address)
        self.factory.websocket.limits = self._discovery.limits = edge_limits(section)

    async def start(self) -> None:
        """Listen on all endpoints, or on none; raises `CannotListen` for one that cannot be had.

        Where the machine has no IPv6, those that are for all of its IPv6 addresses are left out.
        """
        try:
            for description in self._config.listen.clients:
                try:
                    self._ports.append(await listen(self._reactor, description, self.factory))
                except NoIPv6 as error:
                    self._log.warn("{error}", error=str(error))
            if not self._ports:
                raise CannotListen("there is no endpoint for clients")
        except BaseException:
            await self._stop_listening()
            raise
        self._idling.start()

    @property
    def addresses(self) -> list[str]:
        """Where it listens, as `host:port` or a path."""
        hosts = [port.getHost() for port in self._ports]
        return [f"{getattr(host, 'host', '')}:{getattr(host, 'port', host)}" for host in hosts]

    async def stop(self) -> None:
        """Take no more connections; those that are open are told to come back."""
        self._idling.stop()
        await self._stop_listening()
        self.close_sessions("the node restarts")
        deadline = self._reactor.seconds() + _CLOSING_SECONDS
        while self.connections and self._reactor.seconds() < deadline:
            await deferLater(self._reactor, 0.05)

    def close_sessions(self, reason: str) -> None:
        """Let all clients come back; they resume without loss."""
        for session in tuple(self._services.sessions):
            session.close(SERVICE_RESTART, reason)

    async def _stop_listening(self) -> None:
        ports, self._ports = self._ports, []
        stopping = [port.stopListening() for port in ports]
        await gatherResults([stopped for stopped in stopping if isinstance(stopped, Deferred)])

    def _session(self, connection: ClientConnection) -> Session:
        return Session(connection, self._services)
