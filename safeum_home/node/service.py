"""The life of a node: sealed until the root secret is fed, then open, and at the end wiped."""

from collections.abc import Callable, Mapping
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.config import Config
from safeum_home.errors import Code, Problem
from safeum_home.gateway.tls import ServerTls
from safeum_home.jobs import again
from safeum_home.node import collector
from safeum_home.node.alone import ALONE
from safeum_home.node.bridging import INSTALLED, BridgeKinds, make_bridges
from safeum_home.node.carriers import NodeCarriers
from safeum_home.node.certificate import NodeCertificate
from safeum_home.node.control import Control
from safeum_home.node.domain import Domain, make_domain
from safeum_home.node.edge import Edge
from safeum_home.node.federation import NodeFederation
from safeum_home.node.federation_opening import over_the_network
from safeum_home.node.files import NodeFiles
from safeum_home.node.health import HealthEndpoint
from safeum_home.node.listening import CannotListen
from safeum_home.node.opening import make_ready, open_when_there
from safeum_home.node.payments import NodePayments
from safeum_home.node.push import NodePushes
from safeum_home.node.served import served
from safeum_home.node.sms import NodeTexts
from safeum_home.node.startup import StartError
from safeum_home.node.voicemail import make_answering
from safeum_home.node.watch import DatabaseWatch
from safeum_home.sealing.hardening import Hardening
from safeum_home.sealing.machine import Seal
from safeum_home.sealing.memory import Arena, Slot
from safeum_home.sealing.vault import Vault, is_initialised, open_vault
from safeum_home.spawn import spawn
from safeum_home.storage.database import NodeDatabase


class Node(Service):
    """One SafeUM node.

    `status` goes `sealed` -> `unsealing` -> `opening` -> `ok`; it stays at `not_initialised` until there
    is a keyring, at `no_certificate` until the TLS key is there, at `keys_lost` where that keyring
    opens nothing of the database, and at `failed` where neither waiting nor
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
        kinds: BridgeKinds = INSTALLED,
    ) -> None:
        """`in_memory` keeps the keyring nowhere; `tls` is used instead of the configured certificate.

        `give_up` is called, after the reason was logged, where an endpoint cannot be had.
        """
        self.reactor = reactor
        self.config = config
        self.arena = arena
        self.hardening = hardening
        self._state_dir = None if in_memory else config.state_dir
        self.certificate = NodeCertificate(config, tls)
        self._give_up = give_up
        self._kinds = kinds
        self.texts: NodeTexts | None = None
        self.pushes: NodePushes | None = None
        self.carriers: NodeCarriers | None = None
        self.payments: NodePayments | None = None
        self.started = reactor.seconds()
        self.schema: str | None = None
        self.seal = Seal(reactor, arena, lambda root: open_vault(root, self._state_dir), self._unsealed)
        self._hasher = PasswordHasher(reactor, config.passwords)
        self._files = NodeFiles(reactor, config)
        self.health_endpoint = HealthEndpoint(reactor, config, self.health)
        self.database: NodeDatabase | None = None
        self._watch: DatabaseWatch | None = None
        self.domain: Domain | None = None
        self.federation: NodeFederation | None = None
        self.control: Control | None = None
        self.edge: Edge | None = None
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
        return {"status": self.status, "node": self.config.node.name}

    # --- life

    def startService(self) -> None:
        super().startService()
        collector.look_seldom()
        self._log.info(
            "Memory for keys: {memory}. No core dumps: {no_core_dumps}.",
            memory=self.arena.level.value,
            no_core_dumps=self.hardening.no_core_dumps,
        )
        spawn(self._tell_health(), "the health endpoint")
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
        if self.certificate.kept_as(name):
            try:
                await self.reload_certificate()
            except OSError as error:
                reason = f"the key is kept, but {error.filename}: {error.strerror}"
                raise Problem(Code.INVALID_PARAMS, reason) from None

    async def reload_certificate(self) -> None:
        """Read the certificate chain and the key anew; raises `invalid_params` where they do not fit."""
        await self.certificate.read(self.seal.vault.secrets)
        if self._opening == "no_certificate":
            self._opening = "opening"
            await self._listen()

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
            if self.running:  # else what it needs was closed, since it is to stop
                raise

    async def _serve(self, vault: Vault) -> None:
        self.database = database = await open_when_there(self.reactor, self.config, self._wait_for)
        self._opening = "opening"
        self.schema = await make_ready(self.reactor, database, self.config, vault)
        database.stored_late = self._look_anew
        self._watch = DatabaseWatch(self.reactor, database)
        self._hasher.start()
        bridges = make_bridges(self.config, self.reactor, vault, self._kinds)
        self.texts, self.pushes, self.carriers, self.payments = bridges
        storage = await self._files.start(vault.secrets.open)
        self.federation = await self._federate(database, vault)
        self.domain = make_domain(
            self.config,
            self.reactor,
            database,
            vault,
            self._hasher,
            bridges.texts.sender,
            storage=storage,
            peers=self.federation or ALONE,
            answering=make_answering(self.config, self.reactor),
            pushes=bridges.pushes.sender,
            carriers=bridges.carriers,
            payments=bridges.payments.desk,
        )
        bridges.payments.takings = self.domain.money.takings
        if self.federation is not None:
            domain = self.domain
            self.federation.connect(domain.shared, domain.answers, domain.files.lend, domain.expiring)
        self.control = await again(self.reactor, "opening the node", self.domain.control.load)
        await self.domain.money.load()
        self.domain.closing.sweeping.ask()
        if self.certificate.tls is None:
            try:
                await self.reload_certificate()
            except (Problem, OSError) as error:
                self._opening = "no_certificate"
                self._log.error("No certificate to serve with: {error}", error=str(error))
                return
        await self._listen()

    async def _federate(self, database: NodeDatabase, vault: Vault) -> NodeFederation | None:
        try:
            return await over_the_network(self.config, self.reactor, database, vault)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it holds no certificates (PEM)"
            raise StartError(f"federation.ca, {self.config.federation.ca}: {reason}") from None

    def _wait_for(self, outage: str) -> None:
        self._opening = outage

    async def _listen(self) -> None:
        if self.domain is None or (tls := self.certificate.tls) is None:
            raise Problem(Code.WRONG_STATE)
        self.domain.start()
        resources, streams = served(self.texts, self.payments, self.federation)
        services = self.domain.services
        edge = Edge(self.reactor, self.config, services, tls, self.health, resources, streams)
        try:
            await edge.start()
        except CannotListen as error:
            self._opening = "failed"
            self._end(error)
            return
        self.edge = edge
        self.domain.control.limits.add(edge.use())
        collector.leave_what_is()
        self._opening = "ok"
        if self.federation is not None:
            self.federation.start()
        if self.carriers is not None:
            self.carriers.start(self.domain.telephone.exchange)
        self._log.info("Serving clients at {addresses}.", addresses=", ".join(self.edge.addresses))
        self.ready.callback(None)

    def _look_anew(self) -> None:
        """Something was stored that nobody was told of: clients that resume find it, and so does the node."""
        if self.domain is not None:
            self.domain.forget()
        if self.federation is not None:
            self.federation.forget()
        if self.edge is not None:
            self.edge.close_sessions("resume")

    async def _tell_health(self) -> None:
        try:
            await self.health_endpoint.start()
        except CannotListen as error:
            self._end(error)

    def _end(self, error: CannotListen) -> None:
        self._log.critical("The node ends: {error}", error=str(error))
        self._give_up()

    async def _stop(self) -> None:
        self._opening = "stopping"
        await self.health_endpoint.stop()
        if self.edge is not None:
            await self.edge.stop()
        if self._watch is not None:
            self._watch.stop()
        if self.federation is not None:
            await self.federation.stop()
        for bridges in (self.carriers, self.texts, self.pushes, self.payments):
            if bridges is not None:
                await bridges.stop()
        await deferToThread(self._hasher.stop)
        if self.domain is not None:
            await self.domain.stop()
        await deferToThread(self._files.stop)
        if self.database is not None:
            await self.database.close()
        if self.domain is not None:
            self.domain.wipe()
        self.seal.close()
