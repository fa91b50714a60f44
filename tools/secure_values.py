"""What all values of docs/secure-chats.md are made of: accounts, and keys that are no secret."""

from hashlib import blake2b

from nacl import bindings

from safeum_home.client.secret import Secret
from safeum_home.client.secure.unique_key import UniqueKey

ALICE = "@aaaaaaaaaaaaaaaaaaaaaaaaaa:a.example"
BOB = "@bbbbbbbbbbbbbbbbbbbbbbbbbb:b.example"
CAROL = "@cccccccccccccccccccccccccc:b.example"
CHAT = "!cccccccccccccccccccccccccc"
PAIR = "!dddddddddddddddddddddddddd"
AT = 1_800_000_000_000


def octets(first: int, size: int = 32) -> bytes:
    return bytes((first + each) % 256 for each in range(size))


def unique_key(account: str, first: int) -> UniqueKey:
    """Whose master key begins so."""
    return UniqueKey(account, Secret.of(octets(first)))


def box(key: bytes, public: bytes, secret: bytes) -> bytes:
    """As libsodium makes it (`crypto_box_seal`), with an ephemeral key that is not random."""
    ephemeral = bindings.crypto_scalarmult_base(secret)
    nonce = blake2b(ephemeral + public, digest_size=24).digest()
    return ephemeral + bytes(bindings.crypto_box(key, nonce, public, secret))
