"""Finding out which chats those are that only messages have told of."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from safeum_home.client.errors import ClientError, RemoteProblem, SessionEnded
from safeum_home.client.methods.methods import Methods
from safeum_home.client.state.filling import Loaded
from safeum_home.client.state.state import State
from safeum_home.protocol.commands import ChatList
from safeum_home.spawn import spawn

PATIENCE = 5.0
"""Seconds until a page is asked for again that could not be had."""
PAGE = 25
MOST_PAGES = 8
"""How many are looked through: a chat in which something has just come is in the first one."""

T = TypeVar("T")


async def patiently(state: State, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until it is answered; raises `SessionEnded`."""
    while True:
        try:
            return await ask()
        except SessionEnded:
            raise
        except ClientError as error:
            wait = error.retry_after if isinstance(error, RemoteProblem) else None
            await state.pause(wait or PATIENCE)


class Seeking:
    """Asks the node for the summaries of the chats that are unknown to a `State`."""

    def __init__(self, state: State, client: Methods) -> None:
        self._state = state
        self._client = client
        self._looking = False

    def seek(self) -> None:
        """Do it, unless it is being done, or all is being loaded: that looks for them itself."""
        if not self._looking and self._state.filling is None:
            spawn(self._look(), "asking which chats those are")

    async def _look(self) -> None:
        self._looking = True
        sought: set[str] = set()
        try:
            # Once more for those that have come meanwhile; what is nowhere to be found is gone.
            while not self._state.unknown <= sought:
                sought |= self._state.unknown
                await self._pages(sought)
        except SessionEnded:
            return
        finally:
            self._looking = False

    async def _pages(self, sought: set[str]) -> None:
        before: str | None = None
        for _ in range(MOST_PAGES):
            page = await self._page(before)
            for summary in page.chats:
                self._state.introduce(summary)
            self._state.people |= {person.account: person for person in page.people}
            self._state.tell(Loaded())
            before = page.next
            if before is None or not self._state.unknown & sought:
                return

    async def _page(self, before: str | None) -> ChatList:
        return await patiently(self._state, lambda: self._client.chats(before, PAGE))
