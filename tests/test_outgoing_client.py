"""The client over real connections: whom it believes, where it connects, what it puts up with."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.protocols.wire import Echo

from safeum_home.outgoing.answers import IN_TIME, TLS_FAILED, TOO_LONG, TOO_MANY
from safeum_home.outgoing.places import Place
from safeum_home.outgoing.resolving import NOT_ALLOWED, UNKNOWN_NAME
from tests.certificates import Authority
from tests.federation_net import NetCase, Node, reactor

NAME = "home.example"


class TrustTests(NetCase):
    async def test_right_name(self) -> None:
        """Host, SNI and the certificate are for the name; the connection is kept, and looked up once."""
        node = self.node(NAME)
        client = self.client()
        for _ in range(3):
            answer = await client.request(Place(NAME, node.port), "GET", "/ok", {})
            self.assertEqual((answer.status, answer.body), (200, b"ok"))
        self.assertEqual((node.connections, node.server_names), (1, [NAME.encode()]))
        self.assertEqual(self.dns.asked, [("AAAA", NAME), ("A", NAME)])
        self.assertEqual(node.served.requests[0].getHeader("Host"), f"{NAME}:{node.port}")
        await client.close()
        await self.ended()

    async def test_by_service(self) -> None:
        """Where DNS names another host the certificate is for the name all the same."""
        node = self.node(NAME)
        self.dns.say("node.other.example", "127.0.0.1")
        place = Place(NAME, services=(("node.other.example", node.port),))
        self.assertEqual((await self.client().request(place, "GET", "/ok", {})).body, b"ok")
        self.assertEqual(node.served.requests[0].getHeader("Host"), NAME)
        self.assertEqual(node.server_names, [NAME.encode()])
        other = self.node("node.other.example")
        place = Place(NAME, services=(("node.other.example", other.port),))
        self.assertEqual((await self.refused(self.client(), place)).reason, TLS_FAILED)

    async def test_address(self) -> None:
        """A certificate for an address; there is no SNI for one (RFC 6066)."""
        node = self.node("127.0.0.1")
        self.assertEqual(
            (await self.client().request(Place("127.0.0.1", node.port), "GET", "/ok", {})).status, 200
        )
        self.assertEqual(node.server_names, [None])
        node = self.node(NAME)
        self.assertEqual(
            (await self.refused(self.client(), Place("127.0.0.1", node.port))).reason, TLS_FAILED
        )

    async def test_who_is_not_believed(self) -> None:
        """Another name, a certificate that is over, self-signed, of another authority: nothing is sent."""
        stranger = Authority()
        for what, tls in (
            ("another name", self.authority.server("other.example")),
            ("below the name", self.authority.server(f"*.{NAME}")),
            ("over", self.authority.server(NAME, days=-1)),
            ("its own", self.authority.server(NAME, own=True)),
            ("another authority", stranger.server(NAME)),
            ("another authority of the same name", Authority().server(NAME)),
        ):
            node = Node(self, tls)
            self.dns.say(NAME, "127.0.0.1")
            error = await self.refused(self.client(), Place(NAME, node.port))
            self.assertEqual((error.reason, node.served.requests), (TLS_FAILED, []), what)
            self.assertFalse(error.handed_over, what)
        await self.ended()

    async def test_platform_roots(self) -> None:
        """Without a CA of the operator's those of the machine are trusted, and no other."""
        node = self.node(NAME)
        self.assertEqual(
            (await self.refused(self.client(ca=False), Place(NAME, node.port))).reason, TLS_FAILED
        )

    async def test_clear_text(self) -> None:
        """A peer that does not speak TLS."""
        factory = Factory.forProtocol(Echo)
        factory.noisy = False
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.dns.say(NAME, "127.0.0.1")
        error = await self.refused(self.client(), Place(NAME, port.getHost().port))
        self.assertEqual(error.reason, TLS_FAILED)


class WhereTests(NetCase):
    async def test_rebinding(self) -> None:
        """A name that is public when it is first looked up, and leads inside the second time."""
        node = self.node(NAME, interface="127.0.0.2")
        self.dns.say(NAME, "127.0.0.1")
        inside = Node(self, self.authority.server(NAME), "127.0.0.1")
        # What is allowed here stands for a public address.
        client = self.client(self.names("127.0.0.2/32"))
        self.assertEqual((await client.request(Place(NAME, node.port), "GET", "/ok", {})).status, 200)
        self.assertEqual(len(self.dns.asked), 2)
        await client.close()
        error = await self.refused(client, Place(NAME, node.port))
        self.assertEqual((error.reason, error.handed_over), (NOT_ALLOWED, False))
        self.assertEqual((node.connections, inside.connections), (1, 0))

    async def test_inside(self) -> None:
        """Addresses of the machine are not connected to, in any way of writing them."""
        node = self.node("localhost", NAME)
        client = self.client(self.names("192.0.2.0/24"))
        for host in (
            "localhost",
            "127.0.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::1",
            "0.0.0.0",
            "::",
        ):
            self.assertEqual((await self.refused(client, Place(host, node.port))).reason, NOT_ALLOWED, host)
            place = Place(NAME, services=((host, node.port),))
            self.assertEqual((await self.refused(client, place)).reason, NOT_ALLOWED, host)
        self.assertEqual(node.connections, 0)

    async def test_next_address(self) -> None:
        """Where one address does not answer the next one is tried."""
        self.dns.say(NAME, "127.0.0.3", "127.0.0.1")
        node = self.node(NAME)
        self.assertEqual((await self.client().request(Place(NAME, node.port), "GET", "/ok", {})).status, 200)

    async def test_nobody(self) -> None:
        """No such name, and nobody there."""
        client = self.client()
        self.assertEqual((await self.refused(client, Place("no.example"))).reason, UNKNOWN_NAME)
        node = self.node(NAME, interface="127.0.0.2")
        self.dns.answers.clear()
        self.dns.say(NAME, "127.0.0.3")
        error = await self.refused(client, Place(NAME, node.port))
        self.assertEqual((error.reason, error.handed_over), ("the connection is refused", False))


class BoundTests(NetCase):
    async def test_redirect(self) -> None:
        """It is an answer like others, and not followed."""
        node = self.node(NAME)
        answer = await self.client().request(Place(NAME, node.port), "GET", "/moved", {})
        self.assertEqual((answer.status, len(node.served.requests)), (302, 1))

    async def test_retry_after(self) -> None:
        """It is passed on as it came."""
        node = self.node(NAME)
        answer = await self.client().request(Place(NAME, node.port), "PUT", "/later", {}, b"{}")
        self.assertEqual((answer.status, answer.retry_after, answer.body), (503, "17", b"{}"))

    async def test_endless_body(self) -> None:
        """It is cut at the cap, or earlier where the request says so (CVE-2021-21274, CVE-2022-41952)."""
        for most in (None, 100):
            node = self.node(NAME)
            error = await self.refused(
                self.client(answer=100_000), Place(NAME, node.port), "/endless", most=most
            )
            self.assertEqual((error.reason, error.handed_over), (TOO_LONG, True))
            await node.served.gone
        await self.ended()

    async def test_slow_answers(self) -> None:
        """Octet by octet, or none at all: the cap is on all of it."""
        for path in ("/drip", "/silent"):
            node = self.node(NAME)
            error = await self.refused(self.client(seconds=0.6), Place(NAME, node.port), path)
            self.assertEqual((error.reason, error.handed_over), (IN_TIME, True))
            await node.served.gone
        await self.ended()

    async def test_silent_dns(self) -> None:
        """Looking up counts too."""
        self.dns.say(NAME, "127.0.0.1")
        self.dns.held = []
        error = await self.refused(self.client(seconds=0.2), Place(NAME))
        self.assertEqual(error.reason, IN_TIME)
        await self.ended()

    async def test_at_once(self) -> None:
        """So many to all nodes together; one that hangs has so many of them at most."""
        node, other = self.node(NAME), self.node("other.example")
        client = self.client(requests=3, at_once=1, waiting=1)
        place = Place(NAME, node.port)
        hanging = [client.request(place, "GET", "/silent", {}) for _ in range(2)]
        elsewhere = Place("other.example", other.port)
        self.assertEqual((await client.request(elsewhere, "GET", "/ok", {})).status, 200)
        self.assertEqual((await self.refused(client, place)).reason, TOO_MANY)
        hanging.append(client.request(elsewhere, "GET", "/silent", {}))
        error = await self.refused(client, elsewhere)
        self.assertEqual((error.reason, error.handed_over), (TOO_MANY, False))
        await client.close()
        for one in hanging:
            await self.assertFailure(one, Exception)
        self.assertEqual((await client.request(elsewhere, "GET", "/ok", {})).status, 200)
        self.assertLessEqual(node.connections, 1)

    async def test_reserve(self) -> None:
        """Whatever hangs, there is room left for what waits for other nodes."""
        node, other = self.node(NAME), self.node("other.example")
        client = self.client(requests=8, at_once=2, waiting=4)
        place, elsewhere = Place(NAME, node.port), Place("other.example", other.port)
        hanging = [client.request(place, "GET", "/silent", {}) for _ in range(6)]
        self.assertEqual((await self.refused(client, elsewhere)).reason, TOO_MANY)
        answer = await client.request(elsewhere, "GET", "/ok", {}, reserved=True)
        self.assertEqual(answer.status, 200)
        # At the very node, too, that does not answer questions.
        answer = await client.request(place, "GET", "/ok", {}, reserved=True)
        self.assertEqual(answer.status, 200)
        hanging += [client.request(place, "GET", "/silent", {}, reserved=True) for _ in range(2)]
        self.assertEqual((await self.refused(client, elsewhere, reserved=True)).reason, TOO_MANY)
        await client.close()
        for one in hanging:
            await self.assertFailure(one, Exception)

    async def test_kept_connections(self) -> None:
        """Those of the places that were not asked for longest are closed first; none that is in use."""
        nodes = [self.node(f"{number}.example") for number in range(4)]
        client = self.client(places=2)
        busy: Deferred[Any] = client.request(Place("0.example", nodes[0].port), "GET", "/drip", {})
        for number in (1, 2, 3, 2, 3):
            await client.request(Place(f"{number}.example", nodes[number].port), "GET", "/ok", {})
        self.assertLessEqual(len(client._places), 3)
        self.assertFalse(busy.called)
        self.assertEqual((nodes[1].connections, nodes[3].connections), (1, 2))
        busy.cancel()
        await self.assertFailure(busy, Exception)
