"""Receipts for what was erased of groups across nodes.

What one says is in its pointer, sealed: so it is told as it was given, also where the last member has left
meanwhile and nothing of the group is here any more. Where there was nothing left to begin with one is given
as well: whoever asks has to know that.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.chats.across.groups.notes import GroupNotes
from safeum_home.errors import Problem
from safeum_home.ids import ChatId
from safeum_home.jobs import Jobs
from safeum_home.ports import Database, EpochTurns, Key
from safeum_home.ports.federation import Peers
from safeum_home.storage.keys import LASTING

_CONTEXT = b"group erased"


class Receipt(NamedTuple):
    """Of a group, a life of its history, and a time in milliseconds.

    All that was here of before that life was kept under epochs up to `epoch`, which are destroyed.
    """

    chat: ChatId
    life: int
    epoch: int
    at: int


class GroupReceipts:
    """Gives them when the keyring has turned."""

    def __init__(
        self,
        jobs: Jobs,
        database: Database,
        turns: EpochTurns,
        peers: Peers,
        notes: GroupNotes,
        key: Key,
        now: Callable[[], int],
    ) -> None:
        """`key` seals which group that was; `now` is in milliseconds."""
        self._database = database
        self._turns = turns
        self._peers = peers
        self._notes = notes
        self._key = key
        self._now = now
        self._hubs: set[str] = set()
        self._giving = jobs.job("giving receipts for groups that are gone", self._give)

    def owe(self, c: Connection, hub: str, chat: ChatId, life: int) -> None:
        """In the transaction in which the copy of a group of `hub` is dropped, or was found to be gone.

        It waits in the outbox until it is true, also over a crash; `give` once that is committed.
        """
        erased = LASTING.erased_epoch(c)
        epoch = max(erased or 1, self._turns.oldest - 1)
        if erased is None:
            LASTING.mark_erased(c, epoch)  # after a crash the keyring is turned, too
        self.note(c, (hub,), Receipt(chat, life, epoch, self._now()))

    def give(self, hub: str) -> None:
        """Turn the keyring where that is not done yet, and tell."""
        self._hubs.add(hub)
        self._giving.ask()

    async def _give(self) -> None:
        # What is erased from now on may come too late for a turn that has begun: it has a run of its own.
        hubs, self._hubs = self._hubs, set()
        try:
            erased = await self._database.read(LASTING.erased_epoch)
            if erased is not None and self._turns.oldest <= erased:
                await self._turns.turned()
        except Problem:
            self._hubs |= hubs
            raise
        self._peers.wake(sorted(hubs))

    def is_true(self, receipt: Receipt) -> bool:
        """Whether what it says is destroyed is."""
        return receipt.epoch < self._turns.oldest

    def note(self, c: Connection, nodes: Iterable[str], receipt: Receipt) -> None:
        """Some nodes are to be told one, once it is true."""
        plain = "\0".join(map(str, receipt))
        self._notes.receipt(c, nodes, self._key.seal(plain.encode(), _CONTEXT))

    def opened(self, pointer: bytes) -> Receipt:
        """What a pointer is of; raises `Tampered`."""
        chat, life, epoch, at = self._key.open(pointer, _CONTEXT).decode().split("\0")
        return Receipt(ChatId(chat), int(life), int(epoch), int(at))
