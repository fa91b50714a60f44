"""Writes what is heard into a file: `.wav`, or `.ogg` and `.opus` with Opus."""

import asyncio
from array import array
from pathlib import Path

import av
from av.audio.stream import AudioStream
from twisted.logger import Logger

from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc.mixer import Mixer
from safeum_home.client.webrtc.tones import RATE, SAMPLES, frame_of

_log = Logger()
CODECS = {".wav": "pcm_s16le", ".ogg": "libopus", ".opus": "libopus"}


class Recorder:
    """An ear that writes for as long as somebody is heard. The file is there from the beginning."""

    def __init__(self, path: Path) -> None:
        """Raises `NoMedia` for another kind of file, and where it cannot be made."""
        codec = CODECS.get(path.suffix.lower())
        if codec is None:
            raise NoMedia(f"{path.name} is none of {', '.join(CODECS)}")
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise NoMedia(f"{path.name} cannot be written: {error.strerror}") from None
        self._container = av.open(self._file, "w", format="wav" if codec == "pcm_s16le" else "ogg")
        stream = self._container.add_stream(codec, rate=RATE, layout="mono", format="s16")
        assert isinstance(stream, AudioStream)
        self._stream = stream
        self._mixer = Mixer()
        self._at = 0
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
        await asyncio.get_running_loop().run_in_executor(None, self._finish)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + SAMPLES / RATE, loop.time() - 1.0)
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not self._mixer.empty:
                samples = self._mixer.take(SAMPLES)
                try:
                    await asyncio.shield(loop.run_in_executor(None, self._write, samples))
                except (OSError, av.FFmpegError):
                    _log.failure("What is heard cannot be recorded")
                    return

    def _write(self, samples: "array[int]") -> None:
        self._container.mux(self._stream.encode(frame_of(samples, self._at)))
        self._at += SAMPLES

    def _finish(self) -> None:
        if self._at:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        self._file.close()
