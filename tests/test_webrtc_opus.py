"""Sound as it is sent: how long its packets are, and that it is heard."""

import random
from array import array
from fractions import Fraction
from itertools import pairwise
from typing import Any

from aiortc.codecs.opus import OpusDecoder
from aiortc.jitterbuffer import JitterFrame
from av import AudioFrame, Packet
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.webrtc.hearing import mono
from safeum_home.client.webrtc.opus import OCTETS, Encoder
from safeum_home.client.webrtc.tones import RATE, SAMPLES, frame_of, is_heard
from tests.webrtc_case import tone

SILENCE = array("h", bytes(2 * SAMPLES))


def encoded(samples: "array[int]") -> list[bytes]:
    encoder = Encoder()
    pieces = [samples[at : at + SAMPLES] for at in range(0, len(samples), SAMPLES)]
    return [
        bytes(p) for at, piece in enumerate(pieces) for p in encoder.encode(frame_of(piece, at * SAMPLES))
    ]


class OpusTests(SynchronousTestCase):
    def test_one_length(self) -> None:
        """Silence, a tone, a hiss as of an s, and one after the other."""
        hiss = array("h", [random.randint(-8000, 8000) for _ in range(20 * SAMPLES)])
        for said in (20 * SILENCE, tone(200), hiss, 10 * SILENCE + hiss + 10 * SILENCE + tone(300)):
            self.assertEqual({len(packet) for packet in encoded(said)}, {OCTETS})

    def test_heard(self) -> None:
        """What is said is what is heard."""
        decoder = OpusDecoder()
        frames = [decoder.decode(JitterFrame(packet, 0)) for packet in encoded(tone(440, 0.6))]
        heard = array(
            "h", b"".join(mono(each).tobytes() for each, *_ in frames[5:] if isinstance(each, AudioFrame))
        )
        self.assertTrue(is_heard(heard, 440))

    def test_other_forms(self) -> None:
        """Of two channels, at another rate, in other pieces: packets of 20 ms, one after the other."""
        encoder = Encoder()
        packets: list[Packet[Any]] = []
        for at in range(100):
            frame = AudioFrame(format="s16", layout="stereo", samples=441)
            frame.sample_rate, frame.pts, frame.time_base = 44_100, at * 441, Fraction(1, 44_100)
            packets += encoder.encode(frame)
        self.assertEqual((len(packets), {packet.size for packet in packets}), (49, {OCTETS}))
        times = [packet.pts or 0 for packet in packets]
        self.assertEqual({after - before for before, after in pairwise(times)}, {SAMPLES})
        self.assertEqual(packets[0].time_base, Fraction(1, RATE))
