"""What `safeum pipe` does with secure chats, and how it is given the passphrase."""

from collections.abc import Awaitable, Callable

from twisted.internet.defer import CancelledError

from safeum_home.client.entry.own_passphrase import is_own
from safeum_home.client.errors import RemoteProblem, local
from safeum_home.client.pipe.command import SecureCommand
from safeum_home.client.pipe.secure_chats import CHATS
from safeum_home.client.pipe.secure_messages import MESSAGES
from safeum_home.client.pipe.secure_people import PEOPLE
from safeum_home.client.pipe.secure_vault import VAULT
from safeum_home.client.secure.refused import Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.session import Client
from safeum_home.client.unlocked.directory import KeysUnavailable
from safeum_home.errors import Code
from safeum_home.protocol.commands import Params, Result
from safeum_home.protocol.frames import ProblemDetails

SECURE_METHODS: dict[str, type[Params]] = {**CHATS, **MESSAGES, **PEOPLE, **VAULT}


async def do(client: Client, command: SecureCommand) -> Result:
    """Raises `ClientError`: `secure_only` while they are locked, `invalid_params` of what cannot be said,
    and of a file that cannot be read or written.
    """
    secure = client.secure
    if secure is None:
        raise local(Code.SECURE_ONLY, "Secure chats are locked: --passphrase-fd unlocks them.")
    try:
        return await command.run(secure)
    except Refused as refused:
        raise local(Code.INVALID_PARAMS, refused.reason.value) from None
    except KeysUnavailable as error:
        raise _unavailable(error) from None
    except OSError as error:
        raise local(Code.INVALID_PARAMS, f"path: {error.strerror}") from None
    except CancelledError:  # a file was on its way
        raise local(Code.SECURE_ONLY, "It was locked meanwhile.") from None


def _unavailable(error: KeysUnavailable) -> RemoteProblem:
    code, accounts = "key_unavailable", ", ".join(error.accounts)
    return RemoteProblem(ProblemDetails(f"urn:safeum:client:{code}", str(error), 409, code, accounts), -32099)


async def unlock(client: Client, key_of: Callable[[str, str], Awaitable[UniqueKey]]) -> None:
    """Unlock with the key that `key_of` gives, of an account and the hash that it has.

    Raises `ClientError`: `key_mismatch` of another.

    The first passphrase of an account is never taken from a descriptor: it may be mistyped there.
    """
    assert client.opened is not None
    account = client.opened.account
    [known] = (await client.keys_of([account])).keys
    if known.hash is None:
        raise local(
            Code.KEY_MISMATCH, "This account has no passphrase yet: /unlock in `safeum chat` takes one."
        )
    try:
        key = await key_of(account, known.hash)
    except Refused as refused:
        raise local(Code.KEY_MISMATCH, f"This is no passphrase: {refused.reason.value}.") from None
    if not await is_own(client, key, known.hash):
        key.wipe()
        raise local(Code.KEY_MISMATCH, "This is not the passphrase of the account.")
    await client.unlock_with(key)
