"""Messages of groups across nodes: their hub has put them into their order, and passes them on in that order.

In a copy a message has a position and an id of that node, as any other, and by `Message.origin`, the id that
it has at its author's node, it is recognised when it is told again. What the hub's system contact has written
of the group each node writes itself, in the name of its own: that alone is what its clients believe.
"""

from collections.abc import Callable
from typing import NamedTuple

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.across.arrivals import Arrivals
from safeum_home.chats.across.changed import is_gone, tell
from safeum_home.chats.across.groups.authors import LATE, Authored, Authors, group_body
from safeum_home.chats.across.groups.copies import check_hub
from safeum_home.chats.across.groups.files import GroupFiles
from safeum_home.chats.across.groups.lives_heard import GroupLives
from safeum_home.chats.across.groups.notices import notice_of
from safeum_home.chats.across.groups.references import GroupReferences
from safeum_home.chats.across.groups.shown import GroupShown
from safeum_home.chats.across.places import Places
from safeum_home.chats.across.posts.box import PostBox
from safeum_home.chats.across.posts.records import Settled
from safeum_home.chats.changes.altering import Altered, Altering, Change, Stored
from safeum_home.chats.changes.changing import MessageChanges, edited_body
from safeum_home.chats.changes.finding import Place
from safeum_home.chats.contents import Chat
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.fleeting import FleetingMessages
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.sealed import decode, seal_under
from safeum_home.chats.secure import check_said
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, system_account
from safeum_home.ports import Cursors, Database
from safeum_home.ports.federation import Applied
from safeum_home.protocol import frames
from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.events import Event, node_of
from safeum_home.protocol.federation.group_posts import CHANGE, MESSAGE, PassedOn, Removed, Written
from safeum_home.protocol.federation.people import content
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import Body, Message, Notice
from safeum_home.storage import changes, events, group_nodes, spool
from safeum_home.storage.rows import NewEvent


class Arrived(NamedTuple):
    """A message as its hub tells of it: by which name it is known, and by whom it was made what it is."""

    name: Reference
    message: Message
    by: AccountId
    reply_to: Reference | None = None
    told: Body | None = None
    """Its body as its author's node calls what is in it."""

    @property
    def is_changed(self) -> bool:
        """Whether it was edited or deleted since it was written."""
        return self.message.edited is not None or isinstance(self.message.body, Deleted)


class GroupMessages:
    """Copies of messages: what an event of the hub's says, and what it changes here."""

    def __init__(
        self,
        node: str,
        database: Database,
        cursors: Cursors,
        opener: ChatOpener,
        references: GroupReferences,
        arrivals: Arrivals,
        authors: Authors,
        altering: Altering,
        changes: MessageChanges,
        delivery: Delivery,
        posts: PostBox,
        lives: GroupLives,
        fleeting: FleetingMessages,
        files: GroupFiles,
        signed: Callable[[Message], Message],
    ) -> None:
        """`signed` puts this node's signature to what its system contact writes."""
        self._node = node
        self._database = database
        self._cursors = cursors
        self._opener = opener
        self._references = references
        self._arrivals = arrivals
        self._authors = authors
        self._altering = altering
        self._changes = changes
        self._delivery = delivery
        self._posts = posts
        self._lives = lives
        self._fleeting = fleeting
        self._files = files
        self._signed = signed

    async def apply(self, node: str, event: Event, is_change: bool) -> Applied:
        """`is_change`: what is not known here is passed over; it comes in its own place."""
        told, chat_id = content(event, PassedOn), check_hub(node, event)
        authored = await self._authors.authored(node, event.chat, told.event)
        arrived = self._arrived(node, chat_id, told, authored)
        chat = await self._lives.copy_of(node, event, told.life, told.fleeting)
        _check_kind(chat, arrived)
        arrived = self._named_here(chat, arrived)
        # In a copy that is nothing but invitations there are no messages.
        is_read = any(map(self._opener.is_here, chat.members))
        self._posts.heard(node)
        sent, places = self._references.sent(arrived.name), Places(self._database, chat)
        outcome: list[bytes | Stored] = []
        settled: list[Settled] = []

        def store(c: Connection) -> None:
            outcome.clear()
            settled.clear()
            both = places.both
            if self._lives.is_past(chat, told.life):
                return  # it was erased while it was on its way
            known = events.recognised(c, sent)
            if known is not None:
                if not is_gone(c, chat, known):
                    change = self._again(arrived)
                    stored = self._altering.store_told(c, chat, arrived.by, known, both, change)
                    outcome.extend([] if stored is None else [stored])
            elif not is_change:
                if not is_read and not group_nodes.is_wanted(c, chat.blind):
                    raise Problem(Code.NOT_A_CONTACT)
                outcome.append(self._first(c, chat, both[0], arrived, sent, told.fleeting))
                known = both[0]
            if known is not None and arrived.name.node == self._node:
                came = self._posts.came(c, chat, arrived.name.id, known, arrived.message)
                settled.extend([] if came is None else [came])
                if came is not None and arrived.is_changed and known == both[0]:
                    outcome.append(self._changed_before(c, chat, outcome[0], arrived, both))

        def publish() -> None:
            device = self._posts.device(settled[0]) if settled else None
            if arrived.message.forwarded is not None:
                device = None  # it does not know what it has had copied
            for post in settled:
                self._posts.settle(post)
            for each in outcome:
                if isinstance(each, bytes):
                    if told.fleeting:
                        self._fleeting.waits(chat, places.both[0])
                    sender = AccountId(arrived.message.sender)
                    self._delivery.message(chat, sender, each, places.both[0], device)
                else:
                    tell(self._altering, chat, each)

        return Applied(store, publish, lambda: None, places.take)

    def _changed_before(
        self, c: Connection, chat: Chat, encoded: bytes | Stored, arrived: Arrived, places: tuple[int, int]
    ) -> Stored:
        """One of this node's own has become another one before it came: whoever sent it is answered as if it
        were as it was sent, and told what it is."""
        assert isinstance(encoded, bytes)
        changes.note(c, chat.blind, *places)
        return Stored(Altered(decode(encoded)), arrived.by, places[1], places[1], frozenset())

    def _arrived(self, node: str, chat: ChatId, told: PassedOn, authored: Authored) -> Arrived:
        event, act, by = authored.event, authored.act, AccountId(authored.event.sender)
        if isinstance(act, Removed):
            left = told.left
            if left is None or left.message != act.message or node_of(left.sender) != left.message.node:
                raise Problem(Code.MALFORMED_EVENT)
            stub, sender = Deleted(by, min(event.at, told.at)), AccountId(left.sender)
            at = self._arrivals.time(left.sent)
            return Arrived(left.message, Message("", chat, sender, at, stub, origin=left.message.id), by)
        if not isinstance(act, Written):
            raise Problem(Code.MALFORMED_EVENT)
        name, at = authored.written, self._arrivals.time(min(act.sent, told.at))
        if by == system_account(node):
            system = system_account(self._node)
            return Arrived(name, Message("", chat, system, at, notice_of(act.body), origin=name.id), system)
        message = Message(
            "",
            chat,
            by,
            at,
            group_body(act.body, by),
            mentions=tuple(act.mentions),
            forwarded=act.forwarded,
            edited=act.edited,
            origin=name.id,
        )
        return Arrived(name, message, by, act.reply_to)

    def _named_here(self, chat: Chat, arrived: Arrived) -> Arrived:
        """The same, as clients of this node see it."""
        message = arrived.message
        body = self._files.body(chat, AccountId(message.sender), message.body)
        return arrived._replace(message=structs.replace(message, body=body), told=message.body)

    def _first(
        self,
        c: Connection,
        chat: Chat,
        position: int,
        arrived: Arrived,
        sent: bytes,
        fleeting: bool,
    ) -> bytes:
        """Store a message; its encoded parameters."""
        contents = self._opener.group(c, chat.blind)
        if contents is None:
            raise Problem(Code.NOT_A_CONTACT)
        reply_to = self._references.reply_to(c, chat, arrived.reply_to)
        message = structs.replace(arrived.message, id=self._cursors.encode(position), reply_to=reply_to)
        if isinstance(message.body, Notice):
            message = self._signed(message)
        encoded = frames.encode_params(message)
        sender, told = AccountId(message.sender), arrived.told or message.body
        if fleeting:
            row = self._fleeting.heard(contents, sender, position, encoded, sent, message.at)
            spool.append_fleeting(c, [row])
        else:
            sealed = seal_under(contents.key, chat.blind, position, encoded)
            events.append_events(c, [NewEvent(chat.blind, position, sealed, sent)])
        self._files.attach(c, contents, position, sender, arrived.name.id, told)
        return encoded

    def _again(self, arrived: Arrived) -> Change:
        """What becomes of a message that was heard of before: never what it was earlier."""
        now = arrived.message

        def change(c: Connection, place: Place) -> Altered | None:
            message = place.message
            if message.sender != now.sender:
                raise Problem(Code.NOT_YOURS)
            if isinstance(message.body, Deleted) or message.signature is not None:
                return None
            if isinstance(now.body, Deleted):
                return self._changes.deleted(c, place, now.body)
            if now.edited is None or now.edited <= (message.edited or 0):
                return None
            body = edited_body(message, now.body)
            return Altered(structs.replace(message, body=body, mentions=now.mentions, edited=now.edited))

        return change


def _check_kind(chat: Chat, arrived: Arrived) -> None:
    """What a hub passes on into a secure chat is sealed for it; raises `secure_only`, `not_secure`."""
    message = arrived.message
    if isinstance(message.body, Notice | Deleted):
        return  # that somebody came, or that nothing is left
    bare = arrived.reply_to is None and not message.mentions and message.forwarded is None
    check_said(chat.record, message.body, bare)


class GroupMessageKind:
    """`ports.SharedKind`: `group.message`: each message of a group once, in the order of its hub."""

    type = MESSAGE
    together = True
    """Many may be stored in one transaction."""
    late = LATE

    def __init__(self, shown: GroupShown, messages: GroupMessages) -> None:
        self._shown = shown
        self._messages = messages

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        return self._shown.message(c, self.type, pointer)

    async def apply(self, node: str, event: Event) -> Applied:
        return await self._messages.apply(node, event, False)


class GroupChangeKind(GroupMessageKind):
    """`ports.SharedKind`: `group.change`: one that was told before has become something else.

    Deletions overtake what waits: of a message that is not there yet the stub comes in its place.
    """

    type = CHANGE

    async def apply(self, node: str, event: Event) -> Applied:
        return await self._messages.apply(node, event, True)
