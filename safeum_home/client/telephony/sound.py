"""The sound of one call with the telephone network: one link, to the bridge. It is not mended."""

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.client.calling.media import Flow, MediaLink, Relay
from safeum_home.client.errors import NoMedia
from safeum_home.client.telephony.media import TelephoneSource
from safeum_home.protocol.telephone_types import MOST_SDP

Relays = Callable[[], "Deferred[Sequence[Relay]]"]
"""Says which relays there are now; it never fails."""
_log = Logger()


class Sound:
    """`told` is told how it is with the link, until it is closed."""

    def __init__(
        self, source: TelephoneSource, relays: Relays, told: Callable[[Flow], None], *, relay_only: bool
    ) -> None:
        self._source = source
        self._relays = relays
        self._told = told
        self._relay_only = relay_only
        self._link: MediaLink | None = None
        self._muted = self._closed = False
        self.described = False
        """Whether the bridge's description is there."""

    def expect(self) -> None:
        """It will be wanted soon: ask for relays now."""
        self._relays()

    async def offer(self) -> str:
        """A description to dial with; raises `NoMedia`."""
        link = await self._open()
        return await self._description(link.offer())

    async def answer(self, offer: str) -> str:
        """What answers the bridge's; raises `NoMedia`."""
        link = await self._open()
        self.described = True
        return await self._description(link.answer(offer))

    def answered(self, sdp: str | None) -> None:
        """The bridge has answered. Of two descriptions the first one counts."""
        if sdp is not None and self._link is not None and not (self.described or self._closed):
            self.described = True
            self._link.answered(sdp).addErrback(self._failed)

    def mute(self, muted: bool) -> None:
        """Send silence, or what there is to be heard."""
        self._muted = muted
        if self._link is not None:
            self._link.send(audio=not muted, video=False)

    def close(self) -> None:
        """It is over; twice is harmless."""
        self._closed = True
        link, self._link = self._link, None
        if link is not None:
            link.close().addErrback(lambda failure: _log.failure("Closing a media link failed", failure))

    async def _open(self) -> MediaLink:
        relays = await self._relays()
        if self._relay_only and not relays:
            raise NoMedia("nothing but a relay may be used, and the node has none")
        if self._closed:
            raise NoMedia("the call is over")
        link = self._link = self._source.telephone_link(
            relays, relay_only=self._relay_only, on_flow=self._flow
        )
        self.mute(self._muted)
        return link

    async def _description(self, describing: "Deferred[str]") -> str:
        try:
            sdp = await describing
        except ValueError as error:
            raise NoMedia(f"no way for the sound: {error}") from None
        if not 0 < len(sdp) <= MOST_SDP:
            raise NoMedia(f"a description of {len(sdp)} characters")
        return sdp

    def _failed(self, failure: Failure) -> None:
        if failure.check(ValueError) is None:
            _log.failure("The sound of a call failed", failure)
        self._flow(Flow.FAILED)

    def _flow(self, flow: Flow) -> None:
        if not self._closed:
            self._told(flow)
