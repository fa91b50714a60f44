"""Devices with the real client of the SDK, on a node in memory: slow connections, broken ones, no node.

Node and clients have a clock each, which go together: a node that was ended stays where it was for ever.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from safeum_home.client.connection.connection import Listener
from safeum_home.client.connection.requests import Wire
from safeum_home.client.errors import Closing, Disconnected
from safeum_home.client.session import Client
from safeum_home.client.state.state import State
from safeum_home.gateway.session import Session
from safeum_home.ids import AccountId
from safeum_home.protocol.types import DeviceInfo
from safeum_home.storage import accounts
from tests.world import HOST, PASSWORD, World
from tests.world_connection import Connection

UNBOUNDED: dict[str, Any] = {"history_switches_per_account": 1e9, "history_switches_per_account_burst": 10**9}
TURN = 0.25
"""Seconds in which what waits to be told, acknowledged or gathered has its turn."""


class Link(Connection):
    """A connection, both ends of it: frames are under way until they are delivered, and may get lost."""

    def __init__(self, net: "Net", listener: Listener) -> None:
        super().__init__(net.world.clock, HOST)
        self._listener = listener
        self._cursors = net.world.vault.cursors
        self._under_way: list[bytes] = []
        self._arrived = 0
        self._position = -1
        self.slow = False
        self.session = Session(self, net.world.services)
        net.world.connections.append(self)
        net.links.append(self)

    # --- the node's end

    def write(self, frame: bytes) -> None:
        before = len(self.written)
        super().write(frame)
        if len(self.written) > before:
            self._under_way.append(frame[{126: 4, 127: 10}.get(frame[1], 2) :])

    def lose(self) -> None:
        if self.over:
            return
        if self.close_code is not None:
            self.deliver()  # the node's farewell comes behind all that it said
        super().lose()
        self._listener.closed(Closing(self.close_code or 1006, self.close_reason))

    # --- the client's end: `calls.Wire`

    def send(self, payload: bytes) -> None:
        self.receive(payload)

    def hang_up(self, code: int = 1000, reason: str = "") -> None:
        """The client closes."""
        self._under_way.clear()
        self.lose()

    def deliver(self, count: int | None = None) -> bool:
        """The next frames arrive; False where nothing was under way."""
        frames = self._under_way[:count]
        del self._under_way[:count]
        for frame in frames:
            self._check(self.written[self._arrived])
            self._arrived += 1
            self._listener.received(frame)
        return bool(frames)

    def named(self, count: int | None = None) -> set[str]:
        """The messages that the next frames tell of, by their ids."""
        told = [msgspec.json.decode(frame) for frame in self._under_way[:count]]
        written = {one["params"]["id"] for one in told if one.get("method") == "chat.message"}
        return written | {
            one["params"]["message"]["id"] for one in told if one.get("method") == "chat.changed"
        }

    def _check(self, frame: dict[str, Any]) -> None:
        """The node tells each durable event once, in order; the SDK would leave out what comes twice."""
        params = frame.get("params", {})
        cursor = params.get("id") if frame.get("method") == "chat.message" else params.get("cursor")
        if cursor is not None:
            position, synced = self._cursors.decode(cursor), frame["method"] == "session.synced"
            assert position > self._position or (synced and position == self._position), frame
            self._position = position


class _Wire:
    """`calls.Wire` of a link."""

    def __init__(self, link: Link) -> None:
        self.send = link.send
        self.close = link.hang_up


class Asked:
    """A command that was given, and what became of it."""

    def __init__(self, told: Awaitable[Any]) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        Deferred.fromCoroutine(_awaited(told)).addBoth(self._ended)

    def _ended(self, outcome: Any) -> None:
        self.done = True
        if isinstance(outcome, Failure):
            self.error = outcome.value
        else:
            self.result = outcome

    def needed(self) -> Any:
        """The result; raises what it failed with."""
        assert self.done, "not answered"
        if self.error is not None:
            raise self.error
        return self.result


class Device:
    """A device that holds nothing but what its client does. `away`: there is no network for it."""

    def __init__(self, net: "Net", owner: str) -> None:
        self._net = net
        self.owner = owner
        self.away = False
        self.link: Link | None = None
        self.client = Client(self._dial, net.clock, lambda: 0.5)
        self.id = ""
        self.began = 0
        """When it loaded last, in the order of the model's messages."""
        self.missed: set[int] = set()
        """Messages that the node had dropped when the device loaded last, by their order."""
        self.connecting: Callable[[], None] = lambda: None
        """Called when it connects: what was not answered is given again now."""

    @property
    def state(self) -> State:
        return self.client.state

    @property
    def live(self) -> bool:
        """Whether everything that the node told it has arrived."""
        return self.connected and self.link is not None and not self.link.slow

    @property
    def connected(self) -> bool:
        return self.link is not None and not self.link.over

    def _dial(self, listener: Listener) -> "Deferred[Wire]":
        if self.away:
            return fail(Disconnected(Closing(1006, "no network")))
        self.connecting()
        self.link = Link(self._net, listener)
        wire: Wire = _Wire(self.link)
        return succeed(wire)

    def ask(self, told: Callable[[], Awaitable[Any]]) -> Asked:
        """Give a command; what the node has to say is delivered, unless the connection is slow."""
        asked = Asked(_asked(told))
        self._net.run()
        return asked

    def enter(self, *, new: bool) -> None:
        """Sign up, or log in on a new device, and load what there is to be seen."""
        about = DeviceInfo("a device", "a system")
        consent = self._net.world.domain.control.policy.now.version
        if new:
            entered = self.ask(lambda: self.client.register(self.owner, PASSWORD, about, consent=consent))
        else:
            entered = self.ask(lambda: self.client.login(self.owner, PASSWORD, about))
        self.id = entered.needed().device
        self.load()

    def load(self) -> None:
        """Load all that there is to be seen, anew."""
        self.ask(self.client.load).needed()
        self.ask(self.client.invitations).needed()

    def cut(self, *, away: bool) -> None:
        """The connection breaks, and what was under way with it."""
        self.away = away
        if self.link is not None:
            self.link.slow = False
            self.link.hang_up()

    def back(self) -> None:
        """There is a network."""
        self.away = False
        self.client.retry()
        self._net.run()


class Net:
    """A node, and the devices that connect to it."""

    def __init__(self) -> None:
        self.world = World(**UNBOUNDED)
        self.world.domain.fleeting.start()
        self.clock = Clock()
        self.clock.advance(self.world.clock.seconds())
        self.links: list[Link] = []

    def run(self) -> None:
        """Deliver whatever is under way on connections that are not slow."""
        moved = True
        while moved:
            self.links = [link for link in self.links if not link.over]
            moved = False
            for link in self.links:
                moved |= not link.slow and link.deliver()

    def settle(self, seconds: float = 2 * TURN) -> None:
        """Time passes."""
        for _ in range(max(1, int(seconds / TURN))):
            self.world.clock.pump([TURN / 2] * 2)
            self.run()
            self.clock.pump([TURN / 2] * 2)
            self.run()

    def has_account(self, account: AccountId) -> bool:
        """Whether the node has an account still."""
        blind = self.world.vault.blinder.account(account)
        return self.world.database.now(lambda c: accounts.exists(c, blind))

    def restart(self, after: float = 0.0) -> None:
        """The node is killed, and started again on what it had on disk, `after` seconds."""
        before = self.world
        before.database.hold = False
        before.database.drop()
        links, self.links = self.links, []
        self.world = World(before.database, before.vault, **UNBOUNDED)
        for link in links:
            if not link.over:
                link.hang_up()
        self.clock.advance(after)
        self.world.clock.advance(self.clock.seconds() - self.world.clock.seconds())
        self.world.domain.fleeting.start()


async def _awaited(told: Awaitable[Any]) -> Any:
    return await told


async def _asked(told: Callable[[], Awaitable[Any]]) -> Any:
    return await told()
