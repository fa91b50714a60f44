"""What the parts of the domain ask of each other, and edges of them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports.delivery import Published
from safeum_home.ports.sealing import Key
from safeum_home.protocol.commands import ContactList, ProfileResult
from safeum_home.protocol.types import Body, DeviceInfo

V = TypeVar("V")

Introduce = Callable[[Connection, int], tuple[ProfileResult, ContactList]]
"""Reads in a snapshot, and in its thread, at most so many contacts."""


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
        """An account of this node, or one of its own contacts; None where there is none.

        Of another node's: what that has told of it, be it nothing.
        """

    def people(self, c: Connection, among: Collection[AccountId]) -> dict[AccountId, Known]:
        """The same for many at once, inside a snapshot or a transaction and in its thread.

        Without their `status`; those that there are not are left out.
        """


class Introductions(Protocol):
    """What an account starts from besides its chats: itself, and its contacts."""

    def of(self, account: AccountId) -> "Deferred[Introduce]":
        """What reads it. Fails with `not_found`."""


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


class Owner(Protocol):
    """An account of this node whose key is in memory."""

    @property
    def account(self) -> AccountId: ...
    @property
    def blind(self) -> bytes:
        """Its blind index."""

    @property
    def key(self) -> Key: ...


class Owners(Protocol):
    """Accounts of this node, for what a sibling keeps under their own keys."""

    async def need(self, account: AccountId) -> Owner:
        """The account; raises `not_found`."""

    def read(self, c: Connection, account: AccountId) -> Owner | None:
        """The account as the database has it, on a reading connection and in its thread."""

    def behind(self, c: Connection, blind: bytes) -> Owner | None:
        """The account of a row, in the same way; raises `Tampered`."""

    def must_be_there(self, c: Connection, owner: Owner) -> None:
        """Inside a transaction that writes rows for `owner`; raises `not_found` where it was closed."""


class Mutes(Protocol):
    """Which chats an account has muted: a sibling keeps that."""

    def muted_until(self, c: Connection, owner: Owner, chats: Collection[ChatId]) -> dict[ChatId, int]:
        """Those of some chats that are muted, and until when (milliseconds), inside a snapshot."""


class SafeNumbers(Protocol):
    """The numbers by which accounts are called."""

    def number_of(self, c: Connection, account: AccountId) -> str | None:
        """An account's number as people read it; None where it has none.

        It is called inside a snapshot or a transaction, and in its thread. Whoever gives a number or takes
        it away has the profile told again (`accounts.profile_changes`).
        """


class GivesNumbers(Protocol):
    """Gives accounts the numbers by which they are called, as far as there are any."""

    def signed_up(self, c: Connection, account: bytes) -> None:
        """In the commit that makes the account with this blind index; what goes wrong never stops that."""

    def logged_in(self, account: AccountId) -> None:
        """Of an account that is there, in no transaction: whoever has no number may be given one."""


class Announcer(Protocol):
    """Writes from the node's system contact into an account's own chat."""

    def found(self, account: AccountId) -> Callable[[Connection], None]:
        """What makes the system chat of a new account exist, inside a transaction."""

    def login(self, account: AccountId, device: DeviceId, info: DeviceInfo) -> "Deferred[Staged]":
        """An alert that a device has logged in. Use it in the turn in which it fires."""

    def tell(self, account: AccountId, body: Body) -> "Deferred[Staged]":
        """Any other message of the node. Use it in the turn in which it fires."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Events in order. Where there may be more, they are complete up to position `upto`."""

    events: list[Published]
    upto: int | None


class MissedPage(NamedTuple):
    """Events in order; the device is then current up to `position`, and `more` may follow."""

    events: list[Published]
    position: int
    more: bool


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
