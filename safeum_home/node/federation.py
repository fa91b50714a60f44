"""Other nodes, made and wired: what they are told, what they tell and ask, and what they are asked."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import partial
from random import SystemRandom
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import Connection
from twisted.internet.defer import Deferred, fail
from twisted.web.resource import IResource

from federation.asking import ask
from federation.building import Builder
from federation.checking import check
from federation.counts import Counts
from federation.event_verifier import EventVerifier
from federation.file_fetching import fetch
from federation.file_lending import Lending
from federation.hellos import hello
from federation.inbound import FederationResource, Limits
from federation.key_cache import KeyCache
from federation.keys_resource import KeysResource
from federation.now_receiving import NowReceiver
from federation.now_telling import NowTelling
from federation.own_keys import OwnKeys
from federation.policy import Policy
from federation.receiving import Receiver
from federation.replay import NonceWindow
from federation.sender import Sender
from federation.verifier import RequestVerifier
from safeum_home.admin.metrics import Metric
from safeum_home.errors import Code, Problem
from safeum_home.gateway.bodies import Body
from safeum_home.gateway.downloads import send_rest
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.limits import RateLimit
from safeum_home.node.federation_inbox import NodeInbox
from safeum_home.node.federation_keys import rotate
from safeum_home.node.federation_means import Means, WayOut
from safeum_home.node.federation_metrics import metrics
from safeum_home.node.federation_rows import PeerRows
from safeum_home.node.federation_store import NodeOutbox
from safeum_home.node.kept_keys import KeptKeys
from safeum_home.ports.expiring import ExpiringKind
from safeum_home.ports.federation import Answer, Noted, OpenFile, SharedKind
from safeum_home.ports.files import Intake, Reading
from safeum_home.ports.outbox import SetAside
from safeum_home.protocol.federation.canonical import NotCanonical, encode
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.federation.files import FetchFile
from safeum_home.protocol.federation.now import NOW_PATH
from safeum_home.protocol.federation.transactions import FEDERATION_PATH, HELLO_PATH
from safeum_home.protocol.http import NODE_KEYS_PATH

R = TypeVar("R", bound=Struct)


class NodeFederation:
    """`ports.Peers`. Made by `federation_opening`; `connect` it to the domain before it is started."""

    def __init__(self, means: Means, policy: Policy, own: OwnKeys, way: WayOut, rows: PeerRows) -> None:
        section, clock, database = means.config.federation, means.clock, means.database
        self._means = means
        self._policy = policy
        self.own = own
        self._way = way
        self.rows = rows
        self._kinds: dict[str, SharedKind] = {}
        self._answers: Mapping[type[Struct], Answer] = {}
        self._expiring: Mapping[str, ExpiringKind] = {}
        self._lend: OpenFile | None = None
        self.counts = Counts()
        self.outbox = NodeOutbox(database, rows, section.waiting)
        self._inbox = NodeInbox(database, rows)
        self.keys = KeyCache(way.fetch_keys, clock, rows.is_known, kept=KeptKeys(database, rows))
        builder = Builder(lambda: self._kinds, own, database.is_outage)
        self.sender = Sender(
            clock,
            self.outbox,
            lambda batch: database.read(lambda c: builder.build(c, batch)),
            way.request,
            SystemRandom().random,
            lambda: own.in_use.key_id,
            self.counts,
        )
        name = means.config.node.name
        verifier = RequestVerifier(name, policy, self.keys, NonceWindow(clock.seconds))
        self._events = EventVerifier(name, policy, self.keys, own, means.in_thread)
        expiring = lambda: self._expiring  # noqa: E731
        self.now = NowTelling(
            clock, expiring, own, means.in_thread, way.request, self.sender.is_failing, self.counts
        )
        receiver = NowReceiver(self._events, expiring, clock.seconds, self.counts)
        addresses = RateLimit(section.asked_per_address, section.asked_per_address_burst, clock.seconds)
        nodes = RateLimit(section.asked_per_node, section.asked_per_node_burst, clock.seconds)
        self._resource = FederationResource(
            Body,
            verifier,
            Receiver(self._inbox, self._events, lambda: self._kinds, self.counts),
            lambda: self._answers,
            self._heard,
            Limits(addresses, nodes),
            self.counts,
            Lending(lambda: self._lend, partial(_send, clock)),
            {HELLO_PATH: hello(self.now.greeted), NOW_PATH: receiver.received},
        )
        self._resources = {
            NODE_KEYS_PATH: KeysResource(own, addresses),
            FEDERATION_PATH.rstrip("/"): self._resource,
        }

    # --- for the edge, and the life of the node

    @property
    def resources(self) -> Mapping[str, IResource]:
        """What is served to other nodes, by its path."""
        return self._resources

    def stream(self, request: Any, method: bytes, path: bytes, length: int | None) -> Body | None:
        """`gateway.bodies.Streams`."""
        body: Body | None = self._resource.stream(request, method, path, length)
        return body

    def connect(
        self,
        shared: Iterable[SharedKind],
        answers: Mapping[type[Struct], Answer],
        lend: OpenFile | None = None,
        expiring: Iterable[ExpiringKind] = (),
    ) -> None:
        """Kinds of objects that nodes tell each other of; what answers their questions, and opens files.

        `expiring` is what they tell each other from memory.
        """
        kinds = tuple(shared)
        self._kinds = {kind.type: kind for kind in kinds}
        self._answers = answers
        self._expiring = {kind.type: kind for kind in expiring}
        self._lend = lend
        self.outbox.refusals.know(kinds, self._means.clock, self.wake)

    def start(self) -> None:
        """Begin to tell others."""
        self.sender.start()

    def forget(self) -> None:
        """Read all from the database anew."""
        self._inbox.forget()

    async def stop(self) -> None:
        """Take and send nothing more: afterwards nothing of this uses the database."""
        await self._resource.stop()
        await self.now.stop()
        await self.sender.stop()
        self.outbox.refusals.stop()
        await self._way.close()

    def aside(self, limit: int) -> "Deferred[list[SetAside]]":
        """What was refused between this node and others, the newest first."""
        return self._means.database.read(lambda c: self.rows.aside(c, limit))

    def report(self) -> str:
        """A line for the operator."""
        return self.sender.summary(self._means.config.federation.mode)

    def metrics(self) -> "Deferred[list[Metric]]":
        """The same in numbers."""
        states = [state for state, _ in self.sender.reports().values()]
        return metrics(self._means.database, self.counts, states)

    def check(self, node: str) -> "Deferred[str]":
        """Say hello to a node now; "" where it has taken that, else why not."""
        return Deferred.fromCoroutine(check(self._way.request, node))

    async def rotate(self) -> str:
        """Sign with a new key from now on; its id. Raises `storage_unavailable`."""
        means = self._means
        return await rotate(self.own, means.database, means.vault.federation, means.milliseconds)

    # --- ports.Peers

    def reaches(self, node: str) -> bool:
        return self._policy.allows(node)

    def note(self, c: Connection, rows: Sequence[Noted]) -> None:
        self.outbox.note(c, rows)

    def to_be_told(
        self, c: Connection, node: str, objects: Sequence[tuple[str, bytes]]
    ) -> Sequence[tuple[str, bytes]]:
        return self.outbox.waiting(c, node, objects)

    def withdraw(self, c: Connection, node: str, types: Sequence[str], first: bytes, end: bytes) -> None:
        self.outbox.withdraw(c, node, types, first, end)

    def room(self, c: Connection, node: str) -> int:
        return self.outbox.room(c, node)

    def wake(self, nodes: Iterable[str]) -> None:
        # Nothing may have been noted for one of them: that there is a row of it cannot be told from this.
        for node in nodes:
            # Called for each message.
            if not self.sender.more(node) and self._policy.allows(node):
                self.sender.wake((node,))

    def tell_now(self, node: str, type: str, subject: Hashable) -> bool:
        return self._policy.allows(node) and self.now.tell(node, type, subject)

    def _heard(self, node: str) -> None:
        self.sender.heard(node)
        self.now.heard(node)

    def ask(self, node: str, question: Struct, result: type[R]) -> "Deferred[R]":
        if not self._policy.allows(node):
            return fail(Problem(Code.FEDERATION_REFUSED))
        return Deferred.fromCoroutine(ask(self._way.request, node, question, result))

    def fetch(self, node: str, file: FetchFile) -> "Deferred[Intake]":
        if not self._policy.allows(node):
            return fail(Problem(Code.FEDERATION_REFUSED))
        fetching: Deferred[Intake] = Deferred.fromCoroutine(fetch(self._way.stream, node, file))
        return fetching

    def verified(self, origin: str, event: Mapping[str, Any]) -> "Deferred[Event]":
        return Deferred.fromCoroutine(self._verified(origin, event))

    async def _verified(self, origin: str, event: Mapping[str, Any]) -> Event:
        try:
            octets = encode(dict(event))
        except NotCanonical:
            raise Problem(Code.MALFORMED_EVENT) from None
        [verified] = await self._events.verified([octets], origin, lambda _: True)
        if isinstance(verified, Problem):
            raise verified
        return verified


def _send(clock: Any, request: Any, reading: Reading, start: int) -> None:
    send_rest(clock, request, reading, EdgeLimits().read_stall, start)
