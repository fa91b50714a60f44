"""Whether the other is still heard: sooner than its consent runs out (RFC 7675), and after half a minute."""

import asyncio

from aiortc import RTCPeerConnection

EVERY = 0.5


class Liveness:
    """Looks at what has come, and was found authentic: sound, pictures and reports of them (RTCP)."""

    def __init__(self, peer: RTCPeerConnection, seconds: float) -> None:
        self._peer = peer
        self._seconds = seconds

    async def silent(self) -> None:
        """Returns once nothing has come for so many seconds."""
        loop = asyncio.get_running_loop()
        heard, since = await self._heard(), loop.time()
        while loop.time() - since < self._seconds:
            await asyncio.sleep(EVERY)
            if heard != (now := await self._heard()):
                heard, since = now, loop.time()

    async def _heard(self) -> object:
        report = await self._peer.getStats()
        return [
            (key, stats.timestamp if key.startswith("remote") else getattr(stats, "packetsReceived", 0))
            for key, stats in report.items()
            if key.startswith(("inbound", "remote"))
        ]
