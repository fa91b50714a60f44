"""What the node signs of a message, and how a client sees that it did. docs/protocol/ has vectors.

Signed are a tag, a zero octet, and the canonical JSON (RFC 8785) of the message: `node`, and all members
of `chat.message` but `signature`, `reactions` and `mine`. The members are texts, integers within 2^53, lists
and objects of those, for which the canonical form is: no white space, members sorted by name, the shortest
escapes.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256

import msgspec
from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from safeum_home.ids import AccountId, direct_chat_id, support_account, system_account
from safeum_home.protocol.files import File
from safeum_home.protocol.message_types import Deleted, Unknown
from safeum_home.protocol.types import Message, Secure, Text

TAG = b"safeum node message v1\0"
"""Tells these signatures from all others of the same key."""
ACCOUNT_BODIES = (Text, File, Deleted, Secure, Unknown)
"""What accounts write to each other, or leave behind. Whatever else a message can hold, the node alone
writes. A kind that is not known says nothing of who wrote it: there sender and chat alone tell."""

_UNSIGNED = ("signature", "reactions", "mine")
"""Others react to what the node has written."""
_encoder = msgspec.json.Encoder(order="sorted")


def signed_octets(node: str, message: Message) -> bytes:
    """What is signed of a message that the contact of `node` writes."""
    members: dict[str, object] = msgspec.to_builtins(message)
    for name in _UNSIGNED:
        members.pop(name, None)
    return TAG + _encoder.encode({**members, "node": node})


def encode_octets(octets: bytes) -> str:
    """base64url without padding (RFC 4648 section 5)."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def decode_octets(text: str, size: int) -> bytes | None:
    """The octets of a text; None unless they are `size`, and the text the only one that stands for them."""
    try:
        octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return octets if len(octets) == size and encode_octets(octets) == text else None


def fingerprint(public_key: bytes) -> str:
    """160 bits of the SHA-256 of a key, for people to compare: eight groups of five hexadecimal digits."""
    digits = sha256(public_key).hexdigest()[:40]
    return " ".join(digits[start : start + 5] for start in range(0, 40, 5))


def is_authentic(message: Message, node: str, key: str) -> bool:
    """Whether `message` bears the signature of the node `node` whose public key is `key`."""
    public = decode_octets(key, 32)
    signature = decode_octets(message.signature or "", 64)
    if public is None or signature is None:
        return False
    try:
        VerifyKey(public).verify(signed_octets(node, message), signature)
    except (CryptoError, ValueError, UnicodeEncodeError):
        return False
    return True


@lru_cache(64)
def _of_node(account: AccountId) -> tuple[frozenset[str], frozenset[str]]:
    """The node's contacts, and their chats with an account."""
    node = account.partition(":")[2]
    contacts = (system_account(node), support_account(node))
    return frozenset(contacts), frozenset(direct_chat_id(account, each) for each in contacts)


def speaks_for_node(message: Message, account: AccountId) -> bool:
    """Whether a message that `account` holds is the node's, by its sender, its chat or its kind.

    Each of these is enough: no forger can choose to be less than the node where it matters.
    """
    contacts, chats = _of_node(account)
    if message.sender in contacts or not isinstance(message.body, ACCOUNT_BODIES):
        return True
    return message.sender != account and message.chat in chats
