"""What becomes of objects that another node will never be told of: it was away too long, or refused them."""

from collections.abc import Iterable, Sequence

from safeum_home.ports import Database
from safeum_home.ports.federation import Hopeful, SharedKind


async def give_up(
    database: Database, kinds: Sequence[SharedKind], node: str, rows: Iterable[tuple[str, bytes]]
) -> None:
    """Tell the kinds of `rows` (type and pointer of each) that `node` is not going to be told of them.

    Raises `storage_unavailable`, and may be called again then.
    """
    hopeful = {kind.type: kind for kind in kinds if isinstance(kind, Hopeful)}
    for type, pointer in rows:
        if (kind := hopeful.get(type)) is None:
            continue
        applied = await kind.untold(node, pointer)
        try:
            applied.placed()
            await database.transact(applied.store)
            applied.publish()
        finally:
            applied.ended()
