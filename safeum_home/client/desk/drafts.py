"""Drafts on their way to one's other devices: a moment after the last key, not with each.

The node keeps one draft of a chat for all devices. What another device began there, and was never in the line
of this one, is neither replaced nor dropped: what is written here meanwhile stays on this device alone.
"""

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from safeum_home.client.errors import ClientError
from safeum_home.client.secure.refused import Refused
from safeum_home.client.session import Client
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.state.state import State
from safeum_home.protocol.message_types import MAX_DRAFT, Draft
from safeum_home.spawn import spawn

PAUSE = 2.0
"""Seconds without a key after which a draft is kept."""
REMEMBERED = 64
"""Drafts of a chat that are known to be of this device: answers and events of the node come late."""


class Drafts:
    """Keeps what is being written into chats. What is sent is a draft no more: the sender says `sent`."""

    def __init__(
        self,
        client: Client,
        state: State,
        clock: IReactorTime,
        failed: Callable[[ClientError], None] = lambda error: None,
    ) -> None:
        self._client = client
        self._state = state
        self._clock = clock
        self._failed = failed
        self._waiting: dict[str, tuple[IDelayedCall, Draft | None]] = {}
        self._telling: dict[str, Draft | None] = {}
        """What the node is being told: it says so itself a moment later."""
        self._here: dict[str, Draft] = {}
        """On this device alone: of chats in which nothing is kept, and what is too long to be kept whole."""
        self._apart: dict[str, Draft] = {}
        """On this device alone, since the node keeps what another one began."""
        self._mine: dict[str, deque[str]] = {}
        """Drafts that were in the line of this device, by their chats."""
        self._line: dict[str, str] = {}
        """What stands in the line of a chat that is open."""

    def of(self, chat: str) -> Draft | None:
        """What was begun in a chat, here or on another device."""
        if chat in self._apart:
            return self._apart[chat]
        known = self._waiting[chat][1] if chat in self._waiting else self._known(chat)
        here, view = self._here.get(chat), self._state.chat(chat)
        if here is None or view is None:
            return known
        elsewhere = known is None or known.text != here.text[:MAX_DRAFT]
        return known if self._kept(view) and elsewhere else here

    def take(self, chat: str) -> None:
        """What was begun in a chat stands in its line now."""
        draft = self.of(chat)
        self._line[chat] = "" if draft is None else draft.text
        if draft is not None and chat not in self._apart:
            self.own(chat, draft.text)

    def is_empty(self, chat: str) -> bool:
        """Whether nothing stands in the line of a chat that is open."""
        return not self._line.get(chat)

    def left(self, chat: str) -> None:
        """The line is that of another chat now."""
        self._line.pop(chat, None)

    def own(self, chat: str, text: str) -> None:
        """A draft of this is one of this device; without a text it holds none any more."""
        if text:
            self._mine.setdefault(chat, deque(maxlen=REMEMBERED)).append(text[:MAX_DRAFT])
        else:
            self._apart.pop(chat, None)

    def noticed(self, chat: str) -> None:
        """The node keeps another draft now: what stands in the line here does not go with it.

        Unless it goes on with that: then there is nothing here that is not there.
        """
        line, known = self._line.get(chat), self._known(chat)
        if known is None and chat in self._apart and chat not in self._waiting:  # there is room for it now
            apart = self._apart[chat]
            self._later(chat, Draft(apart.text[:MAX_DRAFT], apart.reply_to))
        if not line or known is None or chat in self._waiting or known.text.startswith(line[:MAX_DRAFT]):
            return
        if self._foreign(chat):
            self._apart[chat] = Draft(line)

    def _foreign(self, chat: str) -> bool:
        """Whether the node keeps what was never in the line of this device."""
        known = self._known(chat)
        return known is not None and known.text not in self._mine.get(chat, ())

    def typed(self, chat: str, text: str, reply_to: str | None = None) -> None:
        """This stands in the input of a chat now; what is longer than a draft can be is cut off elsewhere.

        Where no messages are kept the node is not told: it would refuse (`draft_not_kept`). Of a secure
        chat it is never told anything: what is begun there is in the vault, while that is open.
        """
        view = self._state.chat(chat)
        if view is None or view.kind in ("system", "voicemail"):
            return
        self._line[chat] = text
        self._here.pop(chat, None)
        self._apart.pop(chat, None)
        if text and (not self._kept(view) or len(text) > MAX_DRAFT):
            self._here[chat] = Draft(text, reply_to)
        if not self._kept(view):
            return
        draft = Draft(text[:MAX_DRAFT], reply_to) if text or reply_to else None
        if self._foreign(chat):
            self._keep_apart(chat, None if draft is None else Draft(text, reply_to))
            return
        if chat in self._waiting or draft != self._known(chat):
            self._later(chat, draft)

    def aside(self, chat: str, text: str) -> None:
        """It cannot be said now: it is a draft, and the line is free for something else."""
        self.typed(chat, text)
        self.left(chat)

    def unlocked(self) -> None:
        """What was begun in secure chats while they were locked is kept from now on."""
        for chat, draft in list(self._here.items()):
            view, line = self._state.chat(chat), self._line.get(chat)
            if view is None or not view.secure:
                continue
            self.typed(chat, draft.text, draft.reply_to)
            if line is None:
                self.left(chat)

    def sent(self, chat: str) -> None:
        """What stood there was sent."""
        self._here.pop(chat, None)
        self._line.pop(chat, None)
        self._keep_apart(chat, None)
        if self._known(chat) is not None and not self._foreign(chat):
            self._later(chat, None)
            self._now(chat)

    def wipe(self, chat: str) -> None:
        """The past of the chat is gone, and what was begun there, here and on the node.

        What the node is being told comes before that, and is dropped there, or behind it, and is refused.
        """
        self._here.pop(chat, None)
        self._line.pop(chat, None)
        self._mine.pop(chat, None)
        self._keep_apart(chat, None)

    def _keep_apart(self, chat: str, draft: Draft | None) -> None:
        """Nothing of this is for the node."""
        if chat in self._waiting:
            self._waiting.pop(chat)[0].cancel()
        self._apart.pop(chat, None)
        if draft is not None:
            self._apart[chat] = draft

    def keep(self) -> None:
        """Tell the node at once what it is to be told a moment later."""
        for chat in list(self._waiting):
            self._now(chat)

    def _known(self, chat: str) -> Draft | None:
        """What the node has, as far as that was told."""
        if chat in self._telling:
            return self._telling[chat]
        view = self._state.chat(chat)
        if view is None:
            return None
        if view.secure:
            return None if self._client.secure is None else self._client.secure.draft_of(chat)
        return view.settings.draft

    def _kept(self, view: ChatView) -> bool:
        """Whether drafts of a chat are kept for other devices."""
        return view.history and (not view.secure or self._client.secure is not None)

    def _later(self, chat: str, draft: Draft | None) -> None:
        if chat in self._waiting:
            self._waiting.pop(chat)[0].cancel()
        self._waiting[chat] = (self._clock.callLater(PAUSE, self._now, chat), draft)

    def _now(self, chat: str) -> None:
        timer, draft = self._waiting.pop(chat)
        if timer.active():
            timer.cancel()
        if self._foreign(chat):  # that has come since the last key
            if draft is not None:
                self._apart[chat] = self._here.pop(chat, draft)
        elif self._known(chat) != draft:
            self.own(chat, "" if draft is None else draft.text)
            if (apart := self._apart.pop(chat, None)) is not None and len(apart.text) > MAX_DRAFT:
                self._here[chat] = apart
            spawn(self._keep(chat, draft), "keeping a draft")

    async def _keep(self, chat: str, draft: Draft | None) -> None:
        self._telling[chat] = draft
        try:
            kept = await self._client.set_chat(chat, draft=draft)
            if (view := self._state.chat(chat)) is not None and not view.secure:
                view.settings = kept.settings
        except ClientError as error:
            self._failed(error)
        except Refused:
            pass  # it stays in the line
        finally:
            if self._telling.get(chat) is draft:
                self._telling.pop(chat, None)
