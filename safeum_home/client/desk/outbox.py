"""Messages on their way to the node: each chat's one after the other, so that they arrive in their order."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from safeum_home.client.desk.notices import Outgoing
from safeum_home.client.errors import ClientError, RemoteProblem
from safeum_home.client.methods.client_ids import new_client_id
from safeum_home.client.session import Client
from safeum_home.client.words.text import words
from safeum_home.errors import Code
from safeum_home.spawn import spawn

NEVER = (Code.INVALID_PARAMS, Code.TOO_LARGE, Code.HISTORY_FIXED)
"""What is refused so is refused whenever it is sent."""
MAX_WAIT = 30.0
"""Seconds between two tries, where the node does not ask for more."""


class Outbox:
    """What was written and is not on the node yet.

    What the node cannot take now is sent again by itself, as the same message; meanwhile those behind it
    wait. What it refuses stays, until it is sent again or dropped, and holds nothing up. `changed` is
    called after each change; `last` gives the newest message of a chat; `now` is in milliseconds.
    """

    def __init__(
        self,
        client: Client,
        clock: IReactorTime,
        now: Callable[[], int],
        last: Callable[[str], str | None],
        changed: Callable[[], None],
    ) -> None:
        self._client = client
        self._clock = clock
        self._now = now
        self._last = last
        self._changed = changed
        self._busy: dict[str, Outgoing] = {}
        self._timers: dict[str, IDelayedCall] = {}
        self.items: list[Outgoing] = []

    def put(self, chat: str, text: str, reply_to: str | None = None, mentions: tuple[str, ...] = ()) -> None:
        """Send a message when its turn comes."""
        item = Outgoing(chat, new_client_id(self._now()), text, self._now())
        item.reply_to, item.mentions = reply_to, mentions
        self.items.append(item)
        self._next(chat)

    def refuse(self, chat: str, text: str, error: str, reply_to: str | None = None) -> None:
        """Keep what cannot be sent as things stand, with why: `retry` tries, `drop` forgets it."""
        item = Outgoing(chat, new_client_id(self._now()), text, self._now(), error, after=self._last(chat))
        item.reply_to = reply_to
        self.items.append(item)
        self._changed()

    def retry(self) -> None:
        """Send again what was refused, but for what always will be, and do not wait with the rest."""
        for item in self.items:
            if item.again_as is not None:
                item.error = ""
        for chat in dict.fromkeys(item.chat for item in self.items):
            self._now_or_never(chat)
            self._next(chat)

    def drop(self, chat: str) -> int:
        """Forget what is not on its way just now; how many that were."""
        dropped = [item for item in self.items if item.chat == chat and item.idle]
        self.items = [item for item in self.items if item not in dropped]
        self._now_or_never(chat)
        self._next(chat)
        return len(dropped)

    def forget(self, chat: str) -> None:
        """The chat is gone: nothing of what was to be sent there is held any more, whatever becomes of it."""
        self.items = [item for item in self.items if item.chat != chat]
        self._now_or_never(chat)
        self._busy.pop(chat, None)
        self._changed()

    def stop(self) -> None:
        """No timer is left behind."""
        for chat in list(self._timers):
            self._now_or_never(chat)

    def _now_or_never(self, chat: str) -> None:
        timer = self._timers.pop(chat, None)
        if timer is not None:
            timer.cancel()
            self._busy.pop(chat, None)

    def _next(self, chat: str) -> None:
        item = next((item for item in self.items if item.chat == chat and not item.error), None)
        if item is not None and chat not in self._busy:
            self._busy[chat] = item
            item.waits = ""
            spawn(self._send(item), "sending")
        self._changed()

    async def _send(self, item: Outgoing) -> None:
        try:
            sent = await self._client.send(
                item.chat, item.text, item.client_id, reply_to=item.reply_to, mentions=item.mentions
            )
        except ClientError as error:
            if item not in self.items:
                return  # forgotten meanwhile
            if isinstance(error, RemoteProblem) and error.passing:
                self._later(item, error)
                return
            self._refused(item, error)
        else:
            if item not in self.items:
                return
            item.sent = sent.id
            self.items.remove(item)
        self._done(item.chat)

    def _refused(self, item: Outgoing, error: ClientError) -> None:
        """It stays, with why; what made the node refuse it is left out of the next try."""
        item.error, item.after = words(error), self._last(item.chat)
        if not isinstance(error, RemoteProblem):
            return
        if error.of(Code.MESSAGE_GONE) and item.reply_to is not None:
            item.reply_to, item.again_as = None, "it as a message of its own"
            item.error = "What it answers is kept no longer."
        elif error.of(Code.NOT_A_MEMBER) and item.mentions:
            item.mentions, item.again_as = (), "it and mentions nobody"
        elif any(error.of(code) for code in NEVER):
            item.again_as = None

    def _later(self, item: Outgoing, error: RemoteProblem) -> None:
        delay = max(error.retry_after or 0.0, min(MAX_WAIT, 2.0**item.tries))
        item.tries = min(item.tries + 1, 16)
        item.waits, item.again = words(error), self._now() + int(delay * 1000)
        self._timers[item.chat] = self._clock.callLater(delay, self._due, item.chat)
        self._changed()

    def _due(self, chat: str) -> None:
        del self._timers[chat]
        self._done(chat)

    def _done(self, chat: str) -> None:
        self._busy.pop(chat, None)
        self._next(chat)
