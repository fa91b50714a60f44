"""The section `[turn]` of the configuration: the relay of calls."""

import re
from ipaddress import ip_address, ip_network
from typing import Annotated

from msgspec import Meta, field

from safeum_home.config_base import Positive, Section
from safeum_home.config_secrets import ConfigError

_URL = re.compile(
    r"turns?:([A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(:[1-9][0-9]{0,4})?(\?transport=(udp|tcp))?\Z"
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
    """Further ones that are not."""
    allocations: Positive = 2_000
    """How many there may be at once; `allocations_each` with the same credentials."""
    allocations_each: Positive = 32
    """In a conference a device has five ways, and on each it may try all of `urls`."""
    octets_per_second: Annotated[int, Meta(ge=0, le=2**53)] = 0
    """Of all allocations together, in each direction; 0: as much as there is."""
    octets_per_second_each: Positive = 500_000
    user: str = "turnserver"
    """Whom coturn runs as, where it is started by root."""


def check_turn(section: TurnSection) -> None:
    """Raises `ConfigError` for what no type says."""
    if not all(_URL.match(url) for url in section.urls):
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
    if not all(_is_external(each) for each in section.external):
        raise ConfigError("turn.external: `PUBLIC` or `PUBLIC/OWN`, both addresses")
    for name, networks in (("allow", section.allow), ("deny", section.deny)):
        if not all(map(_is_network, networks)):
            raise ConfigError(f"turn.{name}: networks as 10.0.0.0/8, without bits of hosts")
    if section.first_port > section.last_port:
        raise ConfigError("turn.last_port: below turn.first_port")


def _is_external(text: str) -> bool:
    addresses = text.split("/")
    return len(addresses) <= 2 and all(map(_is_address, addresses))


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
