"""Nodes that tell each other in memory: all of the way but TCP and TLS, on a test's clock.

pair = Pair()
a, b = pair["a.example"], pair["b.example"]
a.say("1", 5)
pair.settle()
b.arrived()  # [("a.example", "1", 5)]
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.task import Clock

from federation.destinations import Sign
from safeum_home.config import Config, FederationSection, LimitSection, NodeSection
from safeum_home.errors import Code, Problem
from safeum_home.gateway.http import EdgeSite, site_root
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.ids import AccountId, ChatId
from safeum_home.node.federation import NodeFederation
from safeum_home.node.federation_means import Means
from safeum_home.node.federation_opening import open_federation
from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.streams import Streamed
from safeum_home.ports.expiring import GATHERED
from safeum_home.ports.federation import Applied, Noted
from safeum_home.protocol.federation.events import Event, new_event
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import Vault, open_vault
from safeum_home.storage.lines import LINE
from tests.federated_http import send
from tests.federation import NOW
from tests.instant_database import InstantDatabase
from tests.world_parts import arena

DELAY = 0.001
"""Seconds that a request, and its answer, take on their way."""
_ALICE = "@" + "a" * 26


def room_of(name: str) -> ChatId:
    """Which chat an object is of: what its name says before "/", of a to p; else one for all."""
    return ChatId("!" + name.rpartition("/")[0].ljust(26, "a"))


class Saying:
    """A kind of objects with nothing to them: a name and a number. What came is written down, each time.

    They are of a chat each, but for those that may wait.
    """

    def __init__(
        self, node: "Node", type: str = "test.saying", together: bool = False, may_wait: bool = False
    ) -> None:
        self._node = node
        self.type = type
        self.together = together
        self.may_wait = may_wait
        self.lasting = False
        self.late = frozenset(("invalid_cursor",))
        self.ended = 0
        self.applying: Callable[[Event], None] = lambda event: None
        self.storing: Callable[[Connection, Event], None] = lambda c, event: None
        self.published: list[tuple[str, int]] = []
        self.untold_of: list[tuple[str, str]] = []

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        name = self.named(pointer)
        found = c.execute(text("SELECT value FROM said WHERE id = :id"), {"id": name}).first()
        if found is None:
            return None
        if found.value == 666:
            raise ValueError("it cannot be told")
        content = {"value": found.value, "text": self._node.padding}
        sender = AccountId(f"{_ALICE}:{self._node.name}")
        chat = None if self.may_wait else room_of(name)
        return new_event(self.type, sender, NOW * 1000, content, chat, name)

    def pointer(self, name: str) -> bytes:
        return ("" if self.may_wait else room_of(name)[:LINE]).encode() + name.encode()

    def named(self, pointer: bytes) -> str:
        return pointer[0 if self.may_wait else LINE :].decode()

    async def untold(self, node: str, pointer: bytes) -> Applied:
        self.untold_of.append((node, self.named(pointer)))
        return Applied(lambda c: None, lambda: None, lambda: None)

    async def apply(self, node: str, event: Event) -> Applied:
        self.applying(event)
        value, name = event.content["value"], str(event.id)

        def store(c: Connection) -> None:
            self.storing(c, event)
            c.execute(
                text("INSERT INTO arrived (node, id, value) VALUES (:node, :id, :value)"),
                {"node": node, "id": name, "value": value},
            )

        def ended() -> None:
            self.ended += 1

        return Applied(store, lambda: self.published.append((name, value)), ended)


class Passing:
    """A kind of what passes: names, each with a number. What was taken is written down."""

    lives = 5.0

    def __init__(self, node: "Node", type: str = "test.passing", turn: float = GATHERED) -> None:
        self.type = type
        self.turn = turn
        self._node = node
        self.values: dict[Hashable, int | None] = {}
        self.heard: list[tuple[str, str, int]] = []
        self.changes: list[tuple[str, str]] = []
        self.missing: list[tuple[str, Hashable]] = []
        self.applying: Callable[[Event], None] = lambda event: None

    def build(self, node: str, subjects: Sequence[Hashable]) -> Sequence[Event]:
        return [event for subject in subjects for event in self._event(subject)]

    def _event(self, name: Hashable) -> list[Event]:
        value = self.values.get(name)
        if value is None:
            return []
        content = {"value": value, "text": self._node.padding}
        sender, at = AccountId(f"{_ALICE}:{self._node.name}"), int(self._node.pair.clock.seconds() * 1000)
        return [new_event(self.type, sender, at, content, id=str(name))]

    async def apply(self, node: str, event: Event) -> None:
        self.applying(event)
        self.heard.append((node, str(event.id), event.content["value"]))

    def lost(self, node: str) -> None:
        self.changes.append(("lost", node))

    def missed(self, node: str, subjects: Sequence[Hashable]) -> None:
        self.missing += [(node, subject) for subject in subjects]

    def back(self, node: str) -> None:
        self.changes.append(("back", node))


class Node:
    """A node whose database outlives it."""

    def __init__(self, pair: "Pair", name: str, **federation: Any) -> None:
        self.pair = pair
        self.name = name
        self.padding = ""
        self.database = InstantDatabase()
        self.vault: Vault = open_vault(generate(arena()), None)
        self.config = Config(
            NodeSection(name, "/nowhere"),
            limits=LimitSection(),
            federation=FederationSection(**{"asked_per_address": 1e9, "asked_per_node": 1e9, **federation}),
        )
        self.database.execute("CREATE TABLE said (id TEXT PRIMARY KEY, value INTEGER)")
        self.database.execute("CREATE TABLE arrived (number INTEGER PRIMARY KEY, node, id, value)")
        self.federation: NodeFederation
        self.site: EdgeSite
        self.kinds: tuple[Saying, ...] = ()
        self.up = False

    def start(self) -> None:
        """With nothing in memory."""

        async def make(section: FederationSection, allows: Callable[[str], bool], sign: Sign) -> "Wire":
            return Wire(self, allows, sign)

        means = Means(self.config, self.pair.clock, self.database, self.vault, maybeDeferred)
        made: list[Any] = []
        Deferred.fromCoroutine(open_federation(means, make)).addBoth(made.append)
        assert isinstance(made[0], NodeFederation), made[0]
        self.federation = made[0]
        self.kinds = (
            Saying(self),
            Saying(self, "chat.message", together=True),
            Saying(self, "test.patient", may_wait=True),
        )
        self.expiring = Passing(self)
        self.prompt = Passing(self, "test.prompt", 0.0)
        self.federation.connect(self.kinds, {}, expiring=[self.expiring, self.prompt])
        self.site = EdgeSite(self.pair.clock, EdgeLimits(), site_root(dict, None, self.federation.resources))
        self.site.streams = self.federation.stream
        self.up = True
        self.federation.start()

    def kill(self) -> None:
        """Nothing of it happens any more; what was not committed is lost."""
        self.up = False
        self.database.drop()
        self.database.hold = False
        self.federation.outbox.refusals.stop()
        # It is not told to stop: its timers and answers come to nobody.
        self.federation.sender._stopped = True  # as a process that is gone
        for way in self.federation.sender._ways.values():
            way.machine.stop()
            if way.run is not None:
                way.run.cancel()
        self.federation.sender._ways.clear()

    def say(self, name: str, value: int, *to: str, kind: str = "test.saying", urgent: bool = False) -> None:
        """Change an object, and tell others of it."""
        nodes = to or tuple(other for other in self.pair.nodes if other != self.name)
        known = {each.type: each for each in self.kinds}
        pointer = known.get(kind, self.kinds[0]).pointer(name)

        def store(c: Connection) -> None:
            c.execute(
                text("INSERT INTO said VALUES (:id, :v) ON CONFLICT (id) DO UPDATE SET value = :v"),
                {"id": name, "v": value},
            )
            self.federation.note(c, [Noted(node, kind, pointer, urgent) for node in nodes])

        outcome: list[Any] = []
        self.database.transact(store).addBoth(outcome.append)
        if outcome and outcome[0] is not None:
            outcome[0].raiseException()
        if self.up:
            self.federation.wake(nodes)

    def pass_on(self, name: str, value: int | None, *to: str, prompt: bool = False) -> list[bool]:
        """Tell others what is of use for a moment alone; whether each may be told."""
        kind = self.prompt if prompt else self.expiring
        kind.values[name] = value
        nodes = to or tuple(other for other in self.pair.nodes if other != self.name)
        return [self.federation.tell_now(node, kind.type, name) for node in nodes]

    def arrived(self) -> list[tuple[str, str, int]]:
        """What came, each time that it came."""
        rows = self.database.now(lambda c: c.execute(text("SELECT * FROM arrived ORDER BY number")).all())
        return [(row.node, row.id, row.value) for row in rows]

    def values(self) -> list[int]:
        return [value for _, _, value in self.arrived()]

    @property
    def waiting(self) -> int:
        return self.database.count("outbox")


class Wire:
    """`node.federation.WayOut` over nothing at all: the octets of a request are given to the site there."""

    def __init__(self, node: Node, allows: Callable[[str], bool], sign: Sign) -> None:
        self._node = node
        self._allows = allows
        self._sign = sign

    def request(
        self, node: str, method: str, path: str, body: bytes = b"", most: int | None = None
    ) -> "Deferred[Answer]":
        return self._send(node, method, path, body, self._sign(method, path, body, node))

    def stream(self, node: str, path: str, body: bytes) -> "Deferred[Streamed]":
        raise AssertionError("no files here")

    def fetch_keys(self, node: str) -> "Deferred[bytes]":
        return self._send(node, "GET", "/_safeum/key/v1", b"", {}).addCallback(lambda answer: answer.body)

    def close(self) -> "Deferred[None]":
        """There are no connections."""
        return succeed(None)

    def _send(
        self, node: str, method: str, path: str, body: bytes, fields: Mapping[str, str]
    ) -> "Deferred[Answer]":
        pair, clock = self._node.pair, self._node.pair.clock
        answered: Deferred[Answer] = Deferred()
        pair.requests.append((self._node.name, node, method, path))

        def fail(reason: str) -> None:
            if not answered.called:
                answered.errback(NoAnswer(reason))

        def answer(octets: Answer) -> None:
            if node in pair.mute:
                return
            if node in pair.deaf:
                fail("the answer was lost")
            elif not answered.called and self._node.up:
                answered.callback(pair.answers.get(node, octets))

        def deliver() -> None:
            there = pair.nodes.get(node)
            if node in pair.away or there is None or not there.up:
                fail("there is no connection")
                return
            send(there.site, method, path, body, fields).addCallback(
                lambda octets: clock.callLater(DELAY, answer, octets)
            )

        clock.callLater(DELAY, deliver)
        clock.callLater(30, fail, "there was no answer in time")
        return answered


class Pair:
    """Nodes that reach each other. Those in `away` are not there; answers of those in `deaf` are lost."""

    def __init__(self, *names: str, **federation: Any) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.away: set[str] = set()
        self.deaf: set[str] = set()
        self.mute: set[str] = set()
        """Nodes that take a request, and never answer."""
        self.answers: dict[str, Answer] = {}
        """What some answer instead of what they would."""
        self.requests: list[tuple[str, str, str, str]] = []
        self.nodes = {name: Node(self, name, **federation) for name in names or ("a.example", "b.example")}
        for node in self.nodes.values():
            node.start()
        self.settle()

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def settle(self, seconds: float = 1.0) -> None:
        """Let time pass, in small steps."""
        self.clock.pump([DELAY] * 40)
        self.clock.pump([seconds / 20] * 20)
        self.clock.pump([DELAY] * 10)

    def until(self, happened: Callable[[], bool], seconds: float = 7200.0) -> float:
        """Let time pass until something has happened; after how many seconds."""
        began = self.clock.seconds()
        while not happened():
            if self.clock.seconds() - began > seconds:
                raise AssertionError("it did not happen")
            self.clock.advance(0.05)
        return self.clock.seconds() - began

    def restart(self, name: str) -> None:
        """A node is killed, and started on what it had committed."""
        self.nodes[name].kill()
        self.nodes[name].start()


def refuse(code: Code) -> Callable[[Any], None]:
    """For `Saying.applying`."""

    def raises(_event: object) -> None:
        raise Problem(code, retry_after=3.0 if code is Code.BUSY else None)

    return raises
