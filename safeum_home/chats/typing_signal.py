"""Typing: told to those who see the chat and want it told, in groups to contacts alone, stored nowhere."""

from collections import OrderedDict
from collections.abc import Callable
from math import inf

from twisted.internet.defer import Deferred

from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.limits import RateLimit
from safeum_home.ports import Bus, Caller, Published, TypingPrivacy
from safeum_home.ports.expiring import SayNow
from safeum_home.protocol import frames
from safeum_home.protocol.commands import ChatTyping, Done
from safeum_home.protocol.events import Typing
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.now import TYPING

AGAIN_SECONDS = 3.0
"""How seldom it is told again that somebody still types: receivers forget it after 6 seconds."""
_FORGOTTEN_SECONDS = 6.0
MOST_MEMBERS = 200
"""In larger chats nobody is told who types."""
_GROUP_RATE, _GROUP_BURST = 2.0, 10.0
"""How often it is told in a chat of more than two, in all: per second, and at once."""
_TYPING_AT_ONCE = 65536


class TypingSignals:
    """The command `chat.typing`. A client that says it with each key costs the others nothing."""

    def __init__(
        self,
        now: Callable[[], float],
        registry: ChatRegistry,
        bus: Bus,
        privacy: TypingPrivacy,
        say: SayNow = lambda node, type, subject: None,
    ) -> None:
        """`now` is in seconds; `say` tells other nodes."""
        self._now = now
        self._registry = registry
        self._bus = bus
        self._privacy = privacy
        self._say = say
        self._group_rate = RateLimit(_GROUP_RATE, _GROUP_BURST, now)
        self._told: OrderedDict[tuple[ChatId, AccountId], float] = OrderedDict()
        """When it was last told that somebody types, the oldest first."""

    def typing(self, caller: Caller, params: ChatTyping) -> "Deferred[Done]":
        return self._registry.load(ChatId(params.chat)).addCallback(self._tell, caller, params)

    def sent(self, chat: ChatId, account: AccountId) -> None:
        """What was typed has been sent: receivers know that it is typed no more."""
        if self._told:
            self._told.pop((chat, account), None)

    def _tell(self, chat: Chat | None, caller: Caller, params: ChatTyping) -> Done:
        if chat is None and self._registry.is_new(ChatId(params.chat), caller.account):
            return Done()  # before the first message nobody can look
        if chat is None or caller.account not in chat.writers:
            raise self._registry.refusal(ChatId(params.chat), caller.account)
        members = chat.members
        if len(members) <= MOST_MEMBERS and self._is_news(
            chat.id, caller.account, params.active, len(members)
        ):
            self._publish(chat, caller.account, params.active)
            if chat.nodes or chat.hub is not None:
                for node in self._nodes(chat, caller.account):
                    self._say(node, TYPING, (chat.id, caller.account))
        return Done()

    async def told(self, id: ChatId, account: AccountId, active: bool) -> None:
        """One elsewhere types, or does so no more, as its own node has said."""
        chat = await self._registry.load(id)
        if chat is None or account not in chat.writers or len(chat.members) > MOST_MEMBERS:
            return
        if len(chat.members) > 2:
            self._group_rate.take(chat.id)
        self._publish(chat, account, active)

    def types(self, chat: ChatId, account: AccountId) -> bool:
        """Whether one of ours types, as far as was told."""
        told = self._told.get((chat, account))
        return told is not None and abs(self._now() - told) < _FORGOTTEN_SECONDS

    def _publish(self, chat: Chat, typist: AccountId, active: bool) -> None:
        event = Typing(chat.id, typist, active)
        published = Published(frames.text_frame(frames.encode_event(event)))
        for member in chat.members:
            if member != typist and self._is_for(member, chat, typist):
                self._bus.publish(member, published)

    def _nodes(self, chat: Chat, typist: AccountId) -> set[str]:
        """Other nodes, of members who may be told."""
        own = node_of(typist)
        others = ((node_of(member), member) for member in chat.members)
        return {
            node
            for node, member in others
            if node != own and (chat.kind is not ChatKind.GROUP or self._privacy.are_contacts(typist, member))
        }

    def _is_for(self, member: AccountId, chat: Chat, typist: AccountId) -> bool:
        """Of a stranger in a group, or who has blocked one, it is not told when it is at the keyboard."""
        if not self._privacy.tells_typing(member):
            return False
        return chat.kind is not ChatKind.GROUP or self._privacy.are_contacts(typist, member)

    def _is_news(self, chat: ChatId, account: AccountId, active: bool, members: int) -> bool:
        """Whether it is to be told; it is noted then."""
        now = self._now()
        told = self._told.get((chat, account))
        age = inf if told is None else abs(now - told)
        if (age < AGAIN_SECONDS) if active else (age >= _FORGOTTEN_SECONDS):
            return False
        if not self._privacy.tells_typing(account):
            return False
        if members > 2:
            try:
                self._group_rate.take(chat)
            except Problem:
                return False
        self._told.pop((chat, account), None)
        if active:
            self._told[chat, account] = now
            if len(self._told) > _TYPING_AT_ONCE:
                self._told.popitem(last=False)
        return True
