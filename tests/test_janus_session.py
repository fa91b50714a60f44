"""Sessions with Janus: opened, kept, lost and begun anew; and what a Janus that is out of its mind can do."""

import json
from base64 import b64encode
from hashlib import sha1
from hmac import digest
from random import Random
from typing import Any

from bridges.safenum.janus.channel import BAD_RATE, BURST, MOST_BAD
from bridges.safenum.janus.messages import MOST_FRAME
from bridges.safenum.janus.requests import OFFER, Decline, Jsep, Request
from bridges.safenum.janus.settings import read
from bridges.safenum.janus.token import SECONDS
from safeum_home.config import ConfigError
from safeum_home.ports.carrier import NETWORK_DOWN, CarrierEnd
from tests.janus_case import BRIDGE, SECRETS, Desk, Ear, JanusCase, JanusDouble

EVENTS = ("incomingcall", "accepted", "progress", "ringing", "hangup", "info", "registered", "missed_call")
CODES = (0, 180, 200, 486, 9999)
LOST = CarrierEnd(200, NETWORK_DOWN, far=False)


class OpeningTests(JanusCase):
    connected = False

    def kinds(self) -> list[str]:
        return [each.get("body", {}).get("request", each["janus"]) for each in self.janus.requests]

    def test_requests(self) -> None:
        """A session, a master that registers, and as many helpers as there are to be lines besides."""
        self.assertEqual((self.carrier.is_up, self.carrier.standing), (False, "not connected"))
        self.janus.accept()
        kept = ["create", "keepalive", "attach", "register"]
        self.assertEqual(self.kinds(), [*kept, "attach", "register", "attach", "register"])
        master, *helpers = self.janus.bodies("register")
        self.assertEqual(
            master["body"],
            {
                "request": "register",
                "username": "sip:bridge@edge.invalid",
                "authuser": "bridge",
                "secret": b"edge".ljust(32).hex(),
                "proxy": "sip:127.0.0.1:5060",
                "outbound_proxy": "sip:127.0.0.1:5060",
                "register_ttl": 60,
                "incoming_header_prefixes": ["X-"],
            },
        )
        for helper in helpers:
            self.assertEqual((helper["body"]["type"], helper["body"]["master_id"]), ("helper", 77))
            self.assertNotIn("secret", helper["body"])
        secrets = {(each["apisecret"], each.get("token")) for each in self.janus.requests}
        self.assertEqual(secrets, {(b"janus".ljust(32).hex(), None)})
        self.assertEqual((self.carrier.standing, self.carrier.lines), ("up", (0, 3)))

    def test_not_registered(self) -> None:
        """The edge does not take it: it is tried again and again, and calls that there are go on."""

        def refuse(handle: int) -> None:
            self.janus.event(handle, {"event": "registration_failed", "code": 403, "reason": "no"})

        self.janus.register = refuse
        self.janus.accept()
        self.assertEqual(self.carrier.standing, "not registered at the edge: 403")
        self.advance(200)
        tried = len(self.janus.bodies("register"))
        self.assertTrue(7 < tried < 20, tried)
        self.assertEqual(len(self.janus.asked_for("create")), 1)
        self.janus.register = self.janus.registered
        self.advance(31)
        self.assertTrue(self.carrier.is_up)

    def test_no_session(self) -> None:
        """Janus refuses it: it is connected anew, less and less often."""
        self.janus.refused["create"] = 403
        for _ in range(8):
            self.reconnect()
            self.assertEqual(self.carrier.standing, "Janus opens no session: error 403")
        before = len(self.clock.unixClients)
        self.advance(60)
        self.assertLessEqual(len(self.clock.unixClients), before + 1)
        del self.janus.refused["create"]
        self.reconnect()
        self.assertTrue(self.carrier.is_up)

    def test_silent(self) -> None:
        """Janus answers nothing, at whatever point."""
        for what in ("create", "attach", "register"):
            self.janus.mute = {what}
            self.reconnect()
            self.assertFalse(self.janus.is_cut)
            self.advance(9)
            self.assertTrue(self.janus.is_cut, what)
        self.janus.mute = set()
        self.janus.register = lambda handle: None
        self.reconnect()
        self.advance(41)
        self.assertEqual((self.janus.is_cut, self.carrier.standing), (True, "no registration in time"))

    def test_no_websocket(self) -> None:
        """What is there does not speak this protocol, or says nothing at all."""
        self.janus.subprotocol = "chat"
        self.janus.accept()
        self.assertTrue(self.janus.is_cut)
        self.assertFalse(self.carrier.is_up)
        for _ in range(40):
            self.clock.advance(0.25)
        factory = self.clock.unixClients[-1][1]
        client: Any = factory.buildProtocol(None)
        transport = Transport()
        client.makeConnection(transport)
        self.advance(9)
        self.assertTrue(transport.aborted)

    def test_lines_refused(self) -> None:
        """Where Janus makes no more lines there are as many as there are, and it is tried again."""
        self.janus.accept()
        self.janus.refused["attach"] = 500
        self.janus.core(self.janus.handles[-1], "detached")
        self.janus.pump()
        self.assertEqual(self.carrier.lines, (0, 3))
        self.advance(12)
        self.assertEqual(len(self.janus.asked_for("attach")), 6)
        del self.janus.refused["attach"]
        self.advance(6)
        self.assertEqual(len(self.janus.handles), 4)


class Transport:
    """Of a connection on which nobody answers."""

    disconnecting = False

    def __init__(self) -> None:
        self.aborted = False

    def write(self, octets: bytes) -> None:
        pass

    def getPeer(self) -> None:
        return None

    getHost = getPeer

    def setTcpNoDelay(self, enabled: bool) -> None:
        pass

    def abortConnection(self) -> None:
        self.aborted = True

    loseConnection = abortConnection


class SecretTests(JanusCase):
    connected = False
    settings = {"api_secret": "secret:api", "password": "secret:edge", "token": "secret:token"}

    def test_from_the_store(self) -> None:
        """Those that settings name; a token is signed for each request."""
        self.janus.accept()
        register = self.janus.bodies("register")[0]
        self.assertEqual((register["apisecret"], register["body"]["secret"]), ("of the api", "of the edge"))
        text, _, mac = register["token"].partition(":")
        self.assertEqual(text, f"{int(self.clock.seconds()) + SECONDS},janus,janus.plugin.sip")
        self.assertEqual(mac, b64encode(digest(SECRETS["token"], text.encode(), sha1)).decode())
        self.advance(60)
        self.assertNotEqual(self.janus.requests[-1]["token"], register["token"])

    def test_missing(self) -> None:
        """It is told which one is; when it is there it is used, without a restart."""
        value = self.secrets.pop("edge")
        self.janus.accept()
        self.assertEqual(self.carrier.standing, "no usable secret edge in the store")
        self.assertEqual((self.janus.requests, self.janus.is_cut), ([], True))
        self.secrets["edge"] = value
        self.reconnect()
        self.assertTrue(self.carrier.is_up)

    def test_not_shown(self) -> None:
        """What is asked of Janus shows nothing of itself, wherever it may come to be shown."""
        jsep = Jsep(OFFER, BRIDGE)
        request = Request("message", body=Decline(486), jsep=jsep, apisecret="hunter2")
        self.assertEqual((repr(request), repr(jsep)), ("<Request>", "<Jsep>"))

    def test_settings(self) -> None:
        """Secrets are named, URIs are such, and numbers in bounds."""
        for bad in (
            {"password": "hunter2"},
            {"identity": "bridge"},
            {"identity": "sip:bridge@edge\r\nX: y"},
            {"registrar": "http://127.0.0.1"},
            {"calls": 0},
            {"keepalive_seconds": 60.0},
        ):
            self.assertNotIn("hunter2", str(self.assertRaises(ConfigError, read, "a", bad)))


class LosingTests(JanusCase):
    def ended(self, *ears: Ear) -> None:
        for each in ears:
            self.assertEqual(each.end, LOST)

    def two(self) -> tuple[Ear, Ear]:
        """One call that goes out, one that comes in; both are spoken on."""
        _, out, _ = self.talk()
        first = self.janus.handles[0]
        self.comes(first)
        [(call, _, incoming)] = self.desk.calls
        call.answer(self.description())
        self.tell(first, call, "accepted")
        self.janus.core(first, "webrtcup")
        return out, incoming

    def description(self) -> str:
        return BRIDGE

    def test_cut(self) -> None:
        """Each listener hears once that it is over; what Janus has left of it is ended first of all."""
        ears = self.two()
        session = self.janus.session
        self.janus.cut()
        self.ended(*ears)
        self.assertEqual(self.carrier.standing, "the connection was lost")
        self.reconnect()
        self.ended(*ears)
        again = [each for each in self.janus.requests if each.get("session_id") != session]
        destroyed = self.janus.asked_for("destroy")
        self.assertEqual([each["session_id"] for each in destroyed], [session])
        self.assertLess(self.janus.requests.index(destroyed[0]), self.janus.requests.index(again[1]))
        self.assertEqual((self.carrier.is_up, self.carrier.lines), (True, (0, 3)))
        self.assertEqual(self.carrier.counts.lost, 1)

    def test_not_answered(self) -> None:
        """Of a keepalive: the other end is gone, though nobody has said so."""
        ears = self.two()
        self.janus.mute.add("keepalive")
        self.advance(29)
        self.ended(*ears)
        self.assertEqual(self.carrier.standing, "Janus does not answer")

    def test_kept(self) -> None:
        """It is told often enough that the node lives: Janus gives up what is silent for 60 seconds."""
        self.advance(120)
        self.assertGreaterEqual(len(self.janus.asked_for("keepalive")), 6)
        self.assertFalse(self.janus.is_cut)

    def test_timed_out(self) -> None:
        """Janus has given the session up."""
        ears = self.two()
        self.janus.say(janus="timeout", session_id=self.janus.session)
        self.janus.pump()
        self.ended(*ears)
        self.assertTrue(self.janus.is_cut)

    def test_master_gone(self) -> None:
        """And so are its helpers."""
        ears = self.two()
        self.janus.core(self.janus.handles[0], "detached")
        self.janus.pump()
        self.ended(*ears)
        self.reconnect()
        self.assertTrue(self.carrier.is_up)

    def test_helper_gone(self) -> None:
        """Its call ends, others go on, and there is another line."""
        out, incoming = self.two()
        handle = int(self.janus.bodies("call")[0]["handle_id"])
        self.janus.core(handle, "detached")
        self.janus.pump()
        self.ended(out)
        self.assertEqual(incoming.told, [("answered", None)])
        self.assertEqual((self.carrier.lines, self.carrier.is_up), ((1, 3), True))

    def test_registration_lost(self) -> None:
        """The edge is away: calls go on, and it is registered anew on the same handle."""
        for event in ("registration_failed", "unregistered"):
            self.setUp()
            ears = self.two()
            first = self.janus.handles[0]
            self.janus.event(first, {"event": event, "code": 408})
            self.janus.pump()
            self.assertFalse(self.carrier.is_up)
            self.advance(5)
            self.assertTrue(self.carrier.is_up)
            last = self.janus.bodies("register")[-1]
            self.assertEqual((last["handle_id"], last["body"]["refresh"]), (first, True))
            self.assertNotIn("incoming_header_prefixes", last["body"])
            self.assertEqual([len(each.told) for each in ears], [1, 1])
            self.assertEqual(len(self.janus.handles), 3)

    def test_registered_again(self) -> None:
        """Janus says so each time that it does."""
        ears = self.two()
        for _ in range(5):
            self.janus.registered(self.janus.handles[0])
        self.janus.pump()
        self.assertEqual((len(self.janus.handles), [len(each.told) for each in ears]), (3, [1, 1]))

    def test_stop(self) -> None:
        """The session is ended, with all calls; and it is not connected again."""
        ears = self.two()
        session = self.janus.session
        stopped = self.carrier.stop()
        self.janus.pump()
        self.successResultOf(stopped)
        self.ended(*ears)
        self.assertEqual([each["session_id"] for each in self.janus.asked_for("destroy")], [session])
        before = len(self.clock.unixClients)
        self.advance(120)
        self.assertEqual((len(self.clock.unixClients), self.clock.getDelayedCalls()), (before, []))

    def test_stop_unanswered(self) -> None:
        """Where Janus does not answer, either."""
        ears = self.two()
        self.janus.mute.add("destroy")
        stopped = self.carrier.stop()
        self.advance(9)
        self.successResultOf(stopped)
        self.ended(*ears)

    def test_no_timer_is_left(self) -> None:
        """Of a session that is gone, but for the next attempt."""
        self.two()
        self.janus.cut()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)


class HostileTests(JanusCase):
    """Janus is another process, fed by a telephone network: nothing that it says takes more than itself."""

    def setUp(self) -> None:
        super().setUp()
        self.call, self.ear, self.handle = self.talk()

    def alive(self) -> None:
        """All is as it was."""
        self.janus.pump()
        self.assertEqual(self.ear.told, [("answered", BRIDGE)])
        self.assertEqual((self.janus.is_cut, self.carrier.is_up, self.carrier.lines), (False, True, (1, 3)))

    def cut(self, why: str) -> None:
        self.janus.pump()
        self.assertEqual((self.ear.end, self.janus.is_cut, self.carrier.standing), (LOST, True, why))

    def test_garbage(self) -> None:
        """A hundred frames of it are passed over; then it is cut."""
        for place in range(MOST_BAD):
            self.janus.raw((b"", b"[]", b"{", b'{"janus":5}', b"\0\x7f", b"[" * 5000)[place % 6])
        self.alive()
        self.janus.raw(b"{}")
        self.cut("what Janus says makes no sense")

    def test_garbage_now_and_then(self) -> None:
        """What is long ago is not counted."""
        for _ in range(3):
            for _ in range(MOST_BAD):
                self.janus.raw(b"{}")
            self.janus.pump()
            self.clock.rightNow += MOST_BAD / BAD_RATE
        self.alive()

    def test_of_the_other_side(self) -> None:
        """However long it is what the other side writes: the end of a call is heard."""
        long = "7" * 5000
        more = {"reason_header_protocol": long, "reason_header_cause": long, "type": long, "content": long}
        self.tell(self.handle, self.call, "info", **more)
        self.alive()
        self.tell(self.handle, self.call, "hangup", code=200, headers={f"X-{long}": long}, **more)
        self.assertEqual(self.ear.end, CarrierEnd(200))

    def test_other_sessions(self) -> None:
        """What is of another session is not of ours."""
        data = {"sip": "event", "call_id": self.call.reference, "result": {"event": "hangup", "code": 200}}
        for kind in ("event", "hangup", "detached", "timeout"):
            self.janus.say(janus=kind, session_id=5, sender=self.handle, plugindata={"data": data})
        self.alive()

    def test_other_handles(self) -> None:
        for kind in ("event", "hangup", "detached", "media", "webrtcup"):
            self.janus.core(5, kind, plugindata={"data": {"result": {"event": "incomingcall"}}})
        self.alive()

    def test_unknown(self) -> None:
        """Kinds of frames and events, and answers that nobody waits for."""
        self.janus.core(self.handle, "trickle", candidate={"completed": True})
        self.janus.core(self.handle, "event")
        self.janus.core(self.handle, "event", plugindata={"data": {}})
        for kind in ("success", "error", "ack"):
            self.janus.say(janus=kind, transaction="t" * 64, session_id=self.janus.session)
        for event in ("transfer", "updatingcall", "notify", "", "calling"):
            self.janus.event(self.handle, {"event": event}, self.call.reference)
        self.alive()

    def test_types(self) -> None:
        """Fields of other types than they have."""
        for result in (
            {"event": 5},
            {"event": "hangup", "code": "200"},
            {"event": "hangup", "reason_header_cause": 16},
            {"event": "info", "content": ["1"], "type": "application/dtmf"},
            {"event": "incomingcall", "headers": {"X-SafeNUM": 5}},
            {"event": "incomingcall", "headers": {f"X-{place}": "" for place in range(65)}},
        ):
            self.janus.event(self.handle, result, self.call.reference)
        self.alive()

    def test_causes(self) -> None:
        """Codes and causes that are none are not handed on."""
        for cause, code in (("16 ", 99), ("\u0661", 1000), ("999", -1), ("-1", 0)):
            call, ear, handle = self.dial()
            more = {"reason_header_protocol": "Q.850", "reason_header_cause": cause}
            self.tell(handle, call, "hangup", code=code, **more)
            self.assertEqual(ear.end, CarrierEnd(0, 0))
            self.quiet(handle)

    def test_duplicates(self) -> None:
        """Everything is said three times."""
        for _ in range(3):
            self.tell(self.handle, self.call, "accepted", jsep=BRIDGE)
        self.alive()
        for _ in range(3):
            self.comes(self.janus.handles[0])
        self.assertEqual(len(self.desk.calls), 1)
        for _ in range(3):
            self.tell(self.handle, self.call, "hangup", code=200)
            self.quiet(self.handle)
        self.assertEqual(self.ear.end, CarrierEnd(200))
        self.assertEqual(self.carrier.lines, (1, 3))

    def test_same_handle(self) -> None:
        """A handle that is there already is no further line."""
        self.janus.core(self.janus.handles[1], "detached")
        self.janus._ids = self.janus.handles[0] - 1
        self.janus.pump()
        self.advance(1)
        self.assertLessEqual(len(self.janus.asked_for("attach")), 5)
        self.assertTrue(self.carrier.is_up)

    def test_long(self) -> None:
        """A frame that has no end is not waited for."""
        self.janus.raw(json.dumps({"janus": "x" * MOST_FRAME}).encode())
        self.cut("the connection was lost")

    def test_flood(self) -> None:
        """Nor is more taken than the busiest trunk has to say."""
        for _ in range(int(BURST) + 200):
            self.janus.core(self.handle, "slowlink", uplink=True, lost=1)
        self.cut("Janus says too much")

    def test_calls_without_end(self) -> None:
        """As many come in as there are lines, whatever Janus makes up."""
        for place in range(200):
            self.comes(self.janus.handles[place % 3], f"in-{place}")
        self.assertEqual((len(self.desk.calls), self.carrier.lines), (2, (3, 3)))
        self.assertEqual(self.ear.told, [("answered", BRIDGE)])

    def test_others(self) -> None:
        """Another carrier does not notice."""
        other, double, desk = self.make(), JanusDouble(self.clock), Desk()
        other.start(desk)
        double.accept()
        self.janus.raw(json.dumps({"janus": "x" * MOST_FRAME}).encode())
        self.janus.pump()
        double.pump()
        self.assertEqual((self.carrier.is_up, other.is_up), (False, True))

    def test_random(self) -> None:
        """Frames with anything in them: calls end once, and there are as many lines as there were."""
        random = Random(8)
        ears = [self.ear]
        for _ in range(2000):
            if self.janus.is_cut:
                self.reconnect()
            if random.random() < 0.2 and self.carrier.is_up and self.carrier.lines[0] < 3:
                ears.append(self.dial()[1])
            self.say(random)
            self.advance(random.choice([0, 0, 0, 0.5]))
        self.janus.cut()
        ears += [each for _, _, each in self.desk.calls]
        self.assertGreater(len(ears), 25)
        for each in ears:
            self.assertIsInstance(each.end, CarrierEnd)
        self.reconnect()
        self.assertEqual(self.carrier.lines, (0, 3))

    def say(self, random: Random) -> None:
        """Something, of any handle, and of a call that there is, was, or never will be."""
        out = [(int(each["handle_id"]), each["body"]["call_id"]) for each in self.janus.bodies("call")[-3:]]
        incoming = [(each, f"in-{each}") for each in self.janus.handles]
        handle, call = random.choice([*out, *incoming, (5, "in-5"), (0, ""), (self.janus.handles[0], "?")])
        result: dict[str, Any] = {"event": random.choice(EVENTS), "code": random.choice(CODES)}
        if random.random() < 0.5:
            result["headers"] = {"X-SafeNUM": "+354490000001"}
        more: dict[str, Any] = {"jsep": {"sdp": BRIDGE}} if random.random() < 0.5 else {}
        self.janus.event(handle, result, call, **more)
        if random.random() < 0.3:
            self.janus.core(handle, random.choice(["hangup", "webrtcup", "media", "slowlink"]))
