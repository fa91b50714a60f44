"""docs/secure-chats-vectors.json computed as docs/secure-chats.md has it, by hashlib and libsodium alone."""

import json
import unicodedata
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Any

from nacl import bindings, exceptions, pwhash
from twisted.trial.unittest import SynchronousTestCase

from tests.test_secure_vectors import VECTORS

BUCKETS = [2**each for each in range(8, 16)]
OF_VAULTS = [2**each for each in range(12, 21)]


def hashed(person: str, octets: bytes, size: int = 32, key: bytes = b"") -> bytes:
    return blake2b(octets, digest_size=size, key=key, person=person.encode()).digest()


def encode(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(value: int, size: int = 8) -> bytes:
    return value.to_bytes(size, "big")


def text(value: str) -> bytes:
    return number(len(value.encode()), 2) + value.encode()


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def filled(octets: bytes, buckets: list[int] = BUCKETS) -> bytes:
    return (octets + b"\x80").ljust(next(each for each in buckets if len(octets) < each), b"\0")


def boxed(octets: bytes, public: bytes, secret: bytes) -> bytes:
    ephemeral = bindings.crypto_scalarmult_base(secret)
    nonce = blake2b(ephemeral + public, digest_size=24).digest()
    return ephemeral + bytes(bindings.crypto_box(octets, nonce, public, secret))


def verified(key: bytes, signature: bytes, octets: bytes) -> bool:
    try:
        return bool(bindings.crypto_sign_open(signature + octets, key) == octets)
    except exceptions.BadSignatureError:
        return False


class Keys:
    """Of an account, from its master key."""

    def __init__(self, account: str, master: bytes) -> None:
        self.account = account
        seed, self.box, self.vault = (
            hashed("safeum unique v1", name, key=master) for name in (b"sign", b"box", b"vault")
        )
        self.sign, self._secret = bindings.crypto_sign_seed_keypair(seed)
        self.public = bindings.crypto_scalarmult_base(self.box)
        self.hash = hashed("safeum key hash", self.sign + self.public)

    def signed(self, octets: bytes) -> bytes:
        return bytes(bindings.crypto_sign(octets, self._secret)[:64])

    def names(self, new: "Keys", at: int) -> bytes:
        said = f"safeum secure succession v1\0{self.account}\0".encode() + self.hash + new.hash + number(at)
        return number(at) + new.sign + new.public + self.signed(said)


class OthersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.vectors: dict[str, Any] = json.loads(VECTORS.read_text())
        self.alice, self.bob = self.vectors["accounts"].values()
        masters = self.vectors["unique_key"]["master"], *self.vectors["next_masters"]
        self.first, self.second, self.third = (Keys(self.alice, bytes.fromhex(each)) for each in masters)
        self.of_bob = Keys(self.bob, bytes.fromhex(self.vectors["bob"]["master"]))
        self.envelopes = {each["kind"]: decode(each["data"]) for each in self.vectors["envelopes"]}

    def place(self, tag: str) -> bytes:
        return f"{tag}\0{self.vectors['chat']}\0{self.alice}\0".encode()

    def content(self, kind: str) -> bytes:
        return self.envelopes[kind][58:-64]

    def test_unique_key(self) -> None:
        """From words to what is published."""
        given = self.vectors["unique_key"]
        salt = hashed("safeum salt v1", self.alice.encode(), 16)
        passphrase = " ".join(unicodedata.normalize("NFKC", given["words"]).split()).encode()
        master = pwhash.argon2id.kdf(32, passphrase, salt, opslimit=3, memlimit=256 * 2**20)
        self.assertEqual((encode(salt), master.hex()), (given["salt"], given["master"]))
        keys = self.first
        self.assertEqual(
            [encode(each) for each in (keys.sign, keys.public, keys.hash)], _of(given, "sign box hash")
        )
        said = {"account": self.alice, "at": given["at"], "box": given["box"], "sign": given["sign"]}
        signature = keys.signed(b"safeum account keys v1\0" + canonical(said))
        self.assertEqual(encode(signature), given["signature"])
        self.assertEqual(
            [encode(self.of_bob.sign), encode(self.of_bob.public)], _of(self.vectors["bob"], "sign box")
        )

    def test_envelopes(self) -> None:
        """Signatures, hashes, and what is in them."""
        for each, keys in zip(self.vectors["envelopes"], [self.first] * 3 + [self.third], strict=True):
            octets = decode(each["data"])
            said = self.place("safeum secure envelope v1") + octets[:-64]
            self.assertTrue(verified(keys.sign, octets[-64:], said))
            self.assertEqual(keys.signed(said), octets[-64:])
            self.assertEqual(encode(hashed("safeum envelope", octets)), each["hash"])
        members = ((self.alice, self.first), (self.bob, self.of_bob))
        at, none = self.content("roster")[:8], bytes(32)
        listed = b"".join(text(account) + keys.hash for account, keys in members)
        self.assertEqual(self.content("roster"), at + none + number(2, 2) + listed)
        key, secrets = bytes.fromhex(self.vectors["epoch_key"]), self.vectors["boxes"]["ephemeral"]
        boxes = [
            boxed(key, keys.public, bytes.fromhex(s)) for (_, keys), s in zip(members, secrets, strict=True)
        ]
        listed = b"".join(
            text(account) + keys.hash + box for (account, keys), box in zip(members, boxes, strict=True)
        )
        roster = hashed("safeum envelope", self.envelopes["roster"])
        begin = at + hashed("safeum epoch key", b"", key=key) + roster + none
        self.assertEqual(self.content("epoch"), begin + number(2, 2) + listed)
        first, last = (
            self.first.names(self.second, 1_800_000_000_002),
            self.second.names(self.third, 1_800_000_000_003),
        )
        line = self.first.sign + self.first.public + number(2, 1) + first + last
        self.assertEqual(self.content("succession"), line)

    def test_message(self) -> None:
        """It opens, and is sealed in the same octets."""
        within = self.vectors["inner"]
        seen = [
            decode(each["stream"]) + number(each["number"]) + decode(each["half"]) for each in within["seen"]
        ]
        inner = number(within["at"]) + number(within["vault"]) + number(len(seen), 1) + b"".join(seen)
        inner += within["payload"].encode()
        epoch = hashed("safeum envelope", self.envelopes["epoch"])
        master = bytes.fromhex(self.vectors["epoch_key"])
        key = hashed("safeum sender v1", f"{self.alice}\0".encode() + self.first.hash, key=master)
        about = self.place("safeum secure message v1") + self.envelopes["message"][:58] + epoch
        nonce = decode(self.vectors["nonce"])
        sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(filled(inner), about, nonce, key)
        self.assertEqual(self.content("message"), epoch + nonce + sealed)

    def test_vaults(self) -> None:
        """Each is sealed in the same octets, and follows on the one before."""
        before = encode(bytes(32))
        for each in self.vectors["vaults"]:
            keys, nonce = Keys(self.alice, bytes.fromhex(each["master"])), decode(each["nonce"])
            about = f"safeum vault v1\0{self.alice}\0".encode() + number(each["version"])
            plain = filled(canonical(each["content"]), OF_VAULTS)
            sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, about, nonce, keys.vault)
            blob = b"\x21" + nonce + sealed
            self.assertEqual(encode(blob), each["blob"])
            self.assertEqual(each["content"]["previous"], before)
            before = encode(hashed("safeum vault", blob))
            self.assertEqual(before, each["hash"])

    def test_moved(self) -> None:
        """What is left of a vault, and what is other, where its keys are others."""
        content = dict(self.vectors["vaults"][1]["content"], previous=self.vectors["vaults"][1]["hash"])
        moved, new = self.vectors["moved"], self.second
        line = self.first.sign + self.first.public + number(1, 1) + self.first.names(new, moved["at"])
        content["own"] = {"line": encode(line), "lost": content["own"]["lost"]}
        was, keys = (
            content["people"][self.alice]["keys"],
            {"sign": encode(new.sign), "box": encode(new.public)},
        )
        content["people"][self.alice] = {
            "keys": keys,
            "trust": "changed",
            "since": moved["at"],
            "former": [was],
        }
        for chat in content["chats"].values():
            for epoch in chat["epochs"]:
                key = bindings.crypto_box_seal_open(
                    decode(epoch["sealed"]), self.first.public, self.first.box
                )
                self.assertEqual(encode(hashed("safeum epoch key", b"", key=key)), epoch["commitment"])
                epoch["sealed"] = encode(boxed(key, new.public, bytes.fromhex(moved["ephemeral"])))
        self.assertEqual(content, self.vectors["vaults"][2]["content"])

    def test_file(self) -> None:
        """It opens, and is filled up."""
        given = self.vectors["file"]
        sealed, state = decode(given["sealed"]), bindings.crypto_secretstream_xchacha20poly1305_state()
        bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, sealed[:24], decode(given["key"]))
        plain, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(state, sealed[24:])
        self.assertEqual(tag, bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL)
        self.assertEqual(plain, decode(given["file"]).ljust(304, b"\0"))
        self.assertEqual(encode(hashed("safeum file v1", sealed)), given["hash"])

    def test_compared(self) -> None:
        """Numbers, and what pictures say."""
        given, both = self.vectors["compared"], (self.first, self.of_bob)
        halves = [
            hashed("safeum number v1", each.sign + each.public + each.account.encode(), 64) for each in both
        ]
        groups = [
            [int.from_bytes(half[at : at + 5], "big") % 10**5 for at in range(0, 30, 5)] for half in halves
        ]
        self.assertEqual(
            " ".join(f"{each:05}" for half in sorted(groups) for each in half), given["safety_number"]
        )
        digits = self.first.hash[:20].hex()
        self.assertEqual(" ".join(digits[at : at + 5] for at in range(0, 40, 5)), given["fingerprint"])
        said = b"".join(text(each.account) + each.hash for each in both)
        self.assertEqual("safeum:verify:1:" + encode(said), given["picture"])

    def test_emoji(self) -> None:
        """The numbers below them follow from the same octets."""
        given = self.vectors["compared"]["emoji"]
        secrets = [bytes.fromhex(each) for each in given["keys"]]
        keys, nonce = [bindings.crypto_scalarmult_base(each) for each in secrets], decode(given["nonce"])
        self.assertEqual(encode(hashed("safeum compare", keys[0] + nonce)), given["commitment"])
        said = {"chat": self.vectors["chat"], "compare": given["compare"], "nonce": given["nonce"]}
        sides = {"beginner": (self.first, keys[0]), "other": (self.of_bob, keys[1])}
        for name, (own, key) in sides.items():
            said |= {name: own.account, f"{name}_key": encode(key), f"{name}_keys": encode(own.hash)}
        shared = bindings.crypto_scalarmult(secrets[0], keys[1])
        shown = hashed("safeum emoji v1", b"safeum secure compare v1\0" + canonical(said), 11, shared)
        bits = int.from_bytes(shown, "big") >> 7
        numbers = [str((bits >> 13 * place) % 2**13 + 1000) for place in (2, 1, 0)]
        self.assertEqual(numbers, given["numbers"])

    def test_ids(self) -> None:
        """Of groups, and of a direct chat."""
        ids = self.vectors["ids"]
        for group in ids["groups"]:
            self.assertEqual(_id("safeum group v1", ids["hub"], group["seed"]), group["chat"])
        self.assertEqual(_id("safeum chat v1", *sorted(ids["direct"]["accounts"])), ids["direct"]["chat"])


def _of(given: dict[str, Any], names: str) -> list[Any]:
    return [given[name] for name in names.split()]


def _id(person: str, *parts: str) -> str:
    return "!" + b32encode(hashed(person, "\n".join(parts).encode(), 16)).decode().rstrip("=").lower()
