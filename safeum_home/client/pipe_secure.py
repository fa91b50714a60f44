"""What `safeum pipe` does with secure chats: what is said in them is in clear on its lines alone."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from msgspec import Struct, structs

from safeum_home.client.errors import local
from safeum_home.client.events import Heard
from safeum_home.client.own_passphrase import is_own
from safeum_home.client.secure.refused import Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.session import Client
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.events import KeysMismatch, SecureChanged, SecureWarning, VaultRefused
from safeum_home.client.unlocked.items import Item
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.errors import Code
from safeum_home.protocol.commands import Params, Result


class SecureStart(Params, frozen=True):
    """`client.secure.start`: begin a secure chat with contacts; with one of them it is a chat of two."""

    accounts: list[str]
    group: bool = False


class SecureAccept(Params, frozen=True):
    """`client.secure.accept`: join one that the account is invited into."""

    chat: str


class SecureSend(Params, frozen=True):
    """`client.secure.send`: say something; `reply` is the hash of what is answered."""

    chat: str
    text: str
    reply: str | None = None


class SecureItems(Params, frozen=True):
    """`client.secure.items`: what was said last, as far as it is loaded; `earlier` loads a page before."""

    chat: str
    earlier: bool = False


class SecureChat(Result, frozen=True):
    """Which chat it is."""

    chat: str


class Said(Struct, frozen=True, omit_defaults=True):
    """One message of a secure chat. `hash` names it once it is sealed; `fate` says how far it has come."""

    sender: str
    at: int
    fate: str
    payload: Any
    hash: str | None = None
    id: str | None = None
    waits_for: tuple[str, ...] = ()
    late: bool = False
    edited: bool = False
    deleted: bool = False
    reactions: dict[str, str] = {}


class SaidOne(Result, frozen=True):
    """What becomes of it comes as `client.secure.changed`."""

    item: Said


class SaidAll(Result, frozen=True):
    """The oldest first."""

    items: list[Said]
    more: bool


SECURE_METHODS: dict[str, type[Params]] = {
    "client.secure.start": SecureStart,
    "client.secure.accept": SecureAccept,
    "client.secure.send": SecureSend,
    "client.secure.items": SecureItems,
}
SecureParams = SecureStart | SecureAccept | SecureSend | SecureItems


async def do(client: Client, params: SecureParams) -> Result:
    """Raises `ClientError`: `secure_only` while they are locked, `invalid_params` of what cannot be said."""
    secure = client.secure
    if secure is None:
        raise local(Code.SECURE_ONLY, "Secure chats are locked: --passphrase-fd unlocks them.")
    try:
        return await _do(secure, params)
    except Refused as refused:
        raise local(Code.INVALID_PARAMS, refused.reason.value) from None


async def _do(secure: SecureChats, params: SecureParams) -> Result:
    if isinstance(params, SecureStart):
        return SecureChat((await secure.start(params.accounts, group=params.group)).id)
    if isinstance(params, SecureAccept):
        return SecureChat((await secure.accept(params.chat)).id)
    conversation: Conversation = await secure.enter(params.chat)
    if isinstance(params, SecureSend):
        return SaidOne(said(conversation.send(params.text, reply=params.reply)))
    if params.earlier:
        await conversation.earlier()
    return SaidAll([said(item) for item in conversation.items.all], conversation.more)


def said(item: Item) -> Said:
    """An item as it stands on a line."""
    return Said(
        item.sender,
        item.at,
        item.fate.value,
        item.payload,
        item.hash,
        item.id,
        item.waits_for,
        item.late,
        item.edited,
        item.deleted,
        item.reactions,
    )


def told(event: Heard, write: Callable[..., None]) -> None:
    """Have `write` tell what secure chats tell; all else is passed over."""
    if isinstance(event, SecureChanged):
        write("client.secure.changed", chat=event.chat, item=said(event.item))
    elif isinstance(event, SecureWarning):
        about = event.about
        kind = type(about).__name__
        shown = structs.asdict(about) if isinstance(about, Struct) else asdict(about)
        write("client.secure.warning", chat=event.chat, kind=kind, about=shown)
    elif isinstance(event, KeysMismatch):
        write("client.secure.keys_mismatch", hash=event.hash, detail=event.detail)
    elif isinstance(event, VaultRefused):
        write("client.secure.vault_refused", reason=event.reason.value, version=event.version)


async def unlock(client: Client, key_of: Callable[[str], Awaitable[UniqueKey]]) -> None:
    """Unlock with the key that `key_of` an account gives. Raises `ClientError`: `key_mismatch` of another.

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
        key = await key_of(account)
    except Refused as refused:
        raise local(Code.KEY_MISMATCH, f"This is no passphrase: {refused.reason.value}.") from None
    if not await is_own(client, key, known.hash):
        key.wipe()
        raise local(Code.KEY_MISMATCH, "This is not the passphrase of the account.")
    await client.unlock_with(key)
