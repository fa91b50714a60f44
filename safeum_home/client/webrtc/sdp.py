"""Descriptions (SDP, RFC 8866) as calls use them: what is not needed is dropped, what is wrong is refused.

A description comes from another device, or from the bridge to the telephone network. Only what this module
writes anew of it is handed on: one line of sound (Opus; with the bridge G.711) and where it is wanted one of
pictures (VP8, H.264), both by DTLS-SRTP over one ICE way.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Literal, NamedTuple

from safeum_home.client.webrtc.codecs import CALL, PARAMETERS, Codecs

Kind = Literal["offer", "answer"]

MOST_DESCRIPTION = 16_000
MOST_LINES = 300
MOST_CANDIDATES = 32
PROFILE = "UDP/TLS/RTP/SAVPF"
_DYNAMIC = range(96, 128)
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_SHARED = ("fingerprint", "setup", "ice-ufrag", "ice-pwd")
"""What may stand once for all media (RFC 8859)."""
_SETUP = {"offer": ("actpass", "active", "passive"), "answer": ("active", "passive")}
_DIGESTS = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_EXTENSIONS = (
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
)
"""Not the level of the sound (RFC 6464): extensions of headers are not encrypted."""
_FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb")
_ONCE = {
    "mid": r"[A-Za-z0-9]{1,16}",
    "ice-ufrag": r"[A-Za-z0-9+/]{4,256}",
    "ice-pwd": r"[A-Za-z0-9+/]{22,256}",
    "setup": r"actpass|active|passive",
}
_NOWHERE = {4: ip_network("240.0.0.0/4"), 6: ip_network("::ffff:0:0/96")}
"""Nobody's, and other forms of what was looked at already."""
_CANDIDATE = re.compile(
    r"(?P<foundation>[A-Za-z0-9+/]{1,32}) (?P<component>[0-9]{1,3}) (?P<transport>[A-Za-z]{1,8})"
    r" (?P<priority>[0-9]{1,10}) (?P<address>[0-9A-Za-z.:-]{1,253}) (?P<port>[0-9]{1,5})"
    r" typ (?P<type>host|srflx|prflx|relay)(?: [!-~]{1,255}){0,16}"
)


class _Section(NamedTuple):
    kind: str
    formats: list[str]
    lines: list[tuple[str, str]]
    """Attributes: their names and values."""
    rejected: bool = False

    def all(self, name: str) -> list[str]:
        return [value for each, value in self.lines if each == name]

    def one(self, name: str) -> str:
        """The value of an attribute that has to be there once."""
        found = self.all(name)
        if len(found) != 1 or re.fullmatch(_ONCE[name], found[0]) is None:
            raise ValueError(f"{name} is missing, or is none")
        return found[0]


def checked(text: str, kind: Kind, video: bool, codecs: Codecs = CALL) -> str:
    """The description as it may be used; raises `ValueError`. Pictures are refused without `video`."""
    session, sections = _sections(text)
    media = [section.kind for section in sections]
    if media not in (["audio"], ["audio", "video"]) or (len(media) > 1 and not video):
        raise ValueError(f"the media are not those of this call: {len(media)} sections")
    if sections[0].rejected or (kind == "offer" and sections[-1].rejected):
        raise ValueError("a call of which nothing is left")
    mids = [section.one("mid") for section in sections]
    if sections[-1].rejected:
        sections[-1] = _no_pictures(sections[0], mids[-1])
    elif len(sections) > 1:
        _bundled(session, sections, mids)
    written = ["v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-", "t=0 0", f"a=group:BUNDLE {' '.join(mids)}"]
    written.append("a=msid-semantic:WMS *")
    for section in sections:
        written += _section(section, kind, codecs)
    return "".join(f"{line}\r\n" for line in written)


def candidate(line: str) -> str | None:
    """A candidate (RFC 8839) without its `a=candidate:`; None where it is of no use here.

    Raises `ValueError`. Names (mDNS among them) are not looked up: nobody is to make another one ask around.
    """
    found = _CANDIDATE.fullmatch(line.removeprefix("a=").removeprefix("candidate:"))
    if found is None or int(found["priority"]) >= 2**32 or not 0 < int(found["port"]) < 2**16:
        raise ValueError("a candidate is none")
    try:
        address = ip_address(found["address"])
    except ValueError:
        return None
    if found["component"] != "1" or found["transport"].lower() != "udp":
        return None
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return None
    if (address.is_loopback and found["type"] != "relay") or address in _NOWHERE[address.version]:
        return None
    # What it stands for is told to nobody (RFC 8839 section 5.1).
    nowhere = ip_address(0) if address.version == 4 else "::"
    related = "" if found["type"] == "host" else f" raddr {nowhere} rport 9"
    return (
        f"{found['foundation']} 1 udp {found['priority']} {address} {found['port']}"
        f" typ {found['type']}{related}"
    )


def fewer(text: str) -> str:
    """One's own description with no more candidates than others take: the last of one's own go first."""
    lines = text.splitlines()
    for host in (True, False):
        for index in reversed(range(len(lines))):
            if sum(line.startswith("a=candidate:") for line in lines) <= MOST_CANDIDATES:
                break
            if lines[index].startswith("a=candidate:") and ("typ host" in lines[index]) is host:
                del lines[index]
    return "\n".join(lines)


def _sections(text: str) -> tuple[list[tuple[str, str]], list[_Section]]:
    """The attributes of the session, and its media."""
    if len(text) > MOST_DESCRIPTION:
        raise ValueError("too long")
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if len(lines) > MOST_LINES or lines[0] != "v=0":
        raise ValueError("no description")
    session: list[tuple[str, str]] = []
    sections: list[_Section] = []
    for line in lines:
        if re.fullmatch(r"[a-z]=[ -~]{1,512}", line) is None:
            raise ValueError("a line is none")
        if line.startswith("m="):
            sections.append(_begun(line))
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            (sections[-1].lines if sections else session).append((name, value))
    for section in sections:
        own = {name for name, _ in section.lines}
        section.lines.extend(each for each in session if each[0] in _SHARED and each[0] not in own)
    return session, sections


def _begun(line: str) -> _Section:
    found = re.fullmatch(r"m=(audio|video) ([0-9]{1,5}) (\S+)((?: [0-9]{1,3}){1,64})", line)
    if found is None or found[3] != PROFILE:
        raise ValueError("media that are not for a call, or not by DTLS-SRTP")
    return _Section(found[1], found[4].split(), [], int(found[2]) == 0)


def _bundled(session: list[tuple[str, str]], sections: list[_Section], mids: list[str]) -> None:
    """Sound and pictures go one way, to one device."""
    groups = [value for name, value in session if name == "group" and value.startswith("BUNDLE")]
    if groups != [f"BUNDLE {' '.join(mids)}"] or len(set(mids)) != len(mids):
        raise ValueError("sound and pictures go different ways")
    for name in _SHARED:
        if any(sorted(section.all(name)) != sorted(sections[0].all(name)) for section in sections):
            raise ValueError("sound and pictures go to different devices")


def _no_pictures(sound: _Section, mid: str) -> _Section:
    """In place of pictures that were rejected (RFC 8829, section 5.3.1): aiortc wants those that rest."""
    payload = next(str(each) for each in _DYNAMIC if str(each) not in sound.formats)
    shared = [each for each in sound.lines if each[0] in (*_SHARED, "rtcp-mux")]
    lines = [("mid", mid), ("inactive", ""), ("rtpmap", f"{payload} VP8/90000"), *shared]
    return _Section("video", [payload], lines)


def _section(section: _Section, kind: Kind, known: Codecs) -> list[str]:
    codecs = _codecs(section, known)
    directions = [name for name, _ in section.lines if name in _DIRECTIONS] or ["sendrecv"]
    if len(directions) > 1 or not section.all("rtcp-mux"):
        raise ValueError("more than one direction, or two ways for one medium")
    setup = section.one("setup")
    if setup not in _SETUP[kind]:
        raise ValueError("nobody would begin with DTLS")
    candidates = [candidate(line) for line in section.all("candidate")[:MOST_CANDIDATES]]
    return [
        f"m={section.kind} 9 {PROFILE} {' '.join(codecs)}",
        "c=IN IP4 0.0.0.0",
        f"a={directions[0]}",
        f"a=mid:{section.one('mid')}",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=rtcp-mux",
        *_streams(section, known.streams),
        *(line for payload, name in codecs.items() for line in _codec(section, payload, name)),
        *(f"a=candidate:{each}" for each in candidates if each is not None),
        *(["a=end-of-candidates"] if section.all("end-of-candidates") else []),
        f"a=ice-ufrag:{section.one('ice-ufrag')}",
        f"a=ice-pwd:{section.one('ice-pwd')}",
        *_fingerprints(section),
        f"a=setup:{setup}",
    ]


def _fingerprints(section: _Section) -> Iterable[str]:
    """Of the certificate that the other shows: by SHA-256 at least, and by nothing that is broken."""
    found = {}
    for value in section.all("fingerprint"):
        digest, _, octets = value.partition(" ")
        length = _DIGESTS.get(digest.lower())
        if length is None:
            continue
        if re.fullmatch(rf"[0-9A-Fa-f]{{2}}(:[0-9A-Fa-f]{{2}}){{{length - 1}}}", octets) is None:
            raise ValueError("a fingerprint is none")
        if digest.lower() in found:
            raise ValueError("two fingerprints of a kind")
        found[digest.lower()] = octets.upper()
    if "sha-256" not in found:
        raise ValueError("no fingerprint")
    return [f"a=fingerprint:{digest} {octets}" for digest, octets in found.items()]


def _codecs(section: _Section, allowed: Codecs) -> dict[str, str]:
    """The codecs that are wanted, by their payload types, in the other's order."""
    wanted = allowed.audio if section.kind == "audio" else allowed.video
    known = {each: name for each, name in allowed.static.items() if each in section.formats}
    for value in section.all("rtpmap"):
        payload, _, name = value.partition(" ")
        free = payload.isdecimal() and payload in section.formats and int(payload) in _DYNAMIC
        if free and name.lower() in wanted:
            known[payload] = name
    codecs = {payload: known[payload] for payload in section.formats if payload in known}
    for payload in [each for each, name in codecs.items() if name.lower() == "rtx/90000"]:
        again = [value for value in section.all("fmtp") if value.startswith(f"{payload} ")]
        apt = re.search(r"\bapt=([0-9]{2,3})\b", again[0]) if again else None
        if apt is None or apt[1] not in codecs or codecs[apt[1]].lower() == "rtx/90000":
            del codecs[payload]
    if not codecs:
        raise ValueError(f"no codec for {section.kind} that is known here")
    return codecs


def _codec(section: _Section, payload: str, name: str) -> list[str]:
    lines = [f"a=rtpmap:{payload} {name}"]
    given = section.all("rtcp-fb") if section.kind == "video" else []
    back = [each for each in _FEEDBACK if f"{payload} {each}" in given or f"* {each}" in given]
    lines += [f"a=rtcp-fb:{payload} {each}" for each in back]
    kept = {}
    for value in section.all("fmtp"):
        allowed = PARAMETERS.get(name.lower(), {})
        if value.startswith(f"{payload} "):
            for parameter in value.partition(" ")[2].split(";"):
                key, _, content = parameter.strip().partition("=")
                if key in allowed and re.fullmatch(allowed[key], content):
                    kept[key] = content
    if kept:
        lines.append(f"a=fmtp:{payload} {';'.join(f'{key}={content}' for key, content in kept.items())}")
    return lines


def _streams(section: _Section, named: bool) -> list[str]:
    """Where it is said which streams there are, and which extensions of their headers."""
    extensions: dict[str, str] = {}
    for value in section.all("extmap") if named else ():
        number, _, uri = value.partition(" ")
        if re.fullmatch(r"[1-9]|1[0-4]", number) and uri in _EXTENSIONS:
            extensions.setdefault(uri, f"a=extmap:{number} {uri}")
    lines = list(extensions.values())
    for name, pattern in (
        ("msid", r"[A-Za-z0-9_-]{1,64} [A-Za-z0-9_-]{1,64}"),
        ("ssrc-group", r"FID [0-9]{1,10} [0-9]{1,10}"),
        ("ssrc", r"[0-9]{1,10} cname:[A-Za-z0-9+/@._-]{1,64}"),
    ):
        if named or name == "ssrc":
            lines += [f"a={name}:{value}" for value in section.all(name) if re.fullmatch(pattern, value)][:4]
    return lines
