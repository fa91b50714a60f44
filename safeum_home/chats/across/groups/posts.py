"""Posts, told to the node that orders a group: what members of other nodes write, and do.

What is refused is told to the node of who wrote it, with the code that an account of this node would get.
"""

from sqlalchemy import Connection

from safeum_home.chats.across.arrivals import Arrivals
from safeum_home.chats.across.groups.answers import posted
from safeum_home.chats.across.groups.authors import Authored, act_of, group_body
from safeum_home.chats.across.groups.placing import Placing, Tell
from safeum_home.chats.across.places import Places
from safeum_home.chats.across.posts.box import PostBox
from safeum_home.chats.across.posts.records import Settled
from safeum_home.chats.changes.altering import Altering
from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.fan_out import UNREAD
from safeum_home.chats.groups import lives as group_lives
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.secure import check_said
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Database
from safeum_home.ports.federation import Applied, Noted, Peers
from safeum_home.protocol import frames
from safeum_home.protocol.federation.events import AHEAD, MOST_OCTETS, Event, node_of, signed_octets
from safeum_home.protocol.federation.group_posts import POST, POSTED, Pinning, Written

ROOM = 4096
"""Octets that an event is shorter than one may be: those of its signatures, and of the event around it."""
_PASSING = (Code.BUSY, Code.RATE_LIMITED, Code.STORAGE_UNAVAILABLE, Code.SHUTTING_DOWN)


class PostKind:
    """`ports.SharedKind`: `group.post`. It is built at the author's node, and applied at the group's."""

    type = POST
    together = True
    """Many may be stored in one transaction."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        registry: ChatRegistry,
        arrivals: Arrivals,
        altering: Altering,
        placing: Placing,
        peers: Peers,
        posts: PostBox,
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._registry = registry
        self._arrivals = arrivals
        self._altering = altering
        self._placing = placing
        self._peers = peers
        self._posts = posts

    # --- the author's node

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        return self._posts.build(c, pointer)

    async def untold(self, node: str, pointer: bytes) -> Applied:
        """The group's node will never hear of it: as if that had refused it."""
        place, outcome = self._database.next_position(), list[Settled]()

        def placed() -> None:
            nonlocal place
            place = self._database.next_position()

        def store(c: Connection) -> None:
            outcome.clear()
            if (settled := self._posts.untold(c, pointer, place)) is not None:
                outcome.append(settled)

        def publish() -> None:
            for settled in outcome:
                self._posts.settle(settled)

        return Applied(store, publish, lambda: None, placed)

    # --- the group's node

    async def apply(self, node: str, event: Event) -> Applied:
        if event.node != node or node_of(event.sender) != node:
            raise Problem(Code.WRONG_SENDER_NODE)
        if event.chat is None or event.id is None or not _is_plain(event.id):
            raise Problem(Code.MALFORMED_EVENT)
        post, authored = event.id, Authored(event, act_of(event))
        blind = self._blinder.chat(ChatId(event.chat))
        chat = await self._registry.load(ChatId(event.chat))
        refusal: Problem | None = None
        try:
            self._check(chat, authored)
        except Problem as problem:
            if problem.code in _PASSING:
                raise
            refusal = problem
        places = None if chat is None else Places(self._database, chat)
        told: list[Tell] = []

        def store(c: Connection) -> None:
            told.clear()
            code = None if refusal is None else refusal.code.code
            if code is None and chat is not None and places is not None:
                try:
                    told.extend(self._placing.store(c, chat, authored, places.both))
                except Problem as problem:
                    if problem.code in _PASSING:
                        raise
                    code = problem.code.code
            if code is not None and self._peers.room(c, node) <= 0:
                raise Problem(Code.BUSY)  # it takes no answers: there are no more until it does
            if code is not None or not isinstance(authored.act, Written) or authored.act.message is not None:
                # Behind all that is told of what came of it.
                self._peers.note(c, [Noted(node, POSTED, posted(blind, post, code))])

        def publish() -> None:
            for tell in told:
                tell()
            self._peers.wake([node])

        return Applied(store, publish, lambda: None, (lambda: None) if places is None else places.take)

    def _check(self, chat: Chat | None, authored: Authored) -> None:
        """What need not be asked of the database; raises what an account here would be refused with."""
        sender, act = AccountId(authored.event.sender), authored.act
        ordered = chat is not None and chat.kind is ChatKind.GROUP and chat.hub is None
        if chat is None or not ordered or sender not in chat.writers:
            raise Problem(Code.NOT_A_CONTACT)
        if act.life != group_lives.life_of(chat.record):
            raise Problem(Code.HISTORY_ERASED)  # it was written before its node had heard of that
        if len(signed_octets(authored.event)) > MOST_OCTETS - ROOM:
            raise Problem(Code.TOO_LARGE)
        if authored.event.at > self._arrivals.now() + AHEAD:
            raise Problem(Code.MALFORMED_EVENT, "this is of the future")
        if isinstance(act, Written):
            bare = act.reply_to is None and not act.mentions and act.forwarded is None
            check_said(chat.record, group_body(act.body, sender), bare)
            if (act.edited or 0) > self._arrivals.now() + AHEAD:
                raise Problem(Code.MALFORMED_EVENT, "this is of the future")
            octets = len(frames.encode_params(act)) if act.message is None else UNREAD
            self._altering.charge(chat, sender, octets)
        else:
            self._altering.charge(chat, sender, 0 if isinstance(act, Pinning) else UNREAD)


def _is_plain(id: str) -> bool:
    """Whether an id can stand in a pointer."""
    return id.isascii() and id.isprintable()
