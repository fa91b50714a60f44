"""Greetings that people have recorded: each is checked and made anew in a process that ends with it."""

import sys
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from safeum_home.answering.launching import command, environment
from safeum_home.answering.wire import MOST_GREETING
from safeum_home.errors import Code, Problem

MODULE = "safeum_home.answering.greeting"
AT_ONCE = 2
SECONDS = 30.0


class Greetings:
    """At most so many at once: who comes then is told to come again."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._making: set[_Making] = set()

    def remade(self, octets: bytes) -> "Deferred[bytes]":
        """As `ports.voicemail.Answering.greeting`."""
        if len(octets) > MOST_GREETING:
            return fail(Problem(Code.BAD_GREETING))
        if len(self._making) >= AT_ONCE:
            return fail(Problem(Code.BUSY, retry_after=5.0))
        making = _Making(octets)
        self._making.add(making)
        making.late = self._reactor.callLater(SECONDS, making.kill)
        self._reactor.spawnProcess(making, sys.executable, command(MODULE), environment(), "/")

        def done(result: Any) -> Any:
            self._making.discard(making)
            return result

        return making.made.addBoth(done)

    def stop(self) -> None:
        """End what is under way."""
        for making in tuple(self._making):
            making.kill()


class _Making(ProcessProtocol):
    transport: Any = None
    late: IDelayedCall

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._come = b""
        self.made: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(self._octets)
        self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:
        self._come += data
        if len(self._come) > MOST_GREETING:
            self.kill()

    def kill(self) -> None:
        with suppress(ProcessExitedAlready, OSError):
            self.transport.signalProcess("KILL")

    def processEnded(self, reason: Failure) -> None:
        if self.late.active():
            self.late.cancel()
        if reason.check(ProcessDone) and self._come:
            self.made.callback(self._come)
        elif getattr(reason.value, "exitCode", None) == 1:  # it cannot run at all
            self.made.errback(Problem(Code.VOICEMAIL_UNAVAILABLE))
        else:
            self.made.errback(Problem(Code.BAD_GREETING))
