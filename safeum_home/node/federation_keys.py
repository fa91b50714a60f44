"""Which key the node signs with towards other nodes: begun at the first start, replaced when told to."""

from collections.abc import Callable, Sequence

from federation.own_keys import KeyInUse, OwnKeys
from safeum_home.ports import Database
from safeum_home.protocol.federation.signed import key_id
from safeum_home.sealing.federation import FederationKeys
from safeum_home.storage.signing_keys import SigningKeyRow, begin_first, begin_next

Old = dict[str, tuple[bytes, int]]


async def load(
    node: str, database: Database, keys: FederationKeys, milliseconds: Callable[[], int]
) -> OwnKeys:
    """The keys of `node` as the database has them; raises `storage_unavailable`."""
    now = milliseconds()
    rows = await database.transact(lambda c: begin_first(c, now))
    return OwnKeys(node, milliseconds, *_of(rows, keys))


async def rotate(
    own: OwnKeys, database: Database, keys: FederationKeys, milliseconds: Callable[[], int]
) -> str:
    """Sign with the next key from now on, and publish the present one as an old one; the new key's id.

    One commit, and only then in use. Raises `storage_unavailable`, and then nothing has changed.
    """
    now = milliseconds()
    rows = await database.transact(lambda c: begin_next(c, now))
    own.replace(*_of(rows, keys))
    return own.in_use.key_id


def _of(rows: Sequence[SigningKeyRow], keys: FederationKeys) -> tuple[KeyInUse, Old]:
    last = rows[-1].number
    old = {
        key_id(row.number): (keys.public_key(row.number), row.ended) for row in rows if row.ended is not None
    }
    return KeyInUse(key_id(last), keys.signer(last)), old
