"""Providers whose hosts are in what clients hand in (WNS, Web Push): which URLs, and the way there."""

import re
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from msgspec import Meta, Struct
from twisted.internet.interfaces import IResolver

from bridges.settings import check_roots, read_table, reading_roots
from safeum_home.config import ConfigError
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.addresses import Addresses
from safeum_home.outgoing.client import Client
from safeum_home.outgoing.dns import system_dns
from safeum_home.outgoing.host_list import HostList
from safeum_home.outgoing.hosts import host_and_port
from safeum_home.outgoing.http import HttpLimits, roots
from safeum_home.outgoing.places import HTTPS, Place
from safeum_home.outgoing.resolving import Names
from safeum_home.outgoing.tls import Trust

LONGEST_URL = 1024
FIRST_PORT = 1024
"""Below it are services of machines, which a client has no business to have asked."""

_URL = re.compile(r"https://([0-9A-Za-z.:\[\]-]{1,270})((?:[/?][!$-;=?-\[\]_a-z~]*)?)\Z")
"""No credentials, no fragment, and no character that a URL cannot have (RFC 3986)."""

NO_URL = f"`token` is no URL of https of at most {LONGEST_URL} characters"
NO_HOST = "`token` names a host or a port that is not asked"

Short = Annotated[str, Meta(min_length=1, max_length=270)]


class EndpointSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every such provider has."""

    hosts: Annotated[tuple[Short, ...], Meta(max_length=64)] = ()
    """Hosts that may be asked: `HOST`, `HOST:PORT`, or `*.DOMAIN`, all that is below it."""
    networks: Annotated[tuple[Short, ...], Meta(max_length=64)] = ()
    """Networks (CIDR) that are not public, where they may be all the same."""
    ca: str | None = None
    """A PEM file with the roots to trust in place of the platform's."""
    seconds: Annotated[float, Meta(ge=1, le=60)] = 8.0
    """The most that a wake may take, from looking up the name to the end of the answer."""


S = TypeVar("S", bound=EndpointSettings)


def read_endpoints(whose: str, settings: Mapping[str, Any], kind: type[S]) -> S:
    """The settings of a provider as `kind`; raises `ConfigError`, which says `whose` they are."""
    found = read_table(whose, settings, kind)
    check_roots(whose, found.ca)
    try:
        HostList(found.hosts)
    except Problem:
        raise ConfigError(f"{whose}: hosts: HOST, HOST:PORT or *.DOMAIN") from None
    for network in found.networks:
        try:
            ip_network(network)
        except ValueError:
            raise ConfigError(f"{whose}: networks: as 10.0.0.0/8, without bits of hosts") from None
    return found


def way(
    whose: str,
    reactor: Any,
    settings: EndpointSettings,
    limits: HttpLimits,
    requests: int,
    places: int,
    dns: IResolver | None = None,
) -> Client:
    """The guarded client; raises `ConfigError`. Blocks while it reads `ca`.

    `limits` hold for each host, `requests` go on or wait at all of them together, and connections of so
    many `places` are kept. `dns` is by default what the machine is set up to ask.
    """
    with reading_roots(whose):
        trust = Trust(roots(None if settings.ca is None else Path(settings.ca)))
    names = Names(reactor, dns or system_dns(reactor), Addresses(settings.networks))
    return Client(reactor, names, trust, limits, requests, places)


class Endpoint(NamedTuple):
    """What a client's URL means. Both are secrets: neither is for a log."""

    place: Place
    target: str
    """Path and query."""

    @property
    def url(self) -> str:
        """Its one written form."""
        return f"https://{self.place.authority}{self.target}"


class Endpoints:
    """The URLs that may be asked."""

    def __init__(self, hosts: tuple[str, ...], high_ports: bool = False) -> None:
        """Without `hosts` every host may. Ports: 443, those in `hosts`, with `high_ports` any from 1024."""
        self._hosts = HostList(hosts) if hosts else None
        self._with_port = frozenset(host.lower() for host in hosts if ":" in host)
        self._high_ports = high_ports

    def read(self, url: str) -> Endpoint:
        """The host in its one written form, and the rest as it came. Looks nothing up.

        Raises `Problem(push_address_refused)` for what may not be asked.
        """
        found = _URL.match(url) if len(url) <= LONGEST_URL else None
        if found is None:
            raise Problem(Code.PUSH_ADDRESS_REFUSED, NO_URL)
        try:
            host, said = host_and_port(found[1].lower())
        except ValueError:
            raise Problem(Code.PUSH_ADDRESS_REFUSED, NO_URL) from None
        port = HTTPS if said is None else said
        if not self._allows(host, port):
            raise Problem(Code.PUSH_ADDRESS_REFUSED, NO_HOST)
        target = found[2] if found[2].startswith("/") else f"/{found[2]}"
        endpoint = Endpoint(Place(str(IPv6Address(host)) if ":" in host else host, port), target)
        if len(endpoint.url) > LONGEST_URL:
            raise Problem(Code.PUSH_ADDRESS_REFUSED, NO_URL)
        return endpoint

    def _allows(self, host: str, port: int) -> bool:
        name = f"{host}:{port}"
        if self._hosts is not None and name not in self._hosts:
            return False
        return port == HTTPS or name in self._with_port or (self._high_ports and port >= FIRST_PORT)
