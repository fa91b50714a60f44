"""What the demo shows: two nodes, two people who talk across, and how to join in."""

import signal
import sys
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)
from twisted.python.failure import Failure

from tools.demo.nodes import TwoNodes
from tools.demo.talk import PASSWORD, let_them_talk

SECONDS = 120
"""What all of the talk may take."""

_BEGIN = """
  Two nodes, {names[0]} and {names[1]}, with an authority of their own, and closed to all others{but}.
  Each line says at which of them it happens.
"""
_END = """
  Both go on. Join in, each in a terminal of its own: log in as ada at the first and as ben at the second,
  with the password `{password}`, or sign up as somebody else.
      .venv/bin/safeum chat --node {names[0]} --ca {ca}
      .venv/bin/safeum chat --node {names[1]} --ca {ca}

{guest}  Their root secrets are random and in memory only: ALL DATA IS GONE AT THE END. Stop both with Ctrl-C.
"""

_GUEST = """  Your node {name} may come to both, and they to it, on this machine. Its certificate and its key:
      {chain}
      {key}

"""


class Demo:
    """Runs on a reactor, and ends it where something fails: `code` is the process's then."""

    def __init__(self, reactor: Any, port: int, guest: str | None = None) -> None:
        self._reactor = reactor
        self._guest = guest
        self._nodes = TwoNodes(reactor, (port, port + 1), guest)
        self._running: Deferred[None] | None = None
        self.code = 0

    def start(self) -> None:
        running = Deferred.fromCoroutine(self._run()).addTimeout(SECONDS, self._reactor)
        self._running = running.addErrback(self._failed)

    def stop(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop())

    async def _run(self) -> None:
        names = self._nodes.names
        _say(_BEGIN.format(names=names, but="" if self._guest is None else f" but {self._guest}"))
        await self._nodes.start(self._give_up)
        await let_them_talk(self._reactor, names, self._nodes.trusted, _say)
        chain, key = self._nodes.guest_chain, self._nodes.guest_key
        guest = "" if self._guest is None else _GUEST.format(name=self._guest, chain=chain, key=key)
        _say(_END.format(names=names, ca=self._nodes.ca, password=PASSWORD, guest=guest))

    async def _stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await self._running
        await self._nodes.stop()

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError) is None:
            failure.printTraceback(sys.stderr)
            self._give_up()

    def _give_up(self) -> None:
        if self.code == 0:
            self.code = 1
            self._reactor.callLater(0, self._reactor.stop)


def _say(line: str) -> None:
    print(line, flush=True)


def show(reactor: Any, port: int, guest: str | None) -> int:
    """Run until it is ended: the process's exit code. `guest` is as `TwoNodes` has it."""
    errors = FilteringLogObserver(
        textFileLogObserver(sys.stderr), [LogLevelFilterPredicate(defaultLogLevel=LogLevel.error)]
    )
    globalLogBeginner.beginLoggingTo([errors], redirectStandardIO=False)
    demo = Demo(reactor, port, guest)
    reactor.callWhenRunning(demo.start)
    reactor.addSystemEventTrigger("before", "shutdown", demo.stop)
    # A terminal that is closed says this: nothing is left behind then either.
    signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(reactor.stop))
    reactor.run()
    return demo.code
