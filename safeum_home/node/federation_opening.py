"""Opening to other nodes, where the configuration says so: the own keys, and the way out."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from federation.destinations import Sign
from federation.policy import Mode, Policy
from federation.signatures import new_nonce, sign_request
from federation.way_out import way_out
from safeum_home.config import Config, FederationSection
from safeum_home.jobs import again
from safeum_home.node.federation import NodeFederation
from safeum_home.node.federation_keys import load
from safeum_home.node.federation_means import MakeWayOut, Means, WayOut
from safeum_home.node.federation_rows import PeerRows
from safeum_home.ports import Database
from safeum_home.sealing.vault import Vault


async def open_federation(means: Means, make: MakeWayOut) -> NodeFederation | None:
    """None where the configuration says that this node has to do with no other.

    Raises OSError and ValueError where the roots cannot be read.
    """
    section, name = means.config.federation, means.config.node.name
    policy = Policy(name, Mode(section.mode), section.allow, section.deny)
    if policy.is_off:
        return None
    when_there = partial(again, means.clock, "opening to other nodes")
    own = await when_there(lambda: load(name, means.database, means.vault.federation, means.milliseconds))

    def sign(method: str, target: str, body: bytes, destination: str) -> Mapping[str, str]:
        key = own.in_use
        return sign_request(
            method,
            target,
            body,
            origin=name,
            destination=destination,
            key_id=key.key_id,
            signer=key.signer,
            created=int(means.clock.seconds()),
            nonce=new_nonce(),
        )

    way = await make(section, policy.allows, sign)
    rows = PeerRows(means.vault.blinder, means.vault.peers, policy.allows, means.milliseconds)
    federation = NodeFederation(means, policy, own, way, rows)
    await when_there(federation.outbox.load)
    return federation


async def over_the_network(
    config: Config, reactor: Any, database: Database, vault: Vault
) -> NodeFederation | None:
    """As `open_federation`, over the network."""

    def in_thread(work: Callable[[], Any]) -> "Deferred[Any]":
        return deferToThreadPool(reactor, reactor.getThreadPool(), work)

    async def make(section: FederationSection, allows: Callable[[str], bool], sign: Sign) -> WayOut:
        way: WayOut = await in_thread(lambda: way_out(reactor, config.node.name, section, allows, sign))
        return way

    return await open_federation(Means(config, reactor, database, vault, in_thread), make)
