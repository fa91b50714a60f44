"""Who types in which chat, forgotten after a while."""

from collections.abc import Callable

from msgspec import Struct
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from safeum_home.client.state.chat_view import ChatView
from safeum_home.protocol.events import Typing

TYPING_SECONDS = 6.0


class TypingView:
    """Part of `state.State`: keeps `ChatView.typing`; `tell` is called where typing has expired."""

    def __init__(
        self, clock: IReactorTime, view: Callable[[str], ChatView | None], tell: Callable[[Struct], None]
    ) -> None:
        self._clock = clock
        self._view = view
        self._tell = tell
        self._timers: dict[tuple[str, str], IDelayedCall] = {}

    def take(self, event: Typing) -> None:
        key = (event.chat, event.account)
        self._cancel(key)
        view = self._view(event.chat)
        if view is None:
            return
        if event.active:
            view.typing.add(event.account)
            self._timers[key] = self._clock.callLater(TYPING_SECONDS, self._stopped, key)
        else:
            view.typing.discard(event.account)

    def wipe(self, chat: str) -> None:
        """The chat is gone."""
        for key in [key for key in self._timers if key[0] == chat]:
            self._cancel(key)

    def stop(self) -> None:
        """No timer is left behind."""
        for key in list(self._timers):
            self._cancel(key)

    def _cancel(self, key: tuple[str, str]) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None and timer.active():
            timer.cancel()

    def _stopped(self, key: tuple[str, str]) -> None:
        ended = Typing(*key, active=False)
        self.take(ended)
        self._tell(ended)
