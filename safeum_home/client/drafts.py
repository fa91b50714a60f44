"""Drafts on their way to one's other devices: a moment after the last key, not with each."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from safeum_home.client.errors import ClientError
from safeum_home.client.message_methods import MessageMethods
from safeum_home.client.state import State
from safeum_home.protocol.message_types import MAX_DRAFT, Draft
from safeum_home.spawn import spawn

PAUSE = 2.0
"""Seconds without a key after which a draft is kept."""


class Drafts:
    """Keeps what is being written into chats. What is sent is a draft no more: the sender says `sent`."""

    def __init__(
        self,
        client: MessageMethods,
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

    def of(self, chat: str) -> Draft | None:
        """What was begun in a chat, here or on another device."""
        known = self._waiting[chat][1] if chat in self._waiting else self._known(chat)
        here, view = self._here.get(chat), self._state.chat(chat)
        if here is None or view is None:
            return known
        elsewhere = known is None or known.text != here.text[:MAX_DRAFT]
        return known if view.history and elsewhere else here

    def typed(self, chat: str, text: str, reply_to: str | None = None) -> None:
        """This stands in the input of a chat now; what is longer than a draft can be is cut off elsewhere.

        Where no messages are kept the node is not told: it would refuse (`draft_not_kept`).
        """
        view = self._state.chat(chat)
        if view is None or view.kind == "system":
            return
        self._here.pop(chat, None)
        if text and (not view.history or len(text) > MAX_DRAFT):
            self._here[chat] = Draft(text, reply_to)
        if not view.history:
            return
        draft = Draft(text[:MAX_DRAFT], reply_to) if text or reply_to else None
        if chat in self._waiting or draft != self._known(chat):
            self._later(chat, draft)

    def sent(self, chat: str) -> None:
        """What stood there was sent."""
        self._here.pop(chat, None)
        if chat in self._waiting or self._known(chat) is not None:
            self._later(chat, None)
            self._now(chat)

    def wipe(self, chat: str) -> None:
        """The past of the chat is gone, and what was begun there, here and on the node.

        What the node is being told comes before that, and is dropped there, or behind it, and is refused.
        """
        self._here.pop(chat, None)
        if chat in self._waiting:
            self._waiting.pop(chat)[0].cancel()

    def stop(self) -> None:
        """Keep at once what waits."""
        for chat in list(self._waiting):
            self._now(chat)

    def _known(self, chat: str) -> Draft | None:
        """What the node has, as far as that was told."""
        if chat in self._telling:
            return self._telling[chat]
        view = self._state.chat(chat)
        return None if view is None else view.settings.draft

    def _later(self, chat: str, draft: Draft | None) -> None:
        if chat in self._waiting:
            self._waiting.pop(chat)[0].cancel()
        self._waiting[chat] = (self._clock.callLater(PAUSE, self._now, chat), draft)

    def _now(self, chat: str) -> None:
        timer, draft = self._waiting.pop(chat)
        if timer.active():
            timer.cancel()
        if self._known(chat) != draft:
            spawn(self._keep(chat, draft), "keeping a draft")

    async def _keep(self, chat: str, draft: Draft | None) -> None:
        self._telling[chat] = draft
        try:
            kept = await self._client.set_chat(chat, draft=draft)
            if (view := self._state.chat(chat)) is not None:
                view.settings = kept.settings
        except ClientError as error:
            self._failed(error)
        finally:
            if self._telling.get(chat) is draft:
                self._telling.pop(chat, None)
