"""A node as twistd's child: made when the process is the one that stays, and not before.

Locked memory does not survive the fork of a daemon, so nothing secret is touched before `startService`.
"""

import os
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from safeum_home.admin.commands import Handler, standard_handlers
from safeum_home.admin.service import AdminFactory, listen
from safeum_home.admin.wire import Done, SetSecretParams, Status
from safeum_home.config import Config
from safeum_home.errors import Problem
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
        self._admin: IListeningPort | None = None

    def startService(self) -> None:
        super().startService()
        hardening = harden_process()
        arena = Arena()
        self._node = node = Node(self._reactor, self._config, arena, hardening)
        node.startService()
        self._admin = listen(
            self._reactor, self._config.admin_socket, AdminFactory(self._reactor, handlers(node))
        )
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

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._admin is not None:
            stopped = self._admin.stopListening()
            if stopped is not None:
                await stopped
        if self._node is not None:
            await self._node.stopService()


def handlers(node: Node) -> dict[str, Handler]:
    """What an operator may ask of `node`."""

    def status() -> Status:
        return node.report()

    def set_secret(params: SetSecretParams) -> "Deferred[Any]":
        return Deferred.fromCoroutine(node.set_secret(params.name, params.value)).addCallback(
            lambda _: Done()
        )

    return {
        **standard_handlers(status, node.seal, lambda: node.seal.vault.secrets, deferToThread),
        "secret.set": Handler(SetSecretParams, set_secret),
    }
