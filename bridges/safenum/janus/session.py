"""One session with Janus: as long as its WebSocket lasts."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from bridges.connecting import BackOff
from bridges.safenum.janus.call import Call
from bridges.safenum.janus.channel import Channel, Senseless
from bridges.safenum.janus.line import Line
from bridges.safenum.janus.lines import Lines
from bridges.safenum.janus.messages import Frame, PluginEvent, Result
from bridges.safenum.janus.registration import SessionCore, new_session
from bridges.safenum.janus.requests import Register
from bridges.safenum.janus.settings import JanusSettings
from bridges.safenum.janus.socket import Wire
from bridges.safenum.janus.transactions import Unanswered
from safeum_home.spawn import spawn

REGISTERING = 40.0
"""Seconds; Janus itself gives up after 32 (RFC 3261, timer F)."""
REGISTRATION = frozenset({"registered", "registration_failed", "unregistered"})


class Credentials(NamedTuple):
    """What a session is opened with. `headers` makes what goes with each request."""

    headers: Callable[[], dict[str, str]]
    password: str


class Owner(Protocol):
    """Whom a session tells."""

    def arrived(self, call: Call, called: str, caller: str, sdp: str) -> None:
        """Somebody calls."""

    def missed(self) -> None:
        """Somebody has called, and no line was free."""

    def refused(self, why: str) -> None:
        """Janus itself has not put a call through; `why` quotes nothing."""

    def up(self) -> None:
        """Calls can go out and come in."""

    def down(self, why: str) -> None:
        """They cannot (any more); those that there are go on."""

    def over(self, session: "Session", why: str) -> None:
        """It is gone, and all calls with it."""


class Session:
    """`clock` provides IReactorTime. `former` is a session that Janus may still have from before; else 0."""

    def __init__(
        self,
        clock: Any,
        wire: Wire,
        settings: JanusSettings,
        credentials: Credentials,
        owner: Owner,
        former: int = 0,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._password = credentials.password
        self._owner = owner
        self._former = former
        self._channel = Channel(clock, wire, settings.answer_seconds, credentials.headers)
        self._registering = BackOff(settings.reconnect_seconds)
        self._timer: Any = None
        self._keepalive: Any = None
        self._why = ""
        self.lines = Lines(clock, settings, self._channel, owner.arrived, self.end, owner.refused)
        self._core = SessionCore(self)
        self.machine = new_session(self._core)
        self._within(settings.answer_seconds, "no WebSocket in time")

    @property
    def state(self) -> str:
        return self._core.state

    @property
    def id(self) -> int:
        """What Janus knows it by; 0 before that."""
        return self._channel.session

    async def destroy(self) -> None:
        """End it at Janus, which ends all calls."""
        if self.id and self.state != "over":
            await self._channel.destroy(self.id)
        self.end("stopped")

    def end(self, why: str) -> None:
        """Give the session up."""
        if self.state != "over":
            self._why = why
            self.machine.lost()

    # --- the WebSocket: `socket.Speaker`

    def opened(self) -> None:
        self._within(None)
        self.machine.opened()

    def closed(self) -> None:
        self.end("the connection was lost")

    def received(self, payload: bytes) -> None:
        if self.state == "over":
            return
        try:
            frame = self._channel.received(payload)
        except Senseless as error:
            self.end(str(error))
            return
        if frame is None:
            return
        if frame.janus == "timeout":
            self.end("Janus has given the session up")
        elif (line := self.lines.of(frame.sender)) is not None:
            self._event(line, frame)

    # --- events

    def _event(self, line: Line, frame: Frame) -> None:
        match frame.janus:
            case "event" if frame.plugindata is not None:
                self._plugin(line, frame, frame.plugindata.data)
            case "detached":
                self.lines.detached(line)
            case "webrtcup":
                line.media(True)
            case "media":
                line.media(frame.receiving)
            case "hangup":
                line.webrtc_gone()

    def _plugin(self, line: Line, frame: Frame, told: PluginEvent) -> None:
        event = "" if told.result is None else told.result.event
        if event == "missed_call":
            self._owner.missed()
        elif told.result is not None and line is self.lines.master and event in REGISTRATION:
            self._registration(told.result)
        else:
            line.plugin(frame, told)

    # --- the registration: `registration.Doer`

    def make(self) -> None:
        spawn(self._make(), "opening a session with Janus")

    def register(self) -> None:
        spawn(self._register(), "registering at the edge")

    def is_up(self) -> None:
        self._registering.succeeded()
        self._within(None)
        self.lines.are_open = True
        self._owner.up()

    def wait(self) -> None:
        self.lines.are_open = False
        self._cancel(self._timer)
        self._timer = self._clock.callLater(self._registering.seconds(), self.machine.again)
        self._owner.down(self._why)

    def is_lost(self) -> None:
        self._within(None)
        self._cancel(self._keepalive)
        self.lines.lose()
        self._channel.close()
        self._owner.over(self, self._why)

    async def _make(self) -> None:
        try:
            if self._former:
                await self._channel.destroy(self._former)
            await self._channel.create()
            self._keep_alive()
            await self.lines.add_master()
        except Unanswered as error:
            self.end(f"Janus opens no session: {error}")
        else:
            self.machine.made()

    async def _register(self) -> None:
        master = self.lines.master
        assert master is not None
        self._within(REGISTERING, "no registration in time")
        section = self._settings
        # Once more on the same handle: helpers, and calls on them, stay.
        is_known = bool(self.lines.master_id)
        body = Register(
            username=section.identity,
            authuser=section.identity.removeprefix("sip:").partition("@")[0],
            secret=self._password,
            proxy=section.registrar,
            outbound_proxy=section.registrar,
            register_ttl=section.register_seconds,
            incoming_header_prefixes=() if is_known else ("X-",),
            refresh=is_known,
        )
        try:
            told = await self._channel.tell(master.handle, body)
        except Unanswered as error:
            self.end(f"Janus does not register: {error}")
            return
        if told.result is None:
            self._refused("Janus does not register")

    def _registration(self, result: Result) -> None:
        if result.event == "registered":
            self.machine.registered()
            self.lines.registered(result.master_id)
        else:
            self._refused(f"not registered at the edge: {result.code or result.event}")

    def _refused(self, why: str) -> None:
        self._why = why
        self.machine.refused()

    # --- time

    def _keep_alive(self) -> None:
        self._keepalive = self._clock.callLater(self._settings.keepalive_seconds, self._keep_alive)
        spawn(self._show_life(), "keeping a session with Janus")

    async def _show_life(self) -> None:
        try:
            await self._channel.keep_alive()
        except Unanswered:
            self.end("Janus does not answer")

    def _within(self, seconds: float | None, why: str = "") -> None:
        """Something has to happen by then; None: it has."""
        self._cancel(self._timer)
        self._timer = None if seconds is None else self._clock.callLater(seconds, self.end, why)

    @staticmethod
    def _cancel(timer: Any) -> None:
        if timer is not None and timer.active():
            timer.cancel()
