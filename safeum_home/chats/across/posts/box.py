"""Posts in their rows: kept until a group's node has them, told to it, and shown to their author."""

from collections.abc import Callable

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.across.groups.files import GroupFiles
from safeum_home.chats.across.posts.again import pointer, position_in, tell_again
from safeum_home.chats.across.posts.awaiting import Awaiting
from safeum_home.chats.across.posts.records import (
    HOUR,
    PostKeys,
    PostRecord,
    Settled,
    opened,
    problem_of,
    sealed_post,
)
from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.sealed import decode
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Blinder, Bus, Cursors, Database, Missed, Published
from safeum_home.ports.federation import Noted, Peers
from safeum_home.protocol import frames
from safeum_home.protocol.commands import Acted, Sent
from safeum_home.protocol.events import PostChanged
from safeum_home.protocol.federation.events import Event, new_event
from safeum_home.protocol.federation.group_posts import POST
from safeum_home.protocol.types import Message
from safeum_home.storage import files, posts
from safeum_home.storage.backend import SWEPT
from safeum_home.storage.posts import PostState
from safeum_home.storage.rows import PostRow

REFUSED_HOURS = 7 * 24
"""For so long devices that were away are told of what was refused."""
MOST_SHOWN = 100
"""Messages that wait, in one answer."""


class PostBox:
    """Opens and settles them, in the transactions of who calls, and tells their author's devices."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        opener: ChatOpener,
        bus: Bus,
        peers: Peers,
        awaiting: Awaiting,
        files: GroupFiles,
        now: Callable[[], int],
        keys: PostKeys,
    ) -> None:
        """`now` is in milliseconds."""
        self._keys = keys
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._opener = opener
        self._bus = bus
        self._peers = peers
        self._awaiting = awaiting
        self._files = files
        self._now = now

    # --- the author's command --------------------------------------------------------------------

    def put(
        self,
        c: Connection,
        contents: ChatContents,
        position: int,
        state: PostState,
        record: PostRecord,
        sent: bytes | None,
    ) -> None:
        """Store a post, and note it for the group's node. `sent` recognises it when it is sent again."""
        assert contents.record.group is not None
        blind, hour = self._blinder.account(record.author), self._now() // HOUR
        posts.drop_refused(c, blind, hour - REFUSED_HOURS)
        if not contents.record.history:
            self._keys.put(c, contents, position)
        sealed = sealed_post(c, contents, position, record)
        posts.put_post(c, PostRow(position, contents.blind, blind, position, hour, state, sealed), sent)
        self._peers.note(c, [Noted(contents.record.group.hub, POST, pointer(contents.blind, position))])

    def edited(self, c: Connection, contents: ChatContents, account: AccountId, target: int) -> int:
        """When the newest edit of a message that waits was made, in milliseconds; 0: none waits."""
        for row in posts.changing(c, self._blinder.account(account), contents.blind, MOST_SHOWN):
            record = opened(c, contents, row)
            if record.about == target and "edited" in record.act:
                return int(record.act["edited"])
        return 0

    def post(self, c: Connection, position: int) -> PostRecord | None:
        """One that waits, or was refused; None where it is over."""
        row = posts.post(c, position)
        return None if row is None else self._open(c, row)

    def _open(self, c: Connection, row: PostRow) -> PostRecord | None:
        """What is in a row; None where that, or the group, cannot be opened."""
        try:
            contents = self._opener.group(c, row.chat)
            return None if contents is None else opened(c, contents, row)
        except Tampered:
            return None

    # --- the group's node ------------------------------------------------------------------------

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        """What that is told of a post."""
        row = posts.post(c, position_in(pointer))
        if row is None or row.state == PostState.REFUSED or (record := self._open(c, row)) is None:
            return None
        post = self._cursors.encode(row.position)
        return new_event(POST, record.author, record.at, record.act, record.chat, post)

    def came(self, c: Connection, chat: Chat, post: str, to: int, message: Message) -> Settled | None:
        """A message of this node's own account has come back, and is at `to`; inside the transaction."""
        position = self._position(post)
        row = None if position is None else posts.post(c, position)
        if row is None or row.chat != chat.blind:
            return None
        posts.came(c, row.position, to)
        if (contents := self._opener.group(c, row.chat)) is not None:
            self._files.came(c, contents, row.position, to, message.body)
        self._keys.drop(c, row)
        return Settled(row.position, Sent(self._cursors.encode(to), message.at))

    def posted(self, c: Connection, hub: str, post: str, code: str | None, place: int) -> Settled | None:
        """The group's node says what became of a post; inside the transaction. None where that is known."""
        position = self._position(post)
        row = None if position is None else posts.post(c, position)
        if row is None or row.state == PostState.REFUSED:
            return None
        contents = self._opener.group(c, row.chat)
        if contents is None or contents.record.group is None or contents.record.group.hub != hub:
            return None
        deletes = opened(c, contents, row).act.get("act") == "deletion"
        if code is not None and not (deletes and code == _GONE):
            return self._refuse(c, contents, row, code, place)
        if row.state == PostState.WAITING:
            return None  # the message itself tells that it is there
        posts.drop_post(c, row.position)
        self._keys.drop(c, row)
        return Settled(row.position, Acted())

    def withdraw(
        self, c: Connection, contents: ChatContents, account: AccountId, position: int, place: int
    ) -> Settled | None:
        """An account deletes what waits: nothing of it is left, and its devices are told at `place`.

        None where that does not wait.
        """
        row = posts.post(c, position)
        mine = row is not None and row.account == self._blinder.account(account)
        if row is None or not mine or row.chat != contents.blind or row.state != PostState.WAITING:
            return None
        c.info[SWEPT] = True
        record = structs.replace(opened(c, contents, row), act={}, message=b"")
        return self._refuse(c, contents, row, _GONE, place, record)

    def untold(self, c: Connection, pointer: bytes, place: int) -> Settled | None:
        """The group's node will never hear of a post."""
        row = posts.post(c, position_in(pointer))
        if row is None or row.state == PostState.REFUSED:
            return None
        contents = self._opener.group(c, row.chat)
        return None if contents is None else self._refuse(c, contents, row, _UNTOLD, place)

    def _refuse(
        self,
        c: Connection,
        contents: ChatContents,
        row: PostRow,
        code: str,
        place: int,
        record: PostRecord | None = None,
    ) -> Settled:
        record = structs.replace(record or opened(c, contents, row), code=code)
        if self._keys.drop(c, row):
            record = structs.replace(record, act={}, message=b"")
        sealed = sealed_post(c, contents, row.position, record)
        files.drop(c, row.chat, row.position)
        posts.refuse(c, row.position, place, self._now() // HOUR, sealed)
        return Settled(row.position, problem_of(code), record, place)

    def forget(self, c: Connection, hub: str, chat: bytes, upto: int) -> None:
        """What waited in a copy up to a position was erased: its node is told no more of it."""
        self._peers.withdraw(c, hub, (POST,), chat, pointer(chat, upto + 1))

    def settle(self, settled: Settled) -> None:
        """It is committed: who waits is answered, and the author's other devices are told."""
        device = self._awaiting.device(settled.position)
        if settled.refused is not None:
            self.tell(settled.refused, settled.position, settled.place, device)
        self._awaiting.settle(settled.position, settled.outcome)

    def device(self, settled: Settled | None) -> DeviceId | None:
        """The device that is about to be answered that its message is there, if any."""
        return None if settled is None else self._awaiting.device(settled.position)

    def heard(self, hub: str) -> None:
        """A group's node tells something."""
        self._awaiting.heard(hub)

    def _position(self, post: str | None) -> int | None:
        try:
            return None if post is None else self._cursors.decode(post)
        except Problem:
            return None

    # --- the author ------------------------------------------------------------------------------

    def tell(self, record: PostRecord, position: int, place: int, skip: DeviceId | None) -> None:
        """Tell the author's devices of a post, but for one."""
        self._bus.publish(record.author, self._published(record, position, place, skip))

    def _published(
        self, record: PostRecord, position: int, place: int, skip: DeviceId | None = None
    ) -> Published:
        event = PostChanged(
            self._cursors.encode(place),
            record.chat,
            self._cursors.encode(position),
            decode(record.message) if record.message else None,
            self._cursors.encode(record.about) if record.about else None,
            record.code or None,
        )
        return Published(frames.text_frame(frames.encode_event(event)), place, None, skip)

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of what an account has posted, as far as it waits or was refused."""
        rows = posts.posts_since(c, self._blinder.account(account), after, limit)

        def tell(row: PostRow) -> Published:
            if (record := self._open(c, row)) is None or record.author != account:
                raise Tampered
            return self._published(record, row.position, row.told)

        return Missed(undamaged(rows, tell, "posts"), rows[-1].told if len(rows) == limit else None)

    def waiting(self, c: Connection, chat: Chat, account: AccountId) -> list[bytes]:
        """The messages of an account that wait for a group's node, encoded: the first ones, in order."""
        rows = posts.waiting(c, self._blinder.account(account), chat.blind, MOST_SHOWN)
        opened = [self._open(c, row) for row in rows]
        return [record.message for record in opened if record is not None and record.author == account]

    # --- from time to time -----------------------------------------------------------------------

    async def again(self) -> None:
        """As `tell_again`."""
        await tell_again(self._database, self._opener, self._peers)

    def stop(self) -> None:
        """No timer is left behind."""
        self._awaiting.stop()


_GONE = Code.MESSAGE_GONE.code
_UNTOLD = Code.NOT_TAKEN.code
