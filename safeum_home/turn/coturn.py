"""What coturn is told: its configuration, in which there is no secret."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_network
from pathlib import Path

from safeum_home.config_turn import TurnSection
from safeum_home.outgoing.addresses import LOOPBACK, REFUSED, N, Network, refused_inside, without

PROGRAM = "turnserver"
PACKAGE = "coturn"

_ALWAYS = """\
use-auth-secret
fingerprint
stale-nonce=600
no-stun-backward-compatibility
response-origin-only-with-rfc5780
no-rfc5780
no-software-attribute
no-tcp-relay
no-multicast-peers
no-dynamic-ip-list
no-dynamic-realms
no-cli
no-tlsv1
no-tlsv1_1
simple-log
log-file=stdout
pidfile=/dev/null
"""


def configuration(section: TurnSection, node: str, database: Path, tls: tuple[Path, Path] | None) -> str:
    """turnserver.conf for the relay of `node`. `database` (SQLite) has the secrets, of its realm.

    `tls` is where a certificate chain and its key are; without there is neither TLS nor DTLS.
    """
    return _ALWAYS + "".join(f"{line}\n" for line in _lines(section, node, database, tls))


def realm(section: TurnSection, node: str) -> str:
    """For which realm (RFC 8489, section 9.2) the secrets are."""
    return section.realm or node


def _lines(section: TurnSection, node: str, database: Path, tls: tuple[Path, Path] | None) -> Iterator[str]:
    yield f"realm={realm(section, node)}"
    yield f"userdb={database}"
    yield from (f"listening-ip={address}" for address in section.listen)
    yield from (f"relay-ip={address}" for address in section.relay or section.listen)
    yield from (f"external-ip={address}" for address in section.external)
    yield f"listening-port={section.port}"
    yield f"min-port={section.first_port}"
    yield f"max-port={section.last_port}"
    if tls is None:
        yield from ("no-tls", "no-dtls")
    else:
        yield f"tls-listening-port={section.tls_port}"
        yield f"cert={tls[0]}"
        yield f"pkey={tls[1]}"
    yield f"total-quota={section.allocations}"
    yield f"user-quota={section.allocations_each}"
    yield f"max-bps={section.octets_per_second_each}"
    if section.octets_per_second:
        yield f"bps-capacity={section.octets_per_second}"
    allowed, denied = _allowed(section), (*REFUSED, *map(ip_network, section.deny))
    if any(_overlap(network, loopback) for network in allowed for loopback in LOOPBACK):
        yield "allow-loopback-peers"
    yield from (f"allowed-peer-ip={each}" for each in _ranges(allowed))
    yield from (f"denied-peer-ip={each}" for each in _ranges(denied))


def _allowed(section: TurnSection) -> list[Network]:
    """What is denied has to be taken out: to coturn what is allowed comes first."""
    allowed, denied = [list(map(ip_network, each)) for each in (section.allow, section.deny)]
    inside = [
        refused
        for each in allowed
        if isinstance(each, IPv6Network)
        for refused in refused_inside(each, without(_of(IPv4Network, allowed), _of(IPv4Network, denied)))
    ]
    return [
        *without(_of(IPv4Network, allowed), _of(IPv4Network, denied)),
        *without(_of(IPv6Network, allowed), [*_of(IPv6Network, denied), *inside]),
    ]


def _of(version: type[N], networks: Iterable[Network]) -> list[N]:
    return [each for each in networks if isinstance(each, version)]


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _ranges(networks: Iterable[Network]) -> Iterator[str]:
    """As coturn takes them: the first address and the last, of none that is within another.

    To `0.0.0.0` and `::` it never relays. It takes the second at the beginning of a range for all of IPv4
    too, and either of them at the end for all that there is.
    """
    for network in _collapsed(networks):
        first, last = network[0], network[-1]
        if int(last) != 0:
            yield f"{IPv6Address(1) if first == IPv6Address(0) else first}-{last}"


def _collapsed(networks: Iterable[Network]) -> Iterator[Network]:
    networks = list(networks)
    yield from collapse_addresses(each for each in networks if isinstance(each, IPv4Network))
    yield from collapse_addresses(each for each in networks if isinstance(each, IPv6Network))
