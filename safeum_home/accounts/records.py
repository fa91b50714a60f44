"""What is sealed in the rows of accounts, devices, profiles and contacts, and under which context."""

from typing import TypeVar

import msgspec
from msgspec import Struct

from safeum_home.ports import Key
from safeum_home.protocol.presence import NOTHING_HIDDEN, Privacy
from safeum_home.protocol.types import AvatarType, DeviceType, ProfileField

S = TypeVar("S", bound=Struct)


class ConsentRecord(Struct, frozen=True):
    """Which version of the policy somebody has agreed to, and when (milliseconds)."""

    version: str
    at: int


class PinRecord(Struct, frozen=True):
    """An account's PINs, in the order in which they were set: Argon2id under one salt, at one cost.

    So one run of Argon2id tells whether something is any of them. `memory` is in octets.
    """

    salt: bytes
    operations: int
    memory: int
    verifiers: tuple[bytes, ...]


class AccountRecord(Struct, frozen=True):
    account: str
    username: str
    created_at: int
    password_hash: str
    consent: ConsentRecord | None = None
    pins: PinRecord | None = None
    findable: bool = False
    privacy: Privacy = NOTHING_HIDDEN


class DeviceRecord(Struct, frozen=True):
    device: str
    name: str
    system: str
    created_at: int
    type: DeviceType | None = None
    model: str | None = None
    region: str | None = None
    time_zone: str | None = None


class ClaimRecord(Struct, frozen=True):
    """`running` since `at`, or ended then; in milliseconds."""

    running: bool
    at: int


class ProfileRecord(Struct, frozen=True, omit_defaults=True):
    """`address` and `safenum` are there for accounts of other nodes alone, as those have told them."""

    account: str
    display_name: str
    status: str
    about: str = ""
    fields: tuple[ProfileField, ...] = ()
    show_safenum: bool = False
    avatar: str | None = None
    address: str = ""
    safenum: str | None = None


class AvatarRecord(Struct, frozen=True):
    avatar: str
    type: AvatarType
    data: bytes


class ContactRecord(Struct, frozen=True, omit_defaults=True):
    """`asked` and `heard` are as in `foreign_relation.Pair`, for accounts of other nodes alone."""

    account: str
    address: str
    asked: int = 0
    heard: int = 0


class InviteRecord(Struct, frozen=True):
    """`label` is the operator's; it was made for so many `uses`."""

    label: str
    uses: int
    created_at: int


_encoder = msgspec.msgpack.Encoder()


def seal(key: Key, record: Struct, *place: bytes) -> bytes:
    """`record` sealed for one row: `place` is its primary key, so that rows cannot be exchanged."""
    return key.seal(_encoder.encode(record), _context(type(record), place))


def unseal(key: Key, kind: type[S], sealed: bytes, *place: bytes) -> S:
    """The record in a row; raises `Tampered`."""
    return msgspec.msgpack.decode(key.open(sealed, _context(kind, place)), type=kind)


def _context(kind: type[Struct], place: tuple[bytes, ...]) -> bytes:
    return b"\x00".join((kind.__name__.encode(), *place))
