"""Messages of chats without history: each under a key of its own, dropped when everybody holds it.

What devices acknowledge is gathered for a moment, stored where their accounts are waited for, and then what
nobody waits for any more is dropped, key and row. Once a minute all that waits is looked at: for what has
waited too long, for devices that were revoked, for members that have left. What was dropped can be opened by
nobody once the epoch of their keyring has turned: for many messages together, since each turn makes those
keys anew that are left. It is a keyring of such keys alone, so that backups of all the rest stay good.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

from sqlalchemy import Connection
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.sealed import seal_fleeting, seal_twice
from safeum_home.config import HistorySection
from safeum_home.errors import Problem
from safeum_home.ids import AccountId, DeviceId
from safeum_home.jobs import Jobs
from safeum_home.ports import Blinder, Database, EpochTurns
from safeum_home.spawn import spawn
from safeum_home.storage import erasure, spool
from safeum_home.storage.keys import FLEETING
from safeum_home.storage.rows import FleetingEvent, NewEvent

GATHER_SECONDS = 0.2
LOOK_SECONDS = 60.0
DROPPED_AT_ONCE = 200
"""Messages in one transaction."""
CHATS_AT_ONCE = 100
"""Chats that are looked at in one snapshot."""
MOST_ACCOUNTS = 200_000
MOST_GATHERED = 50_000
NO_DEVICE = bytes(16)
"""Stands where no device holds a message when it is stored."""
RECOGNISED_HOURS = 7 * 24
"""For so long a message that is gone is recognised when it is sent again."""


class FleetingMessages:
    """Stores such messages, hears who holds what, and drops them.

    `_waited_for` are the accounts (blind indexes) that are members of a chat in which something may wait,
    with the last position that they were noted for; acknowledgements of others are not looked at. Beyond
    `MOST_ACCOUNTS` and `MOST_GATHERED` none are noted: what waits for them then waits for longer.
    """

    def __init__(
        self,
        clock: IReactorTime,
        jobs: Jobs,
        database: Database,
        blinder: Blinder,
        turns: EpochTurns,
        section: HistorySection,
        untaken: Callable[[Connection, bytes, Sequence[int]], set[int]],
        expire: Callable[[int], Awaitable[None]],
    ) -> None:
        """`untaken` are those of some messages of a chat that another node has not taken yet.

        `expire` ends what else waits since before an hour.
        """
        self._expire = expire
        self._clock = clock
        self._database = database
        self._blinder = blinder
        self._turns = turns
        self._untaken = untaken
        self._hours = section.undelivered_hours
        self._turn_seconds = section.turn_minutes * 60.0
        self._waited_for: dict[bytes, int] = {}
        self._gathered: dict[bytes, tuple[bytes, int]] = {}
        self._storing = jobs.job("noting what devices hold", self._store)
        self._flush: IDelayedCall | None = None
        self._look: IDelayedCall | None = None
        self._next_turn = 0.0
        self._stopped = False

    def sealed(
        self,
        chat: Chat,
        sender: AccountId,
        device: DeviceId | None,
        position: int,
        encoded: bytes,
        sent: bytes,
    ) -> FleetingEvent:
        """A message for `storage.spool.append_fleeting`, in this very turn; `sent` recognises it.

        `device` has it already; None where no device has.
        """
        sealed = seal_fleeting(chat, position, encoded)
        self.waits(chat, position)
        return FleetingEvent(
            NewEvent(chat.blind, position, sealed.sealed, sent),
            self._blinder.account(sender),
            NO_DEVICE if device is None else self._blinder.device(device),
            self._hour(),
            sealed.owner,
            sealed.key,
        )

    def heard(
        self,
        chat: Chat | ChatContents,
        sender: AccountId,
        position: int,
        encoded: bytes,
        sent: bytes,
        at: int,
    ) -> FleetingEvent:
        """The same for a message of another node, inside the transaction that stores it.

        `at` is when it was sent, in milliseconds: it has waited since then. Of what `waits` is to be told
        once it is committed.
        """
        sealed = seal_twice(chat.fleeting, chat.key, chat.blind, position, encoded)
        event = NewEvent(chat.blind, position, sealed.sealed, sent)
        hour = min(at // 3_600_000, self._hour())
        return FleetingEvent(event, self._blinder.account(sender), NO_DEVICE, hour, sealed.owner, sealed.key)

    def waits(self, chat: Chat, position: int) -> None:
        """A message at `position` waits for the members of a chat."""
        if chat.blinds is None:
            chat.blinds = tuple(self._blinder.account(member) for member in chat.members)
        for member in chat.blinds:
            if member in self._waited_for or len(self._waited_for) < MOST_ACCOUNTS:
                self._waited_for[member] = position

    def held(self, account: AccountId, device: DeviceId, position: int) -> None:
        """A device holds everything up to `position`."""
        if not self._waited_for or self._stopped:
            return
        blind = self._blinder.account(account)
        if blind not in self._waited_for or len(self._gathered) >= MOST_GATHERED:
            return
        self._gathered[self._blinder.device(device)] = blind, position
        if self._flush is None:
            self._flush = self._clock.callLater(GATHER_SECONDS, self._flushed)

    def start(self) -> None:
        """Look at what waits, now and once a minute."""
        self._stopped = False
        self._next_turn = self._clock.seconds() + self._turn_seconds
        spawn(self._look_at_all(), "looking for messages to drop")

    def stop(self) -> None:
        """Look no more. What is not stored is acknowledged again when its device comes back."""
        self._stopped = True
        for timer in (self._flush, self._look):
            if timer is not None and timer.active():
                timer.cancel()
        self._flush = self._look = None

    def _flushed(self) -> None:
        self._flush = None
        self._storing.ask()

    async def _store(self) -> None:
        """Note it; and drop what that was waited for, which the next look makes up for where it fails."""
        gathered = dict(self._gathered)
        marks = [(device, position) for device, (_, position) in gathered.items()]
        accounts = list({account for account, _ in gathered.values()})
        await self._database.transact(lambda c: spool.hold(c, marks))
        for device, mark in gathered.items():
            if self._gathered.get(device) is mark:
                del self._gathered[device]
        chats = list(await self._database.read(lambda c: spool.waited_for(c, accounts)))
        for start in range(0, len(chats), CHATS_AT_ONCE):
            await self._drop(chats[start : start + CHATS_AT_ONCE])

    async def _drop(self, chats: list[bytes]) -> None:
        """Drop what nobody waits for in these chats."""

        def find(c: Connection) -> dict[bytes, list[int]]:
            found: dict[bytes, list[int]] = {}
            for chat in chats:
                if held := spool.held_by_all(c, chat, DROPPED_AT_ONCE):
                    waiting = self._untaken(c, chat, held)
                    if taken := [position for position in held if position not in waiting]:
                        found[chat] = taken
            return found

        # Off the writer's thread: who holds all up to a place never holds less.
        while found := await self._database.read(find):
            await self._drop_these(found)

    async def _drop_what_is_held(self) -> None:
        """Drop what nobody waits for anywhere."""
        async for page in self._waiting_chats():
            await self._drop(page)

    async def _waiting_chats(self) -> AsyncIterator[list[bytes]]:
        """Chats in which something waits, a page at a time: no snapshot is held for long."""
        page = [b""]
        while page := await self._database.read(partial(_behind, page[-1])):
            yield page

    async def _drop_these(self, found: dict[bytes, list[int]]) -> None:
        hour = self._hour()
        for chat, positions in found.items():
            await self._database.transact(partial(self._drop_some, chat, positions, hour))

    def _drop_some(self, chat: bytes, positions: list[int], hour: int, c: Connection) -> None:
        marks = [self._blinder.gone(chat, position) for position in positions]
        erasure.drop_messages(c, chat, positions, hour, self._turns.epoch, marks)

    async def _look_at_all(self) -> None:
        try:
            with suppress(Problem):
                await self._know_who_is_waited_for()
                await self._drop_the_old()
                await self._drop_what_is_held()
                await self._turn_if_due()
        finally:
            if not self._stopped:
                self._look = self._clock.callLater(LOOK_SECONDS, self._looked)

    def _looked(self) -> None:
        self._look = None
        spawn(self._look_at_all(), "looking for messages to drop")

    async def _know_who_is_waited_for(self) -> None:
        committed = self._database.committed

        waiting: dict[bytes, int] = {}
        async for page in self._waiting_chats():
            waiting |= await self._database.read(partial(_accounts_of, page))
            if len(waiting) >= MOST_ACCOUNTS:
                break
        # Of what was sent since then nothing may have been in the snapshot.
        waiting.update({who: at for who, at in self._waited_for.items() if at > committed})
        self._waited_for = waiting

    async def _drop_the_old(self) -> None:
        now = self._hour()
        # Not a moment more than so many hours, so rather up to one less.
        too_old = now - self._hours + 1
        await self._expire(too_old)
        while found := await self._database.read(lambda c: spool.expired(c, too_old, DROPPED_AT_ONCE)):
            await self._drop_these(found)
        forgotten = now - RECOGNISED_HOURS
        while await self._database.transact(lambda c: erasure.forget_gone(c, forgotten, DROPPED_AT_ONCE)):
            pass

    async def _turn_if_due(self) -> None:
        if self._clock.seconds() < self._next_turn:
            return
        erased = await self._database.read(FLEETING.erased_epoch)
        if erased is not None and erased >= self._turns.epoch:
            self._next_turn = self._clock.seconds() + self._turn_seconds
            spawn(self._turn(), "turning the keyring of messages")

    async def _turn(self) -> None:
        with suppress(Problem):  # the node stops: its next start makes it good
            await self._turns.turned()

    def _hour(self) -> int:
        return int(self._clock.seconds() // 3600)


def _behind(after: bytes, c: Connection) -> list[bytes]:
    return spool.waiting_chats(c, after, CHATS_AT_ONCE)


def _accounts_of(chats: list[bytes], c: Connection) -> dict[bytes, int]:
    """The members of some chats, noted for nothing yet."""
    return {account: 0 for chat in chats for account in spool.accounts_of(c, chat)}
