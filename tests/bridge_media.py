"""The other end of a telephone's sound, as a bridge to a carrier is: aiortc that speaks G.711 alone."""

import asyncio
from array import array
from typing import Any

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)

from safeum_home.client.webrtc.hearing import listen
from safeum_home.client.webrtc.tones import RATE, ToneTrack
from tests.webrtc_case import Listener

G711 = ("audio/PCMA", "audio/PCMU")
LEAST = 8


class _Counter(Listener):
    """`samples`: how many it has heard."""

    samples = 0

    def hear(self, who: str, samples: "array[int]") -> None:
        super().hear(who, samples)
        self.samples += len(samples)

    def quiet(self) -> bool:
        """Somebody is there, and says nothing: A-law has no zero, but the least there is."""
        return any(len(each) >= RATE // 5 and max(map(abs, each)) <= LEAST for each in self.last.values())


class BridgeEnd:
    """It plays a tone (None: nothing), and hears what the app says. It speaks one of `codecs`."""

    def __init__(self, hertz: float | None = 880, codecs: tuple[str, ...] = G711[:1]) -> None:
        self.ear = _Counter()
        self.tasks: list[Any] = []
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.peer.on("track", self._track)
        self._hertz = hertz
        self._codecs = codecs

    async def offer(self) -> str:
        """As for a call that comes in."""
        self._medium()
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return self.peer.localDescription.sdp

    async def answered(self, sdp: str) -> None:
        """The app's answer."""
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def answer(self, sdp: str) -> str:
        """As for a call that goes out."""
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        self._medium()
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        return self.peer.localDescription.sdp

    async def close(self) -> None:
        """The carrier has hung up."""
        for task in self.tasks:
            task.cancel()
        await self.peer.close()

    def _medium(self) -> None:
        if self._hertz is not None:
            self.peer.addTrack(ToneTrack(self._hertz))
        [medium] = self.peer.getTransceivers()
        known = RTCRtpSender.getCapabilities("audio").codecs
        medium.setCodecPreferences([codec for codec in known if codec.mimeType in self._codecs])

    def _track(self, track: MediaStreamTrack) -> None:
        self.tasks.append(asyncio.ensure_future(listen(track, [self.ear])))
