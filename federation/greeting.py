"""A node that starts goes on with what waits for others, and says hello to the rest; not all at once."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from safeum_home.errors import Problem
from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.ports.outbox import Outbox, PeerState
from safeum_home.protocol.federation.transactions import HELLO_PATH

PER_SECOND, AT_ONCE = 10.0, 16
PAGE = 100
PAUSE = 5.0
"""Seconds until the nodes are read again, where they cannot be read."""

Request = Callable[[str, str, str, bytes, int], "Deferred[Answer]"]
"""`request(node, method, path, body, most)`, signed; fails with `NoAnswer`."""
Wake = Callable[[str, "float | None"], None]
"""A node, and since when it cannot be told (seconds since 1970)."""


class Greeting:
    """Goes through all nodes once."""

    def __init__(self, clock: IReactorTime, outbox: Outbox, request: Request, wake: Wake) -> None:
        self._clock = clock
        self._outbox = outbox
        self._request = request
        self._wake = wake

    async def run(self) -> None:
        """However often the database is away meanwhile, each node is reached."""
        after, hellos = b"", DeferredSemaphore(AT_ONCE)
        while True:
            states, after = await self._page(after)
            for state in states:
                if state.waiting:
                    self._wake(state.name, state.failing / 1000 if state.failing else None)
                else:
                    await hellos.acquire()
                    self._hello(state.name).addBoth(lambda _: hellos.release())
                await deferLater(self._clock, 1 / PER_SECOND)
            if not after:
                return

    async def _page(self, after: bytes) -> tuple[list[PeerState], bytes]:
        while True:
            try:
                return await self._outbox.peers(after, PAGE)
            except Problem as problem:
                await deferLater(self._clock, max(problem.retry_after or 0.0, PAUSE))

    def _hello(self, node: str) -> "Deferred[Any]":
        asked = self._request(node, "POST", HELLO_PATH, b"{}", 4096)
        # Whoever does not hear it, is away, or has nothing to do with this node any more.
        return asked.addErrback(lambda failure: failure.trap(NoAnswer) and None)
