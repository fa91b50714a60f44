"""A node as twistd's child: made when the process is the one that stays, and not before.

Locked memory does not survive the fork of a daemon, so nothing secret is touched before `startService`.
"""

import os
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from safeum_home.admin.service import AdminFactory, listen
from safeum_home.config import Config
from safeum_home.errors import Problem
from safeum_home.node import startup
from safeum_home.node.opening import embedded
from safeum_home.node.operation import Backups, handlers
from safeum_home.node.service import Node
from safeum_home.sealing.hardening import harden_process
from safeum_home.sealing.memory import Arena
from safeum_home.sealing.sources import credential_path, read_credential, read_descriptor


class NodeStart(Service):
    """Starts the node of a configuration with its operator's socket, and feeds it what it was given."""

    _log = Logger()

    def __init__(self, reactor: Any, config: Config, root_fd: int | None = None) -> None:
        """`root_fd` is a descriptor that the root secret is read from; else systemd's credential is."""
        self._reactor = reactor
        self._config = config
        self._root_fd = root_fd
        self._node: Node | None = None
        self._backups: Backups | None = None
        self._admin: IListeningPort | None = None

    def startService(self) -> None:
        """Raises SystemExit where the operator's socket cannot be had."""
        super().startService()
        hardening = harden_process()
        arena = Arena()
        node = Node(self._reactor, self._config, arena, hardening, give_up=self._give_up)
        self._backups = Backups(node, embedded(self._config))
        factory = AdminFactory(self._reactor, handlers(node, self._backups))
        try:
            self._admin = listen(self._reactor, self._config.admin_socket, factory)
        except (OSError, CannotListenError) as error:
            reason = getattr(error, "strerror", None) or getattr(error, "socketError", error)
            raise SystemExit(f"safeum-home: cannot listen at {self._config.admin_socket}: {reason}") from None
        self._node = node
        node.startService()
        try:
            self._feed(node, arena)
        except Problem as problem:
            self._log.error("The root secret that was handed in is no good: {problem}", problem=str(problem))
        except OSError as error:
            self._log.error("The root secret cannot be read: {error}", error=error.strerror)

    def _feed(self, node: Node, arena: Arena) -> None:
        credential = credential_path(os.environ)
        if self._root_fd is not None:
            node.feed(read_descriptor(arena, self._root_fd))
        elif credential is not None:
            node.feed(read_credential(arena, credential))

    def _give_up(self) -> None:
        startup.leave(self._reactor)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._backups is not None:
            self._backups.stop()
        if self._admin is not None:
            stopped = self._admin.stopListening()
            if stopped is not None:
                await stopped
        if self._node is not None:
            await self._node.stopService()
