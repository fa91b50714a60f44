"""Turning the keyring: what was erased can then not be opened by anybody, old backups included.

The keyring's file first holds the old epoch and the new one; every wrap that is left is made anew in one
commit; then the old epoch is destroyed. A crash between any two steps leaves a turn that is pending, and
is finished at the next start.
"""

from twisted.internet.threads import deferToThread

from safeum_home.sealing.keyring import EpochKeyring
from safeum_home.storage.database import NodeDatabase
from safeum_home.storage.keys import rewrap_all


async def turn(database: NodeDatabase, keyring: EpochKeyring) -> None:
    """Begin an epoch, and leave nothing under the one before; raises OSError, `storage_unavailable`."""
    await deferToThread(keyring.begin_turn)
    await finish(database, keyring)


async def finish(database: NodeDatabase, keyring: EpochKeyring) -> None:
    """Finish a turn that is pending; nothing is done where none is."""
    if keyring.pending_turn:
        await database.transact(lambda c: rewrap_all(c, keyring.rewrap))
        await deferToThread(keyring.finish_turn)
