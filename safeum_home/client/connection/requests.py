"""Commands on their way: matched with their answers, bounded in number and time, across connections.

A call that was not written yet waits for the next connection. One that was written when the connection
was lost is written again if repeating it is harmless, which is what a `client_id` is for; otherwise it
fails with `Disconnected`, since nobody knows whether it was carried out. Where the node has put the device
to sleep it is known: what was not answered before was not carried out, and is written again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from safeum_home.client.connection.repeatable import REPEATABLE
from safeum_home.client.errors import (
    ASLEEP,
    BadAnswer,
    ClientError,
    Closing,
    Disconnected,
    RemoteProblem,
    TimedOut,
    local,
)
from safeum_home.errors import Code
from safeum_home.protocol import MAX_FRAME, commands
from safeum_home.protocol.carried import decode
from safeum_home.protocol.commands import COMMANDS, Command, Params, Phase, Result
from safeum_home.protocol.events import EVENTS
from safeum_home.protocol.frames import ProblemDetails

TIMEOUT = 30.0
MAX_CALLS = 256

COMMAND_OF: dict[type[Params], Command] = {command.params: command for command in COMMANDS.values()}


class Wire(Protocol):
    """An open connection to a node, as a client sees it."""

    def send(self, payload: bytes) -> None:
        """Write one text message."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close; harmless on a closed connection."""


class _Refusal(Struct, frozen=True):
    code: int
    message: str
    data: ProblemDetails | None = None


class _Frame(Struct, frozen=True):
    """Whatever a node sends: an answer where `id` is set, an event where `method` is."""

    id: int | str | None = None
    method: str | None = None
    params: Raw = Raw(b"{}")
    result: Raw | UnsetType = UNSET
    error: _Refusal | UnsetType = UNSET


@dataclass(eq=False, slots=True)
class _Call:
    command: Command
    payload: bytes
    answer: "Deferred[Result]"
    written: bool = False


_frames = msgspec.json.Decoder(_Frame)
_encode = msgspec.json.Encoder().encode


def _request(command: Command, params: Params, request_id: int | None) -> bytes:
    identifier = b"" if request_id is None else b'"id":%d,' % request_id
    method = command.method.encode("ascii")
    return b'{"jsonrpc":"2.0",%b"method":"%b","params":%b}' % (identifier, method, _encode(params))


class Calls:
    """The calls of one client. `heard` is given each event of a known kind, decoded."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, heard: Callable[[Struct], None], limit: int = MAX_CALLS) -> None:
        self._clock = clock
        self._heard = heard
        self._limit = limit
        self._ids = count(1)
        self._pending: dict[int, _Call] = {}
        self._wire: Wire | None = None
        self.open = False
        """Whether there is a session to write commands into."""
        self._was_open = False
        self.heard = 0
        """How many frames have come from the node."""
        self.ended: ClientError | None = None
        """What all calls fail with from now on."""

    def request(self, params: Params, timeout: float | None = TIMEOUT) -> "Deferred[Result]":
        """Ask the node; the Deferred fires with the command's result, or fails with a `ClientError`.

        Refused with `busy` where `limit` calls wait already, `too_large` where the frame would not be
        taken. `timeout` is in seconds and counts while there is no connection, too.
        """
        if self.ended is not None:
            return fail(self.ended)
        command = COMMAND_OF[type(params)]
        # What opens a session is never one too many: all others may be waiting for it.
        if len(self._pending) >= self._limit and command.phase is not Phase.GREETING:
            return fail(local(Code.BUSY, "Too many calls wait for their answers."))
        request_id = next(self._ids)
        payload = _request(command, params, request_id)
        if len(payload) > MAX_FRAME:
            return fail(local(Code.TOO_LARGE))
        answer: Deferred[Result] = Deferred(lambda _: self._forget(request_id))
        call = self._pending[request_id] = _Call(command, payload, answer)
        early = command.phase is Phase.GREETING or (command.phase is Phase.ANY and not self._was_open)
        if self.open or (early and self._wire is not None):
            self._write(call)
        if timeout is not None:
            answer.addTimeout(timeout, self._clock, _timed_out)
        return answer

    def _forget(self, request_id: int) -> None:
        self._pending.pop(request_id, None)

    def notify(self, params: Params) -> bool:
        """Tell the node without asking for an answer; False, and nothing sent, where there is no session."""
        if self._wire is None or not self.open:
            return False
        self._wire.send(_request(COMMAND_OF[type(params)], params, None))
        return True

    def connected(self, wire: Wire) -> None:
        """There is a connection; until `opened` only sign-up, login and resumption are written."""
        self._wire = wire

    @property
    def waiting(self) -> bool:
        """Whether there is something that was not answered yet."""
        return bool(self._pending)

    def hold(self) -> None:
        """Write nothing more on this connection: it waits for the next one."""
        self.open = False

    def opened(self) -> None:
        """The session is open: write what waits, in the order in which it was asked for."""
        self.open = self._was_open = True
        for call in list(self._pending.values()):
            if not call.written:
                self._write(call)

    def _write(self, call: _Call) -> None:
        if self._wire is not None:
            call.written = True
            self._wire.send(call.payload)

    def received(self, payload: bytes) -> None:
        """A message of the node. Raises `BadAnswer` for one that is not of this protocol."""
        self.heard += 1
        try:
            frame = _frames.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadAnswer("The node sent what is not a JSON-RPC frame.") from error
        if frame.method is not None:
            self._event(frame.method, frame.params)
        elif isinstance(frame.id, int):
            call = self._pending.pop(frame.id, None)
            if call is not None:
                _answer(call, frame)

    def _event(self, method: str, params: Raw) -> None:
        event = EVENTS.get(method)
        if event is None:  # of a newer node
            return
        try:
            decoded = decode(params, event.type)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._log.warn("Ignoring an event of an unknown form: {method}", method=method)
            return
        self._heard(decoded)

    def lost(self, closing: Closing) -> None:
        """The connection is gone; see the module for what becomes of the calls."""
        self._wire, self.open = None, False
        for request_id, call in list(self._pending.items()):
            if not call.written:
                continue
            params = call.command.params
            again = params in REPEATABLE or (closing.code == ASLEEP and params is not commands.SessionSleep)
            if again and self._was_open:
                call.written = False
            else:
                del self._pending[request_id]
                call.answer.errback(Disconnected(closing))

    def end(self, error: ClientError) -> None:
        """There will be no further connection: all calls fail, and those to come."""
        self._wire, self.open, self.ended = None, False, error
        pending, self._pending = self._pending, {}
        for call in pending.values():
            call.answer.errback(error)


def _timed_out(outcome: object, timeout: float) -> None:
    outcome.trap(CancelledError)  # type: ignore[attr-defined]  # addTimeout's hook is untyped: it is a Failure
    raise TimedOut(f"no answer within {timeout:g} s")


def _answer(call: _Call, frame: _Frame) -> None:
    if isinstance(frame.error, _Refusal):
        refusal = frame.error
        details = refusal.data or ProblemDetails("about:blank", refusal.message, 500, Code.INTERNAL.code)
        call.answer.errback(RemoteProblem(details, refusal.code))
        return
    if frame.result is UNSET:
        call.answer.errback(BadAnswer("The answer has neither a result nor an error."))
        return
    try:
        result = decode(frame.result, call.command.result)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        call.answer.errback(BadAnswer(f"The result of {call.command.method} is not of the expected form."))
        return
    call.answer.callback(result)
