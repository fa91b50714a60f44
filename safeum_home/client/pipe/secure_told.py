"""What `safeum pipe` tells of secure chats: what is said in them is in clear on its lines alone."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from msgspec import Struct, structs

from safeum_home.client.events import Heard
from safeum_home.client.sas import Words
from safeum_home.client.unlocked.events import (
    CompareChanged,
    KeysFollowed,
    KeysMismatch,
    SecureChanged,
    SecureWarning,
    VaultRefused,
)
from safeum_home.client.unlocked.items import Item
from safeum_home.protocol.signing import encode_octets


class Said(Struct, frozen=True, omit_defaults=True):
    """One message of a secure chat. `hash` names it once it is sealed; `fate` says how far it has come.

    What was said by this program has a `reference` from the beginning.
    """

    sender: str
    at: int
    fate: str
    payload: Any
    hash: str | None = None
    id: str | None = None
    reference: str = ""
    waits_for: tuple[str, ...] = ()
    late: bool = False
    edited: bool = False
    deleted: bool = False
    reactions: dict[str, str] = {}


def said(item: Item) -> Said:
    """An item as it stands on a line."""
    return Said(
        item.sender,
        item.at,
        item.fate.value,
        item.payload,
        item.hash,
        item.id,
        item.reference,
        item.waits_for,
        item.late,
        item.edited,
        item.deleted,
        dict(item.reactions),
    )


def told(event: Heard, write: Callable[..., None]) -> None:
    """Have `write` tell what secure chats tell; all else is passed over."""
    match event:
        case SecureChanged(chat=chat, item=item):
            write("client.secure.changed", chat=chat, item=said(item))
        case SecureWarning(chat=chat, about=about):
            shown = structs.asdict(about) if isinstance(about, Struct) else asdict(about)
            write("client.secure.warning", chat=chat, kind=type(about).__name__, about=shown)
        case CompareChanged(chat=chat, account=account, words=words, same=same):
            write("client.secure.compared", chat=chat, account=account, words=_shown(words), same=same)
        case KeysMismatch(hash=hash, detail=detail):
            write("client.secure.keys_mismatch", hash=hash, detail=detail)
        case KeysFollowed(before=before, after=after, untold=untold):
            hashes = {"before": encode_octets(before), "after": encode_octets(after)}
            write("client.secure.keys_followed", **hashes, untold=untold)
        case VaultRefused(reason=reason, version=version):
            write("client.secure.vault_refused", reason=reason.value, version=version)


def _shown(words: Words | None) -> dict[str, list[Any]] | None:
    if words is None:
        return None
    return {"emoji": [each._asdict() for each in words.emoji], "numbers": list(words.numbers)}
