"""Janus in memory: it says what a test wants at its end of the WebSocket, and a carrier speaks with it."""

import json
import re
from collections.abc import Callable
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.testing import MemoryReactorClock
from twisted.test import iosim
from twisted.trial.unittest import FailTest, SynchronousTestCase

from bridges.safenum.janus.call import TAKING_NOTE
from bridges.safenum.janus.carrier import Janus
from bridges.safenum.janus.settings import read
from safeum_home.errors import Code, Problem
from safeum_home.ports.carrier import (
    NETWORK_DOWN,
    CarrierCall,
    CarrierContext,
    CarrierEnd,
    CarrierListener,
    Incoming,
)
from tests.sms import logged

OURS, THEIRS = "+354490000001", "+4930123456"
SECRETS = {"api": b"of the api\n", "edge": b"of the edge", "token": b"of tokens"}
LOST = CarrierEnd(200, NETWORK_DOWN, far=False)


def description(*lines: str, media: str = "m=audio 9 UDP/TLS/RTP/SAVPF 0 8 101") -> str:
    """An app's, as far as it is looked at."""
    ice = ("a=ice-ufrag:abcd", "a=ice-pwd:0123456789abcdef012345", "a=fingerprint:sha-256 AA:BB")
    whole = ("v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", media, "c=IN IP4 0.0.0.0", *ice, *lines)
    return "".join(f"{line}\r\n" for line in whole)


def told(jsep: dict[str, str]) -> tuple[str, list[str]]:
    """What Janus is told of an app: the type, and the lines but for the version and the origin."""
    first, origin, *rest = jsep["sdp"].splitlines()
    if first != "v=0" or not re.fullmatch(r"o=- [0-9]+ 1 IN IP4 0\.0\.0\.0", origin):
        raise FailTest(origin)
    return jsep["type"], rest


APP, BRIDGE = description(), description("a=setup:actpass")


class Ear:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def progress(self, sdp: str | None) -> None:
        self.told.append(("progress", sdp))

    def answered(self, sdp: str | None) -> None:
        self.told.append(("answered", sdp))

    def dtmf(self, digits: str) -> None:
        self.told.append(("dtmf", digits))

    def ended(self, end: CarrierEnd) -> None:
        self.told.append(end)

    @property
    def end(self) -> CarrierEnd:
        """How it has ended: it has, once, and nothing came after that."""
        ends: list[CarrierEnd] = [each for each in self.told if isinstance(each, CarrierEnd)]
        if len(ends) != 1 or self.told[-1] is not ends[0]:
            raise FailTest(self.told)
        end: CarrierEnd = ends[0]
        return end


class Desk:
    """An exchange that remembers, and does with each call what it is to."""

    def __init__(self) -> None:
        self.calls: list[tuple[CarrierCall, Incoming, Ear]] = []
        self.does: Callable[[CarrierCall], None] = lambda call: None

    def incoming(self, call: CarrierCall, offer: Incoming) -> CarrierListener:
        ear = Ear()
        self.calls.append((call, offer, ear))
        self.does(call)
        return ear


class _End(WebSocketServerProtocol):  # type: ignore[misc]  # autobahn is untyped
    double: "JanusDouble"

    def onConnect(self, request: Any) -> str | None:
        return self.double.subprotocol if self.double.subprotocol in request.protocols else None

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.double.asked(self, json.loads(payload))


class JanusDouble:
    """Answers as Janus does; not to kinds of requests in `mute`, and with an error to those in `refused`."""

    def __init__(self, reactor: MemoryReactorClock) -> None:
        self.reactor = reactor
        self.subprotocol = "janus-protocol"
        self.requests: list[dict[str, Any]] = []
        self.mute: set[str] = set()
        self.refused: dict[str, int] = {}
        self.register: Callable[[int], None] | None = self.registered
        self.session = 0
        self.accepted = 0
        """How many connections were asked for until then."""
        self.handles: list[int] = []
        self._ids = 1000
        self._end: Any = None
        self._pump: Any = None
        self._factory = WebSocketServerFactory(protocols=["janus-protocol"], reactor=reactor)
        self._factory.setProtocolOptions(
            openHandshakeTimeout=0, closeHandshakeTimeout=0, autoPingInterval=0, serveFlashSocketPolicy=False
        )

    # --- connections

    def accept(self) -> None:
        """Take the connection that was asked for last."""
        self.accepted = len(self.reactor.unixClients)
        factory = self.reactor.unixClients[-1][1]
        client = factory.buildProtocol(None)
        self._end = end = _End()
        end.double, end.factory = self, self._factory
        self._pump = iosim.connect(
            end,
            iosim.FakeTransport(end, isServer=True),
            client,
            iosim.FakeTransport(client, isServer=False),
        )
        self.pump()

    def pump(self) -> None:
        self._pump.flush()

    def cut(self) -> None:
        self._end.transport.abortConnection()
        self.pump()

    @property
    def is_cut(self) -> bool:
        """Whether the other side has cut it."""
        return bool(self._end.transport.disconnected)

    # --- what is asked

    def asked(self, end: Any, request: dict[str, Any]) -> None:
        self.requests.append(request)
        kind = request["janus"]
        what = request["body"]["request"] if kind == "message" else kind
        if what in self.mute:
            return
        if what in self.refused:
            self.answer(request, "error", error={"code": self.refused[what], "reason": "no"})
            return
        made = self._made(request)
        self.answer(request, "ack" if kind in ("message", "keepalive") else "success", **made)
        if what == "register":
            self._register(request)

    def _made(self, request: dict[str, Any]) -> dict[str, Any]:
        self._ids += 1
        if request["janus"] == "create":
            self.session, self.handles = self._ids, []
        elif request["janus"] == "attach":
            self.handles.append(self._ids)
        else:
            return {}
        return {"data": {"id": self._ids}}

    def _register(self, request: dict[str, Any]) -> None:
        handle, body = request["handle_id"], request["body"]
        if body.get("type") == "helper":
            told = {"event": "registered", "helper": True, "master_id": body["master_id"]}
            self.event(handle, told, transaction=request["transaction"])
        elif self.register is not None:
            self.event(handle, {"event": "registering"}, transaction=request["transaction"])
            self.register(handle)

    def registered(self, handle: int) -> None:
        self.event(handle, {"event": "registered", "register_sent": True, "master_id": 77})

    # --- what is said

    def say(self, **frame: Any) -> None:
        self.raw(json.dumps(frame).encode())

    def raw(self, payload: bytes) -> None:
        self._end.sendMessage(payload)

    def answer(self, request: dict[str, Any], kind: str, **more: Any) -> None:
        session = {"session_id": request["session_id"]} if "session_id" in request else {}
        self.say(janus=kind, transaction=request["transaction"], **session, **more)

    def event(self, handle: int, result: dict[str, Any], call: str | None = None, **more: Any) -> None:
        """Of the SIP plugin."""
        data: dict[str, Any] = {"sip": "event", "result": result}
        if call is not None:
            data["call_id"] = call
        plugin = {"plugin": "janus.plugin.sip", "data": data}
        self.say(janus="event", session_id=self.session, sender=handle, plugindata=plugin, **more)

    def core(self, handle: int, kind: str, **more: Any) -> None:
        """Of Janus itself."""
        self.say(janus=kind, session_id=self.session, sender=handle, **more)

    def bodies(self, what: str) -> list[dict[str, Any]]:
        """Requests to the SIP plugin."""
        return [each for each in self.requests if each.get("body", {}).get("request") == what]

    def asked_for(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.requests if each["janus"] == kind]


class JanusCase(SynchronousTestCase):
    """A carrier with three lines, that is up."""

    settings: dict[str, Any] = {}
    connected = True

    def setUp(self) -> None:
        self.logged = logged(self)
        self.clock = MemoryReactorClock()
        self.secrets = dict(SECRETS)
        self.janus = JanusDouble(self.clock)
        self.desk = Desk()
        self.carrier = self.make(**self.settings)
        self.carrier.start(self.desk)
        if self.connected:
            self.janus.accept()
            self.assertTrue(self.carrier.is_up)

    def make(self, **settings: Any) -> Janus:
        context = CarrierContext("trunk", self.clock, self.secret, lambda word: word.encode().ljust(32))
        return Janus(context, read("trunk", {"endpoint": "unix:/janus", "calls": 3, **settings}))

    def secret(self, name: str) -> bytes:
        if (known := self.secrets.get(name.removeprefix("secret:"))) is None:
            raise Problem(Code.NOT_FOUND)
        return known

    def advance(self, seconds: float) -> None:
        """Time goes by, in small steps, and what is said meanwhile arrives."""
        left = seconds
        while left > 0:
            step = min(left, 0.25)
            self.clock.advance(step)
            left -= step
            if not self.janus.is_cut:
                self.janus.pump()

    def reconnect(self) -> None:
        """The way is there again: it is tried at the latest after a minute."""
        for _ in range(240):
            if len(self.clock.unixClients) > self.janus.accepted:
                break
            self.clock.advance(0.25)
        self.janus.accept()

    # --- calls

    def dial(self, ear: Ear | None = None) -> tuple[CarrierCall, Ear, int]:
        """A call that goes out: it, its listener, and the handle that it is on."""
        ear = ear or Ear()
        call = self.carrier.dial(OURS, THEIRS, APP, ear)
        self.janus.pump()
        return call, ear, int(self.janus.bodies("call")[-1]["handle_id"])

    def tell(self, handle: int, call: CarrierCall | str, event: str, **result: Any) -> None:
        reference = call if isinstance(call, str) else call.reference
        jsep = result.pop("jsep", None)
        more = {} if jsep is None else {"jsep": {"type": "answer", "sdp": jsep}}
        self.janus.event(handle, {"event": event, **result}, reference, **more)
        self.janus.pump()

    def talk(self) -> tuple[CarrierCall, Ear, int]:
        """One that was answered, and whose app is heard."""
        call, ear, handle = self.dial()
        self.tell(handle, call, "accepted", jsep=BRIDGE)
        self.janus.core(handle, "webrtcup")
        self.janus.pump()
        return call, ear, handle

    def comes(self, handle: int, reference: str = "in-1", sdp: str | None = BRIDGE, **headers: str) -> None:
        """Somebody calls."""
        known = {"X-SafeNUM": OURS, "X-CLI": THEIRS}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        merged = {name: value for name, value in {**known, **given}.items() if value}
        more = {} if sdp is None else {"jsep": {"type": "offer", "sdp": sdp}}
        self.janus.event(handle, {"event": "incomingcall", "headers": merged}, reference, **more)
        self.janus.pump()

    def declined(self) -> Any:
        """The code that the last call was refused with, once Janus had time to take note of it."""
        self.advance(TAKING_NOTE)
        return self.janus.bodies("decline")[-1]["body"]["code"]

    def quiet(self, handle: int) -> None:
        """Janus lets go of the sound of a call, and the line has settled."""
        self.janus.core(handle, "hangup", reason="Close PC")
        self.advance(2)
