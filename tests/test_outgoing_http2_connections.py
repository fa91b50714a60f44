"""HTTP/2 in memory: connections that are silent, idle, left, refused, and cut off."""

from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from OpenSSL import SSL
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.python.failure import Failure

from safeum_home.outgoing.http2.client import Http2
from safeum_home.outgoing.http2.limits import Http2Limits
from safeum_home.outgoing.http2.wire import LAST_STREAM
from tests.http2_case import FIELDS, Http2Case

BROKE_OFF = "the connection broke off"
NOT_PROCESSED = "the other side does not process it"
IN_TIME = "there was no answer in time"


class LifeTests(Http2Case):
    limits = Http2Limits(seconds=30, quiet=4, kept_seconds=60)

    def test_silent(self) -> None:
        """A peer that says nothing is asked whether it is there, then cut off."""
        asked = self.ask()
        for _ in range(4):
            self.advance(4)
        self.assertEqual(self.peer.pings, 4)
        self.peer.deaf = True
        self.advance(4)
        self.assertNoResult(asked)
        self.advance(4)
        self.assertEqual(self.why(asked), (IN_TIME, True))
        self.advance(5)
        self.assertTrue(self.peer.gone)

    def test_slow(self) -> None:
        """One that is only slow answers the PING, and is waited for."""
        asked = self.ask()
        for _ in range(4):
            self.advance(4)
        self.answer(1)
        self.assertEqual(self.successResultOf(asked).status, 200)

    def test_answers_pings_alone(self) -> None:
        """One that answers nothing but PINGs is left, and the next request goes another way."""
        self.ask()
        self.answer(1)
        self.advance(1)
        asked = self.ask()
        for _ in range(8):
            self.advance(4)
        self.assertEqual(self.why(asked), (IN_TIME, True))
        self.assertFalse(self.peer.deaf)
        again = self.ask()
        self.assertEqual([peer.streams for peer in self.peers.made], [[1, 3], [1]])
        self.answer(1)
        self.assertEqual(self.successResultOf(again).status, 200)

    def test_no_room(self) -> None:
        """One that gives no room for a request until that is too late is left likewise."""
        self.ask()
        self.answer(1)
        self.peer.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 0})
        self.peer.flush()
        self.advance(1)
        asked = self.ask()
        for _ in range(8):
            self.advance(4)
        self.assertEqual(self.why(asked), (IN_TIME, False))
        self.ask()
        self.assertEqual([peer.streams for peer in self.peers.made], [[1], [1]])

    def test_one_is_late(self) -> None:
        """One that has answered others meanwhile is kept."""
        late = self.ask()
        for stream in (3, 5, 7, 9, 11, 13, 15, 17):
            self.ask()
            self.answer(stream)
            self.advance(4)
        self.assertEqual(self.why(late), (IN_TIME, True))
        self.ask()
        self.assertEqual(len(self.peers.made), 1)

    def test_idle(self) -> None:
        """A connection that is not used is closed after a while; the next request makes another."""
        self.ask()
        self.answer(1)
        for _ in range(14):
            self.advance(4)
        self.assertFalse(self.peer.gone)
        self.ask()
        self.answer(3)
        for _ in range(16):
            self.advance(4)
        self.assertTrue(self.peer.gone)
        self.ask()
        self.assertEqual([peer.streams for peer in self.peers.made], [[1, 3], [1]])

    def test_resting(self) -> None:
        """One that is kept is asked now and then whether it is there, and not only when it is needed."""
        self.out = Http2(self.clock, "push.example", self.peers, Http2Limits(kept_seconds=200))
        self.ask()
        self.answer(1)
        for _ in range(32):
            self.advance(4)
        self.assertEqual((self.peer.pings, self.peer.gone), (2, False))
        self.peer.deaf = True
        for _ in range(20):
            self.advance(4)
        self.assertTrue(self.peer.gone)

    def test_greeting(self) -> None:
        """A peer that is connected to and says nothing is left again; nothing was sent."""
        self.peers.mute = True
        asked = self.ask()
        self.advance(4)
        self.advance(4)
        self.assertEqual(self.why(asked), (IN_TIME, False))

    def test_close(self) -> None:
        """What is under way ends, and nothing is asked any more."""
        asked = self.ask()
        closed = self.out.close()
        self.assertNoResult(closed)
        self.assertEqual(self.why(asked), ("the request was given up", True))
        self.peers.flush()
        self.successResultOf(closed)
        self.assertTrue(self.peer.gone)
        self.assertEqual(self.why(self.ask()), ("the request was given up", False))
        self.successResultOf(self.out.close())


class ConnectionTests(Http2Case):
    limits = Http2Limits(at_once=4, tries=2)

    def test_leaves(self) -> None:
        """GOAWAY: what it has not processed is asked elsewhere at once, the rest is answered where it was."""
        asked = [self.ask(f"/{number}") for number in range(6)]
        first = self.peer
        first.goes_away(3)
        self.peers.flush()
        self.assertEqual([head[":path"] for _, head in self.peer.asked], ["/2", "/3", "/4", "/5"])
        self.assertEqual(self.peer.bodies, {1: b"body", 3: b"body", 5: b"body", 7: b"body"})
        self.assertFalse(first.gone)
        first.answer(1, 201)
        first.answer(3, 202)
        self.peers.flush()
        self.assertTrue(first.gone)
        for stream in (1, 3, 5, 7):
            self.answer(stream)
        self.assertEqual(
            [self.successResultOf(each).status for each in asked], [201, 202, 200, 200, 200, 200]
        )

    def test_leaves_in_two_steps(self) -> None:
        """First it asks for nothing new, then it says where it stopped; answers come with it."""
        asked = [self.ask(f"/{number}") for number in range(3)]
        first = self.peer
        first.goes_away(LAST_STREAM)
        first.answer(1)
        self.peers.flush()
        self.assertEqual(len(self.peers.made), 1)
        fourth = self.ask("/3")
        self.assertEqual(len(self.peers.made), 2)
        first.goes_away(3)
        first.answer(3)
        self.peers.flush()
        self.assertEqual([head[":path"] for _, head in self.peer.asked], ["/3", "/2"])
        self.assertTrue(first.gone)
        for stream in (1, 3):
            self.answer(stream)
        self.assertEqual([self.successResultOf(each).status for each in [*asked, fourth]], [200] * 4)

    def test_never_processed(self) -> None:
        """A peer that leaves each time is not asked for ever."""
        asked = self.ask()
        for made in range(1, 4):
            self.assertEqual(len(self.peers.made), made)
            self.assertNoResult(asked)
            self.peer.goes_away(0, ErrorCodes.ENHANCE_YOUR_CALM)
            self.peers.flush()
        self.assertEqual(self.why(asked), (NOT_PROCESSED, False))

    def test_nothing_allowed(self) -> None:
        """One that allows no stream, and goes: not for ever, either."""
        self.peers.settings = {SettingCodes.MAX_CONCURRENT_STREAMS: 0}
        asked = self.ask()
        for _ in range(3):
            self.assertNoResult(asked)
            self.peer.transport.loseConnection()
            self.peers.flush()
        self.assertEqual(self.why(asked), (NOT_PROCESSED, False))

    def test_refused(self) -> None:
        """A stream that the peer refuses is asked again, and not for ever."""
        asked = [self.ask(), self.ask()]
        self.peer.refuse(3)
        self.peers.flush()
        self.assertEqual(self.peer.streams, [1, 3, 5])
        self.peer.refuse(5)
        self.peer.refuse(1, ErrorCodes.INTERNAL_ERROR)
        self.peers.flush()
        self.assertEqual(self.why(asked[0]), ("the other side broke the request off", True))
        self.peer.refuse(7)
        self.peers.flush()
        self.assertEqual(self.why(asked[1]), (NOT_PROCESSED, False))

    def test_breaks_off(self) -> None:
        """What is under way may have been processed; what waits goes on to the next connection."""
        asked = [self.ask(f"/{number}") for number in range(6)]
        self.answer(1)
        self.peer.transport.loseConnection()
        self.peers.flush()
        self.assertEqual(self.successResultOf(asked[0]).status, 200)
        self.assertEqual([self.why(each) for each in asked[1:5]], [(BROKE_OFF, True)] * 4)
        self.assertEqual([head[":path"] for _, head in self.peer.asked], ["/5"])
        self.answer(1)
        self.assertEqual(self.successResultOf(asked[5]).status, 200)

    def test_not_there(self) -> None:
        """Nothing was sent; the next request tries again."""
        self.peers.refuses = Refused()
        self.assertEqual(self.why(self.ask()), ("the connection is refused", False))
        self.peers.refuses = None
        asked = self.ask()
        self.answer(1)
        self.assertEqual(self.successResultOf(asked).status, 200)

    def test_another_protocol(self) -> None:
        """Without `h2` agreed nothing is sent."""
        for agreed in (None, b"http/1.1"):
            self.peers.agreed = agreed
            self.assertEqual(self.why(self.ask()), ("the other side does not speak HTTP/2", False))
            self.assertEqual(self.peer.asked, [])

    def test_refused_protocol(self) -> None:
        """A server may refuse while TLS is agreed on: that has an alert of its own."""
        for words, why in (
            ("tlsv1 alert no application protocol", "the other side does not speak HTTP/2"),
            ("tlsv1 alert internal error", "TLS failed"),
        ):
            self.peers.agreed = None
            asked = self.out.request(b"POST", b"/", FIELDS)
            self.peers.clients.pop().connectionLost(Failure(SSL.Error([("SSL routines", "", words)])))
            self.assertEqual(self.why(asked), (why, False))
            self.peers.forget()

    def test_used_up(self) -> None:
        """Numbers of streams are not used twice: after the last there is another connection."""
        self.ask()
        link = self.out._link
        assert link is not None
        link._wire.highest_outbound_stream_id = LAST_STREAM - 2
        last, next_one = self.ask(), self.ask()
        self.assertEqual([peer.streams for peer in self.peers.made], [[1, LAST_STREAM], [1]])
        self.peers.made[0].answer(LAST_STREAM)
        self.answer(1)
        self.assertEqual([self.successResultOf(each).status for each in (last, next_one)], [200, 200])

    def test_few_connections(self) -> None:
        """One that is left with answers outstanding again and again: the oldest connection is cut off."""
        asked = []
        for _ in range(6):
            asked.append(self.ask())
            self.peer.goes_away(1)
            self.peers.flush()
        self.advance(5)
        self.assertEqual([peer.gone for peer in self.peers.made], [True, True, False, False, False, False])
        self.assertEqual([self.why(each) for each in asked[:2]], [(BROKE_OFF, True)] * 2)
