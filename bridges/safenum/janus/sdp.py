"""Descriptions of apps (SDP, RFC 8866; of WebRTC: RFC 8829), as far as a telephone call can use them.

Janus passes on to the carrier what it does not know: the names in `o=` and `s=`, and attributes of whatever
sort. So it is given what it needs and no more, and the carrier sees the same of every app.
"""

import os
import re
from collections.abc import Iterator

from safeum_home.errors import Code, Problem
from safeum_home.protocol.telephone_types import MOST_SDP

_TEXT = re.compile(r"v=0\r?\n[\t\n\r -~]+\Z")
_AUDIO = re.compile(r"m=audio ([0-9]{1,5}) UDP/TLS/RTP/SAVPF((?: [0-9]{1,3})+)\Z")
_MAP = re.compile(r"a=rtpmap:([0-9]{1,3}) ([A-Za-z0-9-]+/[0-9]+)(?:/1)?\Z")
_KEYS = re.compile(r"a=fmtp:([0-9]{1,3}) [0-9,-]{1,64}\Z")
_STATIC = {"0": "PCMU/8000", "8": "PCMA/8000", "13": "CN/8000"}
"""RFC 3551, table 4."""
_USED = frozenset({*_STATIC.values(), "TELEPHONE-EVENT/8000"})
"""Janus does not transcode, and carriers have nothing else in common."""
_G711 = frozenset({"0", "8"})
_WORD = r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,64}"
_ATTRIBUTES = re.compile(
    r"a=(?:ice-ufrag:[A-Za-z0-9+/]{4,256}|ice-pwd:[A-Za-z0-9+/]{22,256}|ice-options:[a-z0-9 -]{1,64}"
    r"|fingerprint:[A-Za-z0-9-]{1,16} [0-9A-Fa-f:]{1,256}|setup:(?:actpass|active|passive)"
    rf"|group:BUNDLE {_WORD}|mid:{_WORD}|rtcp-mux|rtcp-rsize|candidate:[ -~]{{1,512}}|end-of-candidates"
    r"|ptime:[0-9]{1,3}|maxptime:[0-9]{1,3}|sendrecv|sendonly|recvonly|inactive)\Z"
)
"""What Janus and the app need for finding each other and for the keys, and what is sent (RFC 3264)."""
_SOURCE = re.compile(r"a=ssrc:([0-9]{1,10}) cname:")
_NEEDED = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:")


def is_readable(sdp: str) -> bool:
    """Whether a description may be handed on at all, whoever it is of."""
    return len(sdp) <= MOST_SDP and _TEXT.match(sdp) is not None


def for_janus(sdp: str) -> str:
    """What Janus is given of an app's description.

    Raises `Problem(invalid_params)`, which quotes nothing, for what is of no use.
    """
    if not is_readable(sdp):
        raise Problem(Code.INVALID_PARAMS, "sdp: not a description, or too long for one")
    lines = sdp.splitlines()
    places = [place for place, line in enumerate(lines) if line.startswith("m=")]
    audio = _AUDIO.match(lines[places[0]]) if len(places) == 1 else None
    if audio is None or audio[1] == "0":
        raise Problem(Code.INVALID_PARAMS, "sdp: one section is wanted, of audio, with ICE and DTLS-SRTP")
    if not all(any(line.startswith(each) for line in lines) for each in _NEEDED):
        raise Problem(Code.INVALID_PARAMS, "sdp: ICE credentials and a fingerprint are missing")
    session, section = lines[: places[0]], lines[places[0] + 1 :]
    formats = _formats(audio[2].split(), section)
    if not _G711 & set(formats):
        raise Problem(Code.INVALID_PARAMS, "sdp: G.711 (PCMU or PCMA) has to be among its codecs")
    number = int.from_bytes(os.urandom(8), "big") >> 2
    whole = (
        "v=0",
        f"o=- {number} 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        *(line for line in session if _ATTRIBUTES.match(line)),
        f"m=audio 9 UDP/TLS/RTP/SAVPF {' '.join(formats)}",
        "c=IN IP4 0.0.0.0",
        *_kept(section, formats),
    )
    return "".join(f"{line}\r\n" for line in whole)


def _formats(offered: list[str], section: list[str]) -> dict[str, str]:
    """Those of use, by their payload types, in the order of the app."""
    known = {**_STATIC, **{found[1]: found[2].upper() for line in section if (found := _MAP.match(line))}}
    return {each: known[each] for each in offered if known.get(each) in _USED}


def _kept(section: list[str], formats: dict[str, str]) -> Iterator[str]:
    for each, name in formats.items():
        yield f"a=rtpmap:{each} {name.lower() if name.startswith('T') else name}"
    for line in section:
        keys = _KEYS.match(line)
        if _ATTRIBUTES.match(line) or (keys and formats.get(keys[1], "").startswith("T")):
            yield line
    sources = [found[1] for line in section if (found := _SOURCE.match(line))]
    yield from (f"a=ssrc:{source} cname:app" for source in sources[:1])
