"""The process that answers calls, as the node sees it: `ports.voicemail.Answering`."""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.answering.calls import Calls
from safeum_home.answering.greetings import Greetings
from safeum_home.answering.launching import command, environment
from safeum_home.answering.supervising import Core, supervision
from safeum_home.answering.wire import Malformed, Ready, Unframing, framed, to_node
from safeum_home.ports.voicemail import AnsweredCall, AnsweringListener

WORKER = "safeum_home.answering.worker"
COMPLAINT = 4096
"""Octets that are kept of what a process says before it is ready: afterwards it says nothing."""

_log = Logger()


class AnsweringProcess:
    """Starts it, and again when it has died. `reactor` provides IReactorProcess and IReactorTime."""

    def __init__(self, reactor: Any, calls: int, silence: int, module: str = WORKER) -> None:
        """So many `calls` at once; a recording ends after so many seconds of `silence`."""
        self._reactor = reactor
        self._module = module
        self._machine = supervision(Core(self))
        self._calls = Calls(reactor, self._say, self._machine.doubt, calls, silence)
        self._greetings = Greetings(reactor)
        self._child: _Child | None = None
        self._timer: IDelayedCall | None = None
        self._stopped: list[Deferred[None]] = []

    def start(self) -> None:
        self._machine.start()

    def stop(self) -> "Deferred[None]":
        """End it; done when it is gone."""
        gone: Deferred[None] = Deferred()
        self._stopped.append(gone)
        self._greetings.stop()
        self._machine.stop()
        return gone

    # --- ports.voicemail.Answering

    @property
    def is_up(self) -> bool:
        return self._machine.is_up() and self._calls.has_room

    def answer(self, sdp: str, greeting: bytes, seconds: int, listener: AnsweringListener) -> AnsweredCall:
        return self._calls.answer(self._machine.is_up(), sdp, greeting, seconds, listener)

    def greeting(self, octets: bytes) -> "Deferred[bytes]":
        return self._greetings.remade(octets)

    # --- for the operator

    @property
    def pid(self) -> int | None:
        """That of the process; None where there is none."""
        child = self._child
        return None if child is None or child.transport is None else child.transport.pid

    @property
    def taken(self) -> int:
        """How many calls are being answered."""
        return len(self._calls)

    # --- supervising.Means

    def begin(self) -> None:
        self._child = child = _Child(self._heard, self._died)
        path = {"childFDs": {0: "w", 1: "r", 2: "r"}}
        self._reactor.spawnProcess(child, sys.executable, command(self._module), environment(), "/", **path)

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def after(self, seconds: float) -> None:
        self.calm()
        self._timer = self._reactor.callLater(seconds, self._due)

    def calm(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def gone(self) -> None:
        stopped, self._stopped = self._stopped, []
        for waiting in stopped:
            waiting.callback(None)

    def _due(self) -> None:
        self._timer = None
        self._machine.due()

    def _say(self, message: Any) -> None:
        if self._child is not None:
            self._child.transport.write(framed(message))

    def _heard(self, child: "_Child", octets: bytes) -> None:
        try:
            for message in child.unframing.take(octets):
                if isinstance(message, Ready):
                    child.is_ready = True
                    _log.info(
                        "Calls are answered. Shut to that process: {shut}.", shut=", ".join(message.shut)
                    )
                    self._machine.ready()
                else:
                    self._calls.heard(message)
        except Malformed:
            _log.error("What answers calls has said what it should not: it is ended.")
            self._machine.doubt()

    def _died(self, child: "_Child", reason: str) -> None:
        self._child = None
        if not self._stopped:
            _log.error("What answers calls has ended: {reason}", reason=reason)
        self._calls.lost()
        self._machine.died()


class _Child(ProcessProtocol):
    transport: Any = None

    def __init__(
        self, heard: "Callable[[_Child, bytes], None]", died: "Callable[[_Child, str], None]"
    ) -> None:
        self._heard = heard
        self._died = died
        self._complaint = b""
        self.unframing = Unframing(to_node)
        self.is_ready = False

    def outReceived(self, data: bytes) -> None:
        self._heard(self, data)

    def errReceived(self, data: bytes) -> None:
        if not self.is_ready:
            self._complaint = (self._complaint + data)[-COMPLAINT:]

    def kill(self) -> None:
        with suppress(ProcessExitedAlready, OSError):
            self.transport.signalProcess("KILL")

    def processEnded(self, reason: Failure) -> None:
        ended = "it was told to" if reason.check(ProcessDone) else _how(reason.value)
        last = self._complaint.decode(errors="replace").strip().rpartition("\n")[2]
        self._died(self, f"{ended} {last}".strip())


def _how(ended: Any) -> str:
    if getattr(ended, "signal", None) is not None:
        return f"signal {ended.signal}"
    return f"exit code {getattr(ended, 'exitCode', None)}"
