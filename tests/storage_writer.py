"""`python -m tests.storage_writer URL FIRST`: stores events while it lives, and tells of each.

On standard output, one line for each Deferred that fired: the number in its client id. Killed by a test.
"""

import os
import sys
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from safeum_home.errors import Problem
from safeum_home.storage.database import NodeDatabase, open_database
from safeum_home.storage.events import append_events
from safeum_home.storage.rows import NewEvent

CHAT = b"chat".ljust(16, b".")
IN_FLIGHT = 64


class Writer:
    def __init__(self, database: NodeDatabase, first: int) -> None:
        self._database = database
        self._next = first

    def send(self) -> None:
        sent, self._next = self._next, self._next + 1
        row = NewEvent(CHAT, self._database.next_position(), b"%d" % sent, sent.to_bytes(16, "big"))
        self._database.append(append_events, row).addCallbacks(
            self._stored, self._refused, callbackArgs=(sent,)
        )

    def _stored(self, outcome: int | None, sent: int) -> None:
        assert outcome is None
        os.write(1, b"%d\n" % sent)
        self.send()

    def _refused(self, failure: Failure) -> None:
        failure.trap(Problem)
        self.send()


async def run(reactor: Any, url: str, first: str) -> None:
    writer = Writer(await open_database(url, reactor=reactor, readers=0), int(first))
    for _ in range(IN_FLIGHT):
        writer.send()
    await Deferred()


if __name__ == "__main__":
    task.react(lambda reactor, *arguments: Deferred.fromCoroutine(run(reactor, *arguments)), sys.argv[1:])
