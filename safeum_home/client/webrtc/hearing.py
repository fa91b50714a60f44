"""What others send: handed on, piece by piece, to whoever hears and sees it."""

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler, VideoFrame

from safeum_home.client.webrtc.tones import RATE

See = Callable[[VideoFrame], Any]


class Ear(Protocol):
    """Hears all who speak; does nothing that blocks. Samples are of 16 bit, mono, 48,000 a second."""

    def hear(self, who: str, samples: "array[int]") -> None:
        """The next of what `who` says: the id of a track."""

    def gone(self, who: str) -> None:
        """Nothing more comes of them."""

    async def close(self) -> None:
        """No call uses it any more."""


async def listen(track: MediaStreamTrack, ears: Sequence[Ear]) -> None:
    """Hand on what is said until it ends, or this is cancelled."""
    resampler = AudioResampler("s16", "mono", RATE)  # the telephone network has 8,000 samples a second
    try:
        while True:
            frame = await track.recv()
            if isinstance(frame, AudioFrame):
                pieces = [frame] if frame.sample_rate == RATE else resampler.resample(frame)
                for samples in map(mono, pieces):
                    for ear in ears:
                        ear.hear(track.id, samples)
    except MediaStreamError:
        pass
    finally:
        for ear in ears:
            ear.gone(track.id)


async def watch(track: MediaStreamTrack, see: See | None) -> None:
    """Hand on what is shown until it ends, or this is cancelled."""
    try:
        while True:
            frame = await track.recv()
            if see is not None and isinstance(frame, VideoFrame):
                see(frame)
    except MediaStreamError:
        pass


def mono(frame: AudioFrame) -> "array[int]":
    """The samples of a frame as codecs give them: of 16 bit, of one or two channels."""
    channels = frame.layout.nb_channels
    samples = array("h", bytes(frame.planes[0])[: frame.samples * channels * 2])
    if channels == 1:
        return samples
    return array("h", [(left + right) // 2 for left, right in zip(samples[::2], samples[1::2], strict=True)])
