"""Microphones and loudspeakers, through PortAudio: needs `sounddevice`, and on Linux libportaudio2."""

import asyncio
from array import array
from collections.abc import Callable
from typing import Any, NamedTuple

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc.mixer import Mixer
from safeum_home.client.webrtc.tones import RATE, SAMPLES, frame_of

WAITING = 25
"""Pieces of 20 ms that wait to be sent: then the oldest are dropped."""


def missing(output: bool = False) -> str | None:
    """Why there is no microphone (`output`: no loudspeaker) here, for people; None where there is one."""
    what = "loudspeaker" if output else "microphone"
    try:
        import sounddevice
    except ImportError:
        return f"No {what}: the Python package sounddevice is not installed"
    except OSError:
        return f"No {what}: PortAudio is not installed (on Debian: libportaudio2)"
    try:
        sounddevice.query_devices(kind="output" if output else "input")
    except (sounddevice.PortAudioError, ValueError):
        return f"No {what} was found"
    return None


def _stream(make: Callable[[Any], Any], output: bool) -> Any:
    """A stream that runs; raises `NoMedia`."""
    if (why := missing(output)) is not None:
        raise NoMedia(why)
    import sounddevice

    try:
        stream = make(sounddevice)
        stream.start()
    except sounddevice.PortAudioError as error:
        raise NoMedia(f"the {'loudspeaker' if output else 'microphone'} cannot be used: {error}") from None
    return stream


class Microphone(NamedTuple):
    """The microphone; None is the one that the system has chosen."""

    device: int | str | None = None
    kind: str = "audio"

    def open(self) -> MediaStreamTrack:
        """See `feed.Source`."""
        return _MicrophoneTrack(self.device)


class _MicrophoneTrack(MediaStreamTrack):
    kind = "audio"

    def __init__(self, device: int | str | None) -> None:
        super().__init__()
        self._home: asyncio.AbstractEventLoop | None = None
        self._pieces: asyncio.Queue[array[int] | None] = asyncio.Queue(WAITING)
        self._at = 0
        self._stream = _stream(
            lambda sound: sound.RawInputStream(
                RATE, SAMPLES, device, 1, "int16", callback=self._came, finished_callback=self._ended
            ),
            output=False,
        )

    def _came(self, octets: Any, *_: Any) -> None:
        """In a thread of PortAudio."""
        self._tell(array("h", bytes(octets)))

    def _ended(self) -> None:
        self._tell(None)

    def _tell(self, piece: "array[int] | None") -> None:
        loop = self._home
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._put, piece)

    def _put(self, piece: "array[int] | None") -> None:
        if self._pieces.full():
            self._pieces.get_nowait()
        self._pieces.put_nowait(piece)

    async def recv(self) -> AudioFrame:
        """The next piece."""
        self._home = asyncio.get_running_loop()
        piece = await self._pieces.get() if self.readyState == "live" else None
        if piece is None:
            self.stop()
            raise MediaStreamError
        frame = frame_of(piece, self._at)
        self._at += len(piece)
        return frame

    def stop(self) -> None:
        """The microphone is off."""
        if self.readyState == "live":
            super().stop()
            self._home = None
            asyncio.get_running_loop().run_in_executor(None, self._stream.close)


class Speaker:
    """An ear: the loudspeaker, which is on while somebody is heard."""

    def __init__(
        self, device: int | str | None = None, trouble: Callable[[str], None] = lambda text: None
    ) -> None:
        """`trouble` is called with words for people where there is none."""
        self._device = device
        self._trouble = trouble
        self._mixer = Mixer()
        self._opening: asyncio.Future[Any] | None = None

    def hear(self, who: str, samples: "array[int]") -> None:
        """See `hearing.Ear`."""
        self._mixer.add(who, samples)
        if self._opening is None:
            self._opening = asyncio.get_running_loop().run_in_executor(None, self._open)
            self._opening.add_done_callback(self._opened)

    def gone(self, who: str) -> None:
        """See `hearing.Ear`."""
        self._mixer.drop(who)
        if self._mixer.empty:
            self._off()

    async def close(self) -> None:
        """See `hearing.Ear`."""
        self._off()

    def _open(self) -> Any:
        return _stream(
            lambda sound: sound.RawOutputStream(
                RATE, SAMPLES, self._device, 1, "int16", callback=self._wanted
            ),
            output=True,
        )

    def _opened(self, opening: "asyncio.Future[Any]") -> None:
        if not opening.cancelled() and isinstance(error := opening.exception(), NoMedia):
            self._trouble(str(error))

    def _wanted(self, octets: Any, frames: int, *_: Any) -> None:
        """In a thread of PortAudio."""
        octets[:] = self._mixer.take(frames).tobytes()

    def _off(self) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.add_done_callback(_closed)


def _closed(opening: "asyncio.Future[Any]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        asyncio.get_running_loop().run_in_executor(None, opening.result().close)
