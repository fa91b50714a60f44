"""A client's session: frames in, answers out; once it is open, a device of an account."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.errors import Code, Problem
from safeum_home.gateway.device import INTERNAL_ERROR, ConnectedDevice
from safeum_home.gateway.dispatch import start
from safeum_home.gateway.outbound import Outbound
from safeum_home.gateway.services import Identity, Services
from safeum_home.ids import AccountId, DeviceId
from safeum_home.limits import network
from safeum_home.ports import ClientConnection, Committed
from safeum_home.protocol import frames
from safeum_home.protocol.commands import (
    Done,
    Opened,
    Params,
    Phase,
    PresenceSet,
    SessionAck,
    SessionLogout,
    SessionResume,
)
from safeum_home.protocol.events import Synced
from safeum_home.protocol.session import SessionPhase, new_session
from safeum_home.spawn import spawn

NORMAL = 1000
POLICY = 1008
AUTHENTICATION_TOO_SLOW = 4001
_BAD_FRAMES = 20
"""How many malformed frames of a session are answered before it is closed."""
_LEAST_WAIT, _MOST_WAIT = 0.2, 1.0
"""For how many seconds nothing is read of a client that is over its rate: pings go unanswered meanwhile."""
_ONLY_CALLS = (Code.METHOD_NOT_FOUND, Code.INVALID_PARAMS)
_DONE = Done()


class Session:
    """`ports.ConnectionHandler` and `ports.Caller` of one connection."""

    _log = Logger()
    __slots__ = (
        "__weakref__",
        "_bad_frames",
        "_connection",
        "_device",
        "_held",
        "_in_flight",
        "_limits",
        "_machine",
        "_outbound",
        "_phase",
        "_rate_key",
        "_services",
        "_timer",
    )

    def __init__(self, connection: ClientConnection, services: Services) -> None:
        limits = services.limits
        self._connection = connection
        self._services = services
        self._phase = SessionPhase()
        self._machine = new_session(self._phase)
        self._outbound = Outbound(connection, limits.outbound_frames, limits.outbound_bytes)
        self._device: ConnectedDevice | None = None
        self._limits = limits
        self._rate_key: str = network(connection.host)
        self._in_flight = 0
        self._bad_frames = 0
        self._held: IDelayedCall | None = None
        self._timer = services.clock.callLater(
            limits.authentication_seconds, self.close, AUTHENTICATION_TOO_SLOW, "authenticate in time"
        )

    @property
    def host(self) -> str:
        return self._connection.host

    @property
    def account(self) -> AccountId:
        return self._connected().account

    @property
    def device(self) -> DeviceId:
        return self._connected().device

    def received(self, payload: bytes) -> None:
        try:
            call = frames.decode(payload)
        except frames.BadFrame as bad:
            self._refuse_frame(bad)
            return
        params = call.params
        try:
            self._services.rate.take(self._rate_key, call.command.cost)
            self._phase.permit(call.command)
            if type(params) is SessionResume:
                self._position(params.since)
                self._position(params.seen)
        except Problem as problem:
            self._refuse(call.request_id, problem)
            self._slow_down(problem)
            return
        if call.command.phase is Phase.GREETING:
            self._machine.authenticating()
        self._in_flight += 1
        if self._in_flight == self._limits.in_flight:
            self._connection.pause_reading()
        try:
            answer = start(self._handler(params), self, params)
        except Exception:
            self._failed(Failure(), call)
            return
        if isinstance(answer, Deferred):
            answer.addCallbacks(self._answer, self._failed, (call,), errbackArgs=(call,))
        else:
            self._answer(answer, call)

    def paused(self) -> None:
        self._outbound.pause()

    def resumed(self) -> None:
        self._outbound.resume()
        if self._device is not None and self._outbound.clear:
            self._device.takes_again()

    def closed(self) -> None:
        self._machine.closed()
        for timer in (self._timer, self._held):
            if timer is not None and timer.active():
                timer.cancel()
        self._outbound.end()
        if self._device is not None:
            self._services.bus.unsubscribe(self._device.account, self._device)
            self._device.gone()

    def close(self, code: int, reason: str) -> None:
        """Close the connection; nothing is taken or told any more."""
        self._machine.closed()
        self._outbound.close(code, reason)

    def _connected(self) -> ConnectedDevice:
        if self._device is None:
            raise Problem(Code.NOT_AUTHENTICATED)
        return self._device

    def _handler(self, params: Params) -> Callable[[Any, Any], Any]:
        kind = type(params)
        if kind is SessionAck:
            return self._acknowledge
        if self._device is not None and kind is not PresenceSet:
            self._device.used(self._services.clock.seconds())
        return self._services.routes[kind]

    def _acknowledge(self, caller: object, params: SessionAck) -> Done:
        position = self._position(params.cursor)
        device = self._connected()
        device.acknowledge(position, self._services.receipts)
        self._services.held(device.account, device.device, position)
        return _DONE

    def _position(self, cursor: str | None) -> int:
        """The position behind a cursor; one that this node has not reached was not given out by it."""
        position = 0 if cursor is None else self._services.cursors.decode(cursor)
        if not self._services.gave_out(position):
            raise Problem(Code.INVALID_CURSOR)
        return position

    def _answer(self, answer: Any, call: frames.Call) -> None:
        self._end_of_call()
        publish: Callable[[], None] | None = None
        if type(answer) is Committed:
            answer, publish = answer.result, answer.publish
        try:
            if call.command.result is Opened:
                self._open(answer, call)
            else:
                if call.command.phase is Phase.GREETING:
                    self._step()
                if call.request_id is not None:
                    self._outbound.write(frames.text_frame(frames.encode_result(call.request_id, answer)))
            if type(call.params) is SessionLogout:
                self.close(NORMAL, "logged out")
        except Exception:
            self._untold(call)
        # Whatever became of the answer: what is committed is to be told.
        if publish is not None:
            try:
                publish()
            except Exception:
                self._untold(call)

    def _untold(self, call: frames.Call) -> None:
        self._log.failure("{method} was carried out but not told", method=call.command.method)
        self.close(INTERNAL_ERROR, "resume")

    def _failed(self, failure: Failure, call: frames.Call) -> None:
        self._end_of_call()
        if call.command.phase is Phase.GREETING:
            self._machine.refused()
        problem = failure.value
        if not isinstance(problem, Problem):
            self._log.failure("{method} failed", failure=failure, method=call.command.method)
            problem = Problem(Code.INTERNAL)
        self._refuse(call.request_id, problem)

    def _refuse(self, request_id: frames.RequestId | None, problem: Problem) -> None:
        if request_id is not None:
            self._outbound.write(frames.text_frame(frames.encode_problem(request_id, problem)))

    def _refuse_frame(self, bad: frames.BadFrame) -> None:
        # Where the method could be read, a frame without an id is a notification: no answer to that.
        if bad.request_id is not None or bad.problem.code not in _ONLY_CALLS:
            self._outbound.write(frames.text_frame(frames.encode_problem(bad.request_id, bad.problem)))
        self._count_bad_frame()

    def _count_bad_frame(self) -> None:
        self._bad_frames += 1
        if self._bad_frames >= _BAD_FRAMES:
            self.close(POLICY, "too many malformed frames")

    def _end_of_call(self) -> None:
        self._in_flight -= 1
        self._read_on()

    def _slow_down(self, problem: Problem) -> None:
        """Whoever is refused is not to go on at once: refusals cost the node more than they cost him."""
        if problem.code is Code.NOT_AUTHENTICATED:
            self._count_bad_frame()
        elif problem.code is Code.RATE_LIMITED and self._held is None:
            seconds = min(max(_LEAST_WAIT, problem.retry_after or 0.0), _MOST_WAIT)
            self._held = self._services.clock.callLater(seconds, self._let_go)
            self._connection.pause_reading()

    def _let_go(self) -> None:
        self._held = None
        self._read_on()

    def _read_on(self) -> None:
        if self._held is None and self._in_flight < self._limits.in_flight:
            self._connection.resume_reading()

    def _step(self) -> None:
        """A step on the way in was answered: there is time for the next one."""
        self._machine.answered()
        if self._timer.active():
            self._timer.reset(self._services.limits.authentication_seconds)

    def _open(self, who: Identity, call: frames.Call) -> None:
        """The client has proved who it is: subscribe, answer, and send what it missed."""
        self._machine.opened()
        if self._phase.phase is not Phase.OPEN:
            return
        self._timer.cancel()
        limit = self._limits.unacknowledged
        now = self._services.clock.seconds()
        device = ConnectedDevice(who.account, who.device, self.host, self._outbound, limit, now)
        self._device = device
        self._rate_key = who.account
        self._services.bus.subscribe(who.account, device)
        since = call.params.since if isinstance(call.params, SessionResume) else None
        # A login's own alert is the last that was committed, and is still to be told: `cursor` is before it.
        reached = self._services.committed() - (who.token is not None)
        cursor = since or self._services.cursors.encode(reached)
        device.held = reached if since is None else self._position(since)
        key, support = self._services.node_key, self._services.support_chat(who.account)
        opened = Opened(who.account, who.address, who.device, cursor, who.token, who.policy, key, support)
        if call.request_id is not None:
            self._outbound.write(frames.text_frame(frames.encode_result(call.request_id, opened)))
        if since is not None:
            after = self._position(since)
            self._services.receipts.resumed(who.account, after)
            self._services.held(who.account, who.device, after)
            missed = device.catch_up(self._services.missed, after, self._synced)
            spawn(missed, "catching up")

    def _synced(self, position: int) -> bytes:
        return frames.text_frame(frames.encode_event(Synced(self._services.cursors.encode(position))))
