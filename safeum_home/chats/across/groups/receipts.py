"""Receipts for what was erased of groups across nodes.

What one says is in its pointer, sealed: so it is told as it was given, also where the last member has left
meanwhile and nothing of the group is here any more. Where there was nothing left to begin with one is given
as well: whoever asks has to know that.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.chats.across.groups.notes import GroupNotes
from safeum_home.errors import Problem
from safeum_home.ids import ChatId
from safeum_home.ports import Database, EpochTurns, Key
from safeum_home.ports.federation import Peers
from safeum_home.spawn import spawn
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

    def owe(self, hub: str, chat: ChatId, life: int) -> None:
        """Give one to the node that orders a group; its copy was dropped, or was never here.

        Where that is lost by a crash it is asked for again.
        """
        spawn(self._give(hub, chat, life), "a receipt for a group that is gone")

    async def _give(self, hub: str, chat: ChatId, life: int) -> None:
        with suppress(Problem):  # the node stops, or its storage is unavailable, which says so itself
            at, erased = self._now(), await self._database.read(LASTING.erased_epoch)
            if self._turns.oldest <= max(erased or 1, 1):
                await self._turns.turned()
            receipt = Receipt(chat, life, self._turns.oldest - 1, at)

            def note(c: Connection) -> None:
                self.note(c, (hub,), receipt)

            await self._database.transact(note)
            self._peers.wake([hub])

    def note(self, c: Connection, nodes: Iterable[str], receipt: Receipt) -> None:
        """Some nodes are to be told one, which is true."""
        plain = "\0".join(map(str, receipt))
        self._notes.receipt(c, nodes, self._key.seal(plain.encode(), _CONTEXT))

    def opened(self, pointer: bytes) -> Receipt:
        """What a pointer is of; raises `Tampered`."""
        chat, life, epoch, at = self._key.open(pointer, _CONTEXT).decode().split("\0")
        return Receipt(ChatId(chat), int(life), int(epoch), int(at))
