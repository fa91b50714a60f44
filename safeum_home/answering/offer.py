"""The offer of a bridge, checked before a library takes it apart: one audio section, G.711, bounded."""

import re
from ipaddress import ip_address

from aiortc import RTCRtpCodecCapability, RTCRtpSender

from safeum_home.answering.wire import MOST_SDP

MOST_CANDIDATES = 32
MOST_LINES = 200
_NEEDED = ("a=fingerprint:", "a=ice-ufrag:", "a=ice-pwd:")
_LINE = re.compile(r"[a-z]=[\x20-\x7e]{0,1000}")
_SECTION = re.compile(r"m=audio [0-9]{1,5} (UDP/TLS/RTP/SAVPF?|RTP/SAVPF?)( [0-9]{1,3}){1,32}")
_CANDIDATE = re.compile(
    r"a=candidate:\S{1,32} 1 (udp|UDP) [0-9]{1,10} (?P<host>\S{2,45}) [0-9]{1,5} typ [a-z]{4,5}\b"
)


class NotAnswered(ValueError):
    """An offer that is not answered. Names nothing of it."""


def checked(sdp: str) -> str:
    """The offer (RFC 8866, RFC 8829) with those of its candidates that are of use; raises `NotAnswered`.

    Those are addresses reached over UDP: no names, which would have to be asked for.
    """
    lines = sdp.splitlines()
    if len(sdp) > MOST_SDP or len(lines) > MOST_LINES or not all(map(_LINE.fullmatch, lines)):
        raise NotAnswered("it is no description")
    sections = [line for line in lines if line.startswith("m=")]
    if len(sections) != 1 or _SECTION.fullmatch(sections[0]) is None:
        raise NotAnswered("it is not of sound alone")
    if not all(any(line.startswith(name) for line in lines) for name in _NEEDED):
        raise NotAnswered("it does not say with whom it is to be")
    candidates = [line for line in lines if line.startswith("a=candidate:")]
    if len(candidates) > MOST_CANDIDATES:
        raise NotAnswered("it has too many candidates")
    left = [line for line in lines if not line.startswith("a=candidate:") or _is_of_use(line)]
    return "\r\n".join(left) + "\r\n"


def codecs() -> list[RTCRtpCodecCapability]:
    """Those that are spoken: what the telephone network itself speaks."""
    known = RTCRtpSender.getCapabilities("audio").codecs
    return [codec for codec in known if codec.mimeType.lower() in ("audio/pcmu", "audio/pcma")]


def _is_of_use(line: str) -> bool:
    found = _CANDIDATE.match(line)
    if found is None:
        return False
    try:
        address = ip_address(found["host"])
    except ValueError:
        return False
    return not (address.is_multicast or address.is_unspecified)
