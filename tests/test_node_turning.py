"""A turn of the keyring over a real database, cut short at every step."""

from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import Connection
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from safeum_home.errors import Code, Erased, Problem
from safeum_home.node.startup import StartError
from safeum_home.node.turning import finish, make_all_good, make_good, make_good_fleeting, turn
from safeum_home.ports import WrappedKey
from safeum_home.sealing.keyring import EpochKeyring
from safeum_home.sealing.memory import Arena, Level
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import initialise, open_vault
from safeum_home.storage.database import NodeDatabase, open_database
from safeum_home.storage.erasure import erase_account
from safeum_home.storage.keys import FLEETING, LASTING, KeyTable

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

    keys: KeyTable = LASTING

    @property
    def keyring(self) -> EpochKeyring:
        return self.vault.keyring

    def _erased(self, c: Connection) -> None:
        LASTING.put_key(c, ERASED, self.erased)
        erase_account(c, ERASED, self.keyring.epoch)

    async def _make_good(self) -> None:
        await make_good(self.database, self.keyring)

    def _turn(self) -> "Deferred[None]":
        return Deferred.fromCoroutine(turn(self.database, self.keyring, keys=self.keys))

    async def _finish(self) -> None:
        await finish(self.database, self.keyring, keys=self.keys)

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
        key, wrapped = self.keyring.new_key(KEPT)
        _, self.erased = self.keyring.new_key(ERASED)
        self.sealed = key.seal(b"text", b"")
        await self._transact(lambda c: self.keys.put_key(c, KEPT, wrapped))

    def _transact(self, fn: Any) -> "Deferred[Any]":
        return self.database.transact(fn)

    async def _check(self) -> None:
        wrapped: WrappedKey | None = await self.database.read(lambda c: self.keys.key(c, KEPT))
        assert wrapped is not None
        self.assertEqual(self.keyring.unwrap(KEPT, wrapped).open(self.sealed, b""), b"text")
        self.assertFalse(self.keyring.pending_turn)
        self.assertRaises(Erased, self.keyring.unwrap, ERASED, self.erased)

    def _reopen(self) -> None:
        self.vault.wipe()
        self.vault = open_vault(self.root, self.state)

    async def test_turn(self) -> None:
        await self._turn()
        await self._check()
        self._reopen()
        await self._check()

    async def test_crash_before_the_commit(self) -> None:
        self.keyring.begin_turn()
        self._reopen()
        await self._finish()
        await self._check()

    async def test_crash_after_the_commit(self) -> None:
        self.keyring.begin_turn()
        await self._transact(lambda c: self.keys.rewrap_some(c, 2, b"", self.keyring.rewrap))
        self._reopen()
        await self._finish()
        await self._check()

    async def test_a_wrap_that_does_not_open(self) -> None:
        """It was lost before: it stays as it is, the rest is turned, and the operator is told."""
        spoilt = WrappedKey(1, b"spoilt")
        await self._transact(lambda c: self.keys.put_key(c, b"s" * 16, spoilt))
        await self._turn()
        await self._check()
        self.assertEqual(await self.database.read(lambda c: self.keys.key(c, b"s" * 16)), spoilt)

    async def test_erased_without_a_turn(self) -> None:
        """The process died between the commit that erases and the turn: a start makes it good, once."""
        await self._transact(self._erased)
        self._reopen()
        for _ in range(2):
            await self._make_good()
            self.assertEqual(self.keyring.epoch, 2)
            await self._check()
            self._reopen()

    async def test_erased_while_a_turn_is_pending(self) -> None:
        """What is erased while a turn is under way may be wrapped under its epoch: that is turned as well."""
        self.keyring.begin_turn()
        await self._transact(self._erased)
        self._reopen()
        await self._make_good()
        self.assertEqual(self.keyring.epoch, 3)
        await self._check()

    async def test_a_read_under_way(self) -> None:
        """Who reads in a snapshot from before opens what is in it, though the file is turned already."""
        keyring, begun, go_on = self.keyring, Event(), Event()

        def slow(c: Connection) -> bytes:
            wrapped = self.keys.key(c, KEPT)
            assert wrapped is not None and wrapped.epoch == 1
            begun.set()
            go_on.wait(60)
            return keyring.unwrap(KEPT, wrapped).open(self.sealed, b"")

        reading = self.database.read(slow)
        await deferToThread(begun.wait, 60)
        turning = self._turn()
        while keyring.epoch == 1 or keyring.pending_turn:
            await self._transact(lambda c: None)
        self.assertFalse(turning.called)
        go_on.set()
        self.assertEqual(await reading, b"text")
        await turning
        await self._check()

    async def test_an_old_copy(self) -> None:
        """An old copy of the database does not open at all: no login would be right. What is left over from
        one, beside what opens, is counted in the log."""
        await self._put_back(await self._old())
        with self.assertRaises(StartError) as refused:
            await self._make_good()
        self.assertEqual(refused.exception.status, "keys_lost")
        _, wrapped = self.keyring.new_key(ERASED)
        await self._transact(lambda c: self.keys.put_key(c, ERASED, wrapped))
        told = self._listen()
        await self._make_good()
        self.assertEqual(len([line for line in told.lines if line.startswith("1 keys are of epochs")]), 1)

    async def _old(self) -> WrappedKey:
        """The wrap of what is kept, as it was before a turn."""
        old = await self.database.read(lambda c: self.keys.key(c, KEPT))
        await self._turn()
        assert old is not None
        return old

    async def _put_back(self, old: WrappedKey) -> None:
        await self._transact(lambda c: self.keys.begin_epoch(c, 1))
        await self._transact(lambda c: self.keys.put_key(c, KEPT, old))

    def _listen(self) -> LogCollector:
        told = LogCollector()
        globalLogPublisher.addObserver(told)
        self.addCleanup(globalLogPublisher.removeObserver, told)
        return told

    async def test_a_wrap_that_comes_too_late(self) -> None:
        """It was made before a turn and is handed in after it: refused for now, and nothing is lost."""
        late = b"l" * 16
        _, wrapped = self.keyring.new_key(late)
        await self._turn()
        with self.assertRaises(Problem) as raised:
            await self._transact(lambda c: self.keys.put_key(c, late, wrapped))
        self.assertIs(raised.exception.code, Code.BUSY)
        await self._check()

    async def test_messages_go_on(self) -> None:
        """Between the batches of a turn others commit; and a key that is made meanwhile is not lost."""
        await self._transact(self._fill(5_500))
        turning = self._turn()
        committed: list[bool] = []
        made: list[tuple[bytes, WrappedKey, bytes]] = []
        while not turning.called:
            owner = b"new %12d" % len(made)
            key, wrapped = self.keyring.new_key(owner)
            made.append((owner, wrapped, key.seal(b"text", b"")))
            await self._transact(partial(self._put, owner, wrapped))
            committed.append(turning.called)
        await turning
        self.assertGreater(committed.count(False), 3)
        await self._check()
        for owner, _, sealed in made:
            wrapped = await self.database.read(partial(self._get, owner))
            self.assertEqual(self.keyring.unwrap(owner, wrapped).open(sealed, b""), b"text")
        self.assertEqual({first.epoch for _, first, _ in made}, {1, 2})

    def _fill(self, count: int) -> Any:
        owners = [b"filler %9d" % number for number in range(count)]
        wraps = [(owner, self.keyring.new_key(owner)[1]) for owner in owners]

        def fill(c: Connection) -> None:
            for owner, wrapped in wraps:
                self.keys.put_key(c, owner, wrapped)

        return fill

    def _put(self, owner: bytes, wrapped: WrappedKey, c: Connection) -> None:
        self.keys.put_key(c, owner, wrapped)

    def _get(self, owner: bytes, c: Connection) -> WrappedKey:
        found = self.keys.key(c, owner)
        assert found is not None
        return found


class FleetingTests(TurningTests):
    """The same for the other keyring, of which nobody has a copy when it is lost."""

    keys = FLEETING

    @property
    def keyring(self) -> EpochKeyring:
        return self.vault.fleeting

    def _erased(self, c: Connection) -> None:
        FLEETING.mark_erased(c, self.keyring.epoch)

    async def _make_good(self) -> None:
        await make_good_fleeting(self.database, self.keyring)

    async def _works(self) -> None:
        """What was there is given up, once, and new keys are taken, over a start and a turn."""
        told = self._listen()
        await self._make_good()
        self.assertEqual([line.split()[3] for line in told.lines if line.startswith("The keys of")], ["1"])
        key, wrapped = self.keyring.new_key(KEPT)
        self.sealed = key.seal(b"text", b"")
        await self._transact(partial(self._put, KEPT, wrapped))
        for again in (self._make_good, self._turn):
            self._reopen()
            await again()
            await self._check()
        self.assertEqual(len([line for line in told.lines if line.startswith("The keys of")]), 1)

    async def test_an_old_copy(self) -> None:
        """An old copy of the database that was put back has lost what waited in it, and no more."""
        await self._put_back(await self._old())
        await self._works()

    async def test_no_file(self) -> None:
        """It is not in backups: the node makes another one, of later epochs than any in the database."""
        for _ in range(3):
            await self._turn()
        (self.state / "keyring.fleeting").unlink()
        self._reopen()
        self.assertFalse(
            (self.state / "keyring.fleeting").exists(), "looking at a state directory makes none"
        )
        await self._works()
        self.assertGreater(self.keyring.epoch, 5)

    async def test_no_file_and_killed(self) -> None:
        """The first turn of another one is cut short."""
        await self._turn()
        (self.state / "keyring.fleeting").unlink()
        self._reopen()
        self.keyring.begin_turn(beyond=2)
        self._reopen()
        self.assertTrue(self.keyring.pending_turn)
        await self._works()

    async def test_an_old_file(self) -> None:
        """One from before is put back: later epochs than the database knows are begun."""
        old = (self.state / "keyring.fleeting").read_bytes()
        for _ in range(3):
            await self._turn()
        (self.state / "keyring.fleeting").write_bytes(old)
        self._reopen()
        await self._works()

    async def test_each_for_itself(self) -> None:
        """A turn of the one leaves the other, its keys, and what was wrapped in old copies as they were."""
        _, lasting = self.vault.keyring.new_key(KEPT)
        await self._transact(lambda c: LASTING.put_key(c, KEPT, lasting))
        file = (self.state / "keyring").read_bytes()
        await self._turn()
        await self._check()
        self.assertEqual(await self.database.read(lambda c: LASTING.key(c, KEPT)), lasting)
        self.assertEqual((self.state / "keyring").read_bytes(), file)
        self.assertEqual(await self.database.read(LASTING.present_epoch), 0)
        other = await self.database.read(lambda c: FLEETING.key(c, KEPT))
        await turn(self.database, self.vault.keyring)
        self.assertEqual(await self.database.read(lambda c: FLEETING.key(c, KEPT)), other)
        self._reopen()
        await make_all_good(self.database, self.vault)
        await self._check()
        self.assertEqual((self.vault.keyring.epoch, self.keyring.epoch), (2, 2))
