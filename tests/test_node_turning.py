"""A turn of the keyring over a real database, cut short at every step."""

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from safeum_home.errors import Erased
from safeum_home.node.turning import finish, turn
from safeum_home.ports import WrappedKey
from safeum_home.sealing.memory import Arena, Level
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import initialise, open_vault
from safeum_home.storage import keys
from safeum_home.storage.database import NodeDatabase, open_database

KEPT, ERASED = b"k" * 16, b"e" * 16


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
