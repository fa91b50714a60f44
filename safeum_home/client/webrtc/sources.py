"""Where sound and pictures can come from, besides microphones: tones, files, a camera, a moving picture."""

import asyncio
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import IO, Any, NamedTuple

import av
from aiortc import MediaStreamTrack, VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler, VideoFrame
from av.container import InputContainer

from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc.tones import RATE, SAMPLES, Paced, ToneTrack

SOUNDS = {"format_whitelist": "ogg,wav,mp3,flac,aac,amr,mov,matroska"}
"""Options for what comes from others: without playlists, which would have other files read here."""


class Tone(NamedTuple):
    """A sine of so many hertz."""

    hertz: float
    kind: str = "audio"

    def open(self) -> MediaStreamTrack:
        """See `feed.Source`."""
        return ToneTrack(self.hertz)


class Silence(NamedTuple):
    """Nothing to be heard."""

    kind: str = "audio"

    def open(self) -> MediaStreamTrack:
        """See `feed.Source`."""
        return Paced()


class File(NamedTuple):
    """The sound, or the pictures, of a file that FFmpeg reads: once, from when somebody hears it."""

    path: Path
    kind: str = "audio"

    def open(self) -> MediaStreamTrack:
        """See `feed.Source`."""
        return ContainerTrack(self._octets(), self.kind, str(self.path))

    def look(self) -> None:
        """Whether it can be played: raises `NoMedia`, and may block."""
        _opened(self._octets(), self.kind, str(self.path))[0].close()

    def _octets(self) -> IO[bytes]:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise NoMedia(f"{self.path}: {error.strerror}") from None


class Camera(NamedTuple):
    """A camera, on Linux: by its device."""

    path: str = "/dev/video0"
    kind: str = "video"

    def open(self) -> MediaStreamTrack:
        """See `feed.Source`."""
        return ContainerTrack(self.path, "video", self.path, "video4linux2", {"video_size": "640x480"})

    def look(self) -> None:
        """Whether it is there; it is not switched on for that. Raises `NoMedia`."""
        if not os.access(self.path, os.R_OK):
            there = os.path.exists(self.path)
            raise NoMedia(f"{self.path} may not be used" if there else f"there is no camera {self.path}")


class MovingPicture(NamedTuple):
    """A grey that gets brighter and darker, for trying calls."""

    kind: str = "video"

    def open(self) -> MediaStreamTrack:
        """See `feed.Source`."""
        return _GreyTrack()


class _GreyTrack(VideoStreamTrack):
    async def recv(self) -> VideoFrame:
        at, base = await self.next_timestamp()
        frame = VideoFrame(320, 240, "yuv420p")
        for plane, value in zip(frame.planes, (64 + at // 1000 % 128, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = at, base
        return frame


class ContainerTrack(MediaStreamTrack):
    """What a container holds, when it is due. It is read and closed by other threads, one at a time."""

    def __init__(
        self,
        source: IO[bytes] | str,
        kind: str,
        name: str,
        form: str | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        """`form` and `options` are for devices. Blocks; raises `NoMedia`."""
        super().__init__()
        self.kind = kind
        self._live = form is not None
        self._reading = Lock()
        self._closed = False
        self._begun: float | None = None
        self._container, stream = _opened(source, kind, name, form, options)
        self._frames = (
            _sound(self._container, stream) if kind == "audio" else _pictures(self._container, stream)
        )

    async def recv(self) -> AudioFrame | VideoFrame:
        """The next frame, when it is due."""
        loop = asyncio.get_running_loop()
        frame = await loop.run_in_executor(None, self._next) if self.readyState == "live" else None
        if frame is None:
            self.stop()
            raise MediaStreamError
        if not self._live and frame.time is not None:
            if self._begun is None:
                self._begun = loop.time() - frame.time
            await asyncio.sleep(max(0.0, self._begun + frame.time - loop.time()))
        return frame

    def stop(self) -> None:
        """It is not played any more."""
        if self.readyState == "live":
            super().stop()
            asyncio.get_running_loop().run_in_executor(None, self._close)

    def _next(self) -> AudioFrame | VideoFrame | None:
        with self._reading:
            try:
                return None if self._closed else next(self._frames, None)
            except (OSError, av.FFmpegError):
                return None

    def _close(self) -> None:
        with self._reading:
            self._closed = True
            self._container.close()


def _opened(
    source: IO[bytes] | str,
    kind: str,
    name: str,
    form: str | None = None,
    options: dict[str, str] | None = None,
) -> tuple[InputContainer, Any]:
    """A container, and its first stream of a kind; raises `NoMedia`."""
    try:
        container = av.open(source, "r", format=form, options=options or {})
    except (OSError, ValueError, av.FFmpegError) as error:
        raise NoMedia(f"{name} cannot be played: {getattr(error, 'strerror', error)}") from None
    found: Any = container.streams.audio if kind == "audio" else container.streams.video
    if not found:
        container.close()
        raise NoMedia(f"{name} has no {'sound' if kind == 'audio' else 'pictures'}")
    return container, found[0]


def _sound(container: InputContainer, stream: Any) -> Iterator[AudioFrame]:
    """Pieces of 20 ms, as calls have them."""
    resampler = AudioResampler("s16", "mono", RATE, SAMPLES)
    at = 0
    for frame in _each(container, stream):
        for piece in resampler.resample(frame):
            piece.pts, piece.time_base = at, Fraction(1, RATE)
            at += piece.samples
            yield piece


def _each(container: InputContainer, stream: Any) -> Iterator[AudioFrame | None]:
    for frame in container.decode(stream):
        if isinstance(frame, AudioFrame):
            yield frame
    yield None  # what is left in the resampler


def _pictures(container: InputContainer, stream: Any) -> Iterator[VideoFrame]:
    first: int | None = None
    for frame in container.decode(stream):
        if isinstance(frame, VideoFrame) and frame.pts is not None:
            first = frame.pts if first is None else first
            frame.pts -= first  # of a camera it does not begin at 0
            yield frame
