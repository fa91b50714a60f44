"""Which addresses a node may connect to for a name that somebody else chose.

Public ones. Whatever leads back into the operator's own networks is refused, also when it is written as an
IPv6 address that has an IPv4 address inside: a kernel, a tunnel or a translator would unwrap it.
Sources: the IANA registries of special-purpose addresses (RFC 6890), RFC 4291, 6052, 8215, 3056, 4380, 5214.
"""

from collections.abc import Iterable, Iterator
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeVar

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
N = TypeVar("N", IPv4Network, IPv6Network)

_NEVER = tuple(map(ip_network, ("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8")))
"""Unspecified, which is the machine itself, multicast and broadcast: no operator's exception covers them."""

_NOT_PUBLIC = tuple(
    map(
        IPv4Network,
        (
            "10.0.0.0/8",
            "100.64.0.0/10",  # behind a provider's address translation (RFC 6598)
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local, where clouds keep their credentials
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "240.0.0.0/4",
        ),
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
"""All that was ever given out: what is outside is local, or of no meaning."""
_NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocols, Teredo among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "3fff::/20",  # documentation
        ),
    )
)

REFUSED: tuple[Network, ...] = (
    *_NEVER,
    *_NOT_PUBLIC,
    *IPv6Network("::/0").address_exclude(_PUBLIC_6),
    *_NOT_PUBLIC_6,
)
"""What `Addresses` refuses without exceptions, as networks; ISATAP alone is in none."""

_IN_THE_LAST_32_BITS = tuple(
    map(
        IPv6Network,
        (
            "::/96",  # IPv4-compatible
            "::ffff:0:0/96",  # IPv4-mapped
            "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765)
            "64:ff9b::/96",  # NAT64
        ),
    )
)
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
_TRANSLATORS = (IPv6Network("64:ff9b::/96"), _NAT64_LOCAL)
_6TO4 = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_ISATAP = (0x00005EFE, 0x02005EFE)
_32_BITS = 0xFFFFFFFF


LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
"""Of IPv4, and of IPv6."""


class Addresses:
    """What may be connected to; `networks` (CIDR) are the operator's exceptions. Raises ValueError."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(ip_network(each) for each in networks)

    def allows(self, text: str) -> bool:
        """Whether the address may be connected to; what is not the text of one, may not."""
        try:
            address = ip_address(text)
        except (AddressValueError, ValueError):
            return False
        if isinstance(address, IPv4Address):
            return self._allows_4(address)
        return self._allows_6(address)

    def _allows_4(self, address: IPv4Address) -> bool:
        if _within(address, _NEVER):
            return False
        return self._is_excepted(address) or not _within(address, _NOT_PUBLIC)

    def _allows_6(self, address: IPv6Address) -> bool:
        if address.scope_id is not None or _within(address, _NEVER):
            return False
        inside = embedded(address)
        if not inside:
            return self._is_excepted(address) or (
                address in _PUBLIC_6 and not _within(address, _NOT_PUBLIC_6)
            )
        if self._is_excepted(address):
            # Loopback has the shape of an IPv4-compatible address.
            return address.is_loopback or all(map(self._allows_4, inside))
        # Where inside it stands depends on the translator, unless there is nothing else.
        known = address not in _NAT64_LOCAL or int(address) >> 32 == int(_NAT64_LOCAL.network_address) >> 32
        return known and all(self._allows_4(one) and self._is_excepted(one) for one in inside)

    def _is_excepted(self, address: Address) -> bool:
        """In one of the operator's networks; of those of local NAT64 one that says where IPv4 begins."""
        needs = 96 if address in _NAT64_LOCAL else 0
        return any(address in network and network.prefixlen >= needs for network in self._networks)


def has_more_than_loopback(network: Network) -> bool:
    """Whether it has all of loopback in it, and something else."""
    loopback = LOOPBACK[network.version == 6]
    return network.prefixlen < loopback.prefixlen and loopback.network_address in network


def is_told_apart(network: IPv6Network) -> bool:
    """Whether IPv4 inside it, if there is any, is in networks, as with translators (RFC 6052), or is one."""
    if network.prefixlen == 128:
        return True
    forms = (*_IN_THE_LAST_32_BITS, _NAT64_LOCAL, _6TO4, _TEREDO)
    if not any(network.overlaps(form) for form in forms):
        return True
    return network.prefixlen >= 96 and any(network.subnet_of(form) for form in _TRANSLATORS)


def refused_inside(network: IPv6Network, allowed: Iterable[Network]) -> Iterator[IPv6Network]:
    """What a translator would make private IPv4 of that is not `allowed` itself. `network` is told apart."""
    if not any(network.subnet_of(form) for form in _TRANSLATORS):
        return
    prefix = int(network.network_address) >> 32 << 32
    kept = [each for each in allowed if isinstance(each, IPv4Network)]
    private = [each for each in REFUSED if isinstance(each, IPv4Network)]
    for each in without(private, kept):
        yield IPv6Network((prefix | int(each.network_address), 96 + each.prefixlen))


def without(networks: Iterable[N], others: Iterable[N]) -> list[N]:
    """What is left of some networks, of one version, where others are taken out."""
    left = list(networks)
    for other in others:
        left = [part for each in left for part in _minus(each, other)]
    return left


def _minus(network: N, other: N) -> Iterable[N]:
    if not network.overlaps(other):
        return (network,)
    return () if network.subnet_of(other) else network.address_exclude(other)


def embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address stands for, or passes through; mostly none."""
    number = int(address)
    last = IPv4Address(number & _32_BITS)
    if address in _6TO4:
        return (IPv4Address(number >> 80 & _32_BITS),)
    if address in _TEREDO:
        return IPv4Address(number >> 64 & _32_BITS), IPv4Address(int(last) ^ _32_BITS)
    if address in _NAT64_LOCAL or _within(address, _IN_THE_LAST_32_BITS):
        return (last,)
    return (last,) if number >> 32 & _32_BITS in _ISATAP else ()


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
