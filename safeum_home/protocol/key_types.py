"""Public keys of accounts: what they are, how they are signed, and what they are hashed to.

Signed are a tag, a zero octet and canonical JSON (RFC 8785) of texts and integers: members sorted by name, no
white space. docs/keys.md has a vector.
"""

from hashlib import blake2b
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from nacl.bindings import crypto_scalarmult
from nacl.exceptions import CryptoError

from safeum_home.protocol.federation.signed import KEY_SIZE, SIGNATURE_SIZE, is_signed_by
from safeum_home.protocol.scalars import (
    PUBLIC_KEY_PATTERN,
    Account,
    Device,
    Milliseconds,
    PublicKey,
    Signature,
)
from safeum_home.protocol.signing import decode_octets, encode_octets

IDENTITY_TAG = b"safeum account keys v1\0"
LAUNCH_TAG = b"safeum launch keys v1\0"
_HASH_PERSON = b"safeum key hash"
FIELD = 2**255 - 19
"""Of X25519 (RFC 7748, section 4.1)."""

MOST_QUERIED = 100
"""Accounts in one query: so many answers fit a frame at their longest."""
MOST_DEVICES = 50
MOST_LAUNCHED = 4
"""The same of a query for launch keys, of which each device of an account may have one."""
BOUND_FOR = 24 * 60 * 60 * 1000
"""For how many milliseconds a signature binds launch keys: programs sign anew twice as often."""
BOUND_AHEAD = 60 * 60 * 1000
"""By how many the clock of a device may be ahead of who looks."""

BoxKey = Annotated[
    str, Meta(pattern=PUBLIC_KEY_PATTERN, max_length=43, description="An X25519 key, base64url, unpadded.")
]
KeyHash = Annotated[
    str,
    Meta(
        pattern=PUBLIC_KEY_PATTERN,
        max_length=43,
        description="BLAKE2b-256 of an account's two public keys, base64url, unpadded.",
    ),
]
QueriedAccounts = Annotated[list[Account], Meta(min_length=1, max_length=MOST_QUERIED)]

_encoder = msgspec.json.Encoder(order="sorted")


class Identity(Struct, frozen=True, forbid_unknown_fields=True):
    """An account's two public keys, of its unique key. `signature` is by `sign`, of all else and the account.

    `at` is when they were made, or published, as their owner's device says.
    """

    sign: PublicKey
    box: BoxKey
    at: Milliseconds
    signature: Signature


class Launch(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The public keys that a device has for as long as its program runs, as of `at` by its clock.

    `bound` is a signature of them by `sign` of the account's identity, where that has one.
    """

    device: Device
    sign: PublicKey
    box: BoxKey
    at: Milliseconds
    bound: Signature | None = None


class AccountKeys(Struct, frozen=True, omit_defaults=True):
    """What is known of an account's keys; nothing of one that there is not, or that has nothing to do with
    who asks, or that has never published any.

    `hash` is in force `since`. `unavailable`: the keys with this hash are not here now (`key_unavailable`).
    """

    account: Account
    hash: KeyHash | None = None
    since: Milliseconds | None = None
    identity: Identity | None = None
    unavailable: bool = False
    launches: Annotated[tuple[Launch, ...], Meta(max_length=MOST_DEVICES)] = ()


class LoggedKeys(Struct, frozen=True):
    """That keys with this hash came into force. `number` counts those of the account from 0."""

    number: int
    hash: KeyHash
    at: Milliseconds


def identity_octets(account: str, sign: str, box: str, at: int) -> bytes:
    """What is signed of an identity."""
    return IDENTITY_TAG + _encoder.encode({"account": account, "at": at, "box": box, "sign": sign})


def launch_octets(account: str, device: str, sign: str, box: str, at: int) -> bytes:
    """What is signed of launch keys."""
    signed = {"account": account, "at": at, "box": box, "device": device, "sign": sign}
    return LAUNCH_TAG + _encoder.encode(signed)


def key_hash(sign: str, box: str) -> str | None:
    """The hash of two keys; None where one of them is none. About 50 us."""
    octets = decode_octets(sign, KEY_SIZE), decode_octets(box, KEY_SIZE)
    if octets[0] is None or octets[1] is None or not _can_be_written_to(octets[1]):
        return None
    return encode_octets(blake2b(octets[0] + octets[1], digest_size=32, person=_HASH_PERSON).digest())


def _can_be_written_to(box: bytes) -> bool:
    """Whether a secret can be agreed on with it (RFC 7748, section 6.1), and it is in its one form."""
    if int.from_bytes(box, "little") >= FIELD:
        return False
    try:
        # Of every scalar that is clamped, what has a small order makes zero.
        crypto_scalarmult(bytes(KEY_SIZE), box)
    except CryptoError:
        return False
    return True


def short_hash(hash: str) -> str:
    """The first ten hexadecimal digits of a hash, in two groups, for people."""
    octets = decode_octets(hash, 32)
    return "?" if octets is None else f"{octets.hex()[:5]} {octets.hex()[5:10]}"


def hash_of(account: str, identity: Identity) -> str | None:
    """The hash of an identity; None where it is not signed by its own key, for this account."""
    octets = identity_octets(account, identity.sign, identity.box, identity.at)
    if not is_signed_with(identity.sign, octets, identity.signature):
        return None
    return key_hash(identity.sign, identity.box)


def is_bound(account: str, launch: Launch, sign: str, now: int) -> bool:
    """Whether launch keys bear a signature of an account's key `sign` that binds `now` (milliseconds)."""
    if launch.bound is None or not binds(launch.at, now):
        return False
    octets = launch_octets(account, launch.device, launch.sign, launch.box, launch.at)
    return is_signed_with(sign, octets, launch.bound)


def binds(at: int, now: int) -> bool:
    """Whether launch keys may be bound `now` that were signed `at`, by their device's clock."""
    return now - BOUND_FOR <= at <= now + BOUND_AHEAD


def is_signed_with(sign: str, octets: bytes, signature: str) -> bool:
    """Whether `signature` is the Ed25519 signature (RFC 8032) of a key over `octets`. About 60 us."""
    public, signed = decode_octets(sign, KEY_SIZE), decode_octets(signature, SIGNATURE_SIZE)
    return public is not None and signed is not None and is_signed_by(public, octets, signed)
