"""Writes what is heard into a file: `.wav`, or `.ogg` and `.opus` with Opus."""

import asyncio
import os
from array import array
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import av
from av.audio.stream import AudioStream

from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc.mixer import Mixer
from safeum_home.client.webrtc.tones import RATE, SAMPLES, frame_of

CODECS = {".wav": "pcm_s16le", ".ogg": "libopus", ".opus": "libopus"}


class Recorder:
    """An ear that writes for as long as somebody is heard, into a file that it makes once somebody is."""

    def __init__(self, path: Path, trouble: Callable[[str], None] = lambda text: None) -> None:
        """Raises `NoMedia` for another kind of file, one that exists, and where it could not be made.

        `trouble` is called with words for people where it cannot be written later on.
        """
        codec = CODECS.get(path.suffix.lower())
        if codec is None:
            raise NoMedia(f"{path} is none of {', '.join(CODECS)}")
        if path.exists() or not os.access(path.parent, os.W_OK):
            raise NoMedia(f"{path} exists already" if path.exists() else f"{path} cannot be written")
        self._path, self._codec = path, codec
        self._trouble = trouble
        self._file: _File | None = None
        self._mixer = Mixer()
        self._task: asyncio.Task[None] | None = None

    def hear(self, who: str, samples: "array[int]") -> None:
        """See `hearing.Ear`."""
        self._mixer.add(who, samples)
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    def gone(self, who: str) -> None:
        """See `hearing.Ear`."""
        self._mixer.drop(who)

    async def close(self) -> None:
        """The file is complete."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if (file := self._file) is not None:
            self._file = None
            await asyncio.get_running_loop().run_in_executor(None, file.close)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._file = file = await loop.run_in_executor(None, _File, self._path, self._codec)
            due = loop.time()
            while True:
                due = max(due + SAMPLES / RATE, loop.time() - 1.0)
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not self._mixer.empty:
                    samples = self._mixer.take(SAMPLES)
                    await asyncio.shield(loop.run_in_executor(None, file.write, samples))
        except (OSError, av.FFmpegError) as error:
            self._trouble(f"{self._path} cannot be written: {error.strerror}")


class _File:
    """What is written to by threads, one at a time."""

    def __init__(self, path: Path, codec: str) -> None:
        self._octets = os.fdopen(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600), "w+b"
        )
        self._container = av.open(self._octets, "w", format="wav" if codec == "pcm_s16le" else "ogg")
        stream = self._container.add_stream(codec, rate=RATE, layout="mono", format="s16")
        assert isinstance(stream, AudioStream)
        self._stream = stream
        self._at = 0
        self._lock = Lock()

    def write(self, samples: "array[int]") -> None:
        with self._lock:
            self._container.mux(self._stream.encode(frame_of(samples, self._at)))
            self._at += SAMPLES

    def close(self) -> None:
        with self._lock:
            if self._at:
                self._container.mux(self._stream.encode(None))
            self._container.close()
            self._octets.close()
