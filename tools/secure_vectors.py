"""Values of docs/secure-chats.md for who writes a client: made by the code, from keys that are no secret.

What is random in chats is given here: nonces, and the keys within sealed boxes and at the beginning of files.
"""

import json
from collections.abc import Mapping
from typing import Any

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
)
from safeum_home.client.secure.envelope import NONE, Envelope, Head, Kind, Place
from safeum_home.client.secure.epoch import EpochKey
from safeum_home.client.secure.files import FileOpener
from safeum_home.client.secure.message import Inner, Seen
from safeum_home.client.secure.octets import digest, number
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.unique_key import MEMORY, PASSES, UniqueKey, salt_of
from safeum_home.ids import AccountId, direct_chat_id, group_id
from safeum_home.protocol.signing import encode_octets
from tools.secure_values import ALICE, AT, BOB, CHAT, box, octets, unique_key
from tools.secure_vault_vectors import MOVED, merged, vaults

HUB = "a.example"
SEED = "eEEpjEUl5vuI6Rk4cN1VUQ"
WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"


def text() -> str:
    """The document, as it stands in docs/secure-chats-vectors.json."""
    return json.dumps(_values(), indent=2, ensure_ascii=False) + "\n"


def _values() -> dict[str, Any]:
    master = _stretched()
    alice, bob = UniqueKey.of(ALICE, WORDS), unique_key(BOB, 1)
    second, third = (unique_key(ALICE, each) for each in (8, 21))
    return {
        "about": "Values of docs/secure-chats.md. Octets in base64url, private ones in hexadecimal.",
        "accounts": {"alice": ALICE, "bob": BOB},
        "chat": CHAT,
        "unique_key": _unique_key(alice, master),
        "bob": {"master": octets(1).hex(), "sign": bob.public.texts()[0], "box": bob.public.texts()[1]},
        "padme": {str(size): padding.padme(size) for size in (0, 255, 256, 257, 1000, 65_537, 10_000_019)},
        **_chat(alice, bob, second, third),
        "vaults": vaults(alice, second, (master.hex(), octets(8).hex())),
        "ids": _ids(),
        "moved": {"at": AT + 2, "ephemeral": octets(MOVED).hex()},
        "merged": merged(alice, second, third),
        "file": _file(),
        "compared": _compared(alice, bob),
    }


def _ids() -> dict[str, Any]:
    kinds = {"": (False, False), "secure.": (True, False), "pair.": (True, True)}
    groups = [
        {"seed": f"{begins}{SEED}", "secure": secure, "pair": pair, "chat": group_id(HUB, f"{begins}{SEED}")}
        for begins, (secure, pair) in kinds.items()
    ]
    direct = direct_chat_id(AccountId(BOB), AccountId(ALICE))
    return {"hub": HUB, "groups": groups, "direct": {"accounts": [BOB, ALICE], "chat": direct}}


def _stretched() -> bytes:
    """The master key, which is no secret here."""
    salt, argon2id = salt_of(ALICE), bindings.crypto_pwhash_ALG_ARGON2ID13
    return bytes(bindings.crypto_pwhash_alg(32, WORDS.encode(), salt, PASSES, MEMORY, argon2id))


def _unique_key(alice: UniqueKey, master: bytes) -> dict[str, Any]:
    sign, box = alice.public.texts()
    assert UniqueKey(ALICE, Secret.of(master)).public == alice.public
    salt = encode_octets(salt_of(ALICE))
    made = {"words": WORDS, "salt": salt, "master": master.hex(), "sign": sign, "box": box}
    signature = alice.identity(AT).signature
    return {**made, "hash": encode_octets(alice.hash), "at": AT, "signature": signature}


def _chat(alice: UniqueKey, bob: UniqueKey, second: UniqueKey, third: UniqueKey) -> dict[str, Any]:
    """Alice begins a group with Bob, says something in an epoch, and changes her key, twice."""
    place, stream, signing = Place(CHAT, ALICE), number(AT) + octets(2, 8), alice.signing
    hashes = {ALICE: alice.hash, BOB: bob.hash}
    said: list[Envelope] = []

    def add(kind: Kind, content: bytes, quiet: bool = True) -> Envelope:
        said.append(envelope.seal(head(kind, quiet), content, place, signing))
        return said[-1]

    def succeeded() -> None:
        """In a stream of the new keys', which name the ones before."""
        line = succession.name(alice, second.public, AT + 2)
        line = succession.name(second, third.public, AT + 3, line)
        begun = Head(Kind.SUCCESSION, True, number(AT + 3) + octets(20, 8), 1, NONE)
        said.append(envelope.seal(begun, line.octets, place, third.signing))

    def head(kind: Kind, quiet: bool = True) -> Head:
        return Head(kind, quiet, stream, len(said) + 1, said[-1].hash if said else NONE)

    first = add(Kind.ROSTER, roster.make(AT, NONE, hashes))
    key = EpochKey(Secret.of(octets(3)))
    content = _epoch(first.hash, key, {ALICE: alice.public, BOB: bob.public})
    begun = add(Kind.EPOCH, content)
    payload = payloads.Text("Grüße", (BOB,), payloads.Reply(encode_octets(octets(4))))
    seen = (Seen(number(AT) + octets(5, 8), 7, octets(6, 16)),)
    inner = Inner(AT + 1, 3, seen, payloads.encode(payload))
    sender = key.of_sender(ALICE, alice.hash)
    sealed = message.seal(inner, head(Kind.MESSAGE, False), place, begun.hash, sender, octets(7, 24))
    add(Kind.MESSAGE, sealed, False)
    succeeded()
    return {
        "epoch_key": octets(3).hex(),
        "boxes": {"ephemeral": [octets(9 + each).hex() for each in range(2)]},
        "nonce": encode_octets(octets(7, 24)),
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
        "next_masters": [octets(8).hex(), octets(21).hex()],
        "envelopes": [
            {"kind": each.head.kind.name.lower(), "data": each.data, "hash": encode_octets(each.hash)}
            for each in said
        ],
    }


def _epoch(head: bytes, key: EpochKey, keys: Mapping[str, PublicKeys]) -> bytes:
    """`epoch.make`, with boxes that are not random."""
    boxes = {
        account: box(octets(3), keys[account].box, octets(9 + place))
        for place, account in enumerate(sorted(keys))
    }
    hashes = {account: each.hash for account, each in keys.items()}
    content = number(AT) + key.commitment() + head + NONE + members.write(hashes, boxes)
    assert len(content) == len(epoch.make(key, AT, head, NONE, keys))
    return content


def _file() -> dict[str, Any]:
    """Of 300 octets, with a header that is not random: a stream begins to seal as it begins to open."""
    file, key, header = octets(11, 300), octets(12), octets(13, 24)
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
    first, second, nonce = Secret.of(octets(14)), Secret.of(octets(15)), octets(16)
    keys, compare = (first.public(), second.public()), encode_octets(octets(17, 16))
    seen = comparing.shown(pair, compare, keys, nonce, first.agree(keys[1]))
    assert seen == comparing.shown(pair, compare, keys, nonce, second.agree(keys[0]))
    assert words(bytes(11)).numbers == ("1000",) * 3
    return {
        "safety_number": fingerprints.safety_number((ALICE, alice.public), (BOB, bob.public)),
        "fingerprint": fingerprints.fingerprint(alice.hash),
        "picture": fingerprints.scan_text((ALICE, alice.hash), (BOB, bob.hash)),
        "emoji": {
            "keys": [octets(14).hex(), octets(15).hex()],
            "nonce": encode_octets(nonce),
            "compare": compare,
            "commitment": encode_octets(comparing.commitment(keys[0], nonce)),
            "words": [each.name for each in seen.emoji],
            "numbers": list(seen.numbers),
        },
    }
