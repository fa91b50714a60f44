"""Requests to nodes by their names: whom, where, signed for whom; and one over real connections."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from federation.destinations import LONGEST_KEYS, NO_KEYS, NOT_DEALT_WITH, Allows, Destinations
from federation.discovery import Discovery
from federation.way_out import way_out
from safeum_home.config import FederationSection
from safeum_home.outgoing.answers import IN_TIME, TLS_FAILED, TOO_MANY, NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.places import Place
from safeum_home.outgoing.resolving import NOT_ALLOWED
from safeum_home.protocol.federation.transactions import ASK_PATH, HELLO_PATH, TRANSACTIONS_PATH
from tests.federation_net import NetCase, reactor

HERE, PEER = "here.example", "peer.example"
PLACE = Place("node.peer.example", 8448)
PATH = "/_safeum/federation/v1/transactions/abc/1"


def everybody(_node: str) -> bool:
    """Whom a node has to do with, where nobody is refused."""
    return True


class Signer:
    """Signs, and notes what."""

    def __init__(self) -> None:
        self.signed: list[tuple[str, str, bytes, str]] = []

    def __call__(self, method: str, target: str, body: bytes, destination: str) -> Mapping[str, str]:
        self.signed.append((method, target, body, destination))
        return {"Signature": f"of {len(self.signed)}", "Content-Digest": "sha-256=::"}


class Finder:
    """Finds the peer, or waits."""

    def __init__(self) -> None:
        self.answer: Deferred[Place] = succeed(PLACE)
        self.doubted: list[str] = []

    def find(self, node: str, reserved: bool = False) -> "Deferred[Place]":
        assert node == PEER
        self.reserved = reserved
        return self.answer

    def doubt(self, node: str) -> None:
        self.doubted.append(node)


class Way:
    """A client that answers what it was set to."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.answer: Deferred[Answer] = succeed(Answer(200, b"{}"))

    def request(self, *what: Any) -> "Deferred[Answer]":
        self.requests.append(what)
        return self.answer


class DestinationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.way, self.finder, self.signer = Way(), Finder(), Signer()
        self.to = self.destinations(everybody)

    def destinations(self, allows: Allows) -> Destinations:
        way: Any = self.way
        finder: Any = self.finder
        return Destinations(self.clock, HERE, way, finder, allows, self.signer, 30.0)

    def refused(self, asked: "Deferred[Any]") -> NoAnswer:
        error: NoAnswer = self.failureResultOf(asked, NoAnswer).value
        self.assertIsNone(error.__context__)
        self.assertNotIn(PEER, repr(error))
        return error

    def test_signed(self) -> None:
        """The signature is for the node, wherever it is served, and is made anew each time."""
        for number in (1, 2):
            asked = self.to.request(PEER, "PUT", PATH, b'{"events":[]}', 1000)
            self.assertEqual(self.successResultOf(asked).status, 200)
            place, method, path, headers, body, most, _ = self.way.requests.pop()
            self.assertEqual((place, method, path, body, most), (PLACE, "PUT", PATH, b'{"events":[]}', 1000))
            self.assertEqual(headers["Signature"], f"of {number}")
            self.assertEqual((headers["Content-Type"], headers["Accept"]), ("application/json",) * 2)
        self.assertEqual(self.signer.signed, [("PUT", PATH, b'{"events":[]}', PEER)] * 2)

    def test_reserved(self) -> None:
        """Transactions alone may use what is kept for them."""
        for method, path, reserved in (
            ("PUT", f"{TRANSACTIONS_PATH}{'A' * 22}/1", True),
            ("POST", HELLO_PATH, False),
            ("POST", f"{ASK_PATH}account.find", False),
        ):
            self.successResultOf(self.to.request(PEER, method, path, b"{}"))
            self.assertEqual((self.way.requests.pop()[6], self.finder.reserved), (reserved, reserved))

    def test_empty(self) -> None:
        """A request without a body is signed with an empty one."""
        self.successResultOf(self.to.request(PEER, "GET", "/x?y=z"))
        self.assertEqual(self.signer.signed, [("GET", "/x?y=z", b"", PEER)])
        self.assertIsNone(self.way.requests[0][4])
        self.assertNotIn("Content-Type", self.way.requests[0][3])

    def test_keys(self) -> None:
        """They are asked for without a signature, and are short."""
        self.assertEqual(self.successResultOf(self.to.fetch_keys(PEER)), b"{}")
        place, method, path, headers, body, most, _ = self.way.requests[0]
        self.assertEqual(
            (place, method, path, body, most), (PLACE, "GET", "/_safeum/key/v1", None, LONGEST_KEYS)
        )
        self.assertEqual((headers, self.signer.signed), ({"Accept": "application/json"}, []))
        for status in (204, 302, 404, 503):
            self.way.answer = succeed(Answer(status, b"{}"))
            self.assertEqual(self.refused(self.to.fetch_keys(PEER)).reason, NO_KEYS)

    def test_not_dealt_with(self) -> None:
        """This node itself, and those that are not allowed: nobody is looked for, nothing is signed."""
        closed = self.destinations(lambda node: node != PEER)
        for to, node in ((self.to, HERE), (closed, PEER)):
            asked: Deferred[Any]
            for asked in (to.request(node, "GET", "/x"), to.fetch_keys(node)):
                error = self.refused(asked)
                self.assertEqual((error.reason, error.handed_over), (NOT_DEALT_WITH, False))
        self.assertEqual((self.way.requests, self.signer.signed), ([], []))

    def test_doubt(self) -> None:
        """What cannot be reached is looked for again; what has answered, or was not tried, is not."""
        for error, doubted in (
            (NoAnswer("TLS failed", handed_over=False), [PEER]),
            (NoAnswer("the connection broke off"), []),
            (NoAnswer(TOO_MANY, handed_over=False), []),
        ):
            self.finder.doubted.clear()
            self.way.answer = fail(error)
            told = self.refused(self.to.request(PEER, "GET", "/x"))
            self.assertEqual((told.reason, told.handed_over), (error.reason, error.handed_over))
            self.assertEqual(self.finder.doubted, doubted)

    def test_time(self) -> None:
        """Finding and asking have one time together; what was not begun was not handed over."""
        self.finder.answer = Deferred()
        asked = self.to.request(PEER, "GET", "/x")
        self.clock.advance(30.1)
        error = self.refused(asked)
        self.assertEqual((error.reason, error.handed_over), (IN_TIME, False))
        self.finder.answer = Deferred()
        self.way.answer = Deferred(lambda it: it.errback(NoAnswer("the request was given up")))
        asked = self.to.request(PEER, "GET", "/x")
        self.clock.advance(20)
        self.finder.answer.callback(PLACE)
        self.clock.advance(9)
        self.assertNoResult(asked)
        self.clock.advance(1.1)
        error = self.refused(asked)
        self.assertEqual((error.reason, error.handed_over), (IN_TIME, True))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_signing_fails(self) -> None:
        """A failure of one's own is not the peer's."""

        def broken(*_: Any) -> Mapping[str, str]:
            raise ZeroDivisionError

        way: Any = self.way
        finder: Any = self.finder
        to = Destinations(self.clock, HERE, way, finder, everybody, broken)
        self.failureResultOf(to.request(PEER, "GET", "/x"), ZeroDivisionError)


class DelegationTests(NetCase):
    """Names, a web server that delegates, and a node: all of them real but for their addresses."""

    def setUp(self) -> None:
        super().setUp()
        self.moved = self.names("127.0.0.1/32")
        client = self.client(self.moved)
        discovery = Discovery(reactor, client, self.moved)
        self.to = Destinations(reactor, HERE, client, discovery, everybody, Signer())

    async def test_delegated(self) -> None:
        """The certificate is for the host that was delegated to; the web server sees no request."""
        web, node = self.node(PEER), self.node("node.peer.example")
        self.moved.ports[PEER] = web.port
        served = f'{{"server": "node.peer.example:{node.port}"}}'
        web.served.pages[b"/.well-known/safeum/node"] = served.encode()
        for _ in range(2):
            self.assertEqual((await self.to.request(PEER, "PUT", "/ok", b"{}")).body, b"ok")
        node.served.pages[b"/_safeum/key/v1"] = b'{"verify_keys":{}}'
        self.assertEqual(await self.to.fetch_keys(PEER), b'{"verify_keys":{}}')
        self.assertEqual([each.path for each in web.served.requests], [b"/.well-known/safeum/node"])
        self.assertEqual([each.path for each in node.served.requests], [b"/ok", b"/ok", b"/_safeum/key/v1"])
        self.assertEqual(node.served.requests[1].getHeader("Signature"), "of 2")
        self.assertEqual((web.connections, node.connections), (1, 1))

    async def test_delegated_inside(self) -> None:
        """A stranger's web server leads nobody into the operator's network."""
        web = self.node(PEER)
        inside = self.node("inside.example", interface="127.0.0.2")
        self.moved.ports[PEER] = web.port
        for host in ("[::ffff:127.0.0.2]", "[64:ff9b::7f00:2]", "127.0.0.2", "inside.example", "[::1]"):
            web.served.pages[b"/.well-known/safeum/node"] = b'{"server": "%s:%d"}' % (
                host.encode(),
                inside.port,
            )
            discovery = Discovery(reactor, self.client(self.moved), self.moved)
            self.to._discovery = discovery
            with self.assertRaises(NoAnswer) as caught:
                await self.to.request(PEER, "GET", "/ok")
            self.assertEqual((caught.exception.reason, caught.exception.handed_over), (NOT_ALLOWED, False))
        self.assertEqual(inside.connections, 0)

    async def test_redirected(self) -> None:
        """A redirect delegates to nobody, and is not followed: the node is at its name then."""
        web, inside = self.node(PEER), self.node("inside.example", interface="127.0.0.2")
        self.moved.ports[PEER] = web.port

        def redirect(request: Any) -> bytes:
            if b"well-known" in request.path:
                request.redirect(b"https://127.0.0.2:%d/ok" % inside.port)
            return b"here"

        web.served.missing = redirect  # type: ignore[method-assign]
        self.assertEqual((await self.to.request(PEER, "GET", "/x")).body, b"here")
        self.assertEqual(inside.connections, 0)

    async def test_as_configured(self) -> None:
        """Put together from a configuration: its CA and its networks."""
        node = self.node(PEER)
        resolver: Any = self.dns
        section = FederationSection(ca=str(self.ca), networks=["127.0.0.1/32"])
        to = way_out(reactor, HERE, section, everybody, Signer(), resolver)
        self.addCleanup(to.close)
        self.assertEqual((await to.request(f"{PEER}:{node.port}", "PUT", "/ok", b"{}")).body, b"ok")
        for other, reason in (
            (FederationSection(ca=str(self.ca)), NOT_ALLOWED),
            (FederationSection(networks=["127.0.0.1/32"]), TLS_FAILED),
        ):
            to = way_out(reactor, HERE, other, everybody, Signer(), resolver)
            self.addCleanup(to.close)
            with self.assertRaises(NoAnswer) as caught:
                await to.request(f"{PEER}:{node.port}", "PUT", "/ok", b"{}")
            self.assertEqual(caught.exception.reason, reason)

    async def test_roots_that_cannot_be_read(self) -> None:
        """They keep the node from starting, not from verifying."""
        resolver: Any = self.dns
        for content, error in ((None, OSError), (b"", ValueError), (b"no certificate", ValueError)):
            path = self.ca.with_name("other.pem")
            if content is not None:
                path.write_bytes(content)
            with self.assertRaises(error):
                way_out(reactor, HERE, FederationSection(ca=str(path)), everybody, Signer(), resolver)
