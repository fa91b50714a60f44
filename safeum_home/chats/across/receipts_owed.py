"""The receipts that other nodes get for what was erased here: when the keyring has turned, not before."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from safeum_home.chats.across.groups.receipts import GroupReceipts, Receipt
from safeum_home.chats.across.telling import Telling
from safeum_home.chats.contents import ChatContents
from safeum_home.chats.groups import lives as group_lives
from safeum_home.chats.opening import ChatOpener
from safeum_home.errors import Tampered
from safeum_home.jobs import Jobs
from safeum_home.ports import Database, EpochTurns
from safeum_home.storage import owed, roster

AT_ONCE = 100
"""Chats in one transaction."""


class ReceiptsOwed:
    """Gives them. Which are owed is in the database, so also after a crash."""

    def __init__(
        self,
        jobs: Jobs,
        database: Database,
        opener: ChatOpener,
        telling: Telling,
        turns: EpochTurns,
        receipts: GroupReceipts,
    ) -> None:
        self._database = database
        self._opener = opener
        self._telling = telling
        self._turns = turns
        self._receipts = receipts
        self.giving = jobs.job("giving receipts to other nodes", self.give)

    async def give(self) -> None:
        """Note all that can be given now; raises `storage_unavailable`."""
        page: Sequence[bytes] = [b""]
        while page := await self._database.read(partial(_behind, page[-1])):
            nodes = await self._database.transact(partial(self._note, page))
            self._telling.wake(tuple(sorted(nodes)))

    def _note(self, page: Sequence[bytes], c: Connection) -> set[str]:
        told: set[str] = set()
        for blind in page:
            if (group := self._opened(c, blind)) is not None:
                nodes = self._nodes_of_group(c, group)
            else:
                nodes = self._nodes(c, blind)
            if nodes is None:
                continue
            if group is None:
                self._telling.receipt(c, nodes, blind)
            else:
                self._give_group(c, nodes, group)
            told.update(nodes)
        return told

    def _give_group(self, c: Connection, nodes: Sequence[str], group: ChatContents) -> None:
        record = group.record
        if (past := record.erasure) is not None:
            life = group_lives.life_of(record)
            self._receipts.note(c, nodes, Receipt(group.id, life, past.epoch, past.at))
        owed.given(c, group.blind)

    def _opened(self, c: Connection, blind: bytes) -> ChatContents | None:
        """The group that this is, if it is one."""
        try:
            return self._opener.group(c, blind)
        except Tampered:
            return None

    def _nodes_of_group(self, c: Connection, group: ChatContents) -> tuple[str, ...] | None:
        """Who gets the receipt for a group: its own node; from that, all who hold a copy."""
        past = group.record.erasure
        if past is None:
            return ()
        if past.epoch >= self._turns.oldest:
            return None
        if (hub := self._opener.hub(group.record)) is not None:
            return (hub,)
        rows = roster.member_entries(c, group.blind)
        return self._opener.other_nodes(self._opener.in_roster(group, rows))

    def _nodes(self, c: Connection, blind: bytes) -> tuple[str, ...] | None:
        """Who gets the receipt for a chat; None where it is not true yet."""
        try:
            chat = self._opener.direct(c, blind)
        except Tampered:
            return ()
        past = None if chat is None else chat.record.erasure
        if chat is None or past is None:
            return ()
        return self._opener.other_nodes(chat.members) if past.epoch < self._turns.oldest else None


def _behind(after: bytes, c: Connection) -> Sequence[bytes]:
    return owed.some(c, after, AT_ONCE)
