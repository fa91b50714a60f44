"""A double in a process of its own: orders go in, and what happens comes out, each as a line of JSON."""

import json
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

reactor: Any = installed_reactor
PATIENCE = 30.0
"""Seconds after which something that should have happened has not."""


class DoubleProcess(ProcessProtocol):
    """The process; `events` are what it said and nobody has taken yet."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.ended: Deferred[None] = Deferred()
        self._waiting: list[tuple[str, Deferred[dict[str, Any]]]] = []
        self._rest = b""
        self.errors = b""

    def order(self, **order: Any) -> None:
        self.transport.write(json.dumps(order).encode() + b"\n")  # type: ignore[union-attr]

    async def next(self, kind: str) -> dict[str, Any]:
        """The next event of a kind; those of others stay."""
        for event in self.events:
            if event["event"] == kind:
                self.events.remove(event)
                return event
        waiting: Deferred[dict[str, Any]] = Deferred()
        self._waiting.append((kind, waiting))
        return await waiting.addTimeout(PATIENCE, reactor)

    def outReceived(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._happened(json.loads(line))

    def errReceived(self, data: bytes) -> None:
        self.errors += data

    def processEnded(self, reason: Failure) -> None:
        reason.trap(ProcessDone)
        self.ended.callback(None)

    def _happened(self, event: dict[str, Any]) -> None:
        for entry in self._waiting:
            if entry[0] == event["event"]:
                self._waiting.remove(entry)
                entry[1].callback(event)
                return
        self.events.append(event)
