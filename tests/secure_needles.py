"""All that a client with a unique key has to keep to itself, as it would stand in a memory."""

from collections.abc import Iterator
from hashlib import blake2b, sha512

from nacl._sodium import ffi

from safeum_home.client.secret import Secret
from safeum_home.client.secure import payloads
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.protocol.signing import decode_octets


def octets(secret: Secret) -> bytes:
    """Those of a key, which nobody but a test may have."""
    return bytes(ffi.buffer(secret._at, secret._size))


def of_master(master: bytes) -> Iterator[tuple[str, bytes]]:
    """What follows from a master key (docs/secure-chats.md, "Unique keys"), and the master key."""
    yield "master", master
    for name in ("sign", "box", "vault"):
        key = blake2b(name.encode(), digest_size=32, key=master, person=b"safeum unique v1").digest()
        yield name, key
        if name == "sign":
            yield from _of_seed(key)


def _of_seed(seed: bytes) -> Iterator[tuple[str, bytes]]:
    """What Ed25519 signs with (RFC 8032, section 5.1.5): a scalar, clamped and not, and a prefix."""
    hashed = sha512(seed).digest()
    scalar = bytes([hashed[0] & 248, *hashed[1:31], hashed[31] & 127 | 64])
    yield from (("scalar", scalar), ("hash of the seed", hashed[:32]), ("prefix", hashed[32:]))


def of_own(secure: SecureChats) -> Iterator[tuple[str, bytes]]:
    """The unique key, as it is in memory."""
    seed = octets(secure.own.signing._secret)[:32]
    yield from (("sign", seed), ("box", octets(secure.own.box)), ("vault", octets(secure.own.vault)))
    yield from _of_seed(seed)


def of_conversation(conversation: Conversation) -> Iterator[tuple[str, bytes]]:
    """Keys of its epochs, and of all who say something in these; and those of files."""
    epochs = conversation._chat._room.epochs
    for number, known in enumerate(list(epochs._known.values())):
        key = octets(epochs.key(known)._key)
        yield f"epoch {number}", key
        for account, hash in (known.hashes or {}).items():
            who = account.encode() + b"\0" + hash
            sender = blake2b(who, digest_size=32, key=key, person=b"safeum sender v1").digest()
            yield f"sender {account} of epoch {number}", sender
    for item in conversation.items.all:
        if isinstance(item.payload, payloads.File):
            file = decode_octets(item.payload.key, 32)
            assert file is not None
            yield f"file {item.payload.name}", file


def of_client(secure: SecureChats) -> Iterator[tuple[str, bytes]]:
    """All of these, of one client."""
    yield from of_own(secure)
    for conversation in secure.chats.values():
        yield from of_conversation(conversation)
