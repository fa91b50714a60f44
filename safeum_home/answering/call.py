"""One call that is answered: the way of its sound, what is played, and what is recorded."""

import asyncio
from array import array
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler

from safeum_home.answering.hearing import RATE
from safeum_home.answering.offer import NotAnswered, checked, codecs
from safeum_home.answering.opus import NoSound, decoded
from safeum_home.answering.prompt import PromptTrack
from safeum_home.answering.recording import Recording
from safeum_home.answering.wire import MOST_SOUND, Answer, Answered, Ended, Sound, ToNode, Why

CONNECT_SECONDS = 15.0
"""For how long the way of the sound may be looked for."""
PATIENCE = 1.0
"""Seconds for which nothing comes, before it is looked whether that is the end."""
CLOSE_SECONDS = 3.0
MOST_GREETING_SECONDS = 60.0

Say = Callable[[ToNode], Awaitable[None]]


class AnsweredCall:
    """Made in an event loop. `run` is its whole life, and says `Ended` at the end, whatever happens."""

    def __init__(self, order: Answer, say: Say) -> None:
        self._order = order
        self._say = say
        self._loop = asyncio.get_running_loop()
        # With an empty list, not without one: else aiortc asks somebody whom nobody has chosen.
        self._peer = RTCPeerConnection(RTCConfiguration([], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._ended: asyncio.Future[Why] = self._loop.create_future()
        self._connected = asyncio.Event()
        self._played = asyncio.Event()
        self._track: MediaStreamTrack | None = None
        self._prompt: PromptTrack | None = None

    def press(self, digits: str) -> None:
        """The caller has pressed keys: # leaves out the rest of the greeting, and ends a recording."""
        if "#" in digits and self._prompt is not None and not self._prompt.skip():
            self._end(Why.KEY)

    def stop(self) -> None:
        """The caller has hung up."""
        self._end(Why.HANGUP)

    async def run(self) -> None:
        """Answer, play, record, and close."""
        why = Why.LOST
        try:
            why = await self._run()
        except (NotAnswered, NoSound):
            why = Why.REFUSED
        except Exception:
            # What a library stumbles over is what a stranger has sent: it ends this call, and no other.
            why = Why.LOST if self._connected.is_set() else Why.REFUSED
        finally:
            with suppress(Exception):
                await asyncio.wait_for(self._peer.close(), CLOSE_SECONDS)
            await self._say(Ended(self._order.call, why))

    async def _run(self) -> Why:
        order = self._order
        prompt = self._prompt = PromptTrack(decoded(order.greeting, MOST_GREETING_SECONDS), self._played.set)
        try:
            await self._say(Answered(order.call, await self._answer(prompt)))
            if (why := await self._until(self._connected, CONNECT_SECONDS)) is not None:
                return why
            prompt.play()
            listening = self._loop.create_task(self._listen())
            try:
                return await self._ended_by(listening)
            finally:
                listening.cancel()
        finally:
            prompt.stop()

    async def _answer(self, prompt: PromptTrack) -> str:
        peer = self._peer
        peer.on("connectionstatechange", self._changed)
        peer.on("track", self._tracked)
        await peer.setRemoteDescription(RTCSessionDescription(checked(self._order.sdp), "offer"))
        peer.addTrack(prompt)
        [medium] = peer.getTransceivers()
        medium.setCodecPreferences(codecs())
        await peer.setLocalDescription(await peer.createAnswer())
        return peer.localDescription.sdp

    async def _until(self, event: asyncio.Event, seconds: float) -> Why | None:
        """Wait for something; why it is over before that."""
        waiting = self._loop.create_task(event.wait())
        try:
            await asyncio.wait((waiting, self._ended), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._ended.done():
            return self._ended.result()
        return None if event.is_set() else Why.LOST

    async def _ended_by(self, listening: "asyncio.Task[Why]") -> Why:
        """Why it ends. What was recorded by then is handed over, whatever it is that ends it."""
        await asyncio.wait((listening, self._ended), return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            return listening.result()
        why = self._ended.result()
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        return why

    async def _listen(self) -> Why:
        """Hear the caller, and record from the tone on."""
        track = self._track
        if track is None:
            return Why.REFUSED
        recording: Recording | None = None
        resampler = AudioResampler("s16", "mono", RATE)
        try:
            while True:
                frame = await self._next(track)
                now = self._loop.time()
                if not self._played.is_set():
                    continue
                if recording is None:
                    recording = Recording(self._order.seconds, self._order.silence, now)
                why = recording.due(now)
                if frame is not None:
                    for part in resampler.resample(frame):
                        samples = array("h", bytes(part.planes[0])[: 2 * part.samples])
                        why = recording.add(samples, part.pts, now) or why
                await self._hand_over(recording)
                if why is not None:
                    return why
        except MediaStreamError:
            return Why.HANGUP
        finally:
            if recording is not None:
                recording.end()
                await asyncio.shield(self._hand_over(recording))

    async def _next(self, track: MediaStreamTrack) -> AudioFrame | None:
        """What is heard next; None where nothing is for a while."""
        try:
            frame = await asyncio.wait_for(track.recv(), PATIENCE)
        except TimeoutError:
            return None
        return frame if isinstance(frame, AudioFrame) else None

    async def _hand_over(self, recording: Recording) -> None:
        octets = recording.take()
        for start in range(0, len(octets), MOST_SOUND):
            piece = octets[start : start + MOST_SOUND]
            await self._say(Sound(self._order.call, piece, recording.milliseconds, recording.heard))

    def _tracked(self, track: MediaStreamTrack) -> None:
        if self._track is None and track.kind == "audio":
            self._track = track

    def _changed(self) -> None:
        state = self._peer.connectionState
        if state == "connected":
            self._connected.set()
        elif state == "failed":
            self._end(Why.LOST)
        elif state == "closed":
            self._end(Why.HANGUP)

    def _end(self, why: Why) -> None:
        if not self._ended.done():
            self._ended.set_result(why)
