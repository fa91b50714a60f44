"""Sound as Ogg Opus (RFC 7845): written while it comes, and read back."""

from array import array
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from itertools import chain

import av
from av import AudioFrame, AudioResampler, AudioStream

from safeum_home.answering.hearing import RATE

BIT_RATE = 16_000
"""Of a second: telephone sound needs no more, and two minutes of it have some 250 KiB."""
PAGE_MICROSECONDS = 500_000
"""How much sound is in a page: so much is lost at the most where the process dies."""
FORMATS = {b"OggS": "ogg", b"RIFF": "wav"}
"""What sound files begin with that are taken, and their names in FFmpeg."""


class NoSound(ValueError):
    """What was given is no sound file that is taken. Names nothing of it."""


def frame_of(samples: "array[int]", at: int) -> AudioFrame:
    """Samples as aiortc and FFmpeg take them; `at` is the number of the first."""
    frame = AudioFrame("s16", "mono", len(samples))
    frame.planes[0].update(samples.tobytes())
    frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
    return frame


class OpusWriter:
    """An Ogg Opus file that grows: `take` gives the octets that there are since it was asked last."""

    def __init__(self, bit_rate: int = BIT_RATE) -> None:
        self._octets = bytearray()
        self._at = 0
        options = {"page_duration": str(PAGE_MICROSECONDS), "flush_packets": "1"}
        self._file = av.open(self, "w", format="ogg", container_options=options)
        self._stream: AudioStream = self._file.add_stream("libopus", RATE, options={"application": "voip"})
        self._stream.bit_rate = bit_rate
        self._stream.layout = "mono"
        self._stream.format = "s16"

    @property
    def milliseconds(self) -> int:
        """How long it is so far."""
        return self._at * 1000 // RATE

    def write(self, octets: bytes) -> int:
        """For FFmpeg, which writes its pages here."""
        self._octets += octets
        return len(octets)

    def add(self, samples: "array[int]") -> None:
        """The next of the sound."""
        self._put(frame_of(samples, self._at))
        self._at += len(samples)

    def end(self) -> None:
        """That was all of it."""
        self._put(None)
        self._file.close()

    def take(self) -> bytes:
        taken, self._octets = bytes(self._octets), bytearray()
        return taken

    def _put(self, frame: AudioFrame | None) -> None:
        for packet in self._stream.encode(frame):
            self._file.mux(packet)


def decoded(octets: bytes, seconds: float) -> "array[int]":
    """The samples of a sound file, up to so many seconds; raises `NoSound`."""
    samples, most = array("h"), int(seconds * RATE)
    for piece in _pieces(octets):
        samples.extend(piece)
        if len(samples) > most:
            raise NoSound("it is too long")
    if not samples:
        raise NoSound("there is nothing in it")
    return samples


def _pieces(octets: bytes) -> "Iterator[array[int]]":
    format = FORMATS.get(octets[:4])
    if format is None:
        raise NoSound("it is neither Ogg nor WAV")
    resampler = AudioResampler("s16", "mono", RATE)
    try:
        with av.open(BytesIO(octets), "r", format=format) as file:
            if len(file.streams) != 1 or not file.streams.audio:
                raise NoSound("there is something else in it than sound")
            for frame in chain(file.decode(audio=0), (None,)):
                for part in resampler.resample(frame):
                    yield array("h", bytes(part.planes[0])[: 2 * part.samples])
    except (av.FFmpegError, ValueError, EOFError):
        raise NoSound("it cannot be decoded") from None
