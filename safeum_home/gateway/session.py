"""A client's session: frames in, answers out; once it is open, a device of an account."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.errors import Code, Problem
from safeum_home.gateway.device import ASLEEP, INTERNAL_ERROR, ConnectedDevice
from safeum_home.gateway.dispatch import start
from safeum_home.gateway.pace import Paced
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
    SessionAck,
    SessionLogout,
    SessionResume,
    SessionSleep,
)
from safeum_home.protocol.events import Sleep, Synced
from safeum_home.protocol.session import SessionPhase, new_session
from safeum_home.spawn import spawn

NORMAL = 1000
AUTHENTICATION_TOO_SLOW = 4001
_ASLEEP = "asleep: come back when woken or used"
_SLEEP = frames.text_frame(frames.encode_event(Sleep()))
_DONE = Done()


class Session(Paced):
    """`ports.ConnectionHandler` and `ports.Caller` of one connection."""

    _log = Logger()
    __slots__ = ("_device", "_machine", "_moved", "_phase", "_rate_key", "_timer")

    def __init__(self, connection: ClientConnection, services: Services) -> None:
        super().__init__(connection, services)
        self._phase = SessionPhase()
        self._machine = new_session(self._phase)
        self._device: ConnectedDevice | None = None
        self._moved: Deferred[None] | None = None
        """For a client that wants to sleep: something that it waits for may be over."""
        self._rate_key: str = network(connection.host)
        self._timer = services.clock.callLater(
            self._limits.authentication_seconds, self.close, AUTHENTICATION_TOO_SLOW, "authenticate in time"
        )
        services.sessions.add(self)

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
        self._begin_call()
        try:
            answer = start(self._handler(call), self, params)
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
        self._has_moved()

    def closed(self) -> None:
        self._services.sessions.discard(self)
        self._machine.closed()
        for timer in (self._timer, self._held):
            if timer is not None and timer.active():
                timer.cancel()
        self._outbound.end()
        if self._device is not None and not self._device.gone:
            self._leave(self._device)
        self._has_moved()

    def close(self, code: int, reason: str) -> None:
        """Close the connection; nothing is taken or told any more."""
        self._machine.closed()
        super().close(code, reason)

    @property
    def resting(self) -> ConnectedDevice | None:
        """The device, where nothing is under way: it was answered all, and has all that it was sent."""
        device = self._device
        if device is None or self._in_flight or self._phase.phase is not Phase.OPEN or not device.has_all:
            return None
        return device

    def put_to_sleep(self, reachable: bool) -> None:
        """Tell the client to sleep, and close; `reachable` where it can be woken."""
        self._connected().asleep = reachable
        self._outbound.write(_SLEEP)
        self._fall_asleep()

    def _connected(self) -> ConnectedDevice:
        if self._device is None:
            raise Problem(Code.NOT_AUTHENTICATED)
        return self._device

    def _handler(self, call: frames.Call) -> Callable[[Any, Any], Any]:
        kind: type[Params] = type(call.params)
        if call.command.activity:
            if self._device is not None:
                self._device.used(self._services.clock.seconds())
        elif kind is SessionAck:
            return self._acknowledge
        elif kind is SessionSleep:
            return self._sleep
        return self._services.routes[kind]

    async def _sleep(self, caller: object, params: SessionSleep) -> Done:
        """With the answer nothing is open: so what was not answered when it is over was not carried out."""
        device = self._connected()
        self._machine.sleeping()
        device.asleep = bool(await self._services.can_wake(device.account, device.device))
        while not self._outbound.closed and (self._in_flight > 1 or not device.up_to_date):
            self._moved = Deferred()
            await self._moved
        return _DONE

    def _has_moved(self, _: object = None) -> None:
        moved, self._moved = self._moved, None
        if moved is not None:
            moved.callback(None)

    def _fall_asleep(self) -> None:
        # Not when the connection is over: what is published until then would wake nobody.
        self._leave(self._connected())
        self.close(ASLEEP, _ASLEEP)

    def _leave(self, device: ConnectedDevice) -> None:
        self._services.bus.unsubscribe(device.account, device)
        device.leave()

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
            elif type(call.params) is SessionSleep and not self._outbound.closed:
                self._fall_asleep()
        except Exception:
            self._untold(call)
        # Whatever became of the answer: what is committed is to be told.
        if publish is not None:
            try:
                publish()
            except Exception:
                self._untold(call)
        self._has_moved()

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
        self._has_moved()

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
        resume = call.params if isinstance(call.params, SessionResume) else None
        woken = resume is not None and resume.woken is True
        device = ConnectedDevice(who.account, who.device, self.host, self._outbound, limit, now, woken)
        self._device = device
        self._rate_key = who.account
        self._services.bus.subscribe(who.account, device)
        since = resume.since if resume is not None else None
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
            spawn(missed, "catching up").addCallback(self._has_moved)

    def _synced(self, position: int) -> bytes:
        return frames.text_frame(frames.encode_event(Synced(self._services.cursors.encode(position))))
