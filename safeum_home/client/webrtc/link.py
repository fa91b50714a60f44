"""The way to one other device, with aiortc: a `calling.media.MediaLink`."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Any, TypeVar

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from aiortc.sdp import candidate_from_sdp
from twisted.internet.defer import Deferred

from safeum_home.client.calling.media import OnFlow
from safeum_home.client.webrtc import sdp
from safeum_home.client.webrtc.feed import Branch
from safeum_home.client.webrtc.flow import Told, new_way
from safeum_home.client.webrtc.form import CALL, Form
from safeum_home.client.webrtc.ice import tune
from safeum_home.client.webrtc.liveness import Liveness

T = TypeVar("T")
Take = Callable[[MediaStreamTrack], Coroutine[Any, Any, None]]

GATHER_SECONDS = 1.5
"""For how long a relay may take to answer: afterwards it goes on without."""
CONNECT_SECONDS = 15.0
"""For how long a way may be looked for, once both descriptions are known."""
CLOSE_SECONDS = 2.0
"""For how long the relay may take to hear that it is not needed any more, before nobody waits for that."""
MOST_CANDIDATES = 64
"""Of the other, told later."""


class RtcLink:
    """Made in an event loop. What is asked of it is done one after the other."""

    def __init__(
        self,
        servers: Sequence[RTCIceServer],
        branches: Mapping[str, Branch],
        takes: Mapping[str, Take],
        on_flow: OnFlow,
        gathered: Callable[[AbstractSet[str]], None],
        *,
        video: bool,
        relay_only: bool,
        silent_seconds: float,
        form: Form = CALL,
    ) -> None:
        """`branches` are sent, and `takes` take the tracks of the other: each by `audio` and `video`.

        `gathered` is told which kinds of candidates were found.
        """
        self._form = form
        self._loop = asyncio.get_running_loop()
        self._video = video
        self._relay_only = relay_only
        self._branches = branches
        self._takes = takes
        self._silent = silent_seconds
        self._way = new_way(Told(on_flow))
        self._gathered = gathered
        self._turn = asyncio.Lock()
        self._candidates = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        # With an empty list, not without one: else aiortc asks somebody whom nobody has chosen.
        self._peer = RTCPeerConnection(RTCConfiguration(list(servers), policy, RTCBundlePolicy.MAX_BUNDLE))
        self._peer.on("connectionstatechange", self._changed)
        self._peer.on("track", self._track)
        self._closing: asyncio.Task[None] | None = None

    # --- calling.media.MediaLink -----------------------------------------------------------------

    def offer(self) -> "Deferred[str]":
        return self._do(self._offer())

    def answer(self, offer: str) -> "Deferred[str]":
        return self._do(self._answer(offer))

    def answered(self, answer: str) -> "Deferred[None]":
        return self._do(self._answered(answer))

    def candidate(self, line: str) -> "Deferred[None]":
        return self._do(self._add(line))

    def send(self, *, audio: bool, video: bool) -> None:
        for kind, branch in self._branches.items():
            branch.muted = not (audio if kind == "audio" else video)

    def close(self) -> "Deferred[None]":
        if self._closing is None:
            self._stop()
            self._closing = self._loop.create_task(self._close())
        return Deferred.fromFuture(self._loop.create_task(self._closed(self._closing)))

    # --- what is done ----------------------------------------------------------------------------

    async def _offer(self) -> str:
        pictures = self._video and ("video" in self._branches or "video" in self._takes)
        for kind in ("audio", "video") if pictures else ("audio",):
            self._medium(kind)
        await self._describe(await self._peer.createOffer())
        return self._description("offer")

    async def _answer(self, offer: str) -> str:
        wanted = self._checked(offer, "offer")
        for kind in ("audio", "video") if "\nm=video " in wanted else ("audio",):
            self._medium(kind)
        await self._peer.setRemoteDescription(RTCSessionDescription(wanted, "offer"))
        await self._describe(await self._peer.createAnswer())
        self._try()
        return self._description("answer")

    async def _answered(self, answer: str) -> None:
        wanted = self._checked(answer, "answer")
        await self._peer.setRemoteDescription(RTCSessionDescription(wanted, "answer"))
        self._try()

    async def _add(self, line: str) -> None:
        useful = sdp.candidate(line)
        self._candidates += 1
        if self._candidates > MOST_CANDIDATES:
            raise ValueError("too many candidates")
        if self._peer.remoteDescription is None:
            raise ValueError("a candidate before any description")
        if useful is not None:
            found = candidate_from_sdp(useful)
            found.sdpMLineIndex = 0
            await self._peer.addIceCandidate(found)

    def _medium(self, kind: str) -> None:
        branch = self._branches.get(kind)
        track = branch if branch is None or kind == "video" else self._form.sound(branch)
        medium = self._peer.addTransceiver(kind if track is None else track, self._direction(kind))
        known, wanted = RTCRtpSender.getCapabilities(kind).codecs, self._form.types[kind]
        preferred = [codec for codec in known if codec.mimeType.lower() in wanted]
        medium.setCodecPreferences(sorted(preferred, key=lambda codec: wanted.index(codec.mimeType.lower())))

    def _direction(self, kind: str) -> str:
        sends, takes = kind in self._branches, kind in self._takes
        return ("inactive", "recvonly", "sendonly", "sendrecv")[2 * sends + takes]

    def _track(self, track: MediaStreamTrack) -> None:
        if track.kind in self._takes:
            self._keep(self._loop.create_task(self._takes[track.kind](track)))

    async def _describe(self, description: RTCSessionDescription) -> None:
        """Gather where this side can be reached, for a while, and begin to look for a way."""
        seconds = CONNECT_SECONDS / 2 if self._relay_only else GATHER_SECONDS
        for medium in self._peer.getTransceivers():
            gatherer = medium.receiver.transport.transport.iceGatherer
            tune(gatherer, seconds, relay_only=self._relay_only)
        await self._peer.setLocalDescription(description)
        found = set(re.findall(r"^a=candidate:.* typ ([a-z]+)", self._peer.localDescription.sdp, re.M))
        self._gathered(found)
        if not found:
            self._loop.call_soon(self._way.lost)

    def _description(self, kind: sdp.Kind) -> str:
        """One's own as others take it, with nothing in it that they need not know."""
        return self._checked(sdp.fewer(self._peer.localDescription.sdp), kind)

    def _checked(self, text: str, kind: sdp.Kind) -> str:
        return sdp.checked(text, kind, self._video, self._form.codecs)

    # --- how it is -------------------------------------------------------------------------------

    def _try(self) -> None:
        self._way.tried()
        self._timer = self._loop.call_later(CONNECT_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self._peer.connectionState != "connected":
            self._way.lost()

    def _changed(self) -> None:
        state = self._peer.connectionState
        if state == "connected":
            self._way.found()
            self._keep(self._loop.create_task(self._listen()))
        elif state == "failed":
            self._way.lost()
        elif state == "closed":
            self._way.ended()

    async def _listen(self) -> None:
        await Liveness(self._peer, self._silent).silent()
        self._way.lost()

    # --- the end ---------------------------------------------------------------------------------

    def _stop(self) -> None:
        self._way.shut()
        for branch in self._branches.values():
            branch.stop()
        if self._timer is not None:
            self._timer.cancel()

    async def _close(self) -> None:
        async with self._turn:
            for task in self._tasks:
                task.cancel()
            await self._peer.close()

    async def _closed(self, closing: "asyncio.Task[None]") -> None:
        with suppress(asyncio.CancelledError):  # the program ends
            await asyncio.wait([closing], timeout=CLOSE_SECONDS)

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _do(self, work: Coroutine[Any, Any, T]) -> "Deferred[T]":
        return Deferred.fromFuture(self._loop.create_task(self._in_turn(work)))

    async def _in_turn(self, work: Awaitable[T]) -> T:
        async with self._turn:
            try:
                return await work
            except (InvalidAccessError, InvalidStateError, OperationError, ArithmeticError) as error:
                raise ValueError(str(error)) from error
