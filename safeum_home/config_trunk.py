"""The section `[trunk]` of the configuration: the processes between this node and a carrier."""

import re
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Annotated, Literal

from msgspec import Meta, field

from safeum_home.config_base import Section
from safeum_home.config_secrets import ConfigError

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z")
_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}\Z")
_LOGIN = re.compile(r"[A-Za-z0-9._+-]{1,64}\Z")

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$(?!\n)")]
MediaPort = Annotated[int, Meta(ge=1024, le=65535)]
Codec = Literal["PCMA", "PCMU"]


class TrunkSection(Section, frozen=True):
    """A trunk (docs/carrier.md). All of it is for `safeum-home carrier` and what that runs."""

    name: Name = "carrier"
    """The carrier's, as in `[[safenum.carriers]]`."""
    carriers: Annotated[list[str], Meta(max_length=8)] = field(default_factory=list)
    """`ADDRESS:PORT` of the carrier's SIP servers: calls go to the first that takes them, and come from all.
    None: there is no trunk."""
    also_from: Annotated[list[str], Meta(max_length=16)] = field(default_factory=list)
    """Further networks (CIDR) that the carrier's calls come from."""
    listen: str = ""
    """`ADDRESS:PORT` of ours where the carrier is served."""
    public: str = ""
    """The address that the carrier sees in place of `listen`'s and `media`'s, behind a NAT."""
    transport: Literal["udp", "tcp"] = "udp"
    """Towards the carrier."""
    domain: str = ""
    """What stands behind the @ of our numbers; by default our address."""
    numbers: Annotated[list[str], Meta(max_length=1_000)] = field(default_factory=list)
    """How our numbers begin, as +35449; none: any number may be called, and the node knows which it has."""
    plus: bool = True
    """Whether the carrier writes numbers with a plus."""
    codecs: Annotated[list[Codec], Meta(min_length=1, max_length=2)] = field(
        default_factory=lambda: ["PCMA", "PCMU"]
    )
    """Of G.711: what is spoken with the carrier."""
    calls: Annotated[int, Meta(ge=1, le=10_000)] = 30
    """How many there may be at once."""
    call_seconds: Annotated[int, Meta(ge=60, le=86400)] = 14_400
    """After which the edge ends a call, whatever the node says."""
    login: str = ""
    """With which we prove to the carrier who we are, where it asks."""
    proof: str = ""
    """`secret:NAME`, which the node gives."""
    inside: str = "127.0.0.1:5060"
    """`ADDRESS:PORT` where Janus is served by Kamailio: loopback, or a network of nobody else."""
    janus: str = "127.0.0.1"
    """Janus' own address towards Kamailio."""
    websocket: str = "127.0.0.1:8188"
    """`ADDRESS:PORT` where the node is served by Janus, in clear: as `inside`."""
    media: str = ""
    """Janus' address for sound with the carrier; by default that of `listen`."""
    first_port: MediaPort = 20_000
    last_port: MediaPort = 23_999
    """Of sound with the carrier."""
    app: Annotated[list[str], Meta(max_length=8)] = field(default_factory=list)
    """Janus' addresses for apps; by default that of `media`."""
    app_public: str = ""
    """The address that apps see in place of those, behind a NAT."""
    app_first_port: MediaPort = 24_000
    app_last_port: MediaPort = 27_999
    """Of sound with apps."""
    kamailio_user: str = "kamailio"
    janus_user: str = "janus"
    """Whom they run as, where they are started by root."""
    talk_tolerance_ms: Annotated[int, Meta(ge=0, le=60_000)] = 1_000
    """By how much `safeum-home cdr reconcile` lets talk times differ."""

    @property
    def codec_names(self) -> str:
        return ",".join([*self.codecs, "telephone-event"])


def split(text: str) -> tuple[str, int]:
    """An address and a port of `ADDRESS:PORT`; raises ValueError."""
    host, _, port = text.rpartition(":")
    address = ip_address(host.removeprefix("[").removesuffix("]"))
    if "%" in host or (address.version == 6) != host.startswith("["):
        raise ValueError(text)
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(text)
    return str(address), int(port)


def check_trunk(section: TrunkSection) -> None:
    """Raises `ConfigError` for what no type says."""
    if not section.carriers:
        if section != TrunkSection():
            raise ConfigError("trunk.carriers: ADDRESS:PORT of the carrier's SIP servers")
        return
    if not section.listen:
        raise ConfigError("trunk.listen: ADDRESS:PORT where the carrier is served")
    for name, endpoints in (
        ("carriers", section.carriers),
        ("listen", [section.listen]),
        ("inside", [section.inside]),
        ("websocket", [section.websocket]),
    ):
        if not all(map(_is_endpoint, endpoints)):
            raise ConfigError(f"trunk.{name}: ADDRESS:PORT, as 192.0.2.1:5060")
    _check_addresses(section)
    _check_ports(section)
    if not all(map(_is_network, section.also_from)):
        raise ConfigError("trunk.also_from: networks as 192.0.2.0/24, without bits of hosts")
    if section.domain and not _DOMAIN.match(section.domain):
        raise ConfigError("trunk.domain: letters, digits, dots, dashes")
    if not all(map(_PREFIX.match, section.numbers)):
        raise ConfigError("trunk.numbers: how they begin, as +35449")
    for name, user in (("kamailio_user", section.kamailio_user), ("janus_user", section.janus_user)):
        if not _USER.match(user):
            raise ConfigError(f"trunk.{name}: a user of the system")
    _check_secrets(section)


def _check_addresses(section: TrunkSection) -> None:
    """Kamailio and Janus are told one version of IP: they do not translate."""
    single = {
        "janus": [section.janus],
        "media": [section.media] if section.media else [],
        "public": [section.public] if section.public else [],
        "app": section.app,
        "app_public": [section.app_public] if section.app_public else [],
    }
    for name, addresses in single.items():
        if not all(map(_is_address, addresses)):
            raise ConfigError(f"trunk.{name}: an address")
    for name, endpoint in (("listen", section.listen), ("inside", section.inside)):
        if ip_address(split(endpoint)[0]).is_unspecified:
            raise ConfigError(f"trunk.{name}: one address of this machine")
    if split(section.listen) == split(section.inside):
        raise ConfigError("trunk.inside: the same as trunk.listen")


def _check_ports(section: TrunkSection) -> None:
    ranges = [
        ("", section.first_port, section.last_port),
        ("app_", section.app_first_port, section.app_last_port),
    ]
    for name, first, last in ranges:
        if first > last:
            raise ConfigError(f"trunk.{name}last_port: below trunk.{name}first_port")
    (_, first, last), (_, app_first, app_last) = ranges
    if first <= app_last and app_first <= last:
        raise ConfigError("trunk.app_first_port: among the ports of sound with the carrier")
    # RTP and RTCP of each.
    if (last - first + 1) < 2 * section.calls:
        raise ConfigError("trunk.last_port: a call has two ports, and these are not enough for trunk.calls")


def _check_secrets(section: TrunkSection) -> None:
    if section.login and not _LOGIN.match(section.login):
        raise ConfigError("trunk.login: letters, digits, and . _ + -")
    if section.proof and not section.proof.startswith("secret:"):
        raise ConfigError("trunk.proof: `secret:NAME`")
    if bool(section.login) != bool(section.proof):
        raise ConfigError("trunk.login and trunk.proof: both, or none")


def carrier_hosts(section: TrunkSection) -> Sequence[str]:
    """The addresses of the carrier's servers, each once."""
    return list(dict.fromkeys(split(each)[0] for each in section.carriers))


def _is_endpoint(text: str) -> bool:
    try:
        return bool(split(text))
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    try:
        return "%" not in text and not ip_address(text).is_unspecified
    except ValueError:
        return False


def _is_network(text: str) -> bool:
    try:
        return bool(ip_network(text))
    except ValueError:
        return False
