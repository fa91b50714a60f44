"""Two nodes under whatever may happen to them: at the end each knows what the other has said."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from federation import making
from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation.events import Event
from tests.federated import Node, Pair, refuse, room_of
from tests.instant_database import InstantDatabase

NAMES = ("a.example", "b.example")
_node = st.sampled_from(NAMES)
_calm: Any = st.one_of(
    st.tuples(st.just("say"), _node, st.sampled_from(("test.saying", "chat.message"))),
    st.tuples(st.just("wait"), st.sampled_from((0.0005, 0.002, 0.01, 1.0, 400.0))),
    st.tuples(st.just("deaf"), _node),
    st.tuples(st.just("away"), _node),
    st.tuples(st.just("back"), _node),
    st.tuples(st.just("restart"), _node),
    st.tuples(st.just("hold"), _node),
    st.tuples(st.just("commit"), _node, st.booleans()),
    st.tuples(st.just("disk"), _node, st.booleans()),
)
_rough: Any = st.one_of(
    _calm,
    st.tuples(st.just("change"), _node, st.integers(0, 3)),
    st.tuples(st.just("copy"), _node),
    st.tuples(st.just("restore"), _node),
    st.tuples(st.just("rotate"), _node),
)


_offer: Any = st.tuples(st.just("offer"), _node, st.integers(0, 2))
_refuse: Any = st.tuples(st.just("refuse"), _node, st.sampled_from((0, 1, 2)))
_some_time: Any = st.tuples(st.just("wait"), st.sampled_from((0.01, 1.0, 7.0, 400.0)))
# A node seldom takes none of these just when it is told of one: so what makes it happen comes often.
_patient: Any = st.one_of(
    _offer,
    _refuse,
    _some_time,
    st.tuples(_refuse, _offer, _some_time).map(lambda steps: ("all", *steps)),
    st.tuples(_offer, _some_time, _offer, _some_time).map(lambda steps: ("all", *steps)),
    _calm,
    st.tuples(st.just("rotate"), _node),
)


_room: Any = st.sampled_from("abc")
_in_rooms: Any = st.one_of(
    st.tuples(st.just("write"), _node, _room),
    st.tuples(st.just("alter"), _node, _room),
    st.tuples(st.just("closed"), _node, _room, st.sampled_from((0, 1, 2))),
    _some_time,
    st.tuples(
        st.tuples(st.just("closed"), _node, _room, st.sampled_from((1, 2))),
        *(st.tuples(st.just("write"), _node, _room) for _ in range(4)),
        _some_time,
    ).map(lambda steps: ("all", *steps)),
    _calm,
)


def copy(database: InstantDatabase) -> InstantDatabase:
    """What was committed of it."""
    copied = InstantDatabase()
    source: Any = database.connection.connection.driver_connection
    source.backup(copied.connection.connection.driver_connection)
    copied._position, copied.committed = database._position, database.committed
    return copied


class Story:
    """What happens, one thing after another. A refused change is as if nobody had made it."""

    def __init__(self) -> None:
        self.pair = Pair()
        self.count = 0
        self.said: dict[str, list[int]] = {name: [] for name in NAMES}
        self.offered: set[int] = set()
        self.copies: dict[str, InstantDatabase] = {}

    def play(self, steps: list[Any]) -> None:
        for what, *about in steps:
            getattr(self, what)(*about)
        for name in NAMES:
            self.back(name)
            self.disk(name, False)
            self._node(name).database.release()
            self._node(name).database.hold = False
        for _ in range(3):
            for name in NAMES:
                self.restart(name)
            self.pair.until(lambda: not any(self._node(name).waiting for name in NAMES), 100_000)

    def all(self, *steps: Any) -> None:
        """One after the other."""
        for what, *about in steps:
            getattr(self, what)(*about)

    def say(self, name: str, kind: str) -> None:
        self.count += 1
        self._say(name, str(self.count), kind)

    def change(self, name: str, which: int) -> None:
        self.count += 1
        self._say(name, f"object {which}", "test.saying")

    def wait(self, seconds: float) -> None:
        self.pair.clock.pump([seconds / 10] * 10)

    def deaf(self, name: str) -> None:
        self.pair.deaf.add(name)

    def away(self, name: str) -> None:
        self.pair.away.add(name)

    def back(self, name: str) -> None:
        self.pair.away.discard(name)
        self.pair.deaf.discard(name)

    def restart(self, name: str) -> None:
        self._node(name).database.failing = False
        self.pair.restart(name)

    def hold(self, name: str) -> None:
        self._node(name).database.hold = True

    def commit(self, name: str, told: bool) -> None:
        database = self._node(name).database
        database.commit()
        if told:
            database.report()

    def disk(self, name: str, failing: bool) -> None:
        self._node(name).database.failing = failing

    def copy(self, name: str) -> None:
        self.copies[name] = copy(self._node(name).database)

    def restore(self, name: str) -> None:
        if name in self.copies:
            node = self._node(name)
            node.kill()
            node.database = copy(self.copies[name])
            node.start()

    def offer(self, name: str, which: int) -> None:
        """An object of the kind that may wait is another one now."""
        self.count += 1
        self.offered.add(self.count)
        self._say(name, f"offer {which}", "test.patient")

    def refuse(self, name: str, where: int) -> None:
        """A node takes none of these for now: 1 where it looks at them, 2 where it stores them."""
        kind = self._node(name).kinds[2]
        kind.applying = refuse(Code.BUSY) if where == 1 else _taken
        kind.storing = (lambda c, event: refuse(Code.BUSY)(event)) if where == 2 else _stored

    def write(self, name: str, room: str) -> None:
        """Something in a chat of its own."""
        self.count += 1
        self._say(name, f"{room}/{self.count}", ("test.saying", "chat.message")[self.count % 2])

    def alter(self, name: str, room: str) -> None:
        """One object of a chat is another one now: it keeps its place while it waits."""
        self.count += 1
        self.offered.add(self.count)
        self._say(name, f"{room}/object", "chat.message")

    def closed(self, name: str, room: str, where: int) -> None:
        """A node takes nothing of a chat for now: 1 when it looks, 2 when it stores; 0: it does."""

        def refusing(event: Event) -> None:
            if event.chat == room_of(f"{room}/"):
                raise Problem(Code.BUSY, retry_after=1.0)

        for kind in self._node(name).kinds[:2]:
            kind.applying = refusing if where == 1 else _taken
            kind.storing = (lambda c, event: refusing(event)) if where == 2 else _stored

    def rotate(self, name: str) -> None:
        Deferred.fromCoroutine(self._node(name).federation.rotate()).addErrback(lambda _: None)

    def _say(self, name: str, what: str, kind: str) -> None:
        node = self._node(name)
        if node.database.failing or node.database.hold:
            return
        node.say(what, self.count, kind=kind)
        self.said[name].append(self.count)

    def _node(self, name: str) -> Node:
        return self.pair[name]


class SequenceTests(SynchronousTestCase):
    """Losses, repetitions, restarts; and backups that were put back."""

    def setUp(self) -> None:
        # The next transaction is made while one is under way, however little waits.
        self.patch(making, "AHEAD", 1)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(_calm, max_size=40))
    def test_once_and_in_order(self, steps: list[Any]) -> None:
        """What is lost on its way, or by a node that is killed, is there all the same: once, in its order."""
        story = Story()
        story.play(steps)
        for name, other in (NAMES, NAMES[::-1]):
            self.assertEqual(story.pair[other].values(), story.said[name])

    @settings(max_examples=80, deadline=None)
    @given(st.lists(_patient, max_size=40))
    def test_what_may_wait(self, steps: list[Any]) -> None:
        """What is held back comes at last, as it is then; all else comes in its order.

        It may come again: a transaction of which the answer was lost is another one when what it is of has
        changed, or the key.
        """
        story = Story()
        story.play(steps)
        for name, other in (NAMES, NAMES[::-1]):
            node, there = story.pair[name], story.pair[other].arrived()
            rest = list(dict.fromkeys(value for _, what, value in there if not _is_offer(what)))
            self.assertEqual(rest, [value for value in story.said[name] if value not in story.offered])
            offers = {what: value for what, value in _said(node).items() if _is_offer(what)}
            self.assertEqual({what: value for _, what, value in there if _is_offer(what)}, offers)
            self.assertEqual(node.database.count("set_aside"), 0)
            waiting = node.database.now(
                lambda c: c.exec_driver_sql("SELECT sum(waiting) FROM peers").scalar()
            )
            self.assertEqual(waiting or 0, 0)

    @settings(max_examples=80, deadline=None)
    @given(st.lists(_in_rooms, max_size=40))
    def test_in_line(self, steps: list[Any]) -> None:
        """What stands in line comes at last, in the order of its chat; what changed meanwhile as it is."""
        story = Story()
        story.play(steps)
        for name, other in (NAMES, NAMES[::-1]):
            node, there = story.pair[name], story.pair[other].arrived()
            every = list(_said(node).items())
            for room in "abc":
                of_room = [(what, value) for _, what, value in there if what.startswith(f"{room}/")]
                plain = [value for what, value in of_room if value not in story.offered]
                said = (value for what, value in every if what.startswith(f"{room}/"))
                self.assertEqual(list(dict.fromkeys(plain)), sorted(set(said) - story.offered))
            for what, value in every:
                self.assertEqual([now for _, each, now in there if each == what][-1], value)
            self.assertEqual(node.database.count("set_aside"), 0)
            self.assertEqual(node.waiting, 0)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(_rough, max_size=40))
    def test_at_last(self, steps: list[Any]) -> None:
        """Where backups are put back all that waits arrives, and each object at last as it is."""
        story = Story()
        story.play(steps)
        for name in NAMES:
            story.count += 1
            story.pair[name].say("at last", story.count)
        story.pair.until(lambda: not any(story.pair[name].waiting for name in NAMES), 100_000)
        for name, other in (NAMES, NAMES[::-1]):
            there = {what: value for _, what, value in story.pair[other].arrived()}
            self.assertEqual(there["at last"], story.count - (name == NAMES[0]))
            if not {"copy", "restore"} <= {what for what, *_ in steps}:
                for what, value in _said(story.pair[name]).items():
                    self.assertEqual(there.get(what), value, what)


def _said(node: Node) -> dict[str, int]:
    rows = node.database.now(lambda c: c.exec_driver_sql("SELECT id, value FROM said").all())
    return {row.id: row.value for row in rows}


def _is_offer(what: str) -> bool:
    return what.startswith("offer")


def _taken(event: Event) -> None:
    """It is applied."""


def _stored(c: Connection, event: Event) -> None:
    """It is stored."""
