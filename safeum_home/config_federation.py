"""The section `[federation]` of the configuration."""

from ipaddress import ip_network
from typing import Annotated, Literal

from msgspec import Meta, field

from safeum_home.config_base import Positive, Rate, Seconds, Section
from safeum_home.config_secrets import ConfigError
from safeum_home.errors import Problem
from safeum_home.ids import node_name
from safeum_home.outgoing.hosts import host_and_port

Names = Annotated[list[str], Meta(max_length=10_000)]


class FederationSection(Section, frozen=True):
    """Other nodes (docs/operate.md, "Federation")."""

    mode: Literal["open", "closed", "off"] = "open"
    """Whom this node has to do with: all nodes, those in `allow`, none."""
    allow: Names = field(default_factory=list)
    """Names of nodes, or `*.DOMAIN` for all below a domain; for `closed`."""
    deny: Names = field(default_factory=list)
    """The same, never to be dealt with."""
    ca: str = ""
    """A file (PEM) with the only roots that certificates of nodes may have; by default the platform's."""
    networks: Annotated[list[str], Meta(max_length=1_000)] = field(default_factory=list)
    """Networks (CIDR) that are not public, where nodes may be all the same."""
    server: str = ""
    """`HOST` or `HOST:PORT` where this node is served to others; by default at its name."""
    request_seconds: Seconds = 30.0
    """What a request to a node may take, from asking to the last octet of the answer."""
    requests: Positive = 256
    """How many requests to nodes may be under way or wait at once; `requests_per_node` to one of them."""
    requests_per_node: Annotated[int, Meta(ge=1, le=64)] = 4
    waiting: Positive = 1_000_000
    """How many messages may wait for one node; who writes more is refused."""
    asked_per_address: Rate = 20.0
    """How often in a second an address may ask without showing that it is a node; `asked_per_node` as one."""
    asked_per_address_burst: Positive = 400
    asked_per_node: Rate = 150.0
    asked_per_node_burst: Positive = 1_500


def check_federation(section: FederationSection) -> None:
    """Raises `ConfigError` for what no type says."""
    for key, patterns in (("allow", section.allow), ("deny", section.deny)):
        if not all(_is_pattern(pattern) for pattern in patterns):
            raise ConfigError(f"federation.{key}: names of nodes in lower case, or `*.DOMAIN`")
    if section.ca and not section.ca.startswith("/"):
        raise ConfigError("federation.ca: a path that begins with /")
    for network in section.networks:
        try:
            ip_network(network)
        except ValueError:
            raise ConfigError("federation.networks: networks as 10.0.0.0/8, without bits of hosts") from None
    if section.server and not _is_server(section.server):
        raise ConfigError("federation.server: `HOST` or `HOST:PORT`, in lower case")


def _is_server(text: str) -> bool:
    try:
        host_and_port(text)
    except ValueError:
        return False
    return True


def _is_pattern(text: str) -> bool:
    domain = text.removeprefix("*.")
    return _is_name(domain) and (domain == text or ":" not in domain)


def _is_name(text: str) -> bool:
    try:
        return node_name(text) == text
    except Problem:
        return False
