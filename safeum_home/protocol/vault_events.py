"""What a node tells of vaults."""

from msgspec import Struct

from safeum_home.protocol.event import event


@event("vault.changed", durable=False)
class VaultChanged(Struct, frozen=True):
    """Another device of the account has put version `n` of its vault."""

    n: int
