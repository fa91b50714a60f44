"""Two devices of a call: they agree on keys, see the same words, and find a way for their media."""

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.link import LinkState
from safeum_home.client.calling.link_machine import GRACE, PATIENCE, PAUSES, WITHOUT
from safeum_home.client.calling.media import Flow
from safeum_home.client.calling.way import MOST_CANDIDATES
from safeum_home.client.sas import TABLE, words
from safeum_home.protocol.call_types import MOST_HELLO, MOST_SIGNAL
from tests.calls_links import Pairing

CONNECTED = (LinkState.CONNECTED, LinkState.CONNECTED)


class LinkCase(SynchronousTestCase):
    """A pairing whose timers are all gone at the end."""

    def pairing(self, **options: object) -> Pairing:
        pairing = Pairing(**options)  # type: ignore[arg-type]
        self.addCleanup(self._ended, pairing)
        return pairing

    def _ended(self, pairing: Pairing) -> None:
        pairing.close()
        self.assertEqual(pairing.clock.getDelayedCalls(), [])


class ConnectingTests(LinkCase):
    def test_connected(self) -> None:
        """Keys, words and media, with what a responder says first and all that follows from it."""
        pairing = self.pairing().connect()
        self.assertEqual(pairing.states, CONNECTED)
        self.assertIsNotNone(pairing.ann.link.words)
        self.assertEqual(pairing.ann.link.words, pairing.ben.link.words)
        self.assertEqual(len(pairing.network.open), 2)
        self.assertEqual(pairing.ann.told[-1], LinkState.CONNECTED)

    def test_words_differ_each_time(self) -> None:
        """They follow from what was agreed on for this once."""
        self.assertNotEqual(self.pairing().connect().ann.link.words, self.pairing().connect().ann.link.words)

    def test_sizes(self) -> None:
        """What is said fits what the node takes."""
        pairing = self.pairing().begin()
        self.assertLessEqual(len(pairing.opening.hello), MOST_HELLO)
        self.assertLessEqual(len(pairing.ben.link.response), MOST_HELLO)
        pairing.ben.link.respond()
        pairing.ann.link.signal(pairing.ben.said.pop())
        self.assertTrue(pairing.ann.said)
        self.assertLessEqual(max(map(len, pairing.ann.said)), MOST_SIGNAL)

    def test_nothing_before_it_is_known_who_it_is(self) -> None:
        """Whoever has not shown itself is offered nothing, and told no address."""
        pairing = self.pairing().begin()
        self.assertEqual((pairing.ann.said, pairing.ann.source.links), ([], []))
        self.assertEqual(pairing.ben.source.links, [])

    def test_lost_response(self) -> None:
        """It is said again until it was heard, and so is what answers it."""
        pairing = self.pairing().begin()
        pairing.ben.link.respond()
        pairing.ben.said.clear()
        pairing.clock.advance(5)
        pairing.ann.link.signal(pairing.ben.said.pop())
        pairing.ann.said.clear()
        pairing.clock.advance(5)
        pairing.run()
        self.assertIs(pairing.ben.link.state, LinkState.CONNECTING)
        self.assertEqual(pairing.ann.link.words, pairing.ben.link.words)
        pairing.clock.advance(PATIENCE)
        pairing.run()
        pairing.clock.advance(PAUSES[0])
        pairing.run()
        self.assertEqual(pairing.states, CONNECTED)

    def test_lost_reveal(self) -> None:
        """What is sealed behind it waits, and it is asked for at once."""
        pairing = self.pairing().begin()
        pairing.ben.link.respond()
        pairing.deliver(pairing.ben, pairing.ann)
        self.assertEqual(len(pairing.ann.said), 3)  # control, and an offer, are behind it
        pairing.ann.said.pop(0)
        pairing.run()
        self.assertEqual(pairing.states, CONNECTED)
        self.assertEqual(len(pairing.network.open), 2)

    def test_controls(self) -> None:
        """What one sends the other knows."""
        pairing = self.pairing(kind="video").connect()
        self.assertEqual((pairing.ben.link.muted, pairing.ben.link.video), (False, True))
        pairing.ann.link.control(muted=True, video=False)
        pairing.run()
        self.assertEqual((pairing.ben.link.muted, pairing.ben.link.video), (True, False))
        self.assertEqual(pairing.ann.source.links[-1].sends, (False, False))

    def test_candidates(self) -> None:
        """Addresses found late are told, in their epoch and up to a bound."""
        pairing = self.pairing().connect()
        for number in range(MOST_CANDIDATES + 10):
            pairing.ann.source.on_candidates[0](f"candidate:{number}")
            pairing.ann.source.on_candidates[0]("candidate:\r\na=setup:active")
        pairing.run()
        self.assertEqual(len(pairing.ben.source.links[0].candidates), MOST_CANDIDATES)
        self.assertEqual(pairing.ben.source.links[0].candidates[1], "candidate:1")

    def test_bye(self) -> None:
        """Hanging up ends it at the other side, and wipes the keys."""
        pairing = self.pairing().connect()
        pairing.ann.link.close()
        pairing.run()
        self.assertIs(pairing.ben.link.why, CallEnd.HANGUP)
        self.assertEqual(pairing.states, (LinkState.OVER, LinkState.OVER))

    def test_bye_without_node(self) -> None:
        """It ends where the media is closed, whether or not anything can be said."""
        pairing = self.pairing().connect()
        pairing.ann.link.close()
        pairing.ann.said.clear()
        self.assertIsNone(pairing.ben.link.why)
        pairing.clock.advance(GRACE)
        self.assertIs(pairing.ben.link.why, CallEnd.HANGUP)
        other = self.pairing().connect()
        other.ben.link.close()
        other.ben.said.clear()
        self.assertIs(other.ann.link.why, CallEnd.HANGUP)


class TryingAgainTests(LinkCase):
    def test_another_way(self) -> None:
        """One that has failed is replaced, in the same call and with the same words."""
        pairing = self.pairing().connect()
        before = pairing.ann.link.words
        pairing.network.cut()
        self.assertEqual(pairing.states, (LinkState.CONNECTING, LinkState.CONNECTING))
        pairing.clock.advance(PAUSES[0])
        pairing.run()
        self.assertEqual(pairing.states, CONNECTED)
        self.assertEqual(pairing.ann.link.words, before)
        self.assertEqual(len(pairing.network.links), 4)

    def test_seen_by_the_responder_alone(self) -> None:
        """Then it says so, and is offered another one."""
        pairing = self.pairing().connect()
        pairing.ben.source.links[0].set(Flow.FAILED)
        pairing.run()
        self.assertIs(pairing.ann.link.state, LinkState.CONNECTING)
        pairing.clock.advance(PAUSES[0])
        pairing.run()
        self.assertEqual(pairing.states, CONNECTED)

    def test_mute_is_kept(self) -> None:
        """Another way does not speak where the one before was silent."""
        pairing = self.pairing().connect()
        pairing.ann.link.control(muted=True, video=False)
        pairing.network.cut()
        pairing.clock.advance(PAUSES[0])
        pairing.run()
        self.assertEqual(pairing.ann.source.links[1].sends, (False, False))

    def test_no_way(self) -> None:
        """After a few tries it is over, at both ends."""
        pairing = self.pairing()
        pairing.network.blocked = True
        pairing.connect()
        for _ in range(int(WITHOUT) + 10):
            pairing.clock.advance(1)
            pairing.run()
        self.assertEqual((pairing.ann.link.why, pairing.ben.link.why), (CallEnd.FAILED, CallEnd.FAILED))
        self.assertEqual(len(pairing.ann.source.links), 1 + len(PAUSES))

    def test_stale_links_are_not_heard(self) -> None:
        """What was given up cannot end what has come after it."""
        pairing = self.pairing().connect()
        old = pairing.ann.source.links[0]
        pairing.network.cut()
        pairing.clock.advance(PAUSES[0])
        pairing.run()
        old.closed = False
        old.set(Flow.CLOSED)
        self.assertEqual(pairing.states, CONNECTED)

    def test_relay_only(self) -> None:
        """Without a relay there is no link that could tell one's address."""
        pairing = self.pairing().begin()
        pairing.ann.link._way = pairing.ann.way(relay_only=True)
        pairing.ben.link.respond()
        pairing.run()
        pairing.clock.pump([1.0] * 30)
        self.assertEqual(pairing.ann.source.links, [])
        self.assertIs(pairing.ann.link.why, CallEnd.FAILED)


class WordsTests(SynchronousTestCase):
    def test_table(self) -> None:
        """64 of them, of which no two are alike."""
        self.assertEqual(len({each.symbol for each in TABLE}), 64)
        self.assertEqual(len({each.name for each in TABLE}), 64)
        self.assertEqual((TABLE[0].name, TABLE[21].symbol, TABLE[63].name), ("Dog", "☁️", "Pin"))

    def test_bits(self) -> None:
        """42 bits are emoji, the 39 behind them numbers."""
        first = words(bytes(11))
        self.assertEqual([each.name for each in first.emoji], ["Dog"] * 7)
        self.assertEqual(first.numbers, ("1000", "1000", "1000"))
        last = words(b"\xff" * 11)
        self.assertEqual([each.name for each in last.emoji], ["Pin"] * 7)
        self.assertEqual(last.numbers, ("9191", "9191", "9191"))
        bits = "000001" + "000000" * 5 + "000010" + f"{1:013b}" + f"{256:013b}" + f"{8000:013b}" + "1" * 7
        one = words(int(bits, 2).to_bytes(11, "big"))
        self.assertEqual([each.name for each in one.emoji], ["Cat"] + ["Dog"] * 5 + ["Lion"])
        self.assertEqual(one.numbers, ("1001", "1256", "9000"))
        self.assertEqual(str(first), "Dog Dog Dog Dog Dog Dog Dog · 1000 1000 1000")
