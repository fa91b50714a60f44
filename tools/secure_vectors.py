"""Values of docs/secure-chats.md for who writes a client: made by the code, from keys that are no secret.

What is random in chats is given here: nonces, and the keys within sealed boxes and at the beginning of files.
"""

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec
from nacl import bindings

from safeum_home.client.sas import words
from safeum_home.client.secret import Secret
from safeum_home.client.secure import (
    comparing,
    envelope,
    epoch,
    fingerprints,
    members,
    message,
    padding,
    payloads,
    roster,
    succession,
    vault,
)
from safeum_home.client.secure.chat_memory import ChatMemory, StreamMemory
from safeum_home.client.secure.envelope import NONE, Envelope, Head, Kind, Place
from safeum_home.client.secure.epoch import EpochKey
from safeum_home.client.secure.files import FileOpener
from safeum_home.client.secure.message import Inner, Seen
from safeum_home.client.secure.octets import digest, number
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.unique_key import UniqueKey, salt_of
from safeum_home.client.secure.vault_content import Content, Draft, Keys, Pinned, Setting
from safeum_home.protocol.signing import encode_octets

ALICE = "@aaaaaaaaaaaaaaaaaaaaaaaaaa:a.example"
BOB = "@bbbbbbbbbbbbbbbbbbbbbbbbbb:b.example"
CHAT = "!cccccccccccccccccccccccccc"
WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"
AT = 1_800_000_000_000


def text() -> str:
    """The document, as it stands in docs/secure-chats-vectors.json."""
    return json.dumps(_values(), indent=2, ensure_ascii=False) + "\n"


def _octets(first: int, size: int = 32) -> bytes:
    return bytes((first + each) % 256 for each in range(size))


def _values() -> dict[str, Any]:
    alice = UniqueKey.of(ALICE, WORDS)
    bob = UniqueKey(BOB, Secret.of(_octets(1)))
    return {
        "about": "Values of docs/secure-chats.md. Octets in base64url, private ones in hexadecimal.",
        "accounts": {"alice": ALICE, "bob": BOB},
        "chat": CHAT,
        "unique_key": _unique_key(alice),
        "bob": {"master": _octets(1).hex(), "sign": bob.public.texts()[0], "box": bob.public.texts()[1]},
        "padme": {str(size): padding.padme(size) for size in (0, 255, 256, 257, 1000, 65_537, 10_000_019)},
        **_chat(alice, bob),
        "vault": _vault(alice, bob),
        "file": _file(),
        "compared": _compared(alice, bob),
    }


def _unique_key(alice: UniqueKey) -> dict[str, Any]:
    sign, box = alice.public.texts()
    made = {"words": WORDS, "salt": encode_octets(salt_of(ALICE)), "sign": sign, "box": box}
    signature = alice.identity(AT).signature
    return {**made, "hash": encode_octets(alice.hash), "at": AT, "signature": signature}


def _chat(alice: UniqueKey, bob: UniqueKey) -> dict[str, Any]:
    """Alice begins a group with Bob, says something in an epoch, and changes her key."""
    place, stream, signing = Place(CHAT, ALICE), number(AT) + _octets(2, 8), alice.signing
    hashes = {ALICE: alice.hash, BOB: bob.hash}
    said: list[Envelope] = []

    def add(kind: Kind, content: bytes, quiet: bool = True) -> Envelope:
        said.append(envelope.seal(head(kind, quiet), content, place, signing))
        return said[-1]

    def succeeded(second: UniqueKey, third: UniqueKey) -> None:
        """In a stream of the new keys', which name the ones before."""
        line = succession.name(alice, second.public, AT + 2)
        line = succession.name(second, third.public, AT + 3, line)
        begun = Head(Kind.SUCCESSION, True, number(AT + 3) + _octets(20, 8), 1, NONE)
        said.append(envelope.seal(begun, line.octets, place, third.signing))

    def head(kind: Kind, quiet: bool = True) -> Head:
        return Head(kind, quiet, stream, len(said) + 1, said[-1].hash if said else NONE)

    first = add(Kind.ROSTER, roster.make(AT, NONE, hashes))
    key = EpochKey(Secret.of(_octets(3)))
    content = _epoch(first.hash, key, {ALICE: alice.public, BOB: bob.public})
    begun = add(Kind.EPOCH, content)
    payload = payloads.Text("Grüße", (BOB,), payloads.Reply(encode_octets(_octets(4))))
    seen = (Seen(number(AT) + _octets(5, 8), 7, _octets(6, 16)),)
    inner = Inner(AT + 1, 3, seen, payloads.encode(payload))
    sender = key.of_sender(ALICE, alice.hash)
    sealed = message.seal(inner, head(Kind.MESSAGE, False), place, begun.hash, sender, _octets(7, 24))
    add(Kind.MESSAGE, sealed, False)
    succeeded(*(UniqueKey(ALICE, Secret.of(_octets(each))) for each in (8, 21)))
    return {
        "epoch_key": _octets(3).hex(),
        "boxes": {"ephemeral": [_octets(9 + each).hex() for each in range(2)]},
        "nonce": encode_octets(_octets(7, 24)),
        "inner": {
            "at": AT + 1,
            "vault": 3,
            "seen": [
                {
                    "stream": encode_octets(each.stream),
                    "number": each.number,
                    "half": encode_octets(each.half),
                }
                for each in seen
            ],
            "payload": payloads.encode(payload).decode(),
        },
        "next_masters": [_octets(8).hex(), _octets(21).hex()],
        "envelopes": [
            {"kind": each.head.kind.name.lower(), "data": each.data, "hash": encode_octets(each.hash)}
            for each in said
        ],
    }


def _epoch(head: bytes, key: EpochKey, keys: Mapping[str, PublicKeys]) -> bytes:
    """`epoch.make`, with boxes that are not random: as libsodium makes them (`crypto_box_seal`)."""
    boxes = {}
    for place, account in enumerate(sorted(keys)):
        secret = _octets(9 + place)
        ephemeral, public = bindings.crypto_scalarmult_base(secret), keys[account].box
        nonce = blake2b(ephemeral + public, digest_size=24).digest()
        boxes[account] = ephemeral + bindings.crypto_box(_octets(3), nonce, public, secret)
    hashes = {account: each.hash for account, each in keys.items()}
    content = number(AT) + key.commitment() + head + NONE + members.write(hashes, boxes)
    assert len(content) == len(epoch.make(key, AT, head, NONE, keys))
    return content


def _vault(alice: UniqueKey, bob: UniqueKey) -> dict[str, Any]:
    people = {BOB: Pinned(Keys.of(bob.public), Trust.VERIFIED, AT)}
    former, answered = encode_octets(_octets(18)), encode_octets(_octets(19))
    stream = encode_octets(number(AT) + _octets(22, 8))
    memory = ChatMemory(
        {BOB: StreamMemory(0, {stream: (3, encode_octets(_octets(23)))})},
        since=AT,
        successions={BOB: ((former, encode_octets(bob.hash)),)},
        peer=BOB,
    )
    content = Content(
        encode_octets(NONE),
        people,
        {CHAT: Draft(AT, "Dear", answered)},
        {"size": Setting(AT, None), "theme": Setting(AT, "dark")},
        {CHAT: memory},
    )
    blob = vault.seal(content, 1, alice, _octets(10, 24))
    hash = encode_octets(vault.open(blob, 1, alice)[1])
    within = msgspec.to_builtins(content)
    return {
        "version": 1,
        "nonce": encode_octets(_octets(10, 24)),
        "content": within,
        "blob": blob,
        "hash": hash,
    }


def _file() -> dict[str, Any]:
    """Of 300 octets, with a header that is not random: a stream begins to seal as it begins to open."""
    file, key, header = _octets(11, 300), _octets(12), _octets(13, 24)
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, header, key)
    filled = file.ljust(padding.padme(len(file)), b"\0")
    last = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
    sealed = header + bindings.crypto_secretstream_xchacha20poly1305_push(state, filled, tag=last)
    hash = digest(sealed, b"safeum file v1")
    opener = FileOpener(key, len(file), hash)
    assert opener.add(sealed) + opener.end() == file
    named = {"key": encode_octets(key), "size": len(file), "hash": encode_octets(hash)}
    return {**named, "file": encode_octets(file), "sealed": encode_octets(sealed)}


def _compared(alice: UniqueKey, bob: UniqueKey) -> dict[str, Any]:
    pair = comparing.Pair(CHAT, (ALICE, alice.hash), (BOB, bob.hash))
    first, second, nonce = Secret.of(_octets(14)), Secret.of(_octets(15)), _octets(16)
    keys, compare = (first.public(), second.public()), encode_octets(_octets(17, 16))
    seen = comparing.shown(pair, compare, keys, nonce, first.agree(keys[1]))
    assert seen == comparing.shown(pair, compare, keys, nonce, second.agree(keys[0]))
    assert words(bytes(11)).numbers == ("1000",) * 3
    return {
        "safety_number": fingerprints.safety_number((ALICE, alice.public), (BOB, bob.public)),
        "fingerprint": fingerprints.fingerprint(alice.hash),
        "picture": fingerprints.scan_text((ALICE, alice.hash), (BOB, bob.hash)),
        "emoji": {
            "keys": [_octets(14).hex(), _octets(15).hex()],
            "nonce": encode_octets(nonce),
            "compare": compare,
            "commitment": encode_octets(comparing.commitment(keys[0], nonce)),
            "words": [each.name for each in seen.emoji],
            "numbers": list(seen.numbers),
        },
    }
