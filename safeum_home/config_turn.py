"""The section `[turn]` of the configuration: the relay of calls."""

import re
from ipaddress import IPv6Network, ip_address, ip_network
from typing import Annotated

from msgspec import Meta, field

from safeum_home.config_base import Positive, Section
from safeum_home.config_secrets import ConfigError
from safeum_home.outgoing.addresses import Network, has_more_than_loopback, is_told_apart

_URL = re.compile(
    r"turns?:(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[(?P<address>[0-9A-Fa-f:.]{2,45})\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?:\?transport=(?:udp|tcp))?\Z"
)
_REALM = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,126}\Z")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")

Port = Annotated[int, Meta(ge=1, le=65535)]
RelayPort = Annotated[int, Meta(ge=1024, le=65535)]
Addresses = Annotated[list[str], Meta(max_length=16)]
Networks = Annotated[list[str], Meta(max_length=1_000)]


class TurnSection(Section, frozen=True):
    """The relay of calls (docs/turn.md). All but the first three is for `safeum-home turn` alone."""

    urls: Annotated[list[str], Meta(max_length=8)] = field(default_factory=list)
    """What clients are told (RFC 7065): where the relay is. None: there is no relay."""
    valid_seconds: Annotated[float, Meta(ge=60, le=86400)] = 600.0
    """For how long after they were given out credentials may begin something; it goes on afterwards."""
    key: str = ""
    """The key of `certificate`: `secret:NAME`, which the node gives, or `file:PATH` on a ramfs or tmpfs."""
    certificate: str = ""
    """The certificate chain, PEM, for `turns:`. None: no TLS and no DTLS."""
    realm: str = ""
    """By default the node's name."""
    listen: Addresses = field(default_factory=list)
    """Addresses where clients are served; by default all of the machine."""
    port: Port = 3478
    tls_port: Port = 5349
    relay: Addresses = field(default_factory=list)
    """Addresses that peers see; by default those where clients are served."""
    external: Addresses = field(default_factory=list)
    """`PUBLIC` or `PUBLIC/OWN`: how an address of the machine is seen from outside, behind a NAT."""
    first_port: RelayPort = 49152
    last_port: RelayPort = 65535
    """Of what is relayed."""
    allow: Networks = field(default_factory=list)
    """Networks (CIDR) that are relayed to though they are not public."""
    deny: Networks = field(default_factory=list)
    """Further ones that are not, those that are in `allow` too."""
    allocations: Positive = 2_000
    """How many there may be at once; `allocations_each` with the same credentials."""
    allocations_each: Positive = 10
    """In a conference a device has five ways, and may begin each a second time before the first is gone."""
    octets_per_second: Annotated[int, Meta(ge=0, le=2**53)] = 0
    """Of all allocations together, in each direction; 0: as much as there is."""
    octets_per_second_each: Positive = 500_000
    user: str = "turnserver"
    """Whom coturn runs as, where it is started by root."""


def check_turn(section: TurnSection) -> None:
    """Raises `ConfigError` for what no type says."""
    if not all(map(_is_url, section.urls)):
        raise ConfigError("turn.urls: as turn:HOST:PORT?transport=udp, or turns:HOST:PORT?transport=tcp")
    if section.key and not section.key.startswith(("secret:", "file:")):
        raise ConfigError("turn.key: `secret:NAME` or `file:PATH`")
    if section.certificate and not section.certificate.startswith("/"):
        raise ConfigError("turn.certificate: a path that begins with /")
    if section.certificate and not section.key:
        raise ConfigError("turn.key: the certificate's key is missing")
    if section.realm and not _REALM.match(section.realm):
        raise ConfigError("turn.realm: letters, digits, dots, dashes")
    if not _USER.match(section.user):
        raise ConfigError("turn.user: a user of the system")
    for name, addresses in (("listen", section.listen), ("relay", section.relay)):
        if not all(map(_is_address, addresses)):
            raise ConfigError(f"turn.{name}: addresses, IPv4 or IPv6")
        if any(ip_address(each).is_multicast for each in addresses):
            raise ConfigError(f"turn.{name}: addresses of this machine, no multicast")
    if any(ip_address(each).is_unspecified for each in section.relay):
        raise ConfigError("turn.relay: addresses that peers can send to")
    _check_external(section.external)
    for name, networks in (("allow", section.allow), ("deny", section.deny)):
        if not all(map(_is_network, networks)):
            raise ConfigError(f"turn.{name}: networks as 10.0.0.0/8, without bits of hosts")
    for network in map(ip_network, section.allow):
        _check_allowed(network)
    _check_ports(section)
    if 0 < section.octets_per_second < section.octets_per_second_each:
        raise ConfigError("turn.octets_per_second: not even one allocation has that: octets_per_second_each")


def _check_ports(section: TurnSection) -> None:
    if section.first_port > section.last_port:
        raise ConfigError("turn.last_port: below turn.first_port")
    ports = {"port": section.port}
    if section.certificate:
        ports["tls_port"] = section.tls_port
        if section.port == section.tls_port:
            raise ConfigError("turn.tls_port: the same as turn.port")
    for name, port in ports.items():
        if section.first_port <= port <= section.last_port:
            raise ConfigError(f"turn.{name}: among the ports of what is relayed, first_port to last_port")


def _check_external(texts: list[str]) -> None:
    pairs = [text.split("/") for text in texts]
    if not all(len(pair) <= 2 and all(map(_is_address, pair)) for pair in pairs):
        raise ConfigError("turn.external: `PUBLIC` or `PUBLIC/OWN`, both addresses")
    addresses = [[ip_address(each) for each in pair] for pair in pairs]
    if any(each.is_unspecified or each.is_multicast for pair in addresses for each in pair):
        raise ConfigError("turn.external: addresses that somebody can send to")
    if any(len({each.version for each in pair}) > 1 for pair in addresses):
        raise ConfigError("turn.external: both addresses of IPv4, or both of IPv6")
    if len(pairs) > 1 and any(len(pair) == 1 for pair in pairs):
        raise ConfigError("turn.external: of several each is `PUBLIC/OWN`")


def _check_allowed(network: Network) -> None:
    """Nobody means all of it by a network that has loopback, or IPv4 in a form that is unwrapped."""
    if has_more_than_loopback(network):
        raise ConfigError(f"turn.allow: {network} has loopback in it, and what else nobody means")
    if isinstance(network, IPv6Network) and not is_told_apart(network):
        raise ConfigError(f"turn.allow: {network} has IPv4 networks in it that are not public")


def _is_url(text: str) -> bool:
    match = _URL.match(text)
    if match is None or int(match["port"] or 1) > 65535:
        return False
    address = match["address"]
    return address is None or (_is_address(address) and ip_address(address).version == 6)


def _is_address(text: str) -> bool:
    try:
        return "%" not in text and bool(ip_address(text))
    except ValueError:
        return False


def _is_network(text: str) -> bool:
    try:
        return bool(ip_network(text))
    except ValueError:
        return False
