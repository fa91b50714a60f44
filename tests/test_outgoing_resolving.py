"""Names become addresses: in order, bounded, and only those that may be connected to."""

import os
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.internet.udp import Port
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.names import dns
from twisted.names.authority import BindAuthority
from twisted.names.server import DNSServerFactory
from twisted.trial.unittest import SynchronousTestCase, TestCase

from safeum_home.outgoing.addresses import Addresses
from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.dns import dns_of
from safeum_home.outgoing.resolving import (
    MOST_ADDRESSES,
    MOST_QUESTIONS,
    MOST_TARGETS,
    NO_SERVICE,
    NOT_ALLOWED,
    TOO_MANY_NAMES,
    UNKNOWN_NAME,
    Names,
)
from tests.federation_names import ScriptedDns

reactor: Any = _reactor


class NamesCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.dns = ScriptedDns()
        self.names = self.asking()

    def asking(self, *networks: str) -> Names:
        return Names(self.clock, self.dns, Addresses(networks), Random(1))  # type: ignore[arg-type]  # as much as is asked

    def addresses(self, *hosts: str, names: Names | None = None) -> list[str]:
        targets = [(host, 443) for host in hosts]
        found = self.successResultOf(Deferred.fromCoroutine((names or self.names).addresses(targets)))
        return [address for address, _port in found]

    def refused(self, *hosts: str) -> str:
        targets = [(host, 443) for host in hosts]
        return self.reason(Deferred.fromCoroutine(self.names.addresses(targets)))

    def reason(self, asked: "Deferred[Any]") -> str:
        error = self.failureResultOf(asked, NoAnswer).value
        self.assertFalse(error.handed_over)
        self.assertNotIn("home.example", str(error))
        return str(error.reason)


class AddressTests(NamesCase):
    def test_by_turns(self) -> None:
        """IPv6 and IPv4 by turns, so that one that does not work costs one attempt."""
        self.dns.say("home.example", "1.1.1.1", "1.1.1.2", "2606:4700::1", "1.1.1.3")
        self.assertEqual(self.addresses("home.example"), ["2606:4700::1", "1.1.1.1", "1.1.1.2", "1.1.1.3"])
        self.assertEqual(len(self.dns.asked), 2)

    def test_one_kind_is_enough(self) -> None:
        """Servers that fail for one kind of address are common."""
        self.dns.say("home.example", "1.1.1.1")
        self.dns.answers["AAAA", "home.example"].clear()
        self.dns.broken("AAAA", "home.example")
        self.assertEqual(self.addresses("home.example"), ["1.1.1.1"])

    def test_one_kind_is_late(self) -> None:
        """A name server that says nothing of IPv6 holds IPv4 up for a moment only."""
        self.dns.say("home.example", "1.1.1.1", "2606:4700::1")
        held: list[tuple[Deferred[Any], Deferred[Any]]] = []
        for late in (False, True):
            held.clear()
            self.dns.held = held
            asked = Deferred.fromCoroutine(self.names.addresses([("home.example", 443)]))
            (six, its_answer), (four, answer) = held
            answer.chainDeferred(four)
            self.clock.advance(0.2)
            self.assertNoResult(asked)
            if late:
                self.clock.advance(0.1)
            its_answer.chainDeferred(six)
            found = [address for address, _port in self.successResultOf(asked)]
            self.assertEqual(found, ["1.1.1.1"] if late else ["2606:4700::1", "1.1.1.1"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_unknown(self) -> None:
        """No such name, no addresses, and a server that fails."""
        self.assertEqual(self.refused("home.example"), UNKNOWN_NAME)
        self.dns.say("empty.example")
        self.assertEqual(self.refused("empty.example"), UNKNOWN_NAME)
        self.dns.broken("A", "broken.example")
        self.dns.broken("AAAA", "broken.example")
        self.assertEqual(self.refused("broken.example"), UNKNOWN_NAME)

    def test_checked(self) -> None:
        """What may not be connected to is left out; where nothing is left, that is why."""
        self.dns.say("home.example", "127.0.0.1", "1.1.1.1", "::ffff:127.0.0.1", "64:ff9b::a00:1")
        self.assertEqual(self.addresses("home.example"), ["1.1.1.1"])
        self.assertEqual(
            self.addresses("home.example", names=self.asking("127.0.0.0/8")),
            ["::ffff:7f00:1", "127.0.0.1", "1.1.1.1"],
        )
        self.dns.say("inner.example", "10.0.0.1", "169.254.169.254", "fd00::1")
        self.assertEqual(self.refused("inner.example"), NOT_ALLOWED)

    def test_literals(self) -> None:
        """An address is checked as one, and nobody is asked."""
        self.assertEqual(self.addresses("1.1.1.1", "2606:4700::1"), ["1.1.1.1", "2606:4700::1"])
        for text in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "0.0.0.0"):
            self.assertEqual(self.refused(text), NOT_ALLOWED)
        self.assertEqual(self.dns.asked, [])

    def test_bounded(self) -> None:
        """However many there are, few are taken, and all of them are checked."""
        self.dns.say("home.example", *(f"10.0.0.{last}" for last in range(250)), "1.1.1.1")
        self.assertEqual(self.refused("home.example"), NOT_ALLOWED)
        self.dns.say("many.example", *(f"1.1.1.{last}" for last in range(250)))
        self.assertEqual(len(self.addresses("many.example")), MOST_ADDRESSES)
        self.assertEqual(len(self.addresses("many.example", "1.2.3.4")), MOST_ADDRESSES)

    def test_questions_are_bounded(self) -> None:
        """Questions that nobody answers take a place each, also when they were given up, until they end."""
        held: list[tuple[Deferred[Any], Deferred[Any]]] = []
        self.dns.held = held
        asked = []
        for number in range(MOST_QUESTIONS // 2):
            self.dns.say(f"{number}.example", "1.1.1.1")
            asked.append(Deferred.fromCoroutine(self.names.addresses([(f"{number}.example", 443)])))
        for one in asked[:5]:
            one.cancel()
            one.addErrback(lambda _: None)
        self.assertEqual(self.refused("home.example"), TOO_MANY_NAMES)
        for later, given in held:
            given.chainDeferred(later)
        self.dns.held = None
        for one in asked[5:]:
            self.assertEqual(self.successResultOf(one), [("1.1.1.1", 443)])
        self.dns.say("home.example", "1.1.1.1")
        self.assertEqual(self.addresses("home.example"), ["1.1.1.1"])


class ServiceTests(NamesCase):
    def service(self) -> Any:
        return self.successResultOf(Deferred.fromCoroutine(self.names.service("_x._tcp.home.example")))

    def test_none(self) -> None:
        """Most names have none."""
        self.assertEqual(self.service(), ())
        self.dns.serve("_x._tcp.home.example")
        self.assertEqual(self.service(), ())

    def test_order(self) -> None:
        """By priority; among equals heavier ones are mostly first."""
        heavy, light = (10, 90, 1, "a.example"), (10, 10, 2, "b.example")
        self.dns.serve("_x._tcp.home.example", (20, 0, 3, "c.example"), light, heavy)
        firsts = []
        for _ in range(200):
            targets = self.service()
            self.assertEqual(targets[2], ("c.example", 3))
            firsts.append(targets[0])
        self.assertEqual(set(firsts), {("a.example", 1), ("b.example", 2)})
        self.assertGreater(firsts.count(("a.example", 1)), 150)

    def test_not_offered(self) -> None:
        """A single "." says so (RFC 2782)."""
        self.dns.serve("_x._tcp.home.example", (0, 0, 0, ""))
        asked = Deferred.fromCoroutine(self.names.service("_x._tcp.home.example"))
        self.assertEqual(self.reason(asked), NO_SERVICE)

    def test_broken(self) -> None:
        """A server that fails says nothing."""
        self.dns.broken("SRV", "_x._tcp.home.example")
        asked = Deferred.fromCoroutine(self.names.service("_x._tcp.home.example"))
        self.assertEqual(self.reason(asked), UNKNOWN_NAME)

    def test_bounded(self) -> None:
        """Few of many, and no targets that cannot be hosts."""
        self.dns.serve("_x._tcp.home.example", *((1, 1, 1, f"{each}.example") for each in range(100)))
        self.assertEqual(len(self.service()), MOST_TARGETS)
        self.dns.answers.clear()
        odd = ((0, "a.example"), (1, "127.1"), (1, "a b"), (9, "B.Example."))
        self.dns.serve("_x._tcp.home.example", *((1, 1, port, target) for port, target in odd))
        self.assertEqual(self.service(), (("b.example", 9),))


ZONE = """$ORIGIN home.example.
$TTL 60
@ IN SOA ns.home.example. root.home.example. 1 60 60 60 60
@ IN A 1.1.1.1
@ IN AAAA 2606:4700::1
node IN A 1.1.1.2
_safeum-node._tcp IN SRV 10 5 8448 node.home.example.
"""


class ServerTests(TestCase):
    """Real questions to a server of DNS, and a file of hosts."""

    timeout = 60

    def setUp(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.hosts = folder / "hosts"
        self.hosts.write_text("127.0.0.1 localhost peer.example\n::1 localhost\n")
        zone = folder / "home.example"
        zone.write_text(ZONE)
        server = DNSServerFactory([BindAuthority(str(zone))])
        protocol = dns.DNSDatagramProtocol(server)
        port: Port = reactor.listenUDP(0, protocol, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        resolver = dns_of(reactor, str(self.hosts), servers=[("127.0.0.1", port.getHost().port)])
        self.names = Names(reactor, resolver, Addresses(["127.0.0.0/8", "::1/128"]))
        self.logged: list[str] = []

        def keep(event: LogEvent) -> None:
            self.logged.append(formatEvent(event))

        observer: Any = keep
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def tearDown(self) -> None:
        """Questions are not written into the log."""
        self.assertEqual(self.logged, [])

    def test_changed_servers(self) -> None:
        """Changed name servers are noticed at the first question a minute later; no timer is left."""
        clock = MemoryReactorClock()
        conf = self.hosts.with_name("resolv.conf")
        conf.write_text("nameserver 127.0.0.2\n")
        resolver: Any = dns_of(clock, str(self.hosts), str(conf))
        self.assertEqual(clock.getDelayedCalls(), [])
        conf.write_text("nameserver 127.0.0.3\n")
        os.utime(conf, (1, 1))
        asked = resolver.resolvers[1]
        for seconds, servers in ((59, [("127.0.0.2", 53)]), (1, [("127.0.0.3", 53)])):
            clock.advance(seconds)
            question = asked.lookupAddress("home.example", (1,))
            self.assertEqual(asked.dynServers, servers)
            clock.advance(1)
            self.failureResultOf(question)
        self.assertEqual(clock.getDelayedCalls(), [])
        self.logged.clear()

    async def test_names(self) -> None:
        """Both kinds of addresses, a service, and a name that is not there."""
        found = await self.names.addresses([("home.example", 443)])
        self.assertEqual(found, [("2606:4700::1", 443), ("1.1.1.1", 443)])
        self.assertEqual(
            await self.names.service("_safeum-node._tcp.home.example"), (("node.home.example", 8448),)
        )
        self.assertEqual(await self.names.service("_safeum-node._tcp.node.home.example"), ())
        with self.assertRaises(NoAnswer):
            await self.names.addresses([("no.home.example", 443)])

    async def test_hosts(self) -> None:
        """What the operator has written into the file of hosts comes first."""
        self.assertEqual(await self.names.addresses([("localhost", 1)]), [("::1", 1), ("127.0.0.1", 1)])
        self.assertEqual(await self.names.addresses([("peer.example", 1)]), [("127.0.0.1", 1)])
