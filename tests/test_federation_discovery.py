"""Where nodes are found: by their web servers, by DNS, at their names; and how long that is believed."""

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from federation import discovery
from federation.discovery import Discovery
from safeum_home.outgoing.addresses import Addresses
from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.places import Place
from safeum_home.outgoing.resolving import NO_SERVICE, Names
from tests.federation_names import ScriptedDns

SERVICE = "_safeum-node._tcp.home.example"


class Web:
    """A client whose web servers are written down here; those that are not cannot be reached."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.held: list[tuple[Deferred[Answer], str]] | None = None

    def request(
        self, place: Place, method: str, path: str, headers: Any, **limits: Any
    ) -> "Deferred[Answer]":
        assert (method, path) == ("GET", "/.well-known/safeum/node")
        assert limits["most"] <= 64 * 1024
        self.asked.append(place.authority)
        answer: Deferred[Answer] = Deferred(lambda it: it.errback(NoAnswer("the request was given up")))
        if self.held is not None:
            self.held.append((answer, place.host))
        else:
            self.answer(answer, place.host)
        return answer

    def answer(self, waiting: "Deferred[Answer]", host: str) -> None:
        if host in self.pages:
            waiting.callback(self.pages[host])
        else:
            waiting.errback(NoAnswer("there is no connection", handed_over=False))


class DiscoveryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.web = Web()
        self.dns = ScriptedDns()
        client: Any = self.web
        resolver: Any = self.dns
        self.discovery = Discovery(self.clock, client, Names(self.clock, resolver, Addresses()))

    def says(self, body: str, cache: str | None = None, status: int = 200) -> None:
        """What the web server of home.example answers from now on."""
        fields = Headers({"Cache-Control": [cache]} if cache is not None else {})
        self.web.pages["home.example"] = Answer(status, body.encode(), fields)

    def find(self, node: str = "home.example") -> Place:
        return self.successResultOf(self.discovery.find(node))

    def assertAsked(self, times: int, after: float = 0.0) -> None:
        """So often is the web server asked in all, `after` so many seconds more."""
        self.clock.advance(after)
        self.discovery.find("home.example").addErrback(lambda _: None)
        self.assertEqual(len(self.web.asked), times)

    def test_as_it_is(self) -> None:
        """A name with a port, and an address: nobody is asked."""
        self.assertEqual(self.find("home.example:8448"), Place("home.example", 8448))
        self.assertEqual(self.find("192.0.2.1"), Place("192.0.2.1"))
        self.assertEqual(self.find("192.0.2.1:8448").authority, "192.0.2.1:8448")
        self.assertEqual((self.web.asked, self.dns.asked), ([], []))

    def test_neither_name_nor_address(self) -> None:
        """What some would take for an address is nowhere."""
        for node in ("127.1", "2130706433", "0x7f000001", "home.0x7f"):
            error = self.failureResultOf(self.discovery.find(node), NoAnswer).value
            self.assertEqual((error.reason, error.handed_over), (NO_SERVICE, False))
        self.assertEqual((self.web.asked, self.dns.asked), ([], []))

    def test_delegated(self) -> None:
        """To a host with a port, without one, or to an address; DNS is not asked then."""
        for server, place, authority in (
            ("node.example:8448", Place("node.example", 8448), "node.example:8448"),
            ("node.example", Place("node.example"), "node.example"),
            ("home.example", Place("home.example"), "home.example"),
            ("[2606:4700::1]:8448", Place("2606:4700::1", 8448), "[2606:4700::1]:8448"),
            ("[::ffff:127.0.0.1]", Place("::ffff:127.0.0.1"), "[::ffff:127.0.0.1]"),
        ):
            self.says(json.dumps({"server": server, "more": [1]}))
            found = self.find()
            self.assertEqual((found, found.authority), (place, authority))
            self.assertEqual(found.targets, ((place.host, place.port),))
            self.clock.advance(3601)
        self.assertEqual(self.dns.asked, [])

    def test_no_delegation_of_a_delegation(self) -> None:
        """Two that delegate to each other are each found at the other; nobody is asked twice."""
        self.says('{"server": "node.example"}')
        self.web.pages["node.example"] = Answer(200, b'{"server": "home.example"}')
        self.assertEqual(
            (self.find(), self.find("node.example")), (Place("node.example"), Place("home.example"))
        )
        self.assertEqual(self.web.asked, ["home.example", "node.example"])

    def test_garbage(self) -> None:
        """A page for people, and what is not the name of a server, delegates to nobody."""
        self.dns.serve(SERVICE, (1, 1, 8448, "other.example"))
        for body in (
            "<html>",
            "",
            "[]",
            "{}",
            '{"server": 5}',
            '{"server": ""}',
            '{"server": "https://node.example"}',
            '{"server": "node.example/path"}',
            '{"server": "node.example:0"}',
            '{"server": "user@node.example"}',
            '{"server": "Node.example"}',
            '{"server": "127.1"}',
            '{"server": "2130706433:80"}',
            '{"server": "[::1%25lo]"}',
            '{"server": "node.example\\r\\nHost: x"}',
            '{"server": "node.example", "server": ""}',
            "[" * 10_000,
        ):
            self.says(body)
            self.assertEqual(self.find().targets, (("other.example", 8448),), body[:40])
            self.clock.advance(3601)

    def test_by_dns(self) -> None:
        """Where the web server does not delegate: connected elsewhere, with a certificate for the name."""
        self.dns.serve(SERVICE, (2, 1, 8449, "b.example"), (1, 1, 8448, "a.example"))
        for status in (404, 410, 403, 301, 302, 204):
            self.says('{"server": "node.example"}', status=status)
            found = self.find()
            self.assertEqual((found.host, found.port, found.authority), ("home.example", 443, "home.example"))
            self.assertEqual(found.targets, (("a.example", 8448), ("b.example", 8449)))
            self.clock.advance(3601)

    def test_at_its_name(self) -> None:
        """Neither: at port 443 of its name."""
        self.says("", status=404)
        self.assertEqual(self.find(), Place("home.example"))
        self.assertEqual(self.find().targets, (("home.example", 443),))

    def test_not_served(self) -> None:
        """DNS says that there is no such service."""
        self.says("", status=404)
        self.dns.serve(SERVICE, (0, 0, 0, ""))
        for _ in range(2):
            self.assertEqual(
                self.failureResultOf(self.discovery.find("home.example")).value.reason, NO_SERVICE
            )
        self.assertEqual(len(self.web.asked), 1)

    def test_kept(self) -> None:
        """An hour at least, 48 at most, and in between what the web server says."""
        hour = 3600
        for cache, hours in (
            (None, 1),
            ("no-store", 1),
            ("max-age=0", 1),
            ("public, max-age=7200", 2),
            ("max-age=86400, must-revalidate", 24),
            ('Max-Age="7200"', 2),
            ("max-age=999999999", 48),
            ("max-age=99999999999999999999", 1),
            ("s-maxage=86400", 1),
            ("max-age=-5", 1),
        ):
            self.setUp()
            self.says('{"server": "node.example"}', cache)
            self.assertAsked(1)
            self.assertAsked(1, hours * hour - 1)
            self.assertAsked(2, 2)

    def test_unreachable(self) -> None:
        """The rest of the list is used; asked again after 5, 10, 20, 40, 60, 60 minutes."""
        self.dns.serve(SERVICE, (1, 1, 8448, "a.example"))
        self.assertEqual(self.find().targets, (("a.example", 8448),))
        for asked, minutes in enumerate((5, 10, 20, 40, 60, 60), 1):
            self.assertAsked(asked, minutes * 60 - 1)
            self.assertAsked(asked + 1, 2)

    def test_web_server_in_trouble(self) -> None:
        """What it said before counts for 48 hours in all."""
        self.says('{"server": "node.example"}')
        self.assertEqual(self.find(), Place("node.example"))
        for status in (500, 503, 429):
            self.says("", status=status)
            self.clock.advance(2 * 3600)
            self.assertEqual(self.find(), Place("node.example"))
        self.assertEqual(len(self.web.asked), 4)
        self.clock.advance(43 * 3600)
        self.assertEqual(self.find(), Place("home.example"))
        self.says('{"server": "other.example"}')
        self.clock.advance(3601)
        self.assertEqual(self.find(), Place("other.example"))

    def test_slow_web_server(self) -> None:
        """It has ten seconds."""
        self.web.held = []
        found = self.discovery.find("home.example")
        self.clock.advance(9.9)
        self.assertNoResult(found)
        self.clock.advance(0.2)
        self.assertEqual(self.successResultOf(found), Place("home.example"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_doubted(self) -> None:
        """A node that is not where it was found is looked for again, though not all the time."""
        self.says('{"server": "node.example"}', "max-age=86400")
        self.assertAsked(1)
        self.discovery.doubt("home.example")
        self.discovery.doubt("unheard-of.example")
        self.assertAsked(1, 299)
        self.assertAsked(2, 2)
        self.assertAsked(2, 3600)
        self.discovery.doubt("home.example")
        self.assertAsked(3)

    def test_one_question(self) -> None:
        """Those that ask meanwhile wait for the same answer; one that gives up does not end it for them."""
        held: list[tuple[Deferred[Answer], str]] = []
        self.web.held = held
        waiting = [self.discovery.find("home.example") for _ in range(3)]
        waiting[0].cancel()
        self.failureResultOf(waiting[0])
        self.assertEqual(len(held), 1)
        self.says('{"server": "node.example"}')
        self.web.answer(*held[0])
        self.assertEqual([self.successResultOf(one) for one in waiting[1:]], [Place("node.example")] * 2)

    def test_bounds(self) -> None:
        """Neither what is kept nor what waits grows without end."""
        self.patch(discovery, "MOST_WAITING", 4)
        self.patch(discovery, "MOST_KEPT", 3)
        held: list[tuple[Deferred[Answer], str]] = []
        self.web.held = held
        nodes = [f"{number}.example" for number in range(3)]
        waiting = [self.discovery.find(node) for node in [*nodes, nodes[0]]]
        for node in (nodes[0], "other.example"):
            self.assertEqual(self.failureResultOf(self.discovery.find(node), NoAnswer).value.reason, TOO_MANY)
        for one_held in held:
            self.web.answer(*one_held)
        for one in waiting:
            self.successResultOf(one)
        self.web.held = None
        asked = len(self.web.asked)
        for node in ("2.example", "1.example", "other.example", "1.example", "2.example"):
            self.find(node)
        self.assertEqual(self.web.asked[asked:], ["other.example"])
        self.find("0.example")
        self.assertEqual(self.web.asked[asked + 1 :], ["0.example"])

    def test_no_room(self) -> None:
        """Where this node has too much under way, nothing is found out, and nothing is kept as found."""
        self.says('{"server": "node.example"}')
        held: list[tuple[Deferred[Answer], str]] = []
        self.web.held = held
        waiting = [self.discovery.find("home.example") for _ in range(2)]
        held[0][0].errback(NoAnswer(TOO_MANY, handed_over=False))
        for one in waiting:
            self.assertEqual(self.failureResultOf(one, NoAnswer).value.reason, TOO_MANY)
        self.web.held = None
        self.assertEqual(self.find(), Place("node.example"))
