"""Turning a keyring: what was erased can then not be opened by anybody, old backups included.

The keyring's file first holds the old epoch and the new one; every wrap that is left is made anew, some
in each commit, so that messages go on between them; then the old epoch is destroyed. A crash between any
two steps leaves a turn that is pending, and is finished at the next start. Where the crash came before the
first step, the database knows under which epoch something was erased.

All of it is for either of the two keyrings, and its table of keys.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from safeum_home.errors import Code, Problem
from safeum_home.node.startup import KEYS_LOST, StartError
from safeum_home.ports import Database
from safeum_home.sealing.keyring import EpochKeyring
from safeum_home.sealing.vault import Vault
from safeum_home.spawn import spawn
from safeum_home.storage.keys import FLEETING, LASTING, KeyTable, Rewrapped

RETRY_SECONDS = 5.0
LEAST_SECONDS = 10.0
"""Between two turns, since each makes all keys anew: whoever comes meanwhile shares the next one. Who waits
for an answer waits for this and two turns at the most, which has to be less than a client's 30 seconds."""
InThread = Callable[[Callable[[], object]], "Deferred[Any]"]
_log = Logger()


async def turn(
    database: Database,
    keyring: EpochKeyring,
    in_thread: InThread = deferToThread,
    keys: KeyTable = LASTING,
    beyond: int = 0,
) -> None:
    """Begin an epoch, one after `beyond` at the least, and leave nothing under the ones before.

    Raises OSError, `storage_unavailable`.
    """
    await finish(database, keyring, in_thread, keys)
    await in_thread(lambda: keyring.begin_turn(beyond))
    await finish(database, keyring, in_thread, keys)


async def finish(
    database: Database,
    keyring: EpochKeyring,
    in_thread: InThread = deferToThread,
    keys: KeyTable = LASTING,
) -> None:
    """Finish a turn that is pending; nothing is done where none is.

    What was wrapped under the old epoch was handed to the database in an earlier turn of the reactor (see
    `EpochKeyring`), so that the batches find it. Should anything come later all the same, it is refused.
    """
    if not keyring.pending_turn:
        return
    epoch = keyring.epoch
    await database.transact(lambda c: keys.begin_epoch(c, epoch))
    after: bytes | None = b""
    damaged = 0
    while after is not None:
        done = await database.transact(partial(_rewrap, keys, epoch, after, keyring))
        after, damaged = done.last, damaged + done.damaged
    if damaged:
        _log.error("{damaged} keys cannot be opened, and were left as they are.", damaged=damaged)
    await in_thread(keyring.finish_turn)
    await database.drained()
    keyring.wipe_retired()
    if keys is LASTING:
        _log.info("The keyring was turned: copies of the database from before open no more, make a new one.")


def _rewrap(keys: KeyTable, epoch: int, after: bytes, keyring: EpochKeyring, c: Connection) -> Rewrapped:
    return keys.rewrap_some(c, epoch, after, keyring.rewrap)


async def make_good(database: Database, keyring: EpochKeyring) -> None:
    """What is due at a start: a turn that was cut short, or that something was erased without one.

    Raises `StartError` where the keyring opens nothing at all: no login would be right.
    """
    keys, known = await database.read(lambda c: LASTING.among(c, keyring.oldest, keyring.epoch))
    if keys and not known:
        raise StartError(
            "the keyring opens nothing of this database: one of them is a copy from before a turn", KEYS_LOST
        )
    await finish(database, keyring)
    erased = await database.read(LASTING.erased_epoch)
    if erased is not None and erased >= keyring.epoch:
        await turn(database, keyring)
    if lost := await database.read(lambda c: LASTING.older_than(c, keyring.epoch)):
        _log.error("{lost} keys are of epochs that are gone: is this an old copy of the database?", lost=lost)


async def make_good_fleeting(database: Database, keyring: EpochKeyring) -> None:
    """The same for the keyring of messages and files that go when they were delivered.

    Nobody is to keep copies of it. So it may be new, or older than the database, or the database older than
    it: then what was wrapped under epochs that it does not have is given up.
    """

    def read(c: Connection) -> tuple[int, int]:
        return FLEETING.present_epoch(c), FLEETING.erased_epoch(c) or 0

    await finish(database, keyring, keys=FLEETING)
    present, erased = await database.read(read)
    if not keyring.stored or max(present - 1, erased) >= keyring.epoch:
        await turn(database, keyring, keys=FLEETING, beyond=max(present, erased))
    if lost := await database.transact(lambda c: FLEETING.drop_older_than(c, keyring.epoch)):
        _log.warn(
            "The keys of {lost} messages and files without history are lost: they were waiting.", lost=lost
        )


async def make_all_good(database: Database, vault: Vault) -> None:
    """Both of these, for the keyrings of a node that starts."""
    await make_good(database, vault.keyring)
    await make_good_fleeting(database, vault.fleeting)


class Turns:
    """`ports.EpochTurns` of a keyring: one at a time; who comes meanwhile, or soon after, shares the next."""

    def __init__(
        self,
        clock: Any,
        database: Database,
        keyring: EpochKeyring,
        in_thread: InThread = deferToThread,
        keys: KeyTable = LASTING,
    ) -> None:
        """`clock` provides IReactorTime. Where a turn fails it is tried again every 5 seconds."""
        self._clock = clock
        self._database = database
        self._keyring = keyring
        self._in_thread = in_thread
        self._keys = keys
        self._waiting: list[Deferred[None]] = []
        self._pause: Deferred[None] | None = None
        self._running: Deferred[None] | None = None
        self._stopped = False
        self._next_at = 0.0

    @property
    def epoch(self) -> int:
        return self._keyring.epoch

    @property
    def oldest(self) -> int:
        return self._keyring.oldest

    def turned(self) -> "Deferred[None]":
        done: Deferred[None] = Deferred()
        self._waiting.append(done)
        if self._running is None:
            self._running = running = spawn(self._run(), "turning the keyring")
            if running.called:
                self._running = None
        return done

    async def if_due(self) -> None:
        """Turn where something was erased without a turn after it: its commit was taken for failed, say."""
        erased = await self._database.read(self._keys.erased_epoch)
        if erased is not None and erased >= self.epoch:
            await self.turned()

    def stop(self) -> "Deferred[None]":
        """Begin no more turns; done when the one under way is over. Those who wait get `shutting_down`."""
        self._stopped = True
        if self._pause is not None:
            self._pause.cancel()
        over: Deferred[None] = Deferred()
        if self._running is None:
            return succeed(None)
        self._running.addBoth(lambda _: over.callback(None))
        return over

    async def _run(self) -> None:
        while self._waiting and not self._stopped:
            wait = self._next_at - self._clock.seconds()
            if wait > 0:
                # Once, and no longer, where the clock was set back.
                self._next_at = 0.0
                await self._rest(min(wait, LEAST_SECONDS))
                continue
            waiting, self._waiting = self._waiting, []
            try:
                await turn(self._database, self._keyring, self._in_thread, self._keys)
            except Exception as error:
                self._waiting = waiting + self._waiting
                if not self._stopped:
                    # The next start makes it good as well, should this one never do.
                    _log.error("The keyring cannot be turned ({kind}).", kind=type(error).__name__)
                    await self._rest(RETRY_SECONDS)
            else:
                self._next_at = self._clock.seconds() + LEAST_SECONDS
                for done in waiting:
                    done.callback(None)
        self._running = None
        for done in self._waiting:
            done.errback(Problem(Code.SHUTTING_DOWN))
        self._waiting = []

    async def _rest(self, seconds: float) -> None:
        self._pause = deferLater(self._clock, seconds)
        self._pause.addErrback(lambda _: None)
        await self._pause
        self._pause = None
