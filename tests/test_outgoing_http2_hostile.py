"""Peers that do not keep to HTTP/2, or say more than anybody asked for."""

from random import Random
from struct import pack

from h2.errors import ErrorCodes
from hpack import Encoder

from safeum_home.outgoing.http2.limits import Http2Limits
from safeum_home.outgoing.http2.pulse import SPARE
from tests.http2_case import Http2Case

UNREADABLE = "the answer cannot be read"
TOO_MUCH = "the other side says too much"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = range(5)
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(5, 10)
END_STREAM, END_HEADERS = 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """RFC 9113, section 4.1."""
    return pack(">I", len(payload))[1:] + bytes((kind, flags)) + pack(">I", stream) + payload


def block(*fields: tuple[str, str]) -> bytes:
    """A block of header fields, as a first one is encoded."""
    return Encoder().encode(fields)


OK = block((":status", "200"))


class HostileCase(Http2Case):
    limits = Http2Limits(seconds=8, quiet=60, tries=0)

    def says(self, *octets: bytes) -> tuple[str, bool]:
        """What becomes of a request whose peer says this."""
        asked = self.ask()
        for each in octets:
            if self.peer.gone:
                break
            self.peer.raw(each)
            self.peers.flush()
        self.advance(5)
        self.assertTrue(self.peer.gone)
        return self.why(asked)


class BrokenTests(HostileCase):
    def test_broken(self) -> None:
        """Each ends the connection; the request may have been processed."""
        for octets in (
            frame(HEADERS, END_HEADERS, 2, OK),
            frame(HEADERS, END_HEADERS, 0, OK),
            frame(HEADERS, END_HEADERS, 99, OK),
            frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff"),
            frame(HEADERS, END_HEADERS, 1, block(("x", "y"))),
            frame(HEADERS, END_HEADERS, 1, block((":status", "200"), (":status", "200"))),
            frame(HEADERS, END_HEADERS, 1, block((":status", "200"), ("X", "y"))),
            frame(HEADERS, END_HEADERS, 1, block((":status", "200"), ("connection", "close"))),
            frame(HEADERS, END_HEADERS, 1, block((":status", "200"), ("content-length", "1")))
            + frame(DATA, END_STREAM, 1, b"more than one"),
            frame(DATA, 0, 1, b"x"),
            frame(DATA, 0, 0, b"x"),
            frame(DATA, 8, 1, b"\xff"),
            frame(CONTINUATION, END_HEADERS, 1, OK),
            frame(HEADERS, 0, 1, OK) + frame(PING, 0, 0, bytes(8)),
            frame(SETTINGS, 0, 0, b"odd"),
            frame(SETTINGS, 0, 1, b""),
            frame(SETTINGS, 0, 0, pack(">HI", 4, 2**31)),
            frame(SETTINGS, 0, 0, pack(">HI", 5, 1)),
            frame(PING, 0, 0, b"short"),
            frame(PING, 0, 1, bytes(8)),
            frame(WINDOW_UPDATE, 0, 0, pack(">I", 0)),
            frame(WINDOW_UPDATE, 0, 0, pack(">I", 2**31 - 1)),
            frame(RST_STREAM, 0, 0, pack(">I", 8)),
            frame(RST_STREAM, 0, 1, b"x"),
            frame(GOAWAY, 0, 0, b"x"),
            frame(PUSH_PROMISE, END_HEADERS, 1, pack(">I", 2) + block((":path", "/"))),
            frame(DATA, 0, 1, b"x" * 20_000),
        ):
            self.assertEqual(self.says(octets), (UNREADABLE, True), octets[:60])

    def test_endless_frame(self) -> None:
        """What looks like the beginning of a frame far beyond the longest is not kept until its end."""
        for octets in (b"HTTP/1.1 200 OK\r\n", b"\xff" * 100):
            self.assertEqual(self.says(*[octets * 100] * 300), (TOO_MUCH, True))

    def test_no_number(self) -> None:
        """A status that is none ends the request, at least."""
        for status in ("2e2", "20", "2000", "²00", ""):
            self.peers.made.clear()
            asked = self.ask()
            self.peer.raw(frame(HEADERS, END_HEADERS | END_STREAM, 1, block((":status", status))))
            self.peers.flush()
            self.assertEqual(self.why(asked), (UNREADABLE, True), status)
            self.out._link.stop()  # type: ignore[union-attr]
            self.peers.flush()

    def test_extensions(self) -> None:
        """Frames and settings that nobody knows are passed over (RFC 9113, section 5.5)."""
        asked = self.ask()
        self.peer.raw(frame(0x77, 0xFF, 1, b"what ever") + frame(SETTINGS, 0, 0, pack(">HI", 0x7777, 1)))
        self.answer(1)
        self.assertEqual(self.successResultOf(asked).status, 200)

    def test_random(self) -> None:
        """Frames of any sort with anything in them: the request ends, and so does the connection."""
        random = Random(6)
        for _ in range(100):
            asked = self.ask()
            peer = self.peer
            while not peer.gone and not asked.called:
                kind, flags = random.randrange(12), random.randrange(256)
                stream = random.choice((0, 1, 1, 1, 3, 2**31 - 1))
                peer.raw(frame(kind, flags, stream, random.randbytes(random.choice((0, 4, 5, 8, 30, 300)))))
                self.peers.flush()
            self.advance(8)
            self.assertTrue(asked.called)

    def test_mutated(self) -> None:
        """What a peer says at its best, with octets changed."""
        random = Random(7)
        good = frame(SETTINGS, 0, 0, pack(">HI", 3, 100)) + frame(HEADERS, END_HEADERS, 1, OK)
        good += frame(DATA, END_STREAM, 1, b'{"reason":"BadDeviceToken"}')
        for _ in range(200):
            octets = bytearray(good)
            for _ in range(random.randrange(1, 4)):
                octets[random.randrange(len(octets))] = random.randrange(256)
            asked = self.ask()
            self.peer.raw(bytes(octets))
            self.peers.flush()
            self.peer.transport.loseConnection()
            self.advance(8)
            self.assertTrue(asked.called)


class FloodTests(HostileCase):
    limits = Http2Limits(seconds=1000, quiet=2000, kept_seconds=9000, answer=20_000, tries=0)

    def flood(self, octets: bytes) -> tuple[str, bool]:
        """The same again and again, up to four times what may be spare."""
        return self.says(*[octets * (8192 // len(octets) + 1)] * (4 * SPARE // 8192))

    def test_floods(self) -> None:
        """Whatever brings no answer nearer is only so much."""
        for octets in (
            frame(PING, 0, 0, bytes(8)),
            frame(PING, 1, 0, bytes(8)),
            frame(SETTINGS, 0, 0, b""),
            frame(SETTINGS, 0, 0, pack(">HI", 4, 65_535)),
            frame(SETTINGS, 1, 0, b""),
            frame(WINDOW_UPDATE, 0, 0, pack(">I", 1)),
            frame(WINDOW_UPDATE, 0, 1, pack(">I", 1)),
            frame(PRIORITY, 0, 1, pack(">IB", 0, 1)),
            frame(0x77, 0, 0, b"unheard of"),
        ):
            self.assertEqual(self.flood(octets), (TOO_MUCH, True), octets)

    def test_empty_data(self) -> None:
        """A body of nothing that does not end."""
        head = frame(HEADERS, END_HEADERS, 1, OK)
        empty = [frame(DATA, 0, 1, b"") * 1000] * 30
        self.assertEqual(self.says(head, *empty), (TOO_MUCH, True))

    def test_padding(self) -> None:
        """A body of padding."""
        head = frame(HEADERS, END_HEADERS, 1, OK)
        padding = [frame(DATA, 8, 1, b"\xff" + bytes(255)) * 30] * 30
        self.assertEqual(self.says(head, *padding), (TOO_MUCH, True))

    def test_continuation(self) -> None:
        """A head without an end: empty pieces, and full ones."""
        for piece in (b"", b"x" * 16_000):
            begin = frame(HEADERS, 0, 1, piece)
            reason, handed_over = self.says(begin, *[frame(CONTINUATION, 0, 1, piece)] * 100)
            self.assertIn(reason, (UNREADABLE, TOO_MUCH))
            self.assertTrue(handed_over)

    def test_informational(self) -> None:
        """Interim answers without an end: they are part of how long an answer may be."""
        interim = frame(HEADERS, END_HEADERS, 1, block((":status", "103"), ("x", "y" * 4000)))
        asked = self.ask()
        for _ in range(6):
            self.peer.raw(interim)
            self.peers.flush()
        self.assertEqual(self.why(asked), ("the answer is too long", True))
        self.assertEqual(self.peer.reset, [(1, ErrorCodes.CANCEL)])

    def test_oversize(self) -> None:
        """A list of header fields that unpacks to far more than was sent: not unpacked to its end."""
        encoder = Encoder()
        first = encoder.encode([(":status", "200"), ("x", "y" * 3000)])
        for times in (1000, 6):
            many = frame(HEADERS, END_HEADERS, 1, first + b"\xbe" * times)
            self.assertEqual(self.says(many), (UNREADABLE, True))

    def test_table(self) -> None:
        """A peer that wants this side to keep more than it does, and one that changes its mind a lot."""
        asked = self.ask()
        self.peer.raw(frame(SETTINGS, 0, 0, pack(">HI", 1, 2**32 - 1) + pack(">HI", 1, 0)))
        self.answer(1)
        self.assertEqual(self.successResultOf(asked).status, 200)
        self.ask()
        self.assertEqual(self.peer.streams, [1, 3])

    def test_late_answers(self) -> None:
        """Answers to a stream that was given up, without an end."""
        first, second = self.ask(), self.ask()
        first.cancel()
        self.peers.flush()
        for _ in range(60):
            if not self.peer.gone:
                self.peer.raw(frame(HEADERS, END_HEADERS, 1, OK) * 200)
                self.peers.flush()
        self.advance(5)
        self.assertEqual(self.why(second), (TOO_MUCH, True))

    def test_refreshed(self) -> None:
        """Over time a peer may say as much as it likes: a PING now and then is no flood."""
        asked = self.ask()
        for _ in range(20):
            self.peer.raw(frame(PING, 0, 0, bytes(8)) * 1000)
            self.advance(10)
        self.answer(1)
        self.assertEqual(self.successResultOf(asked).status, 200)

    def test_answers_are_no_flood(self) -> None:
        """Much more than what is spare, of what was asked for, and all at once."""
        asked = [self.ask() for _ in range(500)]
        for stream in self.peer.streams:
            self.peer.h2.send_headers(stream, [(":status", "400"), ("id", f"{stream:036}")])
            self.peer.h2.send_data(stream, b"x" * 100, end_stream=True)
        self.peer.flush()
        self.peers.flush()
        self.assertEqual({self.successResultOf(each).status for each in asked}, {400})
