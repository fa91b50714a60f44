"""The node's receipt for having erased the past of a chat: docs/erasure.md, with vectors in docs/protocol/.

Signed are a tag, a zero octet, and the canonical JSON (RFC 8785) of all members of the receipt but
`signature`: texts without escapes, and integers within 2^53, sorted by name, without white space.
"""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from safeum_home.ids import ChatId
from safeum_home.protocol.signing import decode_octets, encode_octets
from safeum_home.protocol.types import Chat, CursorText, Milliseconds, PublicKey, Signature

TAG = b"safeum erasure receipt v1\0"
"""Tells these signatures from all others of the same key."""
_encoder = msgspec.json.Encoder(order="sorted")


class Erasure(Struct, frozen=True, forbid_unknown_fields=True):
    """A receipt: the node has destroyed the key of all that `chat` held up to `erased`."""

    version: Literal[1]
    node: Annotated[str, Meta(max_length=255, pattern=r"^[a-z0-9.:-]{1,255}$(?!\n)")]
    chat: Chat
    reason: Literal["history_disabled"]
    at: Milliseconds
    """When it was switched, by the node's clock."""
    erased: CursorText
    """As in the chat's `erased`: messages up to here."""
    epoch: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    """The last epoch of the node's keyring under which that key was kept. Its key is destroyed."""
    key: PublicKey
    """The node's."""
    signature: Signature


def signed_octets(receipt: Erasure) -> bytes:
    """What is signed of a receipt."""
    members = msgspec.to_builtins(receipt)
    del members["signature"]
    return TAG + _encoder.encode(members)


def signed_receipt(
    sign: Callable[[bytes], bytes],
    public_key: bytes,
    node: str,
    chat: ChatId,
    at: int,
    erased: str,
    epoch: int,
) -> Erasure:
    """The receipt of `node`. Each time it is made of the same facts it is the same."""
    key = encode_octets(public_key)
    receipt = Erasure(1, node, chat, "history_disabled", at, erased, epoch, key, "")
    return msgspec.structs.replace(receipt, signature=encode_octets(sign(signed_octets(receipt))))


def bears_out(receipt: Erasure) -> bool:
    """Whether a receipt was signed by the key that it names; whose that is has to be known otherwise."""
    public, signature = decode_octets(receipt.key, 32), decode_octets(receipt.signature, 64)
    if public is None or signature is None:
        return False
    try:
        VerifyKey(public).verify(signed_octets(receipt), signature)
    except (CryptoError, ValueError):
        return False
    return True
