"""A turn of the keyring over a real database, cut short at every step."""

from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import Connection
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from safeum_home.errors import Code, Erased, Problem
from safeum_home.node.turning import LEAST_SECONDS, RETRY_SECONDS, Turns, finish, make_good, turn
from safeum_home.ports import WrappedKey
from safeum_home.sealing.memory import Arena, Level
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import initialise, open_vault
from safeum_home.storage import keys
from safeum_home.storage.database import NodeDatabase, open_database
from safeum_home.storage.erasure import erase_account
from tests.instant_database import InstantDatabase

KEPT, ERASED = b"k" * 16, b"e" * 16


@implementer(ILogObserver)
class LogCollector:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        self.lines.append(formatEvent(event))


class TurningTests(TestCase):
    """What is kept opens as before, what was erased never again."""

    def setUp(self) -> "Deferred[None]":  # type: ignore[override]  # trial waits for it
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        return Deferred.fromCoroutine(self._start(self.folder))

    async def _start(self, folder: Path) -> None:
        arena = Arena(floor=Level.UNLOCKED)
        self.root, self.state = generate(arena), folder / "state"
        initialise(self.root, self.state)
        self.vault = open_vault(self.root, self.state)
        self.database: NodeDatabase = await open_database(f"sqlite:///{folder / 'db'}", reactor=reactor)
        self.addCleanup(self.database.close)
        key, wrapped = self.vault.keyring.new_key(KEPT)
        _, self.erased = self.vault.keyring.new_key(ERASED)
        self.sealed = key.seal(b"text", b"")
        await self._transact(lambda c: keys.put_key(c, KEPT, wrapped))

    def _transact(self, fn: Any) -> "Deferred[Any]":
        return self.database.transact(fn)

    async def _check(self) -> None:
        wrapped: WrappedKey | None = await self.database.read(lambda c: keys.key(c, KEPT))
        assert wrapped is not None
        self.assertEqual(self.vault.keyring.unwrap(KEPT, wrapped).open(self.sealed, b""), b"text")
        self.assertFalse(self.vault.keyring.pending_turn)
        self.assertRaises(Erased, self.vault.keyring.unwrap, ERASED, self.erased)

    def _reopen(self) -> None:
        self.vault.wipe()
        self.vault = open_vault(self.root, self.state)

    async def test_turn(self) -> None:
        await turn(self.database, self.vault.keyring)
        await self._check()
        self._reopen()
        await self._check()

    async def test_crash_before_the_commit(self) -> None:
        self.vault.keyring.begin_turn()
        self._reopen()
        await finish(self.database, self.vault.keyring)
        await self._check()

    async def test_crash_after_the_commit(self) -> None:
        self.vault.keyring.begin_turn()
        await self._transact(lambda c: keys.rewrap_some(c, 2, b"", self.vault.keyring.rewrap))
        self._reopen()
        await finish(self.database, self.vault.keyring)
        await self._check()

    async def test_a_wrap_that_does_not_open(self) -> None:
        """It was lost before: it stays as it is, the rest is turned, and the operator is told."""
        spoilt = WrappedKey(1, b"spoilt")
        await self._transact(lambda c: keys.put_key(c, b"s" * 16, spoilt))
        await turn(self.database, self.vault.keyring)
        await self._check()
        self.assertEqual(await self.database.read(lambda c: keys.key(c, b"s" * 16)), spoilt)

    async def test_erased_without_a_turn(self) -> None:
        """The process died between the commit that erases and the turn: a start makes it good, once."""
        keyring = self.vault.keyring
        await self._transact(lambda c: erase_account(c, ERASED, keyring.epoch))
        self._reopen()
        for _ in range(2):
            await make_good(self.database, self.vault.keyring)
            self.assertEqual(self.vault.keyring.epoch, 2)
            await self._check()
            self._reopen()

    async def test_erased_while_a_turn_is_pending(self) -> None:
        """What is erased while a turn is under way may be wrapped under its epoch: that is turned as well."""
        self.vault.keyring.begin_turn()
        await self._transact(lambda c: erase_account(c, ERASED, self.vault.keyring.epoch))
        self._reopen()
        await make_good(self.database, self.vault.keyring)
        self.assertEqual(self.vault.keyring.epoch, 3)
        await self._check()

    async def test_a_read_under_way(self) -> None:
        """Who reads in a snapshot from before opens what is in it, though the file is turned already."""
        keyring, begun, go_on = self.vault.keyring, Event(), Event()

        def slow(c: Connection) -> bytes:
            wrapped = keys.key(c, KEPT)
            assert wrapped is not None and wrapped.epoch == 1
            begun.set()
            go_on.wait(60)
            return keyring.unwrap(KEPT, wrapped).open(self.sealed, b"")

        reading = self.database.read(slow)
        await deferToThread(begun.wait, 60)
        turning = Deferred.fromCoroutine(turn(self.database, keyring))
        while keyring.epoch == 1 or keyring.pending_turn:
            await self._transact(lambda c: None)
        self.assertFalse(turning.called)
        go_on.set()
        self.assertEqual(await reading, b"text")
        await turning
        await self._check()

    async def test_an_old_copy(self) -> None:
        """Where an old copy of the database was put back, nothing opens, and the log says why."""
        old = await self.database.read(lambda c: keys.key(c, KEPT))
        await turn(self.database, self.vault.keyring)
        assert old is not None
        await self._transact(lambda c: keys.begin_epoch(c, 1))
        await self._transact(lambda c: keys.put_key(c, KEPT, old))
        told = LogCollector()
        globalLogPublisher.addObserver(told)
        self.addCleanup(globalLogPublisher.removeObserver, told)
        await make_good(self.database, self.vault.keyring)
        self.assertEqual(len([line for line in told.lines if line.startswith("1 keys are of epochs")]), 1)

    async def test_a_wrap_that_comes_too_late(self) -> None:
        """It was made before a turn and is handed in after it: refused for now, and nothing is lost."""
        late = b"l" * 16
        _, wrapped = self.vault.keyring.new_key(late)
        await turn(self.database, self.vault.keyring)
        with self.assertRaises(Problem) as raised:
            await self._transact(lambda c: keys.put_key(c, late, wrapped))
        self.assertIs(raised.exception.code, Code.BUSY)
        await self._check()

    async def test_messages_go_on(self) -> None:
        """Between the batches of a turn others commit; and a key that is made meanwhile is not lost."""
        await self._transact(self._fill(5_500))
        turning = Deferred.fromCoroutine(turn(self.database, self.vault.keyring))
        committed: list[bool] = []
        made: list[tuple[bytes, WrappedKey, bytes]] = []
        while not turning.called:
            owner = b"new %12d" % len(made)
            key, wrapped = self.vault.keyring.new_key(owner)
            made.append((owner, wrapped, key.seal(b"text", b"")))
            await self._transact(partial(_put, owner, wrapped))
            committed.append(turning.called)
        await turning
        self.assertGreater(committed.count(False), 3)
        await self._check()
        for owner, _, sealed in made:
            wrapped = await self.database.read(partial(_get, owner))
            self.assertEqual(self.vault.keyring.unwrap(owner, wrapped).open(sealed, b""), b"text")
        self.assertEqual({first.epoch for _, first, _ in made}, {1, 2})

    def _fill(self, count: int) -> Any:
        owners = [b"filler %9d" % number for number in range(count)]
        wraps = [(owner, self.vault.keyring.new_key(owner)[1]) for owner in owners]

        def fill(c: Connection) -> None:
            for owner, wrapped in wraps:
                keys.put_key(c, owner, wrapped)

        return fill


def _put(owner: bytes, wrapped: WrappedKey, c: Connection) -> None:
    keys.put_key(c, owner, wrapped)


def _get(owner: bytes, c: Connection) -> WrappedKey:
    found = keys.key(c, owner)
    assert found is not None
    return found


class TurnsTests(SynchronousTestCase):
    """Turns one at a time, in memory; each step waits for the test."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.database = InstantDatabase()
        self.vault = open_vault(generate(Arena(floor=Level.UNLOCKED)), None)
        self.steps: list[tuple[Any, Deferred[Any]]] = []
        self.turns = Turns(self.clock, self.database, self.vault.keyring, self._in_thread)

    def _in_thread(self, call: Any) -> "Deferred[Any]":
        done: Deferred[Any] = Deferred()
        self.steps.append((call, done))
        return done

    def step(self, error: Exception | None = None) -> None:
        """The next thing that a thread does: beginning or finishing a turn."""
        call, done = self.steps.pop(0)
        if error is None:
            done.callback(call())
        else:
            done.errback(error)

    def test_shared(self) -> None:
        """Those who come while a turn is under way share the one after it, which begins a while afterwards."""
        first = self.turns.turned()
        self.step()
        later = [self.turns.turned(), self.turns.turned()]
        self.step()
        self.successResultOf(first)
        self.assertEqual(self.turns.epoch, 2)
        self.clock.advance(LEAST_SECONDS / 2)
        later.append(self.turns.turned())
        self.assertEqual((self.turns.epoch, self.steps), (2, []))
        self.clock.advance(LEAST_SECONDS / 2)
        for waiting in later:
            self.assertNoResult(waiting)
        self.step()
        self.step()
        for waiting in later:
            self.successResultOf(waiting)
        self.assertEqual((self.turns.epoch, self.steps), (3, []))
        self.clock.advance(LEAST_SECONDS)
        again = self.turns.turned()
        self.step()
        self.step()
        self.successResultOf(again)

    def test_many(self) -> None:
        """However many come, there is no more than one turn in ten seconds, and nobody waits for longer."""
        waiting: list[Deferred[None]] = []
        for second in range(60):
            waiting.append(self.turns.turned())
            while self.steps:
                self.step()
            self.assertEqual(self.turns.epoch, 2 + second // int(LEAST_SECONDS))
            self.clock.advance(1)
            for early in waiting[: -int(LEAST_SECONDS)]:
                self.successResultOf(early)

    def test_a_clock_that_is_set_back(self) -> None:
        """Nobody waits for longer because of it."""
        self.clock.advance(1_700_000_000)
        self.turns.turned()
        self.step()
        self.step()
        self.clock.rightNow -= 86400
        waiting = self.turns.turned()
        self.assertEqual(self.steps, [])
        self.clock.advance(LEAST_SECONDS)
        self.step()
        self.step()
        self.successResultOf(waiting)

    def test_failing(self) -> None:
        """Whatever fails is tried again, from where it was, until the turn is complete."""
        waiting = self.turns.turned()
        self.step(OSError("the disk is full"))
        self.clock.advance(RETRY_SECONDS)
        self.database.failing = True
        self.step()
        self.database.failing = False
        self.clock.advance(RETRY_SECONDS)
        self.step(OSError("the disk is full"))
        self.assertNoResult(waiting)
        self.assertTrue(self.vault.keyring.pending_turn)
        self.clock.advance(RETRY_SECONDS)
        while self.steps:
            self.step()
        self.successResultOf(waiting)
        self.assertFalse(self.vault.keyring.pending_turn)

    def test_stopped_in_a_turn(self) -> None:
        """The turn under way is carried out, no other begins, and who waits for one is told."""
        first = self.turns.turned()
        self.step()
        second = self.turns.turned()
        stopped = self.turns.stop()
        self.assertNoResult(stopped)
        self.step()
        self.successResultOf(stopped)
        self.successResultOf(first)
        self.assertIs(self.failureResultOf(second, Problem).value.code, Code.SHUTTING_DOWN)
        self.assertEqual(self.steps, [])
        late = self.turns.turned()
        self.assertIs(self.failureResultOf(late, Problem).value.code, Code.SHUTTING_DOWN)

    def test_stopped_in_a_pause(self) -> None:
        """There is nothing to wait for then."""
        waiting = self.turns.turned()
        self.step(OSError("the disk is full"))
        self.successResultOf(self.turns.stop())
        self.assertIs(self.failureResultOf(waiting, Problem).value.code, Code.SHUTTING_DOWN)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopped_between_turns(self) -> None:
        """Who waits for the next turn is told at once."""
        self.turns.turned()
        self.step()
        self.step()
        waiting = self.turns.turned()
        self.successResultOf(self.turns.stop())
        self.assertIs(self.failureResultOf(waiting, Problem).value.code, Code.SHUTTING_DOWN)
        self.assertEqual((self.clock.getDelayedCalls(), self.steps), ([], []))

    def test_stopped_at_rest(self) -> None:
        self.successResultOf(self.turns.stop())
