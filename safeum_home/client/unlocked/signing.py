"""Signing rosters, one at a time: each is in force once the node has told where it stands."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, DeferredLock

from safeum_home.client.errors import ClientError, local
from safeum_home.client.secure.chat import Step
from safeum_home.errors import Code

TRIES = 5
"""How often it is signed anew where somebody else's was first."""


class Signing:
    """`post` sends what a step has; `took` is told of all that has come of this account."""

    def __init__(self, post: Callable[[Step], None]) -> None:
        self._post = post
        self._lock = DeferredLock()
        self._data: str | None = None
        self._told: Deferred[bool] = Deferred()
        self._closed = False

    @property
    def busy(self) -> bool:
        return self._lock.locked

    async def sign(self, make: Callable[[], Step]) -> None:
        """Until it is in force; raises what `make` raises, and `ClientError`."""
        await self._lock.acquire()
        try:
            if self._closed:
                raise local(Code.WRONG_STATE, "it was locked meanwhile")
            for _ in range(TRIES):
                step = make()
                if not step.posts:
                    return
                told = self._told = Deferred()
                self._data = step.posts[0].data
                self._post(step)
                if await told:
                    return
            raise local(Code.BUSY)
        finally:
            self._data = None
            self._lock.release()

    def took(self, data: str, in_force: bool) -> None:
        """An envelope has its place."""
        if data == self._data and not self._told.called:
            self._told.callback(in_force)

    def close(self) -> None:
        """Whoever waits is told that nothing comes of it: `wrong_state`."""
        self._closed = True
        if self._data is not None and not self._told.called:
            self._told.errback(local(Code.WRONG_STATE, "it was locked meanwhile"))

    def failed(self, data: list[str], error: ClientError) -> None:
        """The node does not take these."""
        if self._data in data and not self._told.called:
            self._told.errback(error)
