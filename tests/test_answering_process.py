"""The process that answers calls, as the node has it: started, asked, lost, started again, and ended."""

import os
import signal
import wave
from array import array
from collections.abc import Callable
from io import BytesIO
from typing import Any

from msgspec import Struct
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from safeum_home.answering.calls import MARGIN, MOST_OCTETS, SOON, Calls
from safeum_home.answering.opus import decoded
from safeum_home.answering.process import AnsweringProcess
from safeum_home.answering.supervising import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    START_SECONDS,
    Core,
    supervision,
)
from safeum_home.answering.wire import Answer, Answered, Ended, Malformed, Sound, Stop, Why
from safeum_home.errors import Problem
from safeum_home.ports.voicemail import CannotAnswer, Over
from tests.answering_case import greeting, share, silence, tone

OFFER = "\r\n".join(
    (
        "v=0",
        "o=- 1 1 IN IP4 192.0.2.9",
        "s=-",
        "t=0 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 8 101",
        "c=IN IP4 192.0.2.9",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=mid:audio",
        "a=rtcp-mux",
        "a=sendrecv",
        "a=setup:actpass",
        "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
        "a=ice-ufrag:abcd",
        "a=ice-pwd:abcdefghijklmnopqrstuv",
        "a=candidate:1 1 udp 2015363327 192.0.2.9 40000 typ host",
        "a=end-of-candidates",
        "",
    )
)
"""That of a Janus from which no sound comes."""


class Told:
    """`ports.voicemail.AnsweringListener`: what it was told, and who waits for more."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self._waiting: Deferred[None] | None = None

    def answered(self, sdp: str) -> None:
        self._tell("answered", sdp)

    def sound(self, octets: bytes, milliseconds: int, heard: int) -> None:
        self._tell("sound", octets, milliseconds, heard)

    def ended(self, why: Over) -> None:
        self._tell("ended", why)

    async def until(self, number: int) -> list[tuple[Any, ...]]:
        """So many things were told."""
        while len(self.told) < number:
            self._waiting = Deferred()
            await self._waiting
        return self.told

    def _tell(self, *what: Any) -> None:
        self.told.append(what)
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)


class ProcessTests(TestCase):
    """The real process."""

    timeout = 120

    async def begun(self, calls: int = 2) -> AnsweringProcess:
        process = AnsweringProcess(reactor, calls, 5)
        process.start()
        self.addCleanup(process.stop)
        await self.up(process)
        return process

    async def up(self, process: AnsweringProcess) -> None:
        while not process.is_up:
            pause: Deferred[None] = Deferred()
            reactor.callLater(0.05, pause.callback, None)
            await pause

    async def test_killed_and_back(self) -> None:
        """Calls of one that dies are over at once, each once; it is started again, and answers."""
        process = await self.begun()
        first, second = Told(), Told()
        process.answer(OFFER, greeting(), 5, first)
        process.answer(OFFER, greeting(), 5, second)
        self.assertFalse(process.is_up)
        self.assertRaises(CannotAnswer, process.answer, OFFER, greeting(), 5, Told())
        [(kind, sdp)] = await first.until(1)
        self.assertEqual(kind, "answered")
        self.assertIn("a=rtpmap:8 PCMA/8000", sdp)
        await second.until(1)
        before = process.pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        for told in (first, second):
            self.assertEqual((await told.until(2))[1:], [("ended", Over.LOST)])
        await self.up(process)
        self.assertNotEqual(process.pid, before)
        again = Told()
        process.answer(OFFER, greeting(), 5, again)
        await again.until(1)

    async def test_hostile_offer(self) -> None:
        """It is refused, and the process is the same one as before."""
        process = await self.begun()
        pid, told = process.pid, Told()
        process.answer(OFFER.replace("m=audio", "m=" + "x" * 5000), greeting(), 5, told)
        self.assertEqual(await told.until(1), [("ended", Over.REFUSED)])
        self.assertEqual((process.pid, process.taken), (pid, 0))

    async def test_stop(self) -> None:
        """At the end nothing is left of it, and calls are over."""
        process, told = await self.begun(), Told()
        call = process.answer(OFFER, greeting(), 5, told)
        await told.until(1)
        pid = process.pid
        assert pid is not None
        await process.stop()
        self.assertEqual((await told.until(2))[1:], [("ended", Over.LOST)])
        self.assertRaises(ProcessLookupError, os.kill, pid, 0)
        call.press("#")
        call.stop()

    async def test_greetings(self) -> None:
        """A sound file is made anew, and what is none, too long, or silent is refused."""
        process = AnsweringProcess(reactor, 1, 5)
        made = await process.greeting(wav(tone(700, 1.5)))
        self.assertEqual(made[:4], b"OggS")
        self.assertGreater(share(decoded(made, 10)[4000:6000], 700), 0.9)
        await process.greeting(made)
        refused = [
            b"x",
            b"OggS" + bytes(3000),
            b"RIFF" + bytes(100),
            wav(silence(1)),
            wav(array("h")),
            made[:60],
            bytes(70_000),
        ]
        for octets in refused:
            problem: Any = await self.assertFailure(process.greeting(octets), Problem)
            self.assertEqual(problem.code.code, "bad_greeting")


class Recorder:
    """`supervising.Means`: what was asked."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def begin(self) -> None:
        self.done.append("begin")

    def kill(self) -> None:
        self.done.append("kill")

    def after(self, seconds: float) -> None:
        self.done.append(seconds)

    def calm(self) -> None:
        self.done.append("calm")

    def gone(self) -> None:
        self.done.append("gone")

    def take(self) -> list[Any]:
        done, self.done = self.done, []
        return done


class SupervisionTests(SynchronousTestCase):
    """The machine alone."""

    def setUp(self) -> None:
        self.means = Recorder()
        self.machine = supervision(Core(self.means))

    def test_restarts(self) -> None:
        """It is started again after a pause that grows, until it was ready once."""
        self.machine.start()
        self.assertEqual(self.means.take(), [START_SECONDS, "begin"])
        pauses = []
        for _ in range(8):
            self.machine.died()
            [pause] = self.means.take()
            pauses.append(pause)
            self.machine.due()
            self.means.take()
        self.assertEqual((pauses[:3], pauses[-1]), ([1.0, 2.0, 4.0], LONGEST_PAUSE))
        self.machine.ready()
        self.assertTrue(self.machine.is_up())
        self.means.take()
        self.machine.died()
        self.assertEqual(self.means.take(), [FIRST_PAUSE])
        self.assertFalse(self.machine.is_up())

    def test_stuck(self) -> None:
        """One that is not ready in time, or that is doubted, is killed, once."""
        self.machine.start()
        self.means.take()
        self.machine.due()
        self.machine.doubt()
        self.assertEqual(self.means.take(), ["calm", "kill"])
        self.machine.died()
        self.machine.due()
        self.machine.ready()
        self.means.take()
        self.machine.doubt()
        self.machine.doubt()
        self.assertEqual(self.means.take(), ["calm", "kill"])

    def test_stop(self) -> None:
        """Stopped it is gone, whenever that is; what has ended is not started again."""

        def begun() -> None:
            self.machine.start()

        def ready() -> None:
            begun()
            self.machine.ready()

        def pausing() -> None:
            begun()
            self.machine.died()

        for before, running in ((begun, True), (ready, True), (pausing, False), (lambda: None, False)):
            self.setUp()
            before()
            self.means.take()
            self.machine.stop()
            self.machine.stop()
            if running:
                self.assertEqual(self.means.take(), ["calm", "kill"])
                self.machine.died()
            self.assertIn("gone", self.means.take())
            self.machine.due()
            self.assertNotIn("begin", self.means.take())


class CallsTests(SynchronousTestCase):
    """Who is told of what the process says."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.said: list[Struct] = []
        self.doubts: list[None] = []
        doubt: Callable[[], None] = lambda: self.doubts.append(None)  # noqa: E731
        self.calls = Calls(self.clock, self.said.append, doubt, 2, 5)
        self.told = Told()

    def answer(self) -> Any:
        return self.calls.answer(True, OFFER, b"hello", 10, self.told)

    def test_told(self) -> None:
        """In order, and nothing behind the end."""
        call = self.answer()
        self.assertEqual(self.said, [Answer(1, OFFER, b"hello", 10, 5)])
        self.calls.heard(Answered(1, "v=0"))
        self.calls.heard(Sound(1, b"abc", 500, 400))
        self.calls.heard(Ended(1, Why.KEY))
        expected = [("answered", "v=0"), ("sound", b"abc", 500, 400), ("ended", Over.KEY)]
        self.assertEqual(self.told.told, expected)
        call.stop()
        self.assertEqual(len(self.said), 1)
        self.assertEqual((len(self.calls), self.clock.getDelayedCalls()), (0, []))
        for message in (Ended(1, Why.KEY), Sound(1, b"", 1, 1), Answered(2, "v=0")):
            self.assertRaises(Malformed, self.calls.heard, message)

    def test_room(self) -> None:
        """No more than so many at once, and none where the process is not there."""
        self.assertRaises(CannotAnswer, self.calls.answer, False, OFFER, b"", 10, self.told)
        self.answer().stop()
        self.answer()
        self.assertFalse(self.calls.has_room)
        self.assertRaises(CannotAnswer, self.answer)
        self.assertIsInstance(self.said[1], Stop)
        self.calls.lost()
        self.assertEqual(self.told.told, [("ended", Over.LOST)] * 2)
        self.assertTrue(self.calls.has_room)

    def test_silent_process(self) -> None:
        """It is doubted where it says nothing of a call in time, and where a call does not end."""
        self.answer()
        self.clock.advance(SOON)
        self.assertEqual(len(self.doubts), 1)
        self.calls.lost()
        self.answer()
        self.calls.heard(Answered(2, "v=0"))
        self.clock.advance(10 + MARGIN - 1)
        self.assertEqual(len(self.doubts), 1)
        self.clock.advance(1)
        self.assertEqual(len(self.doubts), 2)

    def test_endless(self) -> None:
        """No more is kept of a recording than one can have."""
        self.answer()
        self.calls.heard(Answered(1, "v=0"))
        with self.assertRaises(Malformed):
            for _ in range(2 + 11 * MOST_OCTETS // 32_768):
                self.calls.heard(Sound(1, bytes(32_768), 1, 1))


def wav(samples: "array[int]", rate: int = 8000) -> bytes:
    octets = BytesIO()
    with wave.open(octets, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return octets.getvalue()
