"""One microphone or camera for all links: open while one of them wants it."""

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Protocol

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame
from twisted.logger import Logger

from safeum_home.client.errors import NoMedia

_log = Logger()

DARK_SECONDS = 0.2
"""How often black is sent."""
WAITING = 25
"""Frames that wait for a link that is slow: then the oldest are dropped."""


class Source(Protocol):
    """Where sound or pictures come from."""

    @property
    def kind(self) -> str:
        """`audio` or `video`."""

    def open(self) -> MediaStreamTrack:
        """What it gives from now on; for a thread, since it may block. Raises `NoMedia`."""


class Branch(MediaStreamTrack):
    """What one link gets of a source; silence and black while it is muted."""

    def __init__(self, kind: str, feed: "Feed") -> None:
        super().__init__()
        self.kind = kind
        self.muted = False
        self._feed = feed
        self._shown: AudioFrame | VideoFrame | None = None
        self.waiting: asyncio.Queue[AudioFrame | VideoFrame | None] = asyncio.Queue(WAITING)

    def put(self, frame: AudioFrame | VideoFrame | None) -> None:
        """The source gives this; None: it has ended."""
        if self.waiting.full():
            self.waiting.get_nowait()
        self.waiting.put_nowait(frame)

    async def recv(self) -> AudioFrame | VideoFrame:
        """The next frame."""
        if self.readyState == "live" and self.muted and self.kind == "video":
            return await self._dark()
        if self.readyState == "live":
            self._feed.begin(self)
            frame = self._shown = await self.waiting.get()
            if frame is not None:
                return empty(frame) if self.muted else frame
            self.stop()
        raise MediaStreamError

    async def _dark(self) -> VideoFrame:
        """Black, of the size of what was shown before: nobody's camera is on for that."""
        self._feed.leave(self)
        while not self.waiting.empty():
            self._shown = self.waiting.get_nowait() or self._shown
        await asyncio.sleep(DARK_SECONDS)
        shown = self._shown if isinstance(self._shown, VideoFrame) else VideoFrame(320, 240)
        return timed(_black(shown))

    def stop(self) -> None:
        """The link has no use for it any more."""
        super().stop()
        self._feed.leave(self)


def timed(frame: VideoFrame) -> VideoFrame:
    """It is shown now: by one clock, whatever it comes from."""
    frame.pts, frame.time_base = int(asyncio.get_running_loop().time() * 90_000), Fraction(1, 90_000)
    return frame


def empty(frame: AudioFrame | VideoFrame) -> AudioFrame | VideoFrame:
    """As long, or as large, with nothing in it."""
    nothing = _black(frame) if isinstance(frame, VideoFrame) else _silence(frame)
    nothing.pts, nothing.time_base = frame.pts, frame.time_base
    return nothing


def _silence(frame: AudioFrame) -> AudioFrame:
    silence = AudioFrame(format=frame.format.name, layout=frame.layout.name, samples=frame.samples)
    silence.sample_rate = frame.sample_rate
    for plane in silence.planes:
        plane.update(bytes(plane.buffer_size))
    return silence


def _black(frame: VideoFrame) -> VideoFrame:
    black = VideoFrame(frame.width, frame.height, "yuv420p")
    for plane, value in zip(black.planes, (16, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return black


class Feed:
    """A source, and the branches that go off it."""

    def __init__(self, source: Source, trouble: Callable[[str], None]) -> None:
        """`trouble` is called with words for people where the source cannot be had."""
        self._source = source
        self._trouble = trouble
        self._branches: set[Branch] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def kind(self) -> str:
        """`audio` or `video`."""
        return self._source.kind

    def branch(self) -> Branch:
        """For one more link."""
        return Branch(self._source.kind, self)

    def begin(self, branch: Branch) -> None:
        """It is played from now on."""
        self._branches.add(branch)
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    def leave(self, branch: Branch) -> None:
        """It is played no more."""
        self._branches.discard(branch)
        if not self._branches and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, self._source.open)
        try:
            track = await asyncio.shield(opening)
        except NoMedia as error:
            self._trouble(str(error))
            self._over()
            return
        except asyncio.CancelledError:
            opening.add_done_callback(_stopped)
            raise
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame | VideoFrame)
                if isinstance(frame, VideoFrame):
                    timed(frame)
                for branch in self._branches:
                    branch.put(frame)
        except MediaStreamError:
            self._over()
        except Exception:
            _log.failure("A source has failed")
            self._over()
        finally:
            track.stop()

    def _over(self) -> None:
        """The source has ended: so has what went off it, and who begins anew opens it anew."""
        self._task = None
        for branch in self._branches:
            branch.put(None)
        self._branches.clear()


def _stopped(opening: "asyncio.Future[MediaStreamTrack]") -> None:
    """It was opened for nobody."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().stop()
