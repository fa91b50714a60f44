"""Typing: told to those who see the chat, stored nowhere."""

from twisted.internet.defer import Deferred

from safeum_home.chats.contents import Chat
from safeum_home.chats.registry import ChatRegistry
from safeum_home.ids import ChatId
from safeum_home.ports import Bus, Caller, Published
from safeum_home.protocol import frames
from safeum_home.protocol.commands import ChatTyping, Done
from safeum_home.protocol.events import Typing


class TypingSignals:
    """The command `chat.typing`."""

    def __init__(self, registry: ChatRegistry, bus: Bus) -> None:
        self._registry = registry
        self._bus = bus

    def typing(self, caller: Caller, params: ChatTyping) -> "Deferred[Done]":
        return self._registry.load(ChatId(params.chat)).addCallback(self._tell, caller, params)

    def _tell(self, chat: Chat | None, caller: Caller, params: ChatTyping) -> Done:
        if chat is None and self._registry.is_new(ChatId(params.chat), caller.account):
            return Done()  # before the first message nobody can look
        if chat is None or caller.account not in chat.writers:
            raise self._registry.refusal(ChatId(params.chat), caller.account)
        event = Typing(chat.id, caller.account, params.active)
        published = Published(frames.text_frame(frames.encode_event(event)))
        for member in chat.members:
            if member != caller.account:
                self._bus.publish(member, published)
        return Done()
