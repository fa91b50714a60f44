"""Apps of telephone calls (aiortc, on a loop in a thread of its own) for tests on Twisted's reactor."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from tests.e2e.janus_probe import App
from tests.e2e.node_process import PATIENCE

T = TypeVar("T")


class Apps:
    """`close` it; all apps that it made are closed with it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._made: list[App] = []

    def do(self, task: Coroutine[Any, Any, T]) -> "Deferred[T]":
        """Run something of an app; fails where it takes too long."""
        running = asyncio.run_coroutine_threadsafe(task, self._loop)
        return deferToThread(running.result, PATIENCE)

    def app(self, hertz: float) -> "Deferred[App]":
        """Somebody who makes a tone."""

        async def make() -> App:
            made = App(hertz)
            self._made.append(made)
            return made

        return self.do(make())

    async def close(self) -> None:
        for app in self._made:
            await self.do(app.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        await deferToThread(self._thread.join)
        self._loop.close()
