"""What comes from other nodes: whose it is, of which chat, and whether it has the form that it is to have."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.chats.across.lives import LivesAcross
from safeum_home.chats.across.places import Places
from safeum_home.chats.contents import Chat, ChatContents, ChatKind
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.limits import RateLimit
from safeum_home.ports.federation import Applied
from safeum_home.protocol.carried import KINDS, carried
from safeum_home.protocol.federation.events import AHEAD, Event, node_of
from safeum_home.protocol.files import File
from safeum_home.protocol.message_types import Deleted, Unknown
from safeum_home.protocol.types import Body, KnownBody, Secure, Text

S = TypeVar("S", bound=Struct)
Store = Callable[[Connection], object]


class Arrivals:
    """Meets events at the door."""

    def __init__(
        self,
        registry: ChatRegistry,
        now: Callable[[], int],
        lives: LivesAcross,
        limit: RateLimit | None = None,
    ) -> None:
        """`now` is in milliseconds; `limit` is how much each account may have told of its direct chats."""
        self._registry = registry
        self._limit = limit
        self.now = now
        self._lives = lives

    async def chat(self, node: str, event: Event) -> Chat:
        """The chat of an event of `node`, which speaks for its sender; go on in the turn of the answer.

        Raises `wrong_sender_node`, `malformed_event`, and `not_a_contact` where there is no such chat, or the
        sender is not in it; `rate_limited`.
        """
        if event.node != node or node_of(event.sender) != node:
            raise Problem(Code.WRONG_SENDER_NODE)
        if event.chat is None:
            raise Problem(Code.MALFORMED_EVENT)
        chat = await self._registry.load(ChatId(event.chat))
        # Who is of this very node speaks for itself, to this node alone.
        foreign = chat is not None and chat.kind is ChatKind.DIRECT and node in chat.nodes
        if chat is None or not foreign or event.sender not in chat.members:
            raise Problem(Code.NOT_A_CONTACT)
        if self._limit is not None:
            self._limit.take(event.sender)
        return chat

    async def present(self, node: str, event: Event, life: Sequence[int]) -> Chat:
        """As `chat`, of what was written in a life of the history: this node has heard of that."""
        chat = await self.chat(node, event)
        if not life and chat.record.across is None:
            return chat
        if life and len(life) != len(chat.members):
            raise Problem(Code.MALFORMED_EVENT)
        return await self._lives.caught_up(chat, AccountId(event.sender), tuple(life))

    def applied(
        self,
        node: str,
        chat: Chat,
        life: Sequence[int],
        places: Places,
        store: Store,
        publish: Callable[[], None],
        row: Any = None,
    ) -> Applied:
        """What an event comes to, of what was written in a life of the history.

        Where that is not the present one nothing does: it was erased while it was on its way.
        """
        past: list[str] = []

        def guarded(c: Connection) -> None:
            past.clear()
            places.check()
            if self._lives.is_now(c, chat, node, tuple(life)):
                store(c)
            else:
                past.append(node)

        def told() -> None:
            if past:
                self._lives.wake(node)
            else:
                publish()

        return Applied(guarded, told, lambda: None, places.take, row)

    def time(self, told: int) -> int:
        """A time that another node has told, in milliseconds."""
        now = self.now()
        return told if told <= now + AHEAD else now


def others(chat: Chat | ChatContents, account: AccountId) -> list[AccountId]:
    """The members of a chat but for one."""
    return [member for member in chat.members if member != account]


def body_of(plain: dict[str, Any], sender: str) -> Body:
    """The body of a message: what an account can send, or a stub that `sender` has left.

    Raises `malformed_event`. Whoever takes a file from it calls that by a name of this node
    (`ForeignFiles.body`), and gives the message a row of it.
    """
    try:
        kind = plain.get("kind")
        if kind == "text":  # nearly all are, and msgspec is quicker with one type than with several
            return msgspec.convert(plain, Text, strict=True)
        if kind not in KINDS:
            return carried(plain)
        known: KnownBody = msgspec.convert(plain, KnownBody, strict=True)
    except ValueError:  # msgspec's are, too
        raise Problem(Code.MALFORMED_EVENT) from None
    is_stub = isinstance(known, Deleted) and known.by == sender
    if not isinstance(known, File | Unknown | Secure) and not is_stub:
        raise Problem(Code.MALFORMED_EVENT, "the node alone writes this kind")
    return known
