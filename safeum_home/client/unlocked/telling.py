"""Telling all chats of an account that its keys are others; and what is kept of those before until then."""

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater

from safeum_home.client.errors import ClientError
from safeum_home.client.secure.chat_memory import ChatMemory
from safeum_home.client.secure.moving import Boxes
from safeum_home.client.secure.refused import Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.state.state import State
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.events import KeysFollowed
from safeum_home.client.unlocked.publishing import Publishing
from safeum_home.spawn import spawn

AGAIN = 3.0
"""Seconds until it is looked again whether the keys before are needed."""


class Telling(Publishing):
    """A part of `SecureChats`."""

    _state: State
    former: list[UniqueKey]
    """Keys of before, for ten minutes: to open what is under way."""
    _forgetting: dict[UniqueKey, IDelayedCall]
    _telling: set[str]
    _boxes: dict[UniqueKey, Boxes]
    """From each of the keys before to those of now."""

    def _begin_telling(self) -> None:
        self.former, self._forgetting, self._telling, self._boxes = [], {}, set(), {}

    def _end_telling(self) -> None:
        for timer in self._forgetting.values():
            timer.cancel()
        self._forgetting.clear()
        for key in self.former:
            key.wipe()
        self.former.clear()
        self._boxes.clear()

    # --- telling chats

    @property
    def untold(self) -> tuple[str, ...]:
        """Secure chats that are known and were not told yet that the keys of this account are others."""
        known = {view.chat for view in self._state.chats if view.group is not None and view.group.secure}
        return tuple(sorted(chat for chat in known | self.chats.keys() if self.line.owes(chat)))

    def loaded(self, chat: str) -> None:
        """A chat is open: it is told, if it was not yet, before anything else is said in it."""
        if chat in self.chats:
            self.owed(self.chats[chat])

    def owed(self, conversation: Conversation) -> None:
        """Tell a chat that was not told yet."""
        if self.may_say and self.line.owes(conversation.id) and conversation.id not in self._telling:
            self._telling.add(conversation.id)
            spawn(self._tell(conversation), "telling a chat of other keys")

    async def _tell_all(self) -> None:
        """One chat after another: each of them seals some epochs anew."""
        for conversation in list(self.chats.values()):
            self.owed(conversation)
            await deferLater(self.clock, 0.0)

    async def _tell(self, conversation: Conversation) -> None:
        line = self.line.line
        try:
            if line is not None:
                await conversation.succeed(self.own, line)
        except (ClientError, Refused):
            return  # it is told when it is opened again, or there is another connection
        finally:
            self._telling.discard(conversation.id)
        if line is self.line.line:
            self.line.told(conversation.id)
            self.changed()
            self._tell_followed()
        else:
            self.owed(conversation)

    def _tell_followed(self) -> None:
        if self.line.line is not None:
            last = self.line.line
            self.tell(KeysFollowed(last.before.hash, last.last.hash, len(self.untold)))

    # --- the keys before

    def _forget_later(self, own: UniqueKey, seconds: float) -> None:
        self._forgetting[own] = self.clock.callLater(seconds, self._forget, own)

    def _forget(self, own: UniqueKey) -> None:
        if any(each.own is own for each in self.chats.values()):
            self._forget_later(own, AGAIN)  # a chat that could not be told is sealed to them alone
            return
        del self._forgetting[own]
        self.former.remove(own)
        self._boxes.pop(own, None)
        own.wipe()

    def memory_of(self, conversation: Conversation) -> ChatMemory:
        """Of a chat that was not told yet as well: what it has is sealed to the keys before."""
        memory, own = conversation.memory(), conversation.own
        return memory if own.hash == self.own.hash else self._boxes_of(own, self.own).sealed(memory)

    def _boxes_of(self, own: UniqueKey, new: UniqueKey) -> Boxes:
        boxes = self._boxes.get(own)
        if boxes is None or boxes.new is not new:
            boxes = self._boxes[own] = Boxes(own, new)
        return boxes
