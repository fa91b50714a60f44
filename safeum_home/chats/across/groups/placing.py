"""Posts, where a group is ordered: what members of other nodes write, and do, gets its place.

It is applied through the same code as what this node's own accounts do, and kept as their nodes have signed
it, to be passed on.
"""

from collections.abc import Callable

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.across.arrivals import Arrivals
from safeum_home.chats.across.changed import check_author
from safeum_home.chats.across.groups.authors import Authored, check_people, group_body
from safeum_home.chats.across.groups.files import GroupFiles
from safeum_home.chats.across.groups.notes import GroupEvent, GroupFleeting
from safeum_home.chats.across.groups.passing_on import keep
from safeum_home.chats.across.groups.references import GroupReferences
from safeum_home.chats.across.posts.records import HOUR
from safeum_home.chats.across.telling import EDITED, Telling
from safeum_home.chats.changes.altering import Altered, Altering, Change, Stored
from safeum_home.chats.changes.changing import MessageChanges, alive, edited_body
from safeum_home.chats.changes.emoji import one_emoji
from safeum_home.chats.changes.finding import Place
from safeum_home.chats.changes.pins import Pins
from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.fleeting import FleetingMessages
from safeum_home.chats.sealed import seal_under
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Cursors
from safeum_home.protocol import frames
from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.group_posts import Pinning, Reacting, Removed, Written
from safeum_home.protocol.types import Message
from safeum_home.storage import events
from safeum_home.storage.passed_on import ITSELF
from safeum_home.storage.rows import NewEvent

Tell = Callable[[], None]


class Placing:
    """Stores posts inside transactions of the group's node, and says what is told of them."""

    def __init__(
        self,
        blinder: Blinder,
        cursors: Cursors,
        references: GroupReferences,
        arrivals: Arrivals,
        altering: Altering,
        changes: MessageChanges,
        pins: Pins,
        delivery: Delivery,
        telling: Telling,
        fleeting: FleetingMessages,
        files: GroupFiles,
    ) -> None:
        self._blinder = blinder
        self._cursors = cursors
        self._references = references
        self._arrivals = arrivals
        self._altering = altering
        self._changes = changes
        self._pins = pins
        self._delivery = delivery
        self._telling = telling
        self._fleeting = fleeting
        self._files = files

    def store(self, c: Connection, chat: Chat, authored: Authored, places: tuple[int, int]) -> list[Tell]:
        """What is to be told once it is committed; raises what an account here would be refused with."""
        act, sender = authored.act, AccountId(authored.event.sender)
        if isinstance(act, Written) and act.message is None:
            return self._first(c, chat, authored, act, places[0])
        post = Reference(authored.event.node, authored.event.id or "")
        if not events.recognise(c, self._references.sent(post), self._arrivals.now() // HOUR):
            return []  # what came of it may have become something else since
        name = act.message
        target = None if name is None else self._references.find(c, chat, name)
        if target is None:
            raise Problem(Code.MESSAGE_GONE)
        if isinstance(act, Pinning):
            pinned = self._pins.store(c, chat, sender, target, act.pinned, places[0])
            return [] if pinned is None else [lambda: self._tell_pins(chat, pinned)]
        stored = self._altering.store(c, chat, sender, target, places, self._change(authored), True)
        if stored is None:
            return []
        account = self._blinder.account(sender) if isinstance(act, Reacting) else ITSELF
        contents, _ = self._altering.finder.contents(c, chat.blind, sender)
        keep(c, contents, target, authored.event, account)
        return [lambda: self._tell(chat, stored)]

    def _change(self, authored: Authored) -> Change:
        act, event = authored.act, authored.event

        def change(c: Connection, place: Place) -> Altered | None:
            if isinstance(act, Removed):
                return self._changes.deleting(c, place, event.at)
            if isinstance(act, Reacting):
                return self._changes.reacted(c, place, _emoji(act))
            assert isinstance(act, Written)
            return self._edited(c, place, act)

        return change

    def _edited(self, c: Connection, place: Place, act: Written) -> Altered | None:
        message = alive(place)
        check_author(message, place.account)
        self._altering.finder.check_writer(c, place.chat, place.account)
        if act.edited is None or act.edited <= (message.edited or 0):
            return None
        told = group_body(act.body, place.account)
        body = edited_body(message, self._files.body(place.chat, place.account, told))
        check_people(c, self._blinder, place.chat.blind, act)
        now = structs.replace(message, body=body, mentions=tuple(act.mentions), edited=act.edited)
        return Altered(now, told=EDITED)

    def _first(
        self, c: Connection, chat: Chat, authored: Authored, act: Written, position: int
    ) -> list[Tell]:
        """Store a message; where it is known its node is told of it again, which may have lost it."""
        event, sender = authored.event, AccountId(authored.event.sender)
        name = Reference(event.node, event.id or "")
        if (known := self._references.known(c, chat, name)) is not None:
            if events.event(c, chat.blind, known) is None:
                raise Problem(Code.MESSAGE_GONE)
            self._telling.groups.again(c, chat, event.node, known)
            return []
        contents, _ = self._altering.finder.contents(c, chat.blind, sender)
        check_people(c, self._blinder, chat.blind, act)
        told = group_body(act.body, sender)
        message = Message(
            self._cursors.encode(position),
            chat.id,
            sender,
            self._arrivals.time(act.sent),
            self._files.body(chat, sender, told),
            reply_to=self._references.reply_to(c, chat, act.reply_to),
            mentions=tuple(act.mentions),
            forwarded=act.forwarded,
            origin=event.id,
        )
        encoded = frames.encode_params(message)
        sent = self._references.sent(name)
        if contents.record.history:
            sealed = seal_under(contents.key, chat.blind, position, encoded)
            told_of = GroupEvent(NewEvent(chat.blind, position, sealed, sent), chat.nodes)
            self._telling.groups.append(c, [told_of])
        else:
            fleeting = self._fleeting.heard(contents, sender, position, encoded, sent, message.at)
            self._telling.groups.append_fleeting(c, [GroupFleeting(fleeting, chat.nodes)])
        keep(c, contents, position, event)
        self._files.attach(c, contents, position, sender, name.id, told)
        return [lambda: self._deliver(chat, sender, encoded, position)]

    # --- telling

    def _deliver(self, chat: Chat, sender: AccountId, encoded: bytes, position: int) -> None:
        if not chat.record.history:
            self._fleeting.waits(chat, position)
        self._delivery.message(chat, sender, encoded, position, None)
        self._telling.wake(chat.nodes)

    def _tell(self, chat: Chat, stored: Stored) -> None:
        if stored.altered.record is not None:
            self._altering.refresh(chat.id)
        self._altering.tell(chat, stored)

    def _tell_pins(self, chat: Chat, pinned: ChatContents) -> None:
        self._altering.refresh(chat.id)
        self._altering.tell_record(chat, pinned, pinned.changed)
        self._telling.wake(chat.nodes)


def _emoji(act: Reacting) -> str | None:
    return None if act.emoji is None else one_emoji(act.emoji)
