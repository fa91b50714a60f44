"""Whether a passphrase is that of an account: by the hash of its keys, or by what it opens."""

from safeum_home.client.secure.refused import Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.vault import Vault
from safeum_home.client.session import Client
from safeum_home.client.unlocked import vault_store
from safeum_home.protocol.signing import encode_octets


async def is_own(client: Client, key: UniqueKey, known: str) -> bool:
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
