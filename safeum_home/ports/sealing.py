"""Keys, blind indexes and cursors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from safeum_home.ids import AccountId, ChatId, Cursor, DeviceId, FileId


class Key(Protocol):
    """A symmetric key in locked memory. It seals and opens, and cannot be read."""

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """XChaCha20-Poly1305 with a random nonce; `context` is authenticated, not stored."""

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plaintext; raises `Tampered` where octets, key or context are not those of `seal`."""

    def fresh(self) -> "Key":
        """Another key, random, in memory of the same kind. Nothing keeps it: see `seal_key`."""

    def seal_key(self, other: "Key", context: bytes) -> bytes:
        """Another key sealed under this one, without ever being octets in between."""

    def open_key(self, sealed: bytes, context: bytes) -> "Key":
        """What `seal_key` has sealed; raises as `open` does. Wipe it after use."""

    def wipe(self) -> None:
        """Zero the key; it is of no use afterwards. Wiping twice is harmless."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key as it is stored: sealed under the keyring's key of `epoch`."""

    epoch: int
    wrapped: bytes


class Keyring(Protocol):
    """Makes and opens keys that are stored: of accounts and chats, or of messages that live for a while."""

    def new_key(self, owner: bytes) -> tuple[Key, WrappedKey]:
        """A random key and its wrap for the database row of `owner` (a blind index of 16 octets)."""

    def unwrap(self, owner: bytes, wrapped: WrappedKey) -> Key:
        """The key of a row; raises `Tampered`, or `Erased` where its epoch is gone."""


BLIND = 16
"""Octets of a blind index."""


class Blinder(Protocol):
    """Blind indexes: keyed hashes (`BLIND` octets) under which rows are found without naming anyone."""

    def account(self, account: AccountId) -> bytes: ...
    def alias(self, username: str) -> bytes: ...
    def chat(self, chat: ChatId) -> bytes: ...
    def device(self, device: DeviceId) -> bytes: ...
    def invite(self, code: str) -> bytes: ...
    def file(self, file: FileId) -> bytes: ...
    def client_id(self, device: DeviceId, client_id: str) -> bytes:
        """What recognises a message; the indexes of client ids that begin alike are close together."""

    def avatar(self, owner: AccountId | ChatId, data: bytes) -> bytes:
        """What names a picture of an account or group: two with the same one have other names for it."""

    def group(self, device: DeviceId, client_id: str) -> bytes:
        """What names the group that a device makes."""

    def link(self, code: str) -> bytes: ...
    def gone(self, chat: bytes, position: int) -> bytes:
        """What tells, of a message that is gone, that it was one of a chat; nobody finds the chat by it."""

    def ending(self, account: AccountId, chat: ChatId) -> bytes:
        """What names the end of an account's place in a chat; neither is found by it."""

    def push(self, provider: str, token: str) -> bytes:
        """What recognises an address of a push provider."""

    def call(self, account: AccountId, call: str) -> bytes:
        """What names a call of an account; two accounts have other names for the same one."""

    def money(self, kind: str, text: str) -> bytes:
        """What something of a kind is recognised by: what an entry was made for, a call that is paid for."""

    def cdr(self, number: str) -> bytes:
        """What finds the records of a number's calls, and nothing else of it."""

    def safenum(self, number: str) -> bytes:
        """What finds who has a number."""

    def node(self, name: str) -> bytes:
        """What stands for a node."""

    def foreign(self, node: str, message: str) -> bytes:
        """What recognises a message of another node, by the id that it has there."""

    def token(self, device: DeviceId, secret: bytes) -> bytes:
        """The verifier of a device token (32 octets)."""


class NodeSigner(Protocol):
    """The node's identity: an Ed25519 key (RFC 8032) whose secret half never leaves locked memory."""

    @property
    def public_key(self) -> bytes:
        """32 octets."""

    def sign(self, octets: bytes) -> bytes:
        """The signature over `octets`, 64 octets; raises `Erased` where the key was wiped.

        What is signed begins with a tag of its purpose, so that no signature is good for another one.
        """


class Cursors(Protocol):
    """Positions in the node's order of events as opaque texts, and back."""

    def encode(self, position: int) -> Cursor: ...
    def decode(self, cursor: str) -> int:
        """Raises `Problem(invalid_cursor)` for what `encode` did not make."""


class ElementKey(Protocol):
    """A key of the oblivious pseudorandom function (RFC 9497) in locked memory. Any thread may use it."""

    def evaluate(self, elements: Sequence[bytes]) -> list[bytes]:
        """Each blinded element times the key; raises `protocol.ristretto.NotAnElement`."""

    def output(self, message: bytes) -> bytes:
        """The function of a message, 64 octets."""

    def wipe(self) -> None:
        """Zero the key, when no thread uses it any more."""


class ElementKeys(Protocol):
    """The keys of periods of time."""

    def of(self, period: int) -> ElementKey:
        """The key of a period: each time the same."""
