"""Links of calls in one process: two studios, and what each of them hears."""

import asyncio
from array import array
from collections.abc import Awaitable, Callable
from typing import Any

from aioice.ice import get_host_addresses
from av import VideoFrame
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.calling.media import Flow, Relay
from safeum_home.client.webrtc.feed import Source
from safeum_home.client.webrtc.link import RtcLink
from safeum_home.client.webrtc.sources import Tone
from safeum_home.client.webrtc.studio import Studio
from safeum_home.client.webrtc.tones import RATE, SAMPLES, ToneTrack, is_heard
from tests.e2e.needs import missing

PATIENCE = 30.0
"""Seconds after which something has not happened that should have: against hanging."""


class Listener:
    """An ear that remembers the last fifth of a second of each who speaks."""

    def __init__(self) -> None:
        self.last: dict[str, array[int]] = {}
        self.closed = False

    def hear(self, who: str, samples: "array[int]") -> None:
        heard = self.last.setdefault(who, array("h"))
        heard.extend(samples)
        del heard[: max(0, len(heard) - RATE // 5)]

    def gone(self, who: str) -> None:
        self.last.pop(who, None)

    async def close(self) -> None:
        self.closed = True

    def hears(self, hertz: float) -> bool:
        """Somebody has made this tone for a fifth of a second."""
        return any(len(each) >= RATE // 5 and is_heard(each, hertz) for each in self.last.values())

    def silence(self) -> bool:
        """Somebody is there, and quiet."""
        return any(len(each) >= RATE // 5 and not any(each) for each in self.last.values())


class Side:
    """A device: what it sends, hears and sees, and how it is with its link."""

    def __init__(
        self, audio: Source | None = None, video: Source | None = None, sees: bool = False, **options: Any
    ) -> None:
        self.ear = Listener()
        self.frames: list[VideoFrame] = []
        self.flows: list[Flow] = []
        self.trouble: list[str] = []
        see = self._see if sees else None
        self.studio = Studio(audio, video, [self.ear], see, self.trouble.append, **options)

    def link(self, video: bool = False, relay_only: bool = False, relays: tuple[Relay, ...] = ()) -> RtcLink:
        self.flows.clear()
        told = self.flows.append
        return self.studio.link(
            relays, video=video, relay_only=relay_only, on_flow=told, on_candidate=self.trouble.append
        )

    def _see(self, frame: VideoFrame) -> None:
        self.frames = [*self.frames[-4:], frame]


async def until(happened: Callable[[], object]) -> None:
    """Wait until something has happened."""
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110  # what libraries and their threads do nobody tells
            await asyncio.sleep(0.01)


async def done(deferred: Any) -> Any:
    """What is asked of a link, in asyncio."""
    return await deferred.asFuture(asyncio.get_running_loop())


async def connect(first: RtcLink, second: RtcLink) -> None:
    """The first offers."""
    await done(first.answered(await done(second.answer(await done(first.offer())))))


class LinkCase(SynchronousTestCase):
    """Tests in an event loop of their own, at the end of which nothing is left of the links."""

    def setUp(self) -> None:
        if not get_host_addresses(use_ipv4=True, use_ipv6=True):
            missing("this computer has no address besides that of its loopback")
        self.links: list[RtcLink] = []

    def run_in_loop(self, test: Callable[[], Awaitable[None]]) -> None:
        async def whole() -> None:
            try:
                await test()
            finally:
                for link in self.links:
                    await done(link.close())
            await until(lambda: len(asyncio.all_tasks()) == 1)

        asyncio.run(whole())

    def linked(self, first: Side, second: Side, **options: Any) -> tuple[RtcLink, RtcLink]:
        both = first.link(**options), second.link(**options)
        self.links += both
        return both


def tones() -> tuple[Side, Side]:
    """One plays 440 Hz, the other 880."""
    return Side(Tone(440)), Side(Tone(880))


def tone(hertz: float, seconds: float = 0.2) -> "array[int]":
    """A piece of a sine."""
    track = ToneTrack(hertz)
    pieces = [track.samples(at) for at in range(0, int(seconds * RATE), SAMPLES)]
    return array("h", b"".join(piece.tobytes() for piece in pieces))
