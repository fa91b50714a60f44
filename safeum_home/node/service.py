"""The life of a node: sealed until the root secret is fed, then open, and at the end wiped."""

import gc
from collections.abc import Callable, Mapping
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from bridges.sms.loading import load
from safeum_home import __version__
from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.admin.wire import Status
from safeum_home.config import Config
from safeum_home.errors import Code, Problem
from safeum_home.gateway.http import EdgeSite, site_root
from safeum_home.gateway.tls import ServerTls, TlsError
from safeum_home.node.control import Control
from safeum_home.node.domain import Domain, make_domain
from safeum_home.node.edge import Edge, certificate_end, edge_limits, tls_material
from safeum_home.node.files import NodeFiles
from safeum_home.node.listening import CannotListen, listen
from safeum_home.node.opening import check_owner, open_when_there
from safeum_home.node.sms import Bridges, NodeTexts, make_texts
from safeum_home.node.startup import StartError
from safeum_home.node.turning import make_good
from safeum_home.node.watch import DatabaseWatch
from safeum_home.sealing.hardening import Hardening
from safeum_home.sealing.machine import Seal
from safeum_home.sealing.memory import Arena, Slot
from safeum_home.sealing.vault import Vault, is_initialised, open_vault
from safeum_home.spawn import spawn
from safeum_home.storage.database import NodeDatabase
from safeum_home.storage.migrate import schema_of

_COLLECTOR = (50_000, 20, 20)
"""Thresholds of the garbage collector: a busy node makes thousands of short-lived objects in each turn, and
with Python's default of 700 a sixth of the reactor's time went into looking for cycles among them."""


class Node(Service):
    """One SafeUM node.

    `status` goes `sealed` -> `unsealing` -> `opening` -> `ok`; it stays at `not_initialised` until there
    is a keyring, at `no_certificate` until the TLS key is there, and at `failed` where neither waiting nor
    the operator's commands can help: the log says why. While the database takes no changes it is one of
    the words of `storage.outage`.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: Config,
        arena: Arena,
        hardening: Hardening,
        in_memory: bool = False,
        tls: ServerTls | None = None,
        give_up: Callable[[], None] = lambda: None,
        sms_bridges: Bridges = load,
    ) -> None:
        """`in_memory` keeps the keyring nowhere; `tls` is used instead of the configured certificate.

        `give_up` is called, after the reason was logged, where an endpoint cannot be had. `sms_bridges`
        finds kinds of providers of text messages.
        """
        self._reactor = reactor
        self._config = config
        self._arena = arena
        self._hardening = hardening
        self._state_dir = None if in_memory else config.state_dir
        self._tls = tls
        self._give_up = give_up
        self._sms_bridges = sms_bridges
        self.texts: NodeTexts | None = None
        self._started = reactor.seconds()
        self._certificate_end: float | None = None
        self._schema: str | None = None
        self.seal = Seal(reactor, arena, self._open_vault, self._unsealed)
        self._hasher = PasswordHasher(reactor, config.passwords)
        self._files = NodeFiles(reactor, config)
        self._health_port: IListeningPort | None = None
        self.database: NodeDatabase | None = None
        self._watch: DatabaseWatch | None = None
        self.domain: Domain | None = None
        self.control: Control | None = None
        self._edge: Edge | None = None
        self._opening = "opening"
        self.ready: Deferred[None] = Deferred()

    # --- what operators see

    @property
    def status(self) -> str:
        state = self.seal.progress.state
        if state == "sealed" and not self.initialised:
            return "not_initialised"
        if state != "open":
            return state
        if self._opening == "ok" and self._watch is not None:
            return self._watch.outage or "ok"
        return self._opening

    @property
    def initialised(self) -> bool:
        """Whether there is a keyring for the root secret to open."""
        return self._state_dir is None or is_initialised(self._state_dir)

    def health(self) -> Mapping[str, object]:
        """What `GET /health` shows to anybody."""
        return {"status": self.status, "node": self._config.node.name}

    def report(self) -> Status:
        """What `safeum-home status` shows to the operator, but for what only the database knows."""
        progress = self.seal.progress
        now, end = self._reactor.seconds(), self._certificate_end
        return Status(
            version=__version__,
            node=self._config.node.name,
            state=self.status,
            have=progress.have,
            needed=progress.needed,
            memory=self._arena.level.value,
            core_dumps_off=self._hardening.no_core_dumps,
            database=self._config.database.url.partition(":")[0],
            connections=self._edge.connections if self._edge is not None else 0,
            listening=self._edge.addresses if self._edge is not None else [],
            health=self._health_address(),
            uptime=int(now - self._started),
            schema=self._schema,
            sms=self.texts.report() if self.texts is not None else [],
            certificate_days=None if end is None else int((end - now) // 86400),
        )

    def _health_address(self) -> str | None:
        if self._health_port is None:
            return None
        host = self._health_port.getHost()
        return f"{getattr(host, 'host', '')}:{getattr(host, 'port', host)}"

    # --- life

    def startService(self) -> None:
        super().startService()
        gc.set_threshold(*_COLLECTOR)
        self._log.info(
            "Memory for keys: {memory}. No core dumps: {no_core_dumps}.",
            memory=self._arena.level.value,
            no_core_dumps=self._hardening.no_core_dumps,
        )
        if self._config.listen.health is not None:
            spawn(self._listen_health(self._config.listen.health), "the health endpoint")
        if not self.initialised:
            self._log.error("There is no keyring in the state directory: see `safeum-home init`.")
        elif self.seal.progress.state != "open":
            self._log.info("Sealed: waiting for the root secret.")

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    def feed(self, root: Slot) -> None:
        """Open with a root secret that came from a descriptor or a credential; the slot is wiped."""
        self.seal.offer_root(root)

    async def set_secret(self, name: str, value: bytes) -> None:
        """Keep a secret sealed. A new TLS key is used from the next connection on."""
        secrets = self.seal.vault.secrets
        await deferToThread(secrets.set, name, value)
        if self._config.tls.key == f"secret:{name}":
            try:
                await self.reload_certificate()
            except OSError as error:
                reason = f"the key is kept, but {error.filename}: {error.strerror}"
                raise Problem(Code.INVALID_PARAMS, reason) from None

    async def reload_certificate(self) -> None:
        """Read the certificate chain and the key anew; raises `invalid_params` where they do not fit."""
        vault = self.seal.vault
        chain, key = await deferToThread(tls_material, self._config, vault.secrets)
        try:
            if self._tls is None:
                self._tls = ServerTls(chain, key)
            else:
                self._tls.replace(chain, key)
        except TlsError as error:
            raise Problem(Code.INVALID_PARAMS, str(error)) from None
        self._certificate_end = certificate_end(chain)
        if self._opening == "no_certificate":
            self._opening = "opening"
            await self._listen()

    def _open_vault(self, root: Slot) -> Vault:
        return open_vault(root, self._state_dir)

    def _unsealed(self, vault: Vault) -> None:
        self._log.info("Unsealed.")
        spawn(self._open(vault), "opening the node")

    async def _open(self, vault: Vault) -> None:
        try:
            await self._serve(vault)
        except StartError as error:
            self._opening = error.status
            self._log.error("The node cannot open: {error}", error=str(error))
            if self.database is not None:
                database, self.database = self.database, None
                await database.close()
        except BaseException:
            self._opening = "failed"
            raise

    async def _serve(self, vault: Vault) -> None:
        self.database = database = await open_when_there(self._reactor, self._config, self._wait_for)
        self._opening = "opening"
        await check_owner(database, self._config, vault)
        self._schema = await database.read(schema_of)
        database.stored_late = self._look_anew
        self._watch = DatabaseWatch(self._reactor, database)
        await make_good(database, vault.keyring)
        self._hasher.start()
        self.texts = make_texts(self._config, self._reactor, vault.secrets.open, self._sms_bridges)
        storage = await self._files.start(vault.secrets.open)
        self.domain = make_domain(
            self._config, self._reactor, database, vault, self._hasher, self.texts.sender, storage=storage
        )
        self.control = await self.domain.control.load()
        spawn(self.domain.closing.sweep(), "sweeping up")
        if self._tls is None:
            try:
                await self.reload_certificate()
            except (Problem, OSError) as error:
                self._opening = "no_certificate"
                self._log.error("No certificate to serve with: {error}", error=str(error))
                return
        await self._listen()

    def _wait_for(self, outage: str) -> None:
        self._opening = outage

    async def _listen(self) -> None:
        if self.domain is None or self._tls is None:
            raise Problem(Code.WRONG_STATE)
        self.domain.start()
        callbacks = {} if self.texts is None else self.texts.callbacks
        edge = Edge(self._reactor, self._config, self.domain.services, self._tls, self.health, callbacks)
        try:
            await edge.start()
        except CannotListen as error:
            self._opening = "failed"
            self._log.critical("The node ends: {error}", error=str(error))
            self._give_up()
            return
        self._edge = edge
        self.domain.control.limits.add(edge.use())
        # What is there now stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        self._opening = "ok"
        self._log.info("Serving clients at {addresses}.", addresses=", ".join(self._edge.addresses))
        self.ready.callback(None)

    def _look_anew(self) -> None:
        """Something was stored that nobody was told of: clients that resume find it, and so does the node."""
        if self.domain is not None:
            self.domain.forget()
        if self._edge is not None:
            self._edge.close_sessions("resume")

    async def _listen_health(self, description: str) -> None:
        site = EdgeSite(self._reactor, edge_limits(self._config.limits), site_root(self.health))
        try:
            self._health_port = await listen(self._reactor, description, site)
        except CannotListen as error:
            self._log.critical("The node ends: {error}", error=str(error))
            self._give_up()

    async def _stop(self) -> None:
        self._opening = "stopping"
        if self._health_port is not None and (stopped := self._health_port.stopListening()) is not None:
            await stopped
        if self._edge is not None:
            await self._edge.stop()
        if self._watch is not None:
            self._watch.stop()
        if self.texts is not None:
            await self.texts.stop()
        await deferToThread(self._hasher.stop)
        if self.domain is not None:
            await self.domain.stop()
        await deferToThread(self._files.stop)
        if self.database is not None:
            await self.database.close()
        if self.domain is not None:
            self.domain.wipe()
        self.seal.close()
