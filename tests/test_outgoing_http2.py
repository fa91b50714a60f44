"""HTTP/2 in memory: streams, windows and times."""

from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.http2.limits import Http2Limits
from tests.http2_case import Http2Case

IN_TIME = "there was no answer in time"


class StreamTests(Http2Case):
    limits = Http2Limits(waiting=3, at_once=4)

    def test_request(self) -> None:
        """What is sent, and what is made of the answer."""
        asked = self.ask("/3/device/ab", b"the body")
        ((stream, head),) = self.peer.asked
        self.assertEqual(
            head,
            {
                ":method": "POST",
                ":scheme": "https",
                ":authority": "push.example:2197",
                ":path": "/3/device/ab",
                "user-agent": "test",
                "authorization": "bearer secret",
                "own": "mine",
            },
        )
        self.assertEqual(self.peer.bodies[stream], b"the body")
        fields = {"retry-after": "7", "x": "y"}
        self.peer.answer(stream, 429, b"later", fields)
        self.peers.flush()
        answer = self.successResultOf(asked)
        self.assertEqual((answer.status, answer.body, answer.retry_after), (429, b"later", "7"))
        self.assertEqual(answer.header("X"), "y")

    def test_without_a_body(self) -> None:
        """The stream ends with the header fields."""
        asked = self.ask(body=b"")
        self.assertEqual((self.peer.bodies, self.peer.whole), ({}, [1]))
        self.answer(1)
        self.assertEqual(self.successResultOf(asked).status, 200)

    def test_fields_that_change(self) -> None:
        """Fields are understood at the other side whatever came before, also when it keeps none of them."""
        for size in (4096, 0, 100, 4096):
            for number in range(6):
                fields = ((b"first", b"%d" % (number // 3)), (b"long", b"x" * 200), (b"empty", b""))
                own = ((b"own", b"y" * (60 * number)), (b"first", b"mine"), (b"none", b""))
                self.asked.append(self.out.request(b"POST", b"/path", (*fields, fields[0]), own))
                self.peers.flush()
                stream, head = self.peer.asked[-1]
                wanted = {name.decode(): value.decode() for name, value in (*fields, *own)}
                self.assertEqual({name: head[name] for name in wanted}, wanted)
                self.answer(stream)
            self.peer.h2.update_settings({SettingCodes.HEADER_TABLE_SIZE: size})
            self.peer.flush()
            self.peers.flush()

    def test_many_at_once(self) -> None:
        """On one connection, answered in any order."""
        asked = [self.ask(f"/{number}") for number in range(4)]
        for stream in reversed(self.peer.streams):
            self.answer(stream, 200 + stream)
        self.assertEqual([self.successResultOf(each).status for each in asked], [201, 203, 205, 207])
        self.assertEqual(len(self.peers.made), 1)

    def test_own_limit(self) -> None:
        """What is beyond waits its turn; what is beyond that is refused, and was never sent."""
        asked = [self.ask() for _ in range(8)]
        self.assertEqual(self.peer.streams, [1, 3, 5, 7])
        self.assertEqual(self.why(asked.pop()), ("too many requests are waiting", False))
        for stream in (1, 3, 5, 7, 9, 11, 13):
            self.answer(stream)
        self.assertEqual([self.successResultOf(each).status for each in asked], [200] * 7)

    def test_peers_limit(self) -> None:
        """Nothing is asked beyond what the peer allows, nor when it allows less than before."""
        self.peers.settings = {SettingCodes.MAX_CONCURRENT_STREAMS: 1}
        for _ in range(3):
            self.ask()
        self.assertEqual(self.peer.streams, [1])
        self.peer.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 2})
        self.peer.flush()
        self.peers.flush()
        self.assertEqual(self.peer.streams, [1, 3])
        self.peer.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 0})
        self.peer.flush()
        self.answer(1)
        self.answer(3)
        self.assertEqual(self.peer.streams, [1, 3])

    def test_informational_answers(self) -> None:
        """They are not the answer, and trailers add nothing to it."""
        asked = self.ask()
        self.peer.h2.send_headers(1, [(":status", "103"), ("x", "y")])
        self.peer.h2.send_headers(1, [(":status", "200")])
        self.peer.h2.send_data(1, b"body")
        self.peer.h2.send_headers(1, [("x", "y")], end_stream=True)
        self.peer.flush()
        self.peers.flush()
        self.assertEqual(self.successResultOf(asked), Answer(200, b"body"))

    def test_padded(self) -> None:
        """Padding is no part of the body, and is given back to the window."""
        for stream in range(1, 601, 2):
            asked = self.ask()
            self.peer.h2.send_headers(stream, [(":status", "200")])
            self.peer.h2.send_data(stream, b"body", end_stream=True, pad_length=255)
            self.peer.flush()
            self.peers.flush()
            self.assertEqual(self.successResultOf(asked).body, b"body")

    def test_forgotten(self) -> None:
        """The library keeps little of streams that have ended."""
        for stream in range(1, 6001, 2):
            asked = self.ask()
            self.answer(stream)
            self.assertEqual(self.successResultOf(asked).status, 200)
        link = self.out._link
        assert link is not None
        self.assertLess(len(link._wire.streams), 1100)


class ProvingTests(Http2Case):
    proves = staticmethod(lambda answer: answer.status != 403)

    def test_one_at_first(self) -> None:
        """One request at a time, until the peer has answered one as it should; on each connection anew."""
        asked = [self.ask() for _ in range(6)]
        self.assertEqual(self.peer.streams, [1])
        self.answer(1, 403)
        self.assertEqual(self.peer.streams, [1, 3])
        self.answer(3)
        self.assertEqual(self.peer.streams, [1, 3, 5, 7, 9, 11])
        self.peer.goes_away(5)
        self.peers.flush()
        self.assertEqual(self.peer.streams, [1])
        self.assertEqual([each.called for each in asked], [True, True, False, False, False, False])


class WindowTests(Http2Case):
    limits = Http2Limits(answer=60_000)

    def test_outgoing(self) -> None:
        """A body waits for the peer's window, is sent in pieces, and nothing further is begun meanwhile."""
        self.peers.settings = {SettingCodes.INITIAL_WINDOW_SIZE: 10}
        first = self.ask(body=b"0123456789abcdef")
        second = self.ask()
        self.assertEqual((self.peer.streams, self.peer.bodies), ([1], {1: b"0123456789"}))
        self.peer.h2.increment_flow_control_window(3, 1)
        self.peer.flush()
        self.peers.flush()
        self.assertEqual(self.peer.bodies, {1: b"0123456789abc"})
        self.peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 100})
        self.peer.flush()
        self.peers.flush()
        self.assertEqual(self.peer.bodies, {1: b"0123456789abcdef", 3: b"body"})
        self.answer(1)
        self.answer(3)
        self.assertEqual(self.successResultOf(first).status, self.successResultOf(second).status)

    def test_frames(self) -> None:
        """A body that is longer than a frame is sent in several."""
        asked = self.ask(body=b"x" * 40_000)
        self.assertEqual(self.peer.bodies, {1: b"x" * 40_000})
        self.answer(1)
        self.successResultOf(asked)

    def test_incoming(self) -> None:
        """What was read is given back: many long answers come through, one after another."""
        for stream in range(1, 41, 2):
            asked = self.ask()
            self.peer.h2.send_headers(stream, [(":status", "200")])
            for last in (False, False, True):
                self.peer.h2.send_data(stream, b"x" * 15_000, end_stream=last)
            self.peer.flush()
            self.peers.flush()
            self.assertEqual(len(self.successResultOf(asked).body), 45_000)

    def test_answered_early(self) -> None:
        """A peer that does not want the rest of the body does not get it."""
        self.peers.settings = {SettingCodes.INITIAL_WINDOW_SIZE: 10}
        asked = self.ask(body=b"x" * 100)
        self.answer(1, 413)
        self.assertEqual(self.successResultOf(asked).status, 413)
        self.assertEqual(self.peer.reset, [(1, ErrorCodes.CANCEL)])
        self.ask(body=b"short")
        self.assertEqual(self.peer.bodies[3], b"short")

    def test_too_long(self) -> None:
        """Its stream is given up; the connection serves on."""
        asked = self.ask()
        self.peer.h2.send_headers(1, [(":status", "200"), ("x", "y" * 1000)])
        for _ in range(4):
            self.peer.h2.send_data(1, b"x" * 14_900)
            self.peer.flush()
            self.peers.flush()
        self.assertEqual(self.why(asked), ("the answer is too long", True))
        self.assertEqual(self.peer.reset, [(1, ErrorCodes.CANCEL)])
        self.ask()
        self.assertEqual((self.peer.streams, len(self.peers.made)), ([1, 3], 1))


class TimeTests(Http2Case):
    limits = Http2Limits(seconds=6, quiet=50, at_once=1)

    def test_too_late(self) -> None:
        """Each has its own time; what was never sent is told as such."""
        first, second = self.ask(), self.ask()
        self.advance(3)
        third = self.ask()
        self.advance(3)
        self.assertEqual(self.why(first), (IN_TIME, True))
        self.assertEqual(self.why(second), (IN_TIME, False))
        self.assertNoResult(third)
        self.assertEqual(self.peer.reset, [(1, ErrorCodes.CANCEL)])
        self.advance(3)
        self.assertEqual(self.why(third), (IN_TIME, True))

    def test_late_answer(self) -> None:
        """An answer that nobody waits for any more harms nothing."""
        first, second = self.ask(), self.ask()
        first.cancel()
        self.answer(1, body=b"late")
        self.assertEqual(self.why(first), ("the request was given up", True))
        self.answer(3)
        self.assertEqual(self.successResultOf(second).status, 200)

    def test_cancelled(self) -> None:
        """One that waits is not sent, one that is under way is given up: then there is room."""
        first, second, third = self.ask(), self.ask(), self.ask()
        second.cancel()
        self.assertEqual(self.why(second), ("the request was given up", False))
        first.cancel()
        self.peers.flush()
        self.assertEqual(self.why(first), ("the request was given up", True))
        self.assertEqual(self.peer.streams, [1, 3])
        self.answer(3)
        self.assertEqual(self.successResultOf(third).status, 200)
