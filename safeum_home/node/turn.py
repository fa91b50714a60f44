"""The relay of calls, as far as the node has to do with it: credentials."""

import os
from typing import NamedTuple

from safeum_home.gateway.dispatch import Routes
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans
from safeum_home.protocol.commands.calls import TurnCredentials
from safeum_home.protocol.signing import encode_octets
from safeum_home.turn.access import RelayAccess


class TurnParts(NamedTuple):
    """What the rest of the node needs of it."""

    routes: Routes
    rates: dict[str, RateLimit]


def make_turn(means: DomainMeans) -> TurnParts:
    """Credentials as the section `[turn]` says."""
    section, seconds, name = means.config.limits, means.clock.seconds, "relay_credentials_per_account"
    limit = RateLimit(getattr(section, name), getattr(section, f"{name}_burst"), seconds)
    access = RelayAccess(means.config.turn, means.vault.relay, limit, seconds, _random)
    return TurnParts({TurnCredentials: access.credentials}, {name: limit})


def _random() -> str:
    return encode_octets(os.urandom(16))
