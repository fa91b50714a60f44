"""Values of docs/keys.md for those who write a client: made by the code, from keys that are no secret."""

import json
from typing import Any

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from safeum_home.protocol.key_types import identity_octets, key_hash, launch_octets
from safeum_home.protocol.signing import encode_octets

ACCOUNT = "@aaaaaaaaaaaaaaaaaaaaaaaaaa:b.example"
DEVICE = "Dbbbbbbbbbbbbbbbb"
AT = 1_750_000_000_000


def text() -> str:
    """The document, as it stands in docs/key-vectors.json."""
    return json.dumps(_values(), indent=2) + "\n"


def _values() -> dict[str, Any]:
    signing, unique = SigningKey(bytes(range(32))), _public(bytes(range(32)), bytes(range(32, 64)))
    launched = _public(bytes(range(64, 96)), bytes(range(96, 128)))
    identity = identity_octets(ACCOUNT, *unique, AT)
    launch = launch_octets(ACCOUNT, DEVICE, *launched, AT)
    return {
        "about": "Values of docs/keys.md. Private keys in hexadecimal; \\u0000 is the octet that ends a tag.",
        "private": {"sign": bytes(range(32)).hex(), "box": bytes(range(32, 64)).hex()},
        "account": ACCOUNT,
        "identity": {
            "sign": unique[0],
            "box": unique[1],
            "at": AT,
            "signature": encode_octets(bytes(signing.sign(identity).signature)),
        },
        "identity_signed": identity.decode(),
        "hash": key_hash(*unique),
        "launch": {
            "device": DEVICE,
            "sign": launched[0],
            "box": launched[1],
            "at": AT,
            "bound": encode_octets(bytes(signing.sign(launch).signature)),
        },
        "launch_signed": launch.decode(),
    }


def _public(sign: bytes, box: bytes) -> tuple[str, str]:
    public = bytes(SigningKey(sign).verify_key), bytes(PrivateKey(box).public_key)
    return encode_octets(public[0]), encode_octets(public[1])
