"""Several nodes in memory, and what they tell each other carried by hand, so that a test may let it wait.

nodes = Nodes("a.example", "b.example")
alice, bob = nodes["a.example"].register("alice"), nodes["b.example"].register("bob")
...
nodes.settle()
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from nacl.signing import SigningKey
from sqlalchemy import Connection
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.task import Clock

from safeum_home.errors import Code, Problem
from safeum_home.node.untold import give_up
from safeum_home.ports.federation import Applied, Founding, Noted, SharedKind
from safeum_home.ports.files import Intake, Reading
from safeum_home.protocol.federation.canonical import encode
from safeum_home.protocol.federation.events import Event, read_event, sign_event, verify_event
from safeum_home.protocol.federation.files import FetchFile
from safeum_home.protocol.federation.questions import NAME_OF
from tests.world import World

R = TypeVar("R", bound=Struct)


class MemoryPeers:
    """`ports.Peers` of one of some nodes. What is noted stays when the node starts anew, as rows do."""

    def __init__(self, nodes: "Nodes", name: str) -> None:
        self._nodes = nodes
        self._name = name
        self.key = _Key(name)
        self.silent: set[str] = set()
        """Nodes whose keys cannot be had."""
        self.waiting: list[Noted] = []
        self.most: dict[str, int] = {}
        """How many more messages may wait for some nodes."""
        self.refused: list[tuple[Noted, Problem]] = []
        self.held: set[str] = set()
        """What is noted for these nodes waits."""
        self.passing: dict[tuple[str, str, Hashable], None] = {}
        """What is of use for a moment alone: `Nodes.now` carries it."""
        self.late: list[Noted] = []
        """What could not be built yet, until the next time that is carried."""

    def reaches(self, node: str) -> bool:
        return node in self._nodes.worlds and node != self._name

    def note(self, c: Connection, rows: Sequence[Noted]) -> None:
        for row in rows:
            assert len(row.pointer) <= 128, row
            if row not in self.waiting:
                self.waiting.append(row)

    def to_be_told(
        self, c: Connection, node: str, objects: Sequence[tuple[str, bytes]]
    ) -> Sequence[tuple[str, bytes]]:
        there = {(row.type, row.pointer) for row in self.waiting if row.node == node}
        return [each for each in objects if each in there]

    def withdraw(self, c: Connection, node: str, types: Sequence[str], first: bytes, end: bytes) -> None:
        self.waiting[:] = [
            row
            for row in self.waiting
            if row.node != node or row.type not in types or not first <= row.pointer < end
        ]

    def room(self, c: Connection, node: str) -> int:
        return self.most.get(node, 1_000_000)

    def wake(self, nodes: Iterable[str]) -> None:
        """`Nodes.settle` carries."""

    def tell_now(self, node: str, type: str, subject: Hashable) -> bool:
        if self.reaches(node):
            self.passing[node, type, subject] = None
        return self.reaches(node)

    def ask(self, node: str, question: Struct, result: type[R]) -> "Deferred[R]":
        if not self.reaches(node):
            return fail(Problem(Code.FEDERATION_REFUSED))
        if {node, self._name} & self._nodes.away:
            return fail(Problem(Code.NODE_UNREACHABLE))
        assert type(question) in NAME_OF
        asked = msgspec.convert(msgspec.to_builtins(question), type(question), strict=True)
        answer = self._nodes.worlds[node].domain.answers[type(question)]

        async def ask() -> R:
            told = await answer(self._name, asked)
            return msgspec.convert(msgspec.to_builtins(told), result, strict=True)

        return Deferred.fromCoroutine(ask())

    def fetch(self, node: str, file: FetchFile) -> "Deferred[Intake]":
        if not self.reaches(node):
            return fail(Problem(Code.FEDERATION_REFUSED))
        if {node, self._name} & self._nodes.away:
            return fail(Problem(Code.NODE_UNREACHABLE))
        asked = msgspec.convert(msgspec.to_builtins(file), FetchFile, strict=True)
        self._nodes.fetched.append(asked)
        lend = self._nodes.worlds[node].domain.files.lend

        async def fetch() -> Intake:
            return self._nodes.bodies(await lend(self._name, asked), asked.offset)

        return Deferred.fromCoroutine(fetch())

    def verified(self, origin: str, event: Mapping[str, Any]) -> "Deferred[Event]":
        if event["node"] in self.silent:
            return fail(Problem(Code.NODE_UNREACHABLE))
        return maybeDeferred(self.verify, encode(dict(event)))

    def verify(self, octets: bytes) -> Event:
        """An event that was signed by the node that it says."""
        event = read_event(octets)
        if event.node not in self._nodes.peers:
            raise Problem(Code.UNKNOWN_KEY)
        verify_event(event, {KEY: self._nodes.peers[event.node].key.public_key})
        return event


KEY = "ed25519:1"


class _Key:
    """`ports.NodeSigner` of a node, by its name."""

    def __init__(self, name: str) -> None:
        self._key = SigningKey(sha256(name.encode()).digest())
        self.public_key = bytes(self._key.verify_key)

    def sign(self, octets: bytes) -> bytes:
        return bytes(self._key.sign(octets).signature)


class MemoryBody:
    """`ports.Intake` of a file that a node has. It breaks off where `ends` says so."""

    def __init__(self, reading: Reading, offset: int, ends: int | None = None) -> None:
        self._reading = reading
        self._offset = offset
        self._ends = reading.size if ends is None else ends
        self.broken = False
        self.stopped = False

    def take(self, least: int) -> "Deferred[bytes]":
        return Deferred.fromCoroutine(self._take(least))

    async def _take(self, least: int) -> bytes:
        taken = b""
        while len(taken) < least and self._offset < self._ends and not self.stopped:
            part = await self._reading.read(self._offset, min(least - len(taken), self._ends - self._offset))
            self._offset += len(part)
            taken += part
        self.broken = self.stopped or self._offset < self._reading.size
        return taken

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            self._reading.close()


NOW_STEP = 0.25


def carry_now(nodes: "Nodes", name: str) -> None:
    """What passes at a node, to those that are there: all of a kind together, each event signed."""
    peers, kinds = nodes.peers[name], nodes.worlds[name].domain.expiring
    passing, peers.passing = peers.passing, {}
    for node, kind in dict.fromkeys((node, type) for node, type, _ in passing):
        subjects = [subject for to, type, subject in passing if (to, type) == (node, kind)]
        [built] = [each.build(node, subjects) for each in kinds if each.type == kind]
        for event in built:
            octets = sign_event(event, KEY, peers.key)
            nodes.told_now.append((name, node, event))
            if not {name, node} & nodes.away:
                say_now(nodes, name, node, peers.verify(octets))


def say_now(nodes: "Nodes", name: str, node: str, event: Event) -> bool:
    """A node says it to another; whether that one took it."""
    kinds = {each.type: each for each in nodes.worlds[node].domain.expiring}
    done: list[Any] = []
    Deferred.fromCoroutine(kinds[event.type].apply(name, event)).addBoth(done.append)
    assert done, "it waits for something"
    if done[0] is not None:
        done[0].trap(Problem)
    return done[0] is None


class Nodes:
    """Worlds by the names of their nodes. Those in `away` are told nothing, and tell nothing."""

    def __init__(self, *names: str, **options: Any) -> None:
        self.peers = {name: MemoryPeers(self, name) for name in names}
        self.worlds: dict[str, World] = {}
        self.away: set[str] = set()
        self._turn = 0
        """Every other event is stored as many are, where that goes."""
        self.untold = False
        """Whether a node hears of what another one has refused."""
        self.fetched: list[FetchFile] = []
        """The files that were asked for."""
        self.told_now: list[tuple[str, str, Event]] = []
        """What has passed: who told whom what."""
        self.bodies: Callable[[Reading, int], Intake] = MemoryBody
        for name in names:
            self.worlds[name] = World(node=name, peers=self.peers[name], **options)

    def __getitem__(self, name: str) -> World:
        return self.worlds[name]

    def restart(self, name: str) -> None:
        """The node's memory is gone; its database is there."""
        before = self.worlds[name]
        options = {"store": before.store, "files": before.config.files}
        peers = self.peers[name]
        # Its time goes on: set back, it would take what others tell for things of the future.
        clock = Clock()
        clock.advance(before.clock.seconds())
        world = World(before.database, before.vault, clock=clock, node=name, peers=peers, **options)
        self.worlds[name] = world

    def settle(self) -> None:
        """Carry all that waits, and all that comes of that."""
        for peer in self.peers.values():
            peer.waiting += peer.late
            peer.late = []
        while sum(self._carry(name) for name in self.worlds if name not in self.away):
            pass
        for world in self.worlds.values():
            world.settle()
        if any(self._ready(name) for name in self.worlds):
            self.settle()

    def now(self, seconds: float = 6.0) -> None:
        """Let time pass at all nodes, and carry what passes."""
        for _ in range(round(seconds / NOW_STEP)):
            for world in self.worlds.values():
                world.clock.advance(NOW_STEP)
            for name in self.worlds:
                carry_now(self, name)

    def give_up(self, name: str, on: str) -> None:
        """What waits at `name` for the node `on` will never be told."""
        waiting = self.peers[name].waiting
        for row in [row for row in waiting if row.node == on]:
            waiting.remove(row)
            self._give_up(name, row)

    def _give_up(self, name: str, row: Noted) -> None:
        world = self.worlds[name]
        rows, kinds = [(row.type, row.pointer)], world.domain.shared
        done: list[Any] = []
        Deferred.fromCoroutine(give_up(world.database, kinds, row.node, rows)).addBoth(done.append)
        assert done == [None], done

    def _kind(self, name: str, kind: str) -> SharedKind:
        return next(each for each in self.worlds[name].domain.shared if each.type == kind)

    def _ready(self, name: str) -> list[Noted]:
        if name in self.away:
            return []
        away = self.away | self.peers[name].held
        waiting = [row for row in self.peers[name].waiting if row.node not in away]
        return sorted(waiting, key=lambda row: not row.urgent)

    def _carry(self, name: str) -> bool:
        ready = self._ready(name)
        for row in ready:
            if row not in self.peers[name].waiting:
                continue  # withdrawn meanwhile
            self.peers[name].waiting.remove(row)
            try:
                self._tell(name, row)
            except Problem as problem:
                late = getattr(self._kind(name, row.type), "late", ())
                if problem.code is Code.BUSY and Code.BUSY.code in late:
                    self.peers[name].late.append(row)
                    continue
                self.peers[name].refused.append((row, problem))
                self._doubt(name, row, problem)
                if self.untold:
                    self._give_up(name, row)
        return bool(ready)

    def _doubt(self, name: str, row: Noted, problem: Problem) -> None:
        if problem.code is Code.NOT_A_CONTACT and row.type.startswith("chat."):
            world, contacts = self.worlds[name], self._kind(name, "contact")
            assert isinstance(contacts, Founding)
            world.database.transact(lambda c: contacts.doubted(c, row.node, row.pointer[:16]))

    def _tell(self, name: str, row: Noted) -> None:
        world, other = self.worlds[name], self.worlds[row.node]
        kind = self._kind(name, row.type)
        built = world.database.now(lambda c: kind.build(c, row.pointer))
        building = getattr(kind, "building", None)
        if building is not None:  # what is made together is what each for itself is
            together = world.database.now(lambda c: building(c, [row.pointer, row.pointer])(row.pointer))
            assert together == built, (together, built)
        if built is None:
            return
        assert built.type == row.type and built.node == name
        octets = sign_event(built, KEY, self.peers[name].key)
        event = self.peers[row.node].verify(octets)
        there = self._kind(row.node, row.type)
        for _ in range(2):  # told twice is told once
            self._apply(other, there, there.apply(name, event))

    def _apply(self, world: World, kind: SharedKind, applying: Any) -> None:
        done: list[Any] = []
        Deferred.fromCoroutine(applying).addBoth(done.append)
        world.clock.advance(0)
        assert done, "applying waits for something"
        if not isinstance(done[0], Applied):
            raise done[0].value
        applied = done[0]
        try:
            world.database.next_position()  # others come and go meanwhile
            applied.placed()
            self._turn += 1
            is_alone = applied.row is None or self._turn % 4 in (1, 2)  # each is told twice
            if is_alone or not _stored_in_bulk(world, kind, applied.row):
                stored: list[Any] = []
                world.database.transact(applied.store).addBoth(stored.append)
                if stored and hasattr(stored[0], "raiseException"):
                    raise stored[0].value
            applied.publish()
        finally:
            applied.ended()


def _stored_in_bulk(world: World, kind: Any, row: Any) -> bool:
    """Try it as many are stored; where that does not go, nothing is stored."""

    def store(c: Connection) -> None:
        if not kind.store_rows(c, [row]):
            raise Problem(Code.BUSY)

    outcome: list[Any] = []
    world.database.transact(store).addBoth(outcome.append)
    return outcome == [None]
