"""Sound that is heard besides calls: voicemail, and greetings for it."""

import asyncio
from collections.abc import Sequence
from io import BytesIO

import av
from av import AudioFrame, AudioResampler
from av.audio.stream import AudioStream

from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc.hearing import Ear, listen
from safeum_home.client.webrtc.sources import SOUNDS, ContainerTrack

GREETING_SECONDS, GREETING_RATE, GREETING_BITS = 30, 8000, 9_000


async def play(octets: bytes, ears: Sequence[Ear]) -> None:
    """Have a sound file heard, in its time; cancel it to end that. Raises `NoMedia` where it is none."""
    loop = asyncio.get_running_loop()
    track = await loop.run_in_executor(None, lambda: _track(octets))
    try:
        await listen(track, ears)
    finally:
        track.stop()


def _track(octets: bytes) -> ContainerTrack:
    return ContainerTrack(BytesIO(octets), "audio", "this sound", options=SOUNDS)


def greeting(octets: bytes) -> bytes:
    """A sound file as a small one (Ogg Opus), for `set_greeting`. It blocks; raises `NoMedia`."""
    made, length = BytesIO(), 0
    resampler = AudioResampler("s16", "mono", GREETING_RATE)
    try:
        with av.open(BytesIO(octets), "r") as source, av.open(made, "w", format="ogg") as target:
            stream = target.add_stream("libopus", GREETING_RATE, options={"application": "voip"})
            assert isinstance(stream, AudioStream)
            stream.bit_rate, stream.layout, stream.format = GREETING_BITS, "mono", "s16"
            for frame in source.decode(audio=0):
                for part in resampler.resample(frame):
                    length += _put(target, stream, part, length)
                if length > GREETING_SECONDS * GREETING_RATE:
                    raise NoMedia(f"a greeting has {GREETING_SECONDS} seconds at the most")
            for part in resampler.resample(None):
                length += _put(target, stream, part, length)
            target.mux(stream.encode(None))
    except (av.FFmpegError, ValueError, IndexError):
        raise NoMedia("there is no sound in it that can be read") from None
    return made.getvalue()


def _put(target: "av.container.OutputContainer", stream: AudioStream, part: AudioFrame, at: int) -> int:
    part.pts = at
    target.mux(stream.encode(part))
    return part.samples
