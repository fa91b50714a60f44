"""What is spoken on a link: between two devices, or with the bridge to the telephone network."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from aiortc.mediastreams import MediaStreamTrack

from safeum_home.client.webrtc import codecs
from safeum_home.client.webrtc.codecs import Codecs
from safeum_home.client.webrtc.feed import Branch
from safeum_home.client.webrtc.opus import OpusTrack


def _as_it_is(branch: Branch) -> MediaStreamTrack:
    """aiortc makes G.711 of it: 160 octets for 20 ms, whatever is said."""
    return branch


class Form(NamedTuple):
    """`types` are those of RFC 4855, by kind; `sound` makes what is sent of what is heard here."""

    types: Mapping[str, tuple[str, ...]]
    codecs: Codecs
    sound: Callable[[Branch], MediaStreamTrack]


CALL = Form(
    MappingProxyType({"audio": ("audio/opus",), "video": ("video/vp8", "video/h264", "video/rtx")}),
    codecs.CALL,
    OpusTrack,
)
TELEPHONE = Form(MappingProxyType({"audio": ("audio/pcma", "audio/pcmu")}), codecs.TELEPHONE, _as_it_is)
