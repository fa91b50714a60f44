"""What is played and recorded in calls, and the links that it goes over: a `calling.media.MediaSource`."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakSet

from aiortc import MediaStreamTrack

from safeum_home.client.calling.media import OnFlow, Relay
from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc.feed import Branch, Feed, Source
from safeum_home.client.webrtc.form import CALL, TELEPHONE, Form
from safeum_home.client.webrtc.hearing import Ear, See, listen, watch
from safeum_home.client.webrtc.link import RtcLink, Take
from safeum_home.client.webrtc.servers import Servers
from safeum_home.client.webrtc.sources import Silence

SILENT_SECONDS = 8.0
"""After so many seconds in which nothing was heard of the other a way is lost."""

for _name in ("aiortc", "aioice", "libav"):  # else what they warn of is written to the terminal
    logging.getLogger(_name).addHandler(logging.NullHandler())


class Studio:
    """What is sent, and who hears and sees what comes: the same in all links."""

    def __init__(
        self,
        audio: Source | None = None,
        video: Source | None = None,
        ears: Sequence[Ear] = (),
        see: See | None = None,
        trouble: Callable[[str], None] = lambda text: None,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        """`audio` and `video` are sent. Without `see` nobody is asked for pictures.

        `trouble` is called with words for people where a source cannot be had.
        """
        self._feeds = [Feed(source, trouble) for source in (audio, video) if source is not None]
        self._silence = Feed(Silence(), trouble)
        self._ears = ears
        self._see = see
        self._silent = silent_seconds
        self._servers = Servers()
        self._links: WeakSet[RtcLink] = WeakSet()

    def link(
        self,
        relays: Sequence[Relay],
        *,
        video: bool,
        relay_only: bool,
        on_flow: OnFlow,
        on_candidate: Callable[[str], Any],
    ) -> RtcLink:
        """See `calling.media.MediaSource`. All addresses are in the descriptions: none comes later."""
        _in_a_loop()
        branches = [feed.branch() for feed in self._feeds if video or feed.kind == "audio"]
        takes: dict[str, Take] = {"audio": self._listen}
        if self._see is not None and video:
            takes["video"] = self._watch
        return self._link(CALL, relays, branches, takes, on_flow, video=video, relay_only=relay_only)

    def telephone_link(self, relays: Sequence[Relay], *, relay_only: bool, on_flow: OnFlow) -> RtcLink:
        """See `telephony.media.TelephoneSource`."""
        _in_a_loop()
        sound = next((feed for feed in self._feeds if feed.kind == "audio"), self._silence)
        branches, takes = [sound.branch()], {"audio": self._listen}
        return self._link(TELEPHONE, relays, branches, takes, on_flow, video=False, relay_only=relay_only)

    def _link(
        self,
        form: Form,
        relays: Sequence[Relay],
        branches: Sequence[Branch],
        takes: Mapping[str, Take],
        on_flow: OnFlow,
        *,
        video: bool,
        relay_only: bool,
    ) -> RtcLink:
        servers = self._servers.of(relays, stun=not relay_only)
        link = RtcLink(
            servers,
            {branch.kind: branch for branch in branches},
            takes,
            on_flow,
            lambda kinds: self._servers.found(servers, kinds),
            video=video,
            relay_only=relay_only,
            silent_seconds=self._silent,
            form=form,
        )
        self._links.add(link)
        return link

    async def close(self) -> None:
        """No more calls: links are closed, and what is recorded is complete."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(link.close().asFuture(loop) for link in list(self._links)))
        for ear in self._ears:
            await ear.close()

    async def _listen(self, track: MediaStreamTrack) -> None:
        await listen(track, self._ears)

    async def _watch(self, track: MediaStreamTrack) -> None:
        await watch(track, self._see)


def _in_a_loop() -> None:
    """Raises `NoMedia` where there is none."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise NoMedia("sound needs asyncio: run Twisted on its AsyncioSelectorReactor") from None
