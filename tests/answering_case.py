"""The process that answers calls, and a caller as a bridge has him: a real WebRTC peer with G.711."""

import asyncio
import math
from array import array
from collections.abc import Awaitable, Callable
from typing import Any

from aioice.ice import get_host_addresses
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.answering.hearing import PIECE, RATE
from safeum_home.answering.launching import command, environment
from safeum_home.answering.offer import codecs
from safeum_home.answering.opus import OpusWriter, frame_of
from safeum_home.answering.process import WORKER
from safeum_home.answering.wire import (
    Answer,
    Answered,
    Ended,
    Ready,
    Sound,
    Unframing,
    framed,
    to_node,
)
from tests.e2e.needs import missing

PATIENCE = 60.0
"""Seconds after which something has not happened that should have: against hanging."""
LOUD = 9000
WINDOW = RATE // 5


def tone(hertz: float, seconds: float, loud: int = LOUD) -> "array[int]":
    """A piece of a sine, as the telephone network has it."""
    step = 2 * math.pi * hertz / RATE
    return array("h", (int(loud * math.sin(step * at)) for at in range(int(seconds * RATE))))


def both(first: float, second: float, seconds: float) -> "array[int]":
    """Two tones at once: a key."""
    pair = zip(tone(first, seconds, LOUD), tone(second, seconds, LOUD), strict=True)
    return array("h", (one + other for one, other in pair))


def silence(seconds: float) -> "array[int]":
    return array("h", bytes(2 * int(seconds * RATE)))


def share(samples: "array[int]", hertz: float) -> float:
    """What part of the sound a tone is."""
    energy = sum(each * each for each in samples)
    if not energy:
        return 0.0
    factor = 2 * math.cos(2 * math.pi * hertz / RATE)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
    return (before * before + last * last - factor * before * last) / (energy * len(samples) / 2)


def greeting(hertz: float = 700.0, seconds: float = 0.6) -> bytes:
    """One that can be told from all else."""
    writer = OpusWriter()
    writer.add(tone(hertz, seconds))
    writer.end()
    return writer.take()


class _Voice(MediaStreamTrack):
    """What the caller says, in real time: silence, until he is to say something."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.says = array("h")
        self._sent = 0
        self._began: float | None = None

    async def recv(self) -> AudioFrame:
        now = asyncio.get_running_loop().time()
        self._began = self._began or now
        await asyncio.sleep(self._began + self._sent / RATE - now)
        piece, self.says = self.says[:PIECE], self.says[PIECE:]
        piece.extend(silence(0.02)[len(piece) :])
        frame = frame_of(piece, self._sent)
        self._sent += PIECE
        return frame


class Caller:
    """The bridge's half of a call, with a description that has all candidates."""

    def __init__(self) -> None:
        configuration = RTCConfiguration([], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        self.peer = RTCPeerConnection(configuration)
        self.voice = _Voice()
        self.heard = array("h")
        self._looked: dict[float, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.peer.on("track", self._tracked)

    async def offer(self) -> str:
        self.peer.addTrack(self.voice)
        [medium] = self.peer.getTransceivers()
        medium.setCodecPreferences(codecs())
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return self.peer.localDescription.sdp

    async def answered(self, sdp: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    def hears(self, hertz: float) -> bool:
        """A tone for a fifth of a second, at some time until now."""
        at = self._looked.get(hertz, 0)
        while at >= 0 and at + WINDOW <= len(self.heard):
            found = share(self.heard[at : at + WINDOW], hertz) > 0.8
            at = -1 if found else at + WINDOW // 2
        self._looked[hertz] = at
        return at < 0

    async def close(self) -> None:
        await self.peer.close()
        for task in self._tasks:
            await task

    def _tracked(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(self._listen(track)))

    async def _listen(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame: Any = await track.recv()
                self.heard.extend(array("h", bytes(frame.planes[0])[: 2 * frame.samples]))
        except MediaStreamError:
            pass


class Process:
    """The real one, spoken to as the node does."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._unframing = Unframing(to_node)
        self._waiting: list[Any] = []

    @classmethod
    async def begin(cls) -> "Process":
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command(WORKER), stdin=pipe, stdout=pipe, env=environment(), cwd="/"
        )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, *messages: Any) -> None:
        self.octets(b"".join(map(framed, messages)))

    def octets(self, octets: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(octets)

    async def hear(self) -> Any:
        """What it says next; None where it has ended."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while not self._waiting:
                octets = await self._process.stdout.read(65536)
                if not octets:
                    return None
                self._waiting.extend(self._unframing.take(octets))
        return self._waiting.pop(0)

    async def rest(self, call: int) -> tuple[bytes, Sound | None, Ended | None]:
        """What is said of a call until it is over: the recording, how long it was, and why it ended."""
        octets, last = b"", None
        while (message := await self.hear()) is not None:
            if isinstance(message, Sound) and message.call == call:
                octets, last = octets + message.octets, message
            elif isinstance(message, Ended) and message.call == call:
                return octets, last, message
        return octets, last, None

    def kill(self) -> None:
        self._process.kill()

    async def end(self) -> int:
        """The node closes its pipe; the exit code."""
        assert self._process.stdin is not None
        if self._process.returncode is None:
            self._process.stdin.close()
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()


class AnsweringCase(SynchronousTestCase):
    """Tests in an event loop, with one process."""

    def setUp(self) -> None:
        if not get_host_addresses(use_ipv4=True, use_ipv6=True):
            missing("this computer has no address besides that of its loopback")
        self.callers: list[Caller] = []

    def run_in_loop(self, test: Callable[[Process], Awaitable[None]]) -> None:
        async def whole() -> None:
            process = await Process.begin()
            try:
                self.ready = await process.hear()
                self.assertIsInstance(self.ready, Ready)
                await test(process)
            finally:
                for caller in self.callers:
                    await caller.close()
                await process.end()

        asyncio.run(whole())

    async def call(
        self, process: Process, number: int = 1, seconds: int = 60, quiet: int = 60, play: bytes | None = None
    ) -> Caller:
        """A call that is answered, and whose sound gets through."""
        caller = Caller()
        self.callers.append(caller)
        offer = await caller.offer()
        process.say(Answer(number, offer, play or greeting(), seconds, quiet))
        answered = await process.hear()
        assert isinstance(answered, Answered), answered
        await caller.answered(answered.sdp)
        return caller


async def until(happened: Callable[[], object]) -> None:
    """Wait until something has happened."""
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110  # what libraries and their threads do nobody tells
            await asyncio.sleep(0.02)
