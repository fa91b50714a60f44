"""The way that media takes: what the other offers, and the addresses that it names meanwhile."""

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.calling.media import Flow, Relay
from safeum_home.client.calling.payloads import Candidate, DescriptionKind
from safeum_home.client.calling.way import MOST_CANDIDATES, OFFERS, Way
from tests.calls_media import FakeLink, FakeNetwork, FakeSource


class Told:
    """`way.Described`."""

    def __init__(self) -> None:
        self.answered: list[int] = []

    def describe(self, kind: DescriptionKind, epoch: int, sdp: str) -> None:
        self.answered.append(epoch)

    def say(self, payload: Candidate) -> None:
        """Nothing of it is looked at here."""

    def flow(self, flow: Flow) -> None:
        """Nor of this."""


class WayTests(SynchronousTestCase):
    def setUp(self) -> None:
        network = FakeNetwork()
        self.offer = self.successResultOf(FakeLink(network, [], {}, lambda flow: None).offer())
        self.source, self.clock, self.told = FakeSource(network), Clock(), Told()
        self.asked: list[Deferred[Sequence[Relay]]] = []
        self.way = Way(self.source, self.relays, self.clock, video=False, relay_only=False)
        self.way.attach(self.told)

    def relays(self) -> "Deferred[Sequence[Relay]]":
        self.asked.append(Deferred())
        return self.asked[-1]

    def answer(self) -> None:
        """What was asked of the node is there."""
        asked, self.asked = self.asked, []
        for each in asked:
            each.callback([])

    def test_addresses_before_the_link(self) -> None:
        """Those that the other names while the relay is asked for are tried, of this epoch and no more."""
        self.way.offered(0, self.offer)
        self.way.candidate(0, "of the one before")
        self.way.offered(1, self.offer)
        self.way.candidate(0, "of the one before")
        lines = [f"address {number}" for number in range(MOST_CANDIDATES + 1)]
        for line in lines:
            self.way.candidate(1, line)
        self.answer()
        self.way.candidate(1, "one more")
        [link] = self.source.links
        self.assertEqual(link.candidates, lines[:MOST_CANDIDATES])
        self.assertEqual(self.told.answered, [1])

    def test_addresses_in_time(self) -> None:
        """What comes later goes to the link at once."""
        self.way.offered(0, self.offer)
        self.way.candidate(0, "early")
        self.answer()
        self.way.candidate(0, "late")
        self.assertEqual(self.source.links[0].candidates, ["early", "late"])

    def test_many_offers(self) -> None:
        """Each opens sockets: a few are answered at once, then the newest of those in a second."""
        for epoch in range(200):
            self.way.offered(epoch, self.offer)
            self.answer()
        self.assertEqual(self.told.answered, list(range(OFFERS)))
        self.assertEqual(self.way.epoch, 199)
        self.assertTrue(all(link.closed for link in self.source.links))
        self.way.candidate(199, "early")
        self.clock.advance(1)
        self.answer()
        self.assertEqual(self.told.answered, [*range(OFFERS), 199])
        self.assertEqual(self.source.links[-1].candidates, ["early"])
        self.clock.advance(10)
        self.assertEqual((len(self.source.links), self.asked), (OFFERS + 1, []))

    def test_closed_meanwhile(self) -> None:
        """An offer that waits is not answered any more."""
        for epoch in range(OFFERS + 1):
            self.way.offered(epoch, self.offer)
        self.way.close()
        self.clock.advance(10)
        self.answer()
        self.assertEqual((self.source.links, self.clock.getDelayedCalls()), ([], []))
