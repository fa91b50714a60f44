"""The direct path for whole frames does what autobahn's own path does."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.gateway.fastpath import frame_end, unmask
from safeum_home.gateway.limits import EdgeLimits
from tests.gateway_support import CLOSED, CLOSING, OPEN, Peer, Session, StockWebSocket, frame

SMALL = EdgeLimits(frame=300, fragments=6)

texts = st.text(max_size=90).map(str.encode)
payloads = st.one_of(
    texts,
    st.binary(max_size=20),
    st.sampled_from([b"", b"x" * 125, b"x" * 126, b"x" * 127, b"x" * 300, b"x" * 301, "é".encode() * 70]),
)
masks = st.binary(min_size=4, max_size=4)
firsts = st.sampled_from(
    [0x81] * 12 + [0x01, 0x00, 0x80, 0x82, 0x88, 0x89, 0x89, 0x8A, 0x83, 0x8B, 0xC1, 0x09]
)
frames = st.one_of(
    st.builds(frame, payloads, firsts, masks),
    st.builds(frame, texts, st.just(0x81), masks),
    st.builds(frame, texts, st.just(0x81), masks, st.sampled_from([2, 8])),
    st.builds(lambda text: b"\x81" + bytes([len(text) & 0x7F]) + text, texts),
    st.binary(min_size=1, max_size=12),
    st.just(b"\x81\xff" + (2**40).to_bytes(8, "big") + b"abcd"),
    st.just(frame(b"\x03\xe8bye", 0x88)),
)
streams = st.lists(frames, max_size=12).map(b"".join)


def run(peer: Peer, octets: bytes, cuts: list[int], pauses: set[int], closes: int) -> dict[str, Any]:
    """Feed `octets` cut at `cuts`; the session pauses, or closes, when it gets its n-th message."""

    def on_received(session: Session, payload: bytes) -> None:
        count = len(session.payloads)
        if count in pauses:
            session.connection.pause_reading()
        if count == closes:
            session.connection.close(4000, "enough")
        session.connection.write(b"<%d>" % len(payload))

    peer.open().session.on_received = on_received
    at = 0
    for cut in [*sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]:
        # TCP may still deliver what it had read already when reading was paused.
        peer.receive(octets[at:cut])
        at = cut
    paused = list(peer.session.events)
    for _ in pauses:
        peer.websocket.resume_reading()
        peer.clock.advance(0)
    return {
        "paused": paused,
        "events": peer.session.events,
        "sent": peer.sent(),
        "state": peer.state,
        "disconnecting": peer.transport.disconnecting,
        "local": (peer.websocket.localCloseCode, peer.websocket.localCloseReason),
        "remote": (peer.websocket.remoteCloseCode, peer.websocket.remoteCloseReason),
        "clean": (peer.websocket.wasClean, peer.websocket.closedByMe, peer.websocket.failedByMe),
        "rest": peer.websocket.data,
    }


class EquivalenceTests(SynchronousTestCase):
    @given(
        streams,
        st.lists(st.integers(0, 4000), max_size=6),
        st.sets(st.integers(1, 6), max_size=3),
        st.integers(1, 12),
    )
    @example(frame(b"one") + frame(b"two") + frame(b"three"), [], {1, 2}, 12)
    @example(frame(b"x" * 300) + frame(b"x" * 301) + frame(b"y"), [], set(), 12)
    @example(frame(b"one") + frame(b"two") + frame(b"\x03\xe8", 0x88), [7], set(), 1)
    @example(frame(b"a") + frame(b"ping", 0x89) + frame(b"b") + frame(b"\xff") + frame(b"c"), [], set(), 12)
    def test_same_as_stock(self, octets: bytes, cuts: list[int], pauses: set[int], closes: int) -> None:
        fast = run(Peer(limits=SMALL), octets, cuts, pauses, closes)
        stock = run(Peer(StockWebSocket, limits=SMALL), octets, cuts, pauses, closes)
        if fast["state"] == CLOSED:
            fast["rest"] = stock["rest"] = b""
        self.assertEqual(fast, stock)

    @given(st.binary(max_size=300), masks)
    def test_unmask_is_its_own_inverse(self, payload: bytes, mask: bytes) -> None:
        expected = bytes(octet ^ mask[i % 4] for i, octet in enumerate(payload))
        self.assertEqual(unmask(mask, payload), expected)
        self.assertEqual(unmask(mask, expected), payload)

    @given(payloads, firsts, st.binary(max_size=5))
    def test_frame_end(self, payload: bytes, first: int, before: bytes) -> None:
        whole = frame(payload, first)
        self.assertEqual(frame_end(before + whole + b"after", len(before)), len(before + whole))
        for cut in range(min(len(whole), 14)):
            self.assertGreater(frame_end(before + whole[:cut], len(before)), len(before) + cut)


class DirectPathTests(SynchronousTestCase):
    """What the path is for, on its own and without the other to compare it with."""

    def setUp(self) -> None:
        self.peer = Peer().open()
        self.session = self.peer.session

    def test_a_burst_in_one_read(self) -> None:
        texts = [b"", b"a", b"x" * 125, b"y" * 126, b"z" * 65535, "日本".encode()]
        self.peer.receive(b"".join(map(frame, texts)))
        self.assertEqual(self.session.payloads, texts)

    def test_largest_message(self) -> None:
        self.peer.receive(frame(b"x" * 65536))
        self.assertEqual(self.session.payloads, [b"x" * 65536])

    def test_one_octet_too_many(self) -> None:
        self.peer.receive(frame(b"x" * 65537))
        self.assertEqual(self.session.payloads, [])
        self.assertEqual(self.peer.websocket.localCloseCode, 1009)
        self.assertEqual(self.peer.state, CLOSING)

    def test_a_limit_below_what_the_direct_path_could_take(self) -> None:
        peer = Peer(limits=SMALL).open()
        peer.receive(frame(b"x" * 300) + frame(b"x" * 301))
        self.assertEqual(peer.session.payloads, [b"x" * 300])
        self.assertEqual(peer.websocket.localCloseCode, 1009)

    def test_too_long_is_refused_at_its_header(self) -> None:
        self.peer.receive(b"\x81\xff" + (2**62).to_bytes(8, "big") + b"abcd")
        self.assertEqual(self.peer.websocket.localCloseCode, 1009)
        for _ in range(50):
            self.peer.receive(b"x" * 65536)
        self.assertEqual(self.peer.websocket.data, b"")
        self.assertEqual(self.peer.websocket.message_data, [])

    def test_a_frame_in_single_octets_is_not_gathered_again_and_again(self) -> None:
        for octet in frame(b"x" * 3000):
            self.peer.receive(bytes([octet]))
            self.assertLess(len(self.peer.websocket.data), 14)
        self.assertEqual(self.session.payloads, [b"x" * 3000])

    def test_nothing_while_paused_then_the_rest_in_order(self) -> None:
        self.session.on_received = lambda session, payload: session.connection.pause_reading()
        self.peer.receive(frame(b"1") + frame(b"2") + frame(b"ping", 0x89))
        self.assertEqual(self.session.payloads, [b"1"])
        self.assertEqual(self.peer.transport.producerState, "paused")
        self.peer.receive(frame(b"3"))
        self.assertEqual(self.session.payloads, [b"1"])
        self.session.connection.resume_reading()
        self.assertEqual(self.session.payloads, [b"1"], "not in the middle of the call")
        self.peer.clock.advance(0)
        self.assertEqual(self.session.payloads, [b"1", b"2"])
        self.assertEqual(self.peer.sent(), b"")
        self.session.connection.resume_reading()
        self.peer.clock.advance(0)
        self.assertEqual(self.session.payloads, [b"1", b"2", b"3"])
        self.assertEqual(self.peer.sent(), b"\x8a\x04ping")

    def test_nothing_after_close_but_closed(self) -> None:
        self.session.on_received = lambda session, payload: session.connection.close(4001, "no more")
        self.peer.receive(frame(b"1") + frame(b"2") + frame(b"\x0f\xa1", 0x88))
        self.assertEqual(self.peer.sent(), b"\x88\x09\x0f\xa1no more")
        self.peer.websocket.connectionLost()
        self.assertEqual(self.session.events, [b"1", "closed"])

    def test_text_that_is_not_utf8(self) -> None:
        for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"abc\xe2\x82"):
            peer = Peer().open()
            peer.receive(frame(b"good") + frame(bad) + frame(b"more"))
            self.assertEqual(peer.session.payloads, [b"good"])
            self.assertEqual(peer.websocket.localCloseCode, 1007)

    def test_unmasked_frame(self) -> None:
        self.peer.receive(b"\x81\x02hi")
        self.assertEqual(self.session.payloads, [])
        self.assertEqual(self.peer.websocket.localCloseCode, 1002)

    def test_length_not_in_its_shortest_form(self) -> None:
        for octets in (2, 8):
            peer = Peer().open()
            peer.receive(frame(b"hi", size_octets=octets))
            self.assertEqual(peer.websocket.localCloseCode, 1002)

    def test_text_between_fragments(self) -> None:
        self.peer.receive(frame(b"one", 0x01) + frame(b"other") + frame(b"two", 0x80))
        self.assertEqual(self.session.payloads, [])
        self.assertEqual(self.peer.websocket.localCloseCode, 1002)

    def test_control_frames_between_fragments(self) -> None:
        self.peer.receive(frame(b"one ", 0x01) + frame(b"p", 0x89) + frame(b"two", 0x80) + frame(b"next"))
        self.assertEqual(self.session.payloads, [b"one two", b"next"])
        self.assertEqual(self.peer.sent(), b"\x8a\x01p")

    def test_data_answers_a_ping(self) -> None:
        self.peer.clock.advance(67)
        self.assertEqual(self.peer.sent()[:1], b"\x89")
        self.peer.receive(frame(b"here"))
        self.peer.clock.advance(30)
        self.assertEqual(self.peer.state, OPEN)
