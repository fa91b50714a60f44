"""What accounts of this node write, or change, in groups that another node orders.

It goes there, and what has come of it is what that node tells then, to this one as to all others: nothing of
the copy here changes before.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import structs
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.chats.across.posts.acts import Acts
from safeum_home.chats.across.posts.awaiting import Awaiting
from safeum_home.chats.across.posts.box import PostBox
from safeum_home.chats.across.posts.records import PostRecord, Settled, problem_of
from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.files.sending import Attachment
from safeum_home.chats.opening import ChatOpener
from safeum_home.errors import Code, Problem
from safeum_home.ports import Blinder, Caller, Committed, Cursors, Database
from safeum_home.ports.federation import Peers
from safeum_home.protocol import frames
from safeum_home.protocol.commands import Acted, Sent
from safeum_home.protocol.federation.group_posts import Act, Written
from safeum_home.protocol.types import Message
from safeum_home.storage import chats, events
from safeum_home.storage.posts import PostState

Become = Callable[[Connection, ChatContents], Act | None]
"""What is to be posted, inside a transaction; None where nothing is. Raises `Problem`."""
Make = Callable[[Connection, ChatContents, int], Act | None]
"""The same at a position."""


class Stored(NamedTuple):
    """What a transaction has come to: a post, or one of before that has another position, or nothing.

    `answer` fires with what becomes of it.
    """

    position: int
    record: PostRecord | None = None
    earlier: int | None = None
    answer: "Deferred[Any] | None" = None


class Posts:
    """Takes posts, and waits for a moment for what becomes of them."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        opener: ChatOpener,
        peers: Peers,
        acts: Acts,
        box: PostBox,
        awaiting: Awaiting,
        now: Callable[[], int],
    ) -> None:
        """`now` is in milliseconds."""
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._opener = opener
        self._peers = peers
        self.acts = acts
        self.box = box
        self._awaiting = awaiting
        self._now = now

    async def send(
        self,
        chat: Chat,
        caller: Caller,
        client_id: str,
        message: Message,
        check: Callable[[Connection], None] | None,
        file: Attachment | None,
    ) -> Committed[Sent] | int:
        """Post a message that has no id yet; the position of one that was sent before, and has come since.

        `check` raises, inside the transaction, what is in its way.
        """
        sent = self._blinder.client_id(caller.device, client_id)

        def make(c: Connection, contents: ChatContents, _position: int) -> Act:
            if check is not None:
                check(c)
            return self.acts.written(c, contents, message)

        stored = await self._store(chat, caller, PostState.WAITING, make, sent=sent, shown=message, file=file)
        if stored.earlier is not None:
            return await self._again(chat, caller, stored.earlier)
        assert stored.answer is not None
        return await self._sent(stored.position, message.at, stored.answer)

    async def before(self, chat: Chat, caller: Caller, client_id: str) -> Committed[Sent] | None:
        """The answer to a message that was sent before and waits, or was refused; raises as it was."""
        sent = self._blinder.client_id(caller.device, client_id)
        earlier = await self._database.read(lambda c: events.recognised(c, sent))
        outcome = None if earlier is None else await self._again(chat, caller, earlier)
        return None if isinstance(outcome, int) else outcome

    async def _again(self, chat: Chat, caller: Caller, earlier: int) -> Committed[Sent] | int:
        found = await self._database.read(lambda c: self.box.post(c, earlier))
        if found is None:
            return earlier
        if found.code:
            raise problem_of(found.code)
        answer = self._awaiting.begin(earlier, _hub(chat), caller.device)
        return await self._sent(earlier, found.at, answer)

    async def _sent(self, position: int, at: int, answer: "Deferred[Any]") -> Committed[Sent]:
        outcome = await answer
        if isinstance(outcome, Sent):
            return Committed(outcome, _nothing)
        return Committed(Sent(self._cursors.encode(position), at, waiting=True), _nothing)

    async def change(self, chat: Chat, caller: Caller, target: int, become: Become) -> Committed[Acted]:
        """Post what an account does to the message at `target`."""

        def make(c: Connection, contents: ChatContents, _position: int) -> Act | None:
            return become(c, contents)

        stored = await self._store(chat, caller, PostState.CHANGING, make, about=target)
        if stored.answer is None:
            return Committed(Acted(), _nothing)
        outcome = await stored.answer
        return Committed(Acted(waiting=outcome is None), _nothing)

    async def withdraw(self, chat: Chat, caller: Caller, target: int) -> Committed[Acted] | None:
        """Delete what an account has written and waits; None where it does not, or is not its own.

        It may be on its way already: so its deletion is told as well.
        """
        if await self._database.read(lambda c: self.box.post(c, target)) is None:
            return None
        withdrawn: list[Settled] = []

        def make(c: Connection, contents: ChatContents, position: int) -> Act | None:
            withdrawn.clear()
            settled = self.box.withdraw(c, contents, caller.account, target, position)
            if settled is None:
                return None
            withdrawn.append(settled)
            return self.acts.withdrawn(self._cursors.encode(target))

        stored = await self._store(chat, caller, PostState.CHANGING, make, about=target)
        for each in withdrawn:
            self.box.settle(each)
        return Committed(Acted(), _nothing) if stored.record is not None else None

    async def _store(
        self,
        chat: Chat,
        caller: Caller,
        state: PostState,
        make: Make,
        *,
        sent: bytes | None = None,
        shown: Message | None = None,
        about: int = 0,
        file: Attachment | None = None,
    ) -> Stored:
        """Commit it with the note for the group's node, and with its file, which waits as well."""
        hub, account, now = _hub(chat), caller.account, self._now()
        if not self._peers.reaches(hub):
            raise Problem(Code.FEDERATION_REFUSED)
        position = self._database.next_position()
        blind = self._blinder.account(account)
        message = b""
        if shown is not None:
            message = frames.encode_params(structs.replace(shown, id=self._cursors.encode(position)))

        attach = None if file is None else file.attaching(chat, position)

        def store(c: Connection) -> Stored:
            if sent is not None and (earlier := events.recognised(c, sent)) is not None:
                return Stored(position, earlier=earlier)
            contents = self._opener.group(c, chat.blind)
            if contents is None or chats.member(c, chat.blind, blind) is None:
                raise Problem(Code.NOT_A_CONTACT)
            if (act := make(c, contents, position)) is None:
                return Stored(position)
            if isinstance(act, Written) and act.edited is not None:
                # Each one is later than those before, which have changed nothing here yet.
                before = self.box.edited(c, contents, account, about)
                act = structs.replace(act, edited=max(act.edited, before + 1))
            record = PostRecord(chat.id, account, now, msgspec.to_builtins(act), message, about)
            if attach is not None:
                attach(c)
            self.box.put(c, contents, position, state, record, sent)
            return Stored(position, record)

        answer = self._awaiting.begin(position, hub, caller.device)
        try:
            stored = await self._database.transact(store)
        except BaseException:
            self._awaiting.drop(position)
            raise
        if stored.record is None:
            self._awaiting.drop(position)
            return stored
        if shown is not None:
            # Who has a message copied does not know what it holds: that device is told too.
            skip = caller.device if shown.forwarded is None else None
            self.box.tell(stored.record, position, position, skip)
        self._peers.wake([hub])
        return stored._replace(answer=answer)


def _hub(chat: Chat) -> str:
    assert chat.hub is not None
    return chat.hub


def _nothing() -> None:
    """Nothing is to be told besides: what comes of it comes from the group's node."""
