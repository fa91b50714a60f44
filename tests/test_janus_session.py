"""Sessions with Janus: opened, kept, lost and begun anew."""

from base64 import b64encode
from hashlib import sha1
from hmac import digest
from typing import Any

from bridges.safenum.janus.requests import OFFER, Decline, Jsep, Request
from bridges.safenum.janus.settings import read
from bridges.safenum.janus.token import SECONDS
from safeum_home.config import ConfigError
from tests.janus_case import BRIDGE, LOST, SECRETS, Ear, JanusCase


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
