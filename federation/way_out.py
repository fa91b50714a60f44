"""The way out of a node, put together as the configuration says."""

from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IResolver

from federation.destinations import Allows, Destinations, Sign
from federation.discovery import Discovery
from federation.streams import Streams
from safeum_home.config import FederationSection
from safeum_home.outgoing.addresses import Addresses
from safeum_home.outgoing.client import Client
from safeum_home.outgoing.dns import system_dns
from safeum_home.outgoing.http import HttpLimits, roots
from safeum_home.outgoing.resolving import Names
from safeum_home.outgoing.tls import Trust

LONGEST_ANSWER = 1024 * 1024
"""Octets of an answer to a request."""
WAITING = 64
"""Requests to one node that may wait for those that are under way."""
KEPT_SECONDS = 20
"""How long a connection is kept for later requests: nodes close idle ones after 30."""


def way_out(
    reactor: Any,
    node: str,
    section: FederationSection,
    allows: Allows,
    sign: Sign,
    dns: IResolver | None = None,
) -> Destinations:
    """Requests of `node` to others; `dns` is by default what the machine is set up to ask.

    Blocks while it reads the roots; raises OSError and ValueError.
    """
    limits = HttpLimits(
        seconds=section.request_seconds,
        answer=LONGEST_ANSWER,
        at_once=section.requests_per_node,
        waiting=WAITING,
        kept=section.requests_per_node,
        kept_seconds=KEPT_SECONDS,
    )
    names = Names(reactor, dns or system_dns(reactor), Addresses(section.networks))
    trust = Trust(roots(Path(section.ca) if section.ca else None))
    client = Client(reactor, names, trust, limits, section.requests)
    discovery = Discovery(reactor, client, names)
    seconds = section.request_seconds
    streams = Streams(reactor, client, seconds)
    return Destinations(reactor, node, client, discovery, allows, sign, seconds, streams)
