"""Codecs that are spoken: between two devices, and with the bridge to the telephone network."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Codecs(NamedTuple):
    """Those that may be used, by their names as `rtpmap` has them (RFC 8866, section 6.6)."""

    audio: frozenset[str]
    video: frozenset[str] = frozenset()
    static: Mapping[str, str] = MappingProxyType({})
    """What payload types mean by themselves (RFC 3551, section 6): nobody has to say it."""
    streams: bool = True
    """Whether names of streams and extensions of headers are told: a bridge hands them on to the carrier."""


CALL = Codecs(frozenset({"opus/48000/2"}), frozenset({"vp8/90000", "h264/90000", "rtx/90000"}))
TELEPHONE = Codecs(
    frozenset({"pcma/8000", "pcmu/8000"}),
    static=MappingProxyType({"0": "PCMU/8000", "8": "PCMA/8000"}),
    streams=False,
)
PARAMETERS: dict[str, dict[str, str]] = {
    "opus/48000/2": {"minptime": r"[0-9]{1,3}", "useinbandfec": r"[01]"},
    "vp8/90000": {},
    "h264/90000": {
        "level-asymmetry-allowed": r"[01]",
        "packetization-mode": r"[01]",
        "profile-level-id": r"[0-9A-Fa-f]{6}",
    },
    "rtx/90000": {"apt": r"[0-9]{2,3}"},
}
"""Of each those that are handed on, and what they may be."""
