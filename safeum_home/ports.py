"""What the parts of a node ask of each other, as types: nobody imports a sibling."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.ids import AccountId, ChatId, Cursor, DeviceId
from safeum_home.protocol.types import DeviceInfo

T = TypeVar("T")
V = TypeVar("V")
R = TypeVar("R", contravariant=True)


# --- sealing -----------------------------------------------------------------------------------------


class Key(Protocol):
    """A symmetric key in locked memory. It seals and opens, and cannot be read."""

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """XChaCha20-Poly1305 with a random nonce; `context` is authenticated, not stored."""

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plaintext; raises `Tampered` where octets, key or context are not those of `seal`."""

    def wipe(self) -> None:
        """Zero the key; it is of no use afterwards. Wiping twice is harmless."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key as it is stored: sealed under the keyring's key of `epoch`."""

    epoch: int
    wrapped: bytes


class Keyring(Protocol):
    """Makes and opens the keys of accounts, chats and days."""

    def new_key(self, owner: bytes) -> tuple[Key, WrappedKey]:
        """A random key and its wrap for the database row of `owner` (a blind index of 16 octets)."""

    def unwrap(self, owner: bytes, wrapped: WrappedKey) -> Key:
        """The key of a row; raises `Tampered`, or `Erased` where its epoch is gone."""


class Blinder(Protocol):
    """Blind indexes: keyed hashes (16 octets) under which rows are found without naming anyone."""

    def account(self, account: AccountId) -> bytes: ...
    def alias(self, username: str) -> bytes: ...
    def chat(self, chat: ChatId) -> bytes: ...
    def device(self, device: DeviceId) -> bytes: ...
    def client_id(self, device: DeviceId, client_id: str) -> bytes: ...
    def token(self, device: DeviceId, secret: bytes) -> bytes:
        """The verifier of a device token (32 octets)."""


class Cursors(Protocol):
    """Positions in the node's order of events as opaque texts, and back."""

    def encode(self, position: int) -> Cursor: ...
    def decode(self, cursor: str) -> int:
        """Raises `Problem(invalid_cursor)` for what `encode` did not make."""


# --- storage -----------------------------------------------------------------------------------------


class Bulk(Protocol[R]):
    """Writes many rows of one kind at once.

    It is called in the writer's thread, inside the group's transaction, with all rows that
    wait together. It returns one outcome for each row, in their order.
    """

    def __call__(self, connection: Connection, rows: Sequence[R], /) -> Sequence[Any]: ...


class Database(Protocol):
    """Durable storage with group commit: a Deferred fires when its change is on disk.

    Changes are committed in the order in which they were handed in, and their Deferreds fire in
    that order, in the reactor's thread. All fail with `Problem(storage_unavailable)` where the
    commit failed, and then nothing was stored; `Problem(busy)` where the queue is full.
    """

    def transact(self, fn: Callable[[Connection], T]) -> "Deferred[T]":
        """Run `fn` in the writer's thread. What it raises undoes its own changes only, and is passed on."""

    def append(self, bulk: Bulk[R], row: R) -> "Deferred[Any]":
        """Hand a row to `bulk`, together with those of the same `bulk` that wait beside it."""

    def read(self, fn: Callable[[Connection], T]) -> "Deferred[T]":
        """Run `fn` on a reading connection, in one snapshot, off the reactor's thread."""

    def next_position(self) -> int:
        """The next place in the order of events: take it in the same turn as the `transact` that uses it."""

    @property
    def committed(self) -> int:
        """The last position whose Deferred has fired (also in the table `node`, in each snapshot)."""


# --- delivery ----------------------------------------------------------------------------------------


class Published(Struct, frozen=True):
    """An event on its way to the sessions of an account: encoded and framed once, for all of them.

    `position` is 0 for what is not durable. `chat` is set for messages of others, whose arrival at a
    device is to be told to their sender. `skip` names the device that caused it and knows already.
    """

    frame: bytes
    position: int = 0
    chat: ChatId | None = None
    skip: DeviceId | None = None


class Subscriber(Protocol):
    """A session, as the bus sees it."""

    @property
    def device(self) -> DeviceId: ...
    def deliver(self, event: Published) -> None: ...
    def replaced(self) -> None:
        """The same device has connected anew: close, and leave the account to it."""

    def revoked(self) -> None:
        """The device's token was revoked: say so and close."""


class Bus(Protocol):
    """Carries events to wherever an account's sessions are."""

    def subscribe(self, account: AccountId, subscriber: Subscriber) -> None: ...
    def unsubscribe(self, account: AccountId, subscriber: Subscriber) -> None: ...
    def publish(self, account: AccountId, event: Published) -> None: ...
    def revoke(self, account: AccountId, device: DeviceId) -> None: ...
    def connected(self, account: AccountId) -> frozenset[DeviceId]: ...


# --- what the edges hand to the domain ----------------------------------------------------------------


class Caller(Protocol):
    """Who gave a command. Before authentication only `host` means anything."""

    @property
    def host(self) -> str:
        """The peer's IP address: for limits, in memory only."""

    @property
    def account(self) -> AccountId: ...
    @property
    def device(self) -> DeviceId: ...


@dataclass(frozen=True, slots=True)
class Known:
    """An account of this node, as its siblings see it."""

    account: AccountId
    username: str
    display_name: str
    status: str


class Directory(Protocol):
    """Accounts by id."""

    def known(self, account: AccountId) -> "Deferred[Known | None]":
        """An account of this node, or its system contact; None where there is none."""


class Committed(Struct, Generic[V], frozen=True):
    """A command's result, and what is to be told to others once the caller has been answered."""

    result: V
    publish: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Staged:
    """Something that joins another's transaction: written with it, published after it."""

    store: Callable[[Connection], None]
    publish: Callable[[], None]


class Consent(Protocol):
    """The chats behind contacts: a sibling keeps them."""

    def direct(self, first: AccountId, second: AccountId) -> Callable[[Connection], None]:
        """What makes the direct chat of two accounts exist, inside a transaction."""

    def changing(self, chat: ChatId) -> None:
        """The contact state behind a direct chat is being changed: whoever writes waits for `changed`."""

    def changed(self, chat: ChatId) -> None:
        """The change is committed, or has failed: once for each `changing`."""


class Announcer(Protocol):
    """Writes from the node's system contact into an account's own chat."""

    def found(self, account: AccountId) -> Callable[[Connection], None]:
        """What makes the system chat of a new account exist, inside a transaction."""

    def login(self, account: AccountId, device: DeviceId, info: DeviceInfo) -> "Deferred[Staged]":
        """An alert that a device has logged in. Use it in the turn in which it fires."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Events in order. Where there may be more, they are complete up to position `upto`."""

    events: list[Published]
    upto: int | None


class Source(Protocol):
    """Where a device that was away gets what it missed: one for each kind of durable event."""

    def __call__(self, c: Connection, account: AccountId, after: int, limit: int, /) -> Missed:
        """At most `limit` events behind position `after`; what cannot be opened is left out.

        It is called on a reading connection and in its thread: all sources are read in one snapshot.
        """


class Receipts(Protocol):
    """How far accounts hold and have read their chats."""

    def delivered(self, account: AccountId, chat: ChatId, position: int) -> None:
        """A device of `account` holds `chat` up to `position`."""

    def resumed(self, account: AccountId, position: int) -> None:
        """A device of `account` came back and holds everything up to `position`."""


# --- the gateway's two halves --------------------------------------------------------------------------


class ClientConnection(Protocol):
    """A WebSocket connection, as its session sees it."""

    @property
    def host(self) -> str:
        """The peer's IP address."""

    def write(self, frame: bytes) -> None:
        """Write a whole WebSocket frame (`frames.text_frame`). All of one reactor turn leave together."""

    def close(self, code: int, reason: str) -> None:
        """Close with a WebSocket close code; nothing is delivered to the handler afterwards but `closed`."""

    def pause_reading(self) -> None:
        """Take no more frames from the peer: TCP then holds it back."""

    def resume_reading(self) -> None: ...


class ConnectionHandler(Protocol):
    """A session, as its connection sees it."""

    def received(self, payload: bytes) -> None:
        """A whole text message, valid UTF-8, at most `MAX_FRAME` octets."""

    def paused(self) -> None:
        """The peer reads slower than it is written to: hold back until `resumed`."""

    def resumed(self) -> None: ...
    def closed(self) -> None:
        """The connection is gone; called once."""
