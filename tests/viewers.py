"""Devices that only watch, whose connections break, while the database is late: for tests of convergence."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats import backlog
from safeum_home.gateway import catchup
from tests.world import World
from tests.world_connection import Connection


class Viewer(ABC):
    """A device as a client should be: it keeps what arrived, and comes back with the last cursor of that."""

    def __init__(self, test: SynchronousTestCase, world: World, username: str) -> None:
        client = world.login(username)
        self._test = test
        self._world = world
        self._token = client.token
        self.account = client.account
        self.cursor = world.cursor
        self.connection: Connection = client.connection
        self._seen = len(self.connection.written)

    @abstractmethod
    def told(self, method: str, params: dict[str, Any], cursor: str) -> None:
        """An event has arrived, in its order."""

    def begin(self) -> None:
        """What was written up to now is nothing to this device."""
        self._seen = len(self.connection.written)
        self.cursor = self._world.cursor

    def arrive(self, count: int) -> None:
        """The next frames arrive; what is still under way is lost when the connection breaks."""
        frames = self.connection.written[self._seen :][:count]
        self._seen += len(frames)
        for frame in frames:
            if "method" in frame and frame["method"] != "presence.changed":
                self._event(frame["method"], frame["params"])

    def _event(self, method: str, params: dict[str, Any]) -> None:
        cursor = params.get("id") or params["cursor"]
        position, before = (self._world.vault.cursors.decode(text) for text in (cursor, self.cursor))
        self.cursor = cursor
        if method == "session.synced":
            self._test.assertGreaterEqual(position, before, method)
            return
        self._test.assertGreater(position, before, f"{method}: doubled or out of order")
        self.told(method, params, cursor)

    def back(self) -> None:
        """A new connection, whatever became of the one before."""
        self.connection = self._world.connect()
        self._seen = 0
        params = {"token": self._token, "since": self.cursor}
        request = {"jsonrpc": "2.0", "id": 1, "method": "session.resume", "params": params}
        self.connection.receive(msgspec.json.encode(request))

    def acknowledge(self) -> None:
        params = {"cursor": self.cursor}
        self.connection.receive(
            msgspec.json.encode({"jsonrpc": "2.0", "method": "session.ack", "params": params})
        )

    @property
    def over(self) -> bool:
        return self.connection.over or self.connection.close_code is not None

    def step(self, name: str, *details: int) -> None:
        """`cut`, `back`, `slow`, `fast`, `acknowledge`, or `arrive` with how many frames."""
        match name:
            case "cut":
                self.connection.lose()
            case "slow" if not self.over:
                self.connection.session.paused()
            case "fast" if not self.over:
                self.connection.session.resumed()
            case "acknowledge" if not self.over:
                self.acknowledge()
            case "arrive":
                self.arrive(*details)
            case "back":
                self.back()


class ConvergenceCase(SynchronousTestCase):
    """The bounds of what is held for a device that comes back are small, so that they are met."""

    def setUp(self) -> None:
        self.patch(catchup, "HELD_LIMIT", 3)
        self.patch(backlog, "PAGE", 4)


DATABASE_STEPS = ("commit", "report", "release", "fail", "answer one", "answer all", "hold", "tick")


def database_step(world: World, name: str) -> None:
    """Something of `DATABASE_STEPS` becomes of what the database was asked, or some time passes."""
    database = world.database
    match name:
        case "fail":
            database.failing = True
            database.release()
            database.failing = False
        case "hold":
            database.hold_reads = True
        case "answer one":
            database.answer_reads(1)
        case "answer all":
            database.hold_reads = False
            database.answer_reads()
        case "tick":
            world.settle()
        case _:
            getattr(database, name)()


def finish(world: World, viewers: Sequence[Viewer]) -> None:
    """Everything is committed and reported; everyone reads to the end, and comes back where he must."""
    database = world.database
    database.hold_reads = False
    world.settle(20)
    while database.held:
        database.answer_reads()
        database.release()
        world.settle(20)
    database.hold = False
    for viewer in viewers:
        while True:
            if not viewer.over:
                viewer.connection.session.resumed()
            world.settle()
            viewer.arrive(1000)
            if not viewer.over:
                break
            viewer.back()
    world.settle(20)
    for viewer in viewers:
        viewer.arrive(1000)
