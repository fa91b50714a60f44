"""The pages of chats at a desk: loaded where they are opened, and marked as read once they are shown."""

from contextlib import suppress
from typing import TYPE_CHECKING

from safeum_home.client.desk.group_names import learn
from safeum_home.client.errors import ClientError, RemoteProblem
from safeum_home.client.state.chat_view import ChatView
from safeum_home.errors import Code
from safeum_home.protocol.news import is_news
from safeum_home.spawn import spawn

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk


class HistoryPages:
    """What is held of the chats of a desk, and how far it was seen."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk

    def begin(self) -> None:
        """`state` was loaded: alerts are held from the beginning on."""
        for view in self._desk.state.chats:
            if view.kind == "system" and not view.loaded:
                spawn(self._alerts(view), "loading alerts")

    async def _alerts(self, view: ChatView) -> None:
        with suppress(ClientError):  # they are loaded again when the chat is opened
            await self.older(view)

    def open(self, view: ChatView) -> None:
        """A chat is opened: show what is held of it, or its first page."""
        view = self._whole(view)
        self._desk.secure.enter(view)
        if view.loaded:
            self._opened(view)
        else:
            self._desk.run(self._first(view))

    def _whole(self, view: ChatView) -> ChatView:
        """With all of its messages: of a secure chat not all are shown."""
        return self._desk.state.held(view.chat) or view

    async def _first(self, view: ChatView) -> None:
        try:
            await self.older(view)
        except RemoteProblem as error:
            if not error.of(Code.NOT_FOUND):
                raise
            self._desk.state.page(view.chat, [], False)  # a chat begins when both are contacts
        if self._desk.current == view.chat:
            self._opened(view)

    def _opened(self, view: ChatView) -> None:
        spawn(learn(self._desk, view, whole=True), "asking who they are")
        shown = self._desk.secure.opened(view).messages
        theirs = [message for message in shown if is_news(message, self._desk.state.account)]
        if 0 < view.unread <= len(theirs):
            self._desk.new_from = theirs[-view.unread].id
        self.seen(view)

    async def older(self, view: ChatView) -> None:
        """Load the page before what is held."""
        view = self._whole(view)
        before = view.messages[0].id if view.loaded and view.messages else None
        erased = view.erased
        page = await self._desk.client.history(view.chat, before)
        if view.erased == erased:  # else this is of what was wiped meanwhile
            self._desk.state.page(view.chat, page.messages, page.more, page.waiting)
        self._desk.secure.forget()
        await self._desk.secure.reach(view)
        self._desk.refresh()

    def seen(self, view: ChatView) -> None:
        """What is in the chat is on the screen; what is sealed there is not seen before it is open."""
        view = self._whole(view)
        if self._desk.secure.sealed(view):
            return
        # Also where one has answered since, and so has nothing unread: they are told that it was read.
        if view.last is not None and view.has_news_behind(view.read, self._desk.state.account):
            spawn(self._read(view.chat, view.last.id), "marking as read")

    async def _read(self, chat: str, upto: str) -> None:
        with suppress(ClientError):  # nobody asked for it, and what comes next is marked with it
            await self._desk.client.read(chat, upto)
        self._desk.refresh()
