"""Real SDK clients on the sessions of a `World`: all of client and domain, without a network."""

from typing import Any, Self

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from safeum_home.client.connection.connection import Listener
from safeum_home.client.connection.requests import Wire
from safeum_home.client.errors import Closing, Disconnected
from safeum_home.client.session import Client
from safeum_home.gateway.session import Session
from safeum_home.protocol.types import Message, Text
from tests.world import CONSENT, HOST, PASSWORD, World
from tests.world_connection import Connection


class _Wire(Connection):
    """Both ends of a connection: `ports.ClientConnection`, and the client's `Wire`."""

    def __init__(self, clock: Clock, listener: Listener, device: "SdkDevice") -> None:
        super().__init__(clock, HOST)
        self._listener = listener
        self._device = device
        self._messages = 0

    def write(self, frame: bytes) -> None:
        start = {126: 4, 127: 10}.get(frame[1], 2)
        if self.over:
            return
        self.clock.callLater(0, self._received, frame[start:])
        self._messages += b'"chat.message"' in frame
        if self._device.slow and self._messages == 50:
            self.session.paused()

    def close(self, code: int = 1000, reason: str = "") -> None:
        super().close(code, reason)

    def send(self, payload: bytes) -> None:
        if not self.over:
            self.clock.callLater(0, self.receive, payload)

    def lose(self) -> None:
        if not self.over:
            super().lose()
            self._listener.closed(Closing(self.close_code or 1006, self.close_reason))

    def _received(self, payload: bytes) -> None:
        if not self.over:
            self._listener.received(payload)


class SdkDevice:
    """A client of the SDK. While `away` it finds no node; while `slow` it takes a page of what it missed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.away = self.slow = False
        self.wire: _Wire
        self.client = Client(self._dial, world.clock, lambda: 0.5)

    def _dial(self, listener: Listener) -> "Deferred[Wire]":
        if self.away:
            return fail(Disconnected(Closing(1006, "no network")))
        self.wire = _Wire(self._world.clock, listener, self)
        self.wire.session = Session(self.wire, self._world.services)
        return succeed(self.wire)

    def do(self, awaitable: Any) -> Any:
        """The result of a command."""
        results: list[Any] = []
        Deferred.fromCoroutine(_await(awaitable)).addBoth(results.append)
        for _ in range(400):
            if results:
                break
            self._world.clock.advance(0.05)
        assert results, "it was not answered"
        if hasattr(results[0], "raiseException"):
            results[0].raiseException()
        return results[0]

    def register(self, name: str) -> Self:
        self.do(self.client.register(name, PASSWORD, consent=CONSENT))
        self.do(self.client.load())
        return self

    def login(self, name: str) -> Self:
        self.do(self.client.login(name, PASSWORD))
        self.do(self.client.load())
        return self

    def drop(self) -> None:
        """The network is gone."""
        self.away = True
        self.wire.lose()

    def back(self) -> None:
        """It is there again, and so is the client."""
        self.away = False
        self.client.retry()
        self._world.clock.pump([0.05] * 40)

    def befriend(self, other: "SdkDevice") -> str:
        """Both become contacts; their chat."""
        mine, theirs = self.client.opened, other.client.opened
        assert mine is not None and theirs is not None
        self.do(self.client.request(theirs.account, theirs.address))
        other.do(other.client.accept(mine.account))
        self._world.clock.pump([0.05] * 20)
        return self.client.state.contacts[theirs.account].chat

    def texts(self, chat: str) -> list[str]:
        """What it shows of a chat, what the node wrote left out."""
        view = self.client.state.chat(chat)
        found: list[Message] = [] if view is None else view.messages
        return written(found)


def written(messages: list[Message]) -> list[str]:
    """What people have written, of messages."""
    return [message.body.text for message in messages if isinstance(message.body, Text)]


async def _await(awaitable: Any) -> Any:
    return await awaitable
