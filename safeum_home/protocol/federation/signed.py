"""JSON objects that are signed as the Matrix specification has it (appendices, "Signing JSON").

Signed is the canonical form of the object without its member `signatures`, which holds a signature for each
node and key: `{node: {key id: signature}}`. Keys and signatures are Ed25519 (RFC 8032), written in base64
(RFC 4648, section 4) without padding.
"""

from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta
from nacl.bindings import crypto_sign_open
from nacl.exceptions import CryptoError

from safeum_home.errors import Problem
from safeum_home.ids import MAX_NODE_NAME, node_name
from safeum_home.protocol.federation import canonical

if TYPE_CHECKING:
    from safeum_home.ports import NodeSigner


KEY_SIZE = 32
SIGNATURE_SIZE = 64
KEY_ID_PATTERN = r"^ed25519:[A-Za-z0-9_]{1,32}$(?!\n)"
NODE_PATTERN = r"^[a-z0-9.-]{1,253}(:[1-9][0-9]{0,4})?$(?!\n)"

NodeName = Annotated[
    str, Meta(pattern=NODE_PATTERN, max_length=MAX_NODE_NAME, description="A node's name, in lower case.")
]
KeyId = Annotated[
    str, Meta(pattern=KEY_ID_PATTERN, max_length=40, description="Names one of a node's keys: `ed25519:2`.")
]
KeyText = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9+/]{43}$(?!\n)", max_length=43, description="An Ed25519 key, base64, unpadded."
    ),
]
SignatureText = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9+/]{86}$(?!\n)",
        max_length=86,
        description="An Ed25519 signature, base64, unpadded.",
    ),
]
MOST_SIGNATURES = 4
"""Of one node on one object: while a key is replaced there may be two."""
Signatures = Annotated[
    dict[NodeName, Annotated[dict[KeyId, SignatureText], Meta(min_length=1, max_length=MOST_SIGNATURES)]],
    Meta(max_length=1, description="By the one node that answers for this, with each of its keys."),
]


def base64(octets: bytes) -> str:
    """Base64 without padding."""
    return b2a_base64(octets, newline=False).rstrip(b"=").decode("ascii")


def octets_of(text: str, size: int) -> bytes | None:
    """What a text stands for; None unless it is `size` octets, and the text the one that stands for them."""
    try:
        octets = a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        return None
    return octets if len(octets) == size and base64(octets) == text else None


@lru_cache(1024)
def is_node_name(name: str) -> bool:
    """Whether a name is one, in its written form: stricter than the pattern of `NodeName`."""
    try:
        return node_name(name) == name
    except Problem:
        return False


def key_id(number: int) -> str:
    """The id of a node's key of this number."""
    return f"ed25519:{number}"


def signed_octets(members: Mapping[str, Any]) -> bytes:
    """What is signed of an object; raises `canonical.NotCanonical`."""
    return canonical.encode({name: each for name, each in members.items() if name != "signatures"})


def sign_json(members: Mapping[str, Any], node: str, key: str, signer: "NodeSigner") -> dict[str, Any]:
    """The object with one more signature; raises `canonical.NotCanonical`, `Erased`."""
    signature = base64(signer.sign(signed_octets(members)))
    signatures = dict(members.get("signatures", {}))
    signatures[node] = {**signatures.get(node, {}), key: signature}
    return {**members, "signatures": signatures}


def is_signed_by(public_key: bytes, octets: bytes, signature: bytes) -> bool:
    """Whether 64 octets are the Ed25519 signature of a key (32 octets) over `octets`."""
    if len(signature) != SIGNATURE_SIZE:
        return False
    try:
        crypto_sign_open(signature + octets, public_key)
    except (CryptoError, ValueError):
        return False
    return True


def is_signed(octets: bytes, signatures: Mapping[str, str], keys: Mapping[str, bytes]) -> bool:
    """Whether there is a signature by one of `keys` over `octets`, and none by any of them that is wrong.

    Signatures by keys that are not in `keys` count for nothing.
    """
    known = False
    for key, text in signatures.items():
        if (public := keys.get(key)) is not None:
            signature = octets_of(text, SIGNATURE_SIZE)
            if signature is None or not is_signed_by(public, octets, signature):
                return False
            known = True
    return known
