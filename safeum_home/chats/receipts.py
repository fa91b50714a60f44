"""Delivered and read receipts: latest wins, gathered for a moment, committed, then told.

Between two flushes an account has one marker for each chat, however many messages passed.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import islice

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.chats.across.telling import Telling, ToldMarker
from safeum_home.chats.contents import Chat, ChatKind, member_behind
from safeum_home.chats.registry import ChatRegistry
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, Cursor
from safeum_home.jobs import Jobs
from safeum_home.ports import Blinder, Bus, Caller, Committed, Cursors, Database, Missed, Published
from safeum_home.protocol import frames
from safeum_home.protocol.commands import ChatRead, Done
from safeum_home.protocol.events import Receipt
from safeum_home.storage import chats, events
from safeum_home.storage.rows import Marker, MemberRow

GATHER_SECONDS = 0.05
RETRY_SECONDS = 5.0
MOST_WAITING = 100_000
AT_ONCE = 50
"""Accounts whose devices have come back in one snapshot."""

_Key = tuple[AccountId, ChatId]


class Receipts:
    """`ports.Receipts`, and the command `chat.read`.

    Of what waits or is being committed there is one marker for each account and chat. Beyond
    `MOST_WAITING` none is taken: `resumed` makes up for those when a device comes back.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        jobs: Jobs,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        bus: Bus,
        telling: Telling,
    ) -> None:
        self._clock = clock
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry
        self._bus = bus
        self._telling = telling
        self._waiting: dict[_Key, int] = {}
        self._storing: set[_Key] = set()
        self._scheduled = False
        self._resumed: dict[AccountId, int] = {}
        """Up to where a device that came back holds everything."""
        self._looking = jobs.job("looking what was delivered", self._look)

    def delivered(self, account: AccountId, chat: ChatId, position: int) -> None:
        self._wait((account, chat), position)

    def resumed(self, account: AccountId, position: int) -> None:
        """A device of `account` came back and holds everything up to `position`.

        Its last acknowledgement may have been lost with the connection before.
        """
        if account in self._resumed or len(self._resumed) < MOST_WAITING:
            self._resumed[account] = max(position, self._resumed.get(account, 0))
            self._looking.ask()

    async def _look(self) -> None:
        while self._resumed:
            some = {account: self._resumed.pop(account) for account in list(islice(self._resumed, AT_ONCE))}
            try:
                found = await self._database.read(partial(self._undelivered, some=some))
            except Problem:
                for account, position in some.items():
                    self._resumed[account] = max(position, self._resumed.get(account, 0))
                raise
            for key, newest in found:
                self.delivered(*key, newest)

    def _undelivered(self, c: Connection, some: Mapping[AccountId, int]) -> list[tuple[_Key, int]]:
        """What accounts hold, up to where each does, of which no others were told."""
        return [each for about in some.items() for each in self._undelivered_of(c, *about)]

    def _undelivered_of(self, c: Connection, account: AccountId, position: int) -> list[tuple[_Key, int]]:
        found = chats.undelivered(c, self._blinder.account(account), position)
        opened = self._registry.opener(c, account, (chat for chat, _ in found))
        return undamaged(found, lambda row: ((account, opened(row[0]).id), row[1]), "chats")

    async def read(self, caller: Caller, params: ChatRead) -> Committed[Done]:
        position = self._cursors.decode(params.upto)
        chat = await self._registry.load(ChatId(params.chat))
        if chat is None or caller.account not in chat.members:
            raise Problem(Code.NOT_FOUND)

        def known(c: Connection) -> bool:
            if events.event(c, chat.blind, position) is not None:
                return True
            return events.is_gone_from(c, position, self._blinder.gone(chat.blind, position))

        # Others are told of this id, and look for it among the chat's messages.
        if position <= chat.record.erased or not await self._database.read(known):
            raise Problem(Code.NOT_FOUND)
        marker = await self._store(chat, caller.account, position, position)
        told = (caller.account,) if chat.kind is ChatKind.GROUP else chat.members
        return Committed(Done(), lambda: self._tell(marker, chat, caller.account, told))

    async def read_by(self, chat: Chat, account: AccountId, position: int) -> None:
        """`account`, which has no session, has read a chat up to `position`: the others are told."""
        marker = await self._store(chat, account, position, position)
        self._tell(marker, chat, account, [member for member in chat.members if member != account])

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of receipts."""
        rows = chats.markers_since(c, self._blinder.account(account), after, limit, ChatKind.GROUP)
        opened = self._registry.opener(c, account, (row.chat for row in rows))

        def tell(row: MemberRow) -> Published:
            chat = opened(row.chat)
            who = member_behind(chat.members, self._blinder, row.account)
            return self._event(chat.id, who, row.delivered, row.read, row.position)

        return Missed(undamaged(rows, tell, "receipts"), rows[-1].position if len(rows) == limit else None)

    def forget_account(self, account: AccountId) -> None:
        """The account was closed."""
        self._waiting = {key: position for key, position in self._waiting.items() if key[0] != account}
        self._resumed.pop(account, None)

    def flush(self) -> None:
        """Commit what waits, then tell it; what is being committed already waits for the next time."""
        waiting, self._waiting = self._waiting, {}
        self._scheduled = False
        for key, position in waiting.items():
            if key in self._storing:
                self._wait(key, position)
            else:
                self._start(key, position)

    def _wait(self, key: _Key, position: int) -> None:
        if key in self._waiting or len(self._waiting) < MOST_WAITING:
            self._waiting[key] = max(position, self._waiting.get(key, 0))
        if not self._scheduled:
            self._scheduled = True
            self._clock.callLater(GATHER_SECONDS, self.flush)

    def _start(self, key: _Key, position: int) -> None:
        self._storing.add(key)
        account, chat_id = key

        def store(chat: Chat | None) -> "Deferred[None] | None":
            if chat is None or account not in chat.members or chat.kind is ChatKind.SELF:
                return None  # what one has written to oneself is not told to anybody
            group = chat.kind is ChatKind.GROUP
            others = [] if group else [member for member in chat.members if member != account]
            return self._store(chat, account, position).addCallback(self._tell, chat, account, others)

        def ended(failure: Failure | None) -> None:
            self._storing.discard(key)
            if failure is not None:
                self._failed(failure)
                if failure.check(Problem):  # anything else would fail again and again
                    self._clock.callLater(RETRY_SECONDS, self._wait, key, position)

        chat = self._registry.get(chat_id)
        told = self._registry.load(chat_id).addCallback(store) if chat is None else store(chat)
        if told is None:
            ended(None)
        else:
            told.addBoth(ended)

    def _store(
        self, chat: Chat, account: AccountId, delivered: int, read: int = 0
    ) -> "Deferred[Marker | None]":
        position = self._database.next_position()
        row = Marker(chat.blind, self._blinder.account(account), delivered, read, position)
        if chat.nodes and chat.kind is not ChatKind.GROUP:
            return self._database.append(self._telling.markers, ToldMarker(row, chat.nodes))
        if chat.hub is not None:
            return self._database.append(self._telling.read, ToldMarker(row, (chat.hub,)))
        return self._database.append(chats.put_markers, row)

    def _failed(self, failure: Failure) -> None:
        # The storage says itself that it is unavailable.
        if failure.check(Problem) is None:
            self._log.failure("a receipt", failure=failure)

    def _tell(
        self, marker: Marker | None, chat: Chat, account: AccountId, members: Iterable[AccountId]
    ) -> None:
        """Tell `members` of a marker as it stands now; None where it has not moved."""
        if marker is not None:
            self.tell(marker, chat, account, members)
            if chat.nodes and chat.kind is not ChatKind.GROUP:
                self._telling.wake(chat.nodes)
            elif chat.hub is not None:
                self._telling.wake((chat.hub,))

    def tell(self, marker: Marker, chat: Chat, account: AccountId, members: Iterable[AccountId]) -> None:
        """Tell `members` how far `account` is in a chat."""
        event = self._event(chat.id, account, marker.delivered, marker.read, marker.position)
        for member in members:
            self._bus.publish(member, event)

    def tell_own(self, marker: Marker, chat: ChatId, account: AccountId) -> None:
        """Tell an account how far it is in a chat."""
        event = self._event(chat, account, marker.delivered, marker.read, marker.position)
        self._bus.publish(account, event)

    def _event(self, chat: ChatId, account: AccountId, delivered: int, read: int, position: int) -> Published:
        receipt = Receipt(self._cursors.encode(position), chat, account, self._id(delivered), self._id(read))
        return Published(frames.text_frame(frames.encode_event(receipt)), position)

    def _id(self, position: int) -> Cursor | None:
        return self._cursors.encode(position) if position else None
