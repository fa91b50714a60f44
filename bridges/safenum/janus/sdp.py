"""Descriptions of apps (SDP, RFC 8866; of WebRTC: RFC 8829), as far as a telephone call can use them."""

import re

from safeum_home.errors import Code, Problem
from safeum_home.protocol.telephone_types import MOST_SDP

_TEXT = re.compile(r"v=0\r?\n[\t\n\r -~]+\Z")
_AUDIO = re.compile(r"audio ([0-9]{1,5}) UDP/TLS/RTP/SAVPF((?: [0-9]{1,3})+)\Z")
G711 = frozenset({"0", "8"})
"""PCMU and PCMA (RFC 3551, table 4): Janus does not transcode, and carriers have nothing else in common."""
_NEEDED = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:")


def is_readable(sdp: str) -> bool:
    """Whether a description may be handed on at all, whoever it is of."""
    return len(sdp) <= MOST_SDP and _TEXT.match(sdp) is not None


def check(sdp: str) -> None:
    """Raises `Problem(invalid_params)`, which quotes nothing, for what an app must not offer or answer."""
    if not is_readable(sdp):
        raise Problem(Code.INVALID_PARAMS, "sdp: not a description, or too long for one")
    lines = sdp.splitlines()
    sections = [line[2:] for line in lines if line.startswith("m=")]
    audio = _AUDIO.match(sections[0]) if len(sections) == 1 else None
    if audio is None or audio[1] == "0":
        raise Problem(Code.INVALID_PARAMS, "sdp: one section is wanted, of audio, with ICE and DTLS-SRTP")
    if not G711 & set(audio[2].split()):
        raise Problem(Code.INVALID_PARAMS, "sdp: G.711 (PCMU or PCMA) has to be among its codecs")
    if not all(any(line.startswith(each) for line in lines) for each in _NEEDED):
        raise Problem(Code.INVALID_PARAMS, "sdp: ICE credentials and a fingerprint are missing")
