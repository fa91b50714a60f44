"""Changing a group: in one commit, then in memory, and told in the order of what has changed.

A group's changes come one after another: who begins one has the group to itself until it is committed,
so that what is in memory can be changed along with the database instead of being read again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from safeum_home.chats.across.groups.telling import GroupTelling
from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.fan_out import FanOut
from safeum_home.chats.groups.draft import CalledElsewhere, Draft, Entry, Joined, open_draft
from safeum_home.chats.groups.endings import GroupEndings
from safeum_home.chats.groups.events import GroupEvents, Names
from safeum_home.chats.groups.notices import NoticeWriter
from safeum_home.chats.groups.roster import RosterState
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import ChatRecord
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Bus, Cursors, Database, Directory, Keyring, Known, Published
from safeum_home.protocol import frames
from safeum_home.protocol.events import Receipt
from safeum_home.storage import chats
from safeum_home.storage.erasure import is_erased

T = TypeVar("T")
Work = Callable[[Draft], T]


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """A change that is committed: what its work returned, the group as it is now, and what tells of it."""

    result: T
    chat: Chat
    publish: Callable[[], None]


class GroupChanges:
    """Every change of a group goes through here."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        opener: ChatOpener,
        delivery: Delivery,
        infos: ChatInfos,
        events: GroupEvents,
        endings: GroupEndings,
        notices: NoticeWriter,
        directory: Directory,
        bus: Bus,
        fan_out: FanOut,
        across: GroupTelling,
        called: CalledElsewhere,
    ) -> None:
        """`across` tells other nodes, and `called` knows what those have said of accounts of theirs."""
        self._database = database
        self._keyring = keyring
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry
        self._opener = opener
        self._delivery = delivery
        self._infos = infos
        self._events = events
        self._endings = endings
        self._notices = notices
        self._directory = directory
        self._bus = bus
        self._fan_out = fan_out
        self._across = across
        self._called = called

    async def change(
        self,
        chat_id: ChatId,
        people: Iterable[AccountId],
        positions: int,
        work: Work[T],
        by: AccountId | None = None,
    ) -> Change[T]:
        """Let `work` change a group, in the writer's thread.

        `people` are those whom it will tell of, and `positions` is how many it may take. Raises what it
        raises, and `not_found` where there is no such group. `by` is the member who has all the others told,
        if that is one: `rate_limited` where they were told of too much already.
        """
        if by is not None:
            await self._charge(chat_id, by, positions)
        names = await self.known(people)
        chat = await self._begin(chat_id)

        def run(c: Connection, places: list[int]) -> tuple[T, Draft]:
            about = self._notices.store, self._called
            draft = open_draft(c, chat, self._keyring, self._blinder, places, *about)
            try:
                return work(draft), draft
            finally:
                draft.key.wipe()

        change: Change[T] = await self._commit(chat, chat, names, positions, run)
        return change

    async def create(
        self, record: ChatRecord, people: Iterable[AccountId], positions: int, work: Work[T]
    ) -> Change[T] | None:
        """As `change`, with a group that is new and has nobody in it; None where it was made before."""
        names = await self.known(people)
        self._registry.changing(record.id)
        chat, insert = self._opener.make(ChatKind.GROUP, record, ())

        def run(c: Connection, places: list[int]) -> tuple[T, Draft] | None:
            if chats.chat(c, chat.blind) is not None:
                return None
            if is_erased(c, chat.blind):
                raise Problem(Code.NOT_FOUND)
            insert(c)
            draft = Draft(c, chat, chat.key, record, self._blinder, places, self._notices.store)
            return work(draft), draft

        change: Change[T] | None = await self._commit(chat, None, names, positions, run)
        return change

    async def _commit(
        self,
        chat: Chat,
        before: Chat | None,
        names: dict[AccountId, Known | None],
        positions: int,
        run: Callable[[Connection, list[int]], tuple[T, Draft] | None],
    ) -> Any:
        """The change, which has begun. `before` is what the chat still is where it fails."""
        places = [self._database.next_position() for _ in range(positions)]

        def store(c: Connection) -> tuple[T, Draft, Chat, set[str]] | None:
            if (done := run(c, places)) is None:
                return None
            self._endings.keep(c, chat.id, done[1].entries)
            self._look_up(c, done[1], names)
            after = done[1].after()
            return *done, after, self._across.note(c, done[1], after)

        kept = before
        try:
            if (done := await self._database.transact(store)) is None:
                return None
            result, draft, after, nodes = done
            kept = None if draft.erased else after
        finally:
            self._registry.changed(chat.id, kept)

        def publish() -> None:
            self._publish(draft, after, names)
            if nodes:
                self._across.wake(nodes)

        return Change(result, after, publish)

    def _look_up(self, c: Connection, draft: Draft, names: dict[AccountId, Known | None]) -> None:
        """What those are called whom the change has come upon, and nobody has named."""
        for entry in draft.entries:
            for account in (entry.account, entry.by):
                if account is not None and account not in names:
                    names[account] = self._events.called(c, account)
        for by in {entry.by for entry in draft.invited if entry.by is not None} - names.keys():
            names[by] = self._events.called(c, by)

    async def known(self, people: Iterable[AccountId]) -> dict[AccountId, Known | None]:
        """What accounts are called."""
        return {account: await self._directory.known(account) for account in people}

    async def _charge(self, chat_id: ChatId, by: AccountId, positions: int) -> None:
        chat = await self._registry.load(chat_id)
        if chat is not None and by in chat.members:
            self._fan_out.take(by, len(chat.members) * positions, 0)

    async def _begin(self, chat_id: ChatId) -> Chat:
        while (chat := self._registry.begin(chat_id)) is None:
            loaded = await self._registry.load(chat_id)
            if loaded is None or loaded.kind is not ChatKind.GROUP:
                raise Problem(Code.NOT_FOUND)
        if chat.hub is not None:  # its hub alone changes it
            self._registry.changed(chat_id, chat)
            raise Problem(Code.NOT_FOUND)
        return chat

    # --- telling ---------------------------------------------------------------------------------

    def _publish(self, draft: Draft, chat: Chat, names: Names) -> None:
        """In the order of positions, as a device that was away is told."""
        told: list[tuple[int, Callable[[], None]]] = []
        for entry in draft.entries:
            told.append((entry.position, partial(self._tell_entry, entry, draft, chat, names)))
        for joined in draft.joined:
            told.append((joined.position, partial(self._tell_chat, [joined.account], chat, joined.position)))
            told.append((joined.marker, partial(self._tell_marker, chat, joined)))
        if draft.updated:
            told.append((draft.updated, partial(self._tell_chat, chat.members, chat, draft.updated)))
        for entry in draft.invited:
            told.append((entry.position, partial(self._tell_invited, entry, draft, chat, names, True)))
        for position, encoded in draft.notices:
            self._notices.told(chat, position)
            told.append(
                (
                    position,
                    partial(self._delivery.message, chat, self._notices.system, encoded, position, None),
                )
            )
        for _, tell in sorted(told, key=itemgetter(0)):
            tell()

    def _tell_entry(self, entry: Entry, draft: Draft, chat: Chat, names: Names) -> None:
        people = len(chat.members)
        event = self._events.member(chat.id, entry, names.get(entry.account), people)
        for member in chat.members:
            self._bus.publish(member, event)
        if entry.state is RosterState.INVITED:
            self._tell_invited(entry, draft, chat, names)
        elif entry.state is not RosterState.MEMBER:
            self._bus.publish(entry.account, event)

    def _tell_invited(
        self, entry: Entry, draft: Draft, chat: Chat, names: Names, again: bool = False
    ) -> None:
        by = None if entry.by is None else names.get(entry.by)
        event = self._events.invited(draft.record, entry, by, len(chat.members), again)
        self._bus.publish(entry.account, event)

    def _tell_chat(self, members: Iterable[AccountId], chat: Chat, position: int) -> None:
        event = self._infos.updated(chat, position)
        for member in members:
            self._bus.publish(member, event)

    def _tell_marker(self, chat: Chat, joined: Joined) -> None:
        """What is there when somebody joins does not wait to be read."""
        read = self._cursors.encode(joined.read)
        receipt = Receipt(self._cursors.encode(joined.marker), chat.id, joined.account, read, read)
        frame = frames.text_frame(frames.encode_event(receipt))
        self._bus.publish(joined.account, Published(frame, joined.marker))
