"""Whether a passphrase is that of an account: by the hash of its keys, or by what it opens."""

from collections.abc import Awaitable, Callable

from safeum_home.client.methods.group import GroupMethods
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.vault import Vault
from safeum_home.client.unlocked import vault_store
from safeum_home.protocol.signing import encode_octets

Derive = Callable[[str, str | None], Awaitable[UniqueKey]]
"""What the keys of an account are; with a hash, also of a passphrase that is too weak and comes to these."""


async def entered(client: GroupMethods, account: str, derive: Derive) -> UniqueKey:
    """The key of a passphrase that is an account's, or may become so.

    Raises `Refused(WEAK_PASSPHRASE)` of what is too weak and is not the one that it has; `ClientError`.
    """
    try:
        return await derive(account, None)
    except Refused as refused:
        if refused.reason is not Reason.WEAK_PASSPHRASE:
            raise
        [known] = (await client.keys_of([account])).keys
        if known.hash is None:
            raise
        return await derive(account, known.hash)


async def is_own(client: GroupMethods, key: UniqueKey, known: str) -> bool:
    """Whether a key is the account's, whose directory has one with the hash `known`. Raises `ClientError`.

    Where another passphrase was being taken, and that was interrupted, the vault is sealed for its key before
    the directory has it: unlocking with that one goes on with it.
    """
    if encode_octets(key.hash) == known:
        return True
    kept = await vault_store.get(client)
    if kept.n == 0:
        return False
    try:
        Vault(key).take(*kept)
    except Refused:
        return False
    return True
