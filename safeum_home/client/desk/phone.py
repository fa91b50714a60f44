"""What the terminal client calls with: what the command line names, else a microphone and a loudspeaker."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred, succeed

from safeum_home.client.calling.media import MediaSource
from safeum_home.client.errors import NoMedia
from safeum_home.client.session import Client
from safeum_home.client.telephony.media import TelephoneSource

if TYPE_CHECKING:
    from safeum_home.client.webrtc.feed import Source
    from safeum_home.client.webrtc.sources import Camera, File

    S = TypeVar("S", Camera, File)

NOT_INSTALLED = "Calls need more packages: pip install 'safeum-home[calls]'"
INSTEAD = "start safeum with --call-audio FILE or tone:440, or with none to only listen"


class Phone:
    """`source` is None where nobody can be called from here: `why` says so, for people."""

    def __init__(
        self,
        source: MediaSource | None,
        why: str = "",
        lacks: Callable[[], str | None] = lambda: None,
        close: Callable[[], Awaitable[None]] | None = None,
        *,
        relay_only: bool = False,
        shows: bool = False,
        telephone: TelephoneSource | None = None,
        play: "Callable[[bytes], Deferred[None]] | None" = None,
    ) -> None:
        """`lacks` says what is missing for being heard; it may block. `shows`: there are pictures.

        `play` has a sound file heard here; cancel what it returns to end that.
        """
        self.source = source
        self.telephone = telephone
        self.play = play
        self.why = why
        self.relay_only = relay_only
        self.shows = shows
        self.trouble: Callable[[str], None] = lambda text: None
        """Called with words for people where something fails in a call."""
        self._attached = False
        self._lacks = lacks
        self._close = close

    def attach(self, client: Client) -> None:
        """Have calls ring from now on: before the login, so that the one that one was woken for does."""
        if self.source is not None and not self._attached:
            self._attached = True
            client.take_calls(self.source, relay_only=self.relay_only)
            if self.telephone is not None:
                client.take_telephone(self.telephone, relay_only=self.relay_only)

    def lacks(self) -> "Deferred[str | None]":
        """What is missing now for being heard: somebody may have plugged a microphone in."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return succeed(self._lacks())
        return Deferred.fromFuture(loop.run_in_executor(None, self._lacks))

    async def close(self) -> None:
        """What was recorded is complete."""
        if self._close is not None:
            await self._close()


NO_PHONE = Phone(None, NOT_INSTALLED)


def add_options(command: argparse.ArgumentParser) -> None:
    """The part of the command line that is about calls."""
    command.add_argument(
        "--call-audio",
        metavar="SOURCE",
        help="what is heard of you in calls: mic, none, tone:HERTZ, or a file (default: mic)",
    )
    command.add_argument(
        "--call-video",
        metavar="SOURCE",
        help="what is seen of you in video calls: camera, camera:DEVICE, grey, or a file (default: nothing)",
    )
    command.add_argument(
        "--call-record", type=Path, metavar="FILE", help="write what you hear in calls into this .wav or .ogg"
    )
    command.add_argument(
        "--call-relay-only",
        action="store_true",
        help="call through your node's relay alone: others do not learn your address",
    )


def phone(arguments: argparse.Namespace) -> Phone:
    """What was asked for; raises `NoMedia` where something was, and cannot be had. It may block."""
    asked = arguments.call_audio or arguments.call_video or arguments.call_record
    try:
        return _phone(arguments)
    except ImportError:
        if asked:
            raise NoMedia(NOT_INSTALLED) from None
        return NO_PHONE


def _phone(arguments: argparse.Namespace) -> Phone:
    from safeum_home.client.webrtc import playback
    from safeum_home.client.webrtc.devices import Speaker, missing
    from safeum_home.client.webrtc.recorder import Recorder
    from safeum_home.client.webrtc.studio import Studio

    audio = arguments.call_audio or "mic"
    video = None if arguments.call_video is None else _video(arguments.call_video)

    def trouble(text: str) -> None:
        made.trouble(text)

    ears = [Recorder(arguments.call_record, trouble)] if arguments.call_record is not None else []
    speaker = Speaker(trouble=trouble)
    studio = Studio(_audio(audio), video, [speaker, *ears], None, trouble)

    def play(octets: bytes) -> "Deferred[None]":
        return Deferred.fromFuture(asyncio.ensure_future(playback.play(octets, [speaker])))

    lacks = missing if audio == "mic" else lambda: None
    only, shows = arguments.call_relay_only, video is not None
    made = Phone(studio, "", lacks, studio.close, relay_only=only, shows=shows, telephone=studio, play=play)
    return made


def _audio(given: str) -> "Source | None":
    from safeum_home.client.webrtc.devices import Microphone
    from safeum_home.client.webrtc.sources import File, Tone

    if given in ("mic", "none"):
        return Microphone() if given == "mic" else None
    kind, _, hertz = given.partition(":")
    if kind == "tone":
        try:
            return Tone(_hertz(hertz))
        except ValueError:
            raise NoMedia(f"--call-audio {given}: a tone is of 20 to 20000 hertz, as tone:440") from None
    return _looked_at(File(Path(given)))


def _hertz(given: str) -> float:
    if not 20 <= float(given) <= 20_000:
        raise ValueError
    return float(given)


def _video(given: str) -> "Source":
    from safeum_home.client.webrtc.sources import Camera, File, MovingPicture

    kind, _, device = given.partition(":")
    if kind == "camera":
        return _looked_at(Camera(device) if device else Camera())
    return MovingPicture() if given == "grey" else _looked_at(File(Path(given), "video"))


def _looked_at(source: "S") -> "S":
    """Now, while somebody reads what is wrong with it."""
    source.look()
    return source
