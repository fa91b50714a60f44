"""Delivered and read receipts: latest wins, gathered for a moment, committed, then told.

Between two flushes an account has one marker for each chat, however many messages passed.
"""

from dataclasses import dataclass

from sqlalchemy import Connection
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.chats.registry import Chat, ChatRegistry
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, Cursor
from safeum_home.ports import Blinder, Bus, Caller, Cursors, Database, Missed, Published
from safeum_home.protocol import frames
from safeum_home.protocol.commands import ChatRead, Done
from safeum_home.protocol.events import Receipt
from safeum_home.storage import chats
from safeum_home.storage.rows import Marker, MemberRow

GATHER_SECONDS = 0.05


@dataclass(slots=True)
class _Progress:
    delivered: int = 0
    read: int = 0


class Receipts:
    """`ports.Receipts`, and the command `chat.read`. Waiting markers are bounded by the open chats."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        bus: Bus,
    ) -> None:
        self._clock = clock
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry
        self._bus = bus
        self._waiting: dict[tuple[AccountId, ChatId], _Progress] = {}
        self._scheduled = False

    def delivered(self, account: AccountId, chat: ChatId, position: int) -> None:
        progress = self._progress(account, chat)
        progress.delivered = max(progress.delivered, position)

    def resumed(self, account: AccountId, position: int) -> None:
        """A device of `account` came back and holds everything up to `position`.

        Its last acknowledgement may have been lost with the connection before.
        """
        owner = self._blinder.account(account)

        def read(c: Connection) -> list[tuple[ChatId, int]]:
            opened = self._registry.opener(c)
            return [(opened(chat).id, newest) for chat, newest in chats.undelivered(c, owner, position)]

        def tell(found: list[tuple[ChatId, int]]) -> None:
            for chat, newest in found:
                self.delivered(account, chat, newest)

        self._database.read(read).addCallback(tell).addErrback(self._not_stored)

    async def read(self, caller: Caller, params: ChatRead) -> Done:
        position = self._cursors.decode(params.upto)
        chat = await self._registry.load(ChatId(params.chat))
        if chat is None or caller.account not in chat.members or position > self._database.committed:
            raise Problem(Code.NOT_FOUND)
        progress = self._progress(caller.account, chat.id)
        progress.read = max(progress.read, position)
        progress.delivered = max(progress.delivered, position)
        return Done()

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of receipts."""
        rows = chats.markers_since(c, self._blinder.account(account), after, limit)
        opened = self._registry.opener(c)

        def tell(row: MemberRow) -> Published:
            chat = opened(row.chat)
            who = next(one for one in chat.members if self._blinder.account(one) == row.account)
            return self._event(chat.id, who, row.delivered, row.read, row.position)

        return Missed(undamaged(rows, tell, "receipts"), rows[-1].position if len(rows) == limit else None)

    def _progress(self, account: AccountId, chat: ChatId) -> _Progress:
        if not self._scheduled:
            self._scheduled = True
            self._clock.callLater(GATHER_SECONDS, self.flush)
        return self._waiting.setdefault((account, chat), _Progress())

    def flush(self) -> None:
        """Commit what waits, then tell it."""
        waiting, self._waiting = self._waiting, {}
        self._scheduled = False
        for (account, chat_id), progress in waiting.items():
            if (chat := self._registry.get(chat_id)) is not None:
                self._commit(chat, account, progress)
            else:
                loaded = self._registry.load(chat_id)
                loaded.addCallback(self._commit, account, progress).addErrback(self._not_stored)

    def _commit(self, chat: Chat | None, account: AccountId, progress: _Progress) -> None:
        if chat is None or account not in chat.members:
            return
        position = self._database.next_position()
        blind = self._blinder.account(account)
        row = Marker(chat.blind, blind, progress.delivered, progress.read, position)
        stored = self._database.append(chats.put_markers, row)
        stored.addCallback(self._tell, chat, account, progress, position).addErrback(self._not_stored)

    def _not_stored(self, failure: Failure) -> None:
        # Harmless: the device says it again with its next acknowledgement.
        if failure.check(Problem) is None:
            self._log.failure("a receipt", failure=failure)

    def _tell(
        self, advanced: bool, chat: Chat, account: AccountId, progress: _Progress, position: int
    ) -> None:
        if not advanced:
            return
        event = self._event(chat.id, account, progress.delivered, progress.read, position)
        for member in chat.members:
            if member != account or progress.read:
                self._bus.publish(member, event)

    def _event(self, chat: ChatId, account: AccountId, delivered: int, read: int, position: int) -> Published:
        receipt = Receipt(self._cursors.encode(position), chat, account, self._id(delivered), self._id(read))
        return Published(frames.text_frame(frames.encode_event(receipt)), position)

    def _id(self, position: int) -> Cursor | None:
        return self._cursors.encode(position) if position else None
