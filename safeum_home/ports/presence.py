"""Who is connected, who may know it, and who wants it hidden."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred

from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports.delivery import Subscriber
from safeum_home.protocol.presence import Privacy


class Attendance(Protocol):
    """Is told by the bus who comes and goes. It never raises."""

    def came(self, account: AccountId, subscriber: Subscriber) -> None: ...
    def left(self, account: AccountId, subscriber: Subscriber) -> None:
        """The subscriber is no more among the account's; it may be called for one that never was."""

    def revoked(self, account: AccountId, which: Callable[[DeviceId], bool]) -> None:
        """Devices of the account are gone for good, connected or not: those that `which` is true of."""


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """Whom an account has accepted, and they it: their blind indexes, one behind the other."""

    peers: bytes
    privacy: Privacy
    elsewhere: tuple[AccountId, ...] = ()
    """Those at other nodes, who are not among `peers`."""


class Acquaintances(Protocol):
    """Contacts and settings of accounts, from the database."""

    def of(self, accounts: Sequence[AccountId]) -> "Deferred[list[Acquaintance | None]]":
        """In one read, in the order of `accounts`; None for those that there are not."""


class RelationWatch(Protocol):
    """Is told what was committed of contacts and settings, in that turn."""

    def related(self, first: AccountId, second: AccountId, accepted: bool) -> None:
        """Two accounts have accepted each other from now on, or not any more."""

    def privacy_changed(self, account: AccountId, privacy: Privacy) -> None:
        """An account hides this from now on."""


class TypingPrivacy(Protocol):
    """Who of those that are connected tells, and is told, that somebody types."""

    def tells_typing(self, account: AccountId) -> bool:
        """False also for one whose settings are not known yet."""

    def is_known(self, account: AccountId) -> bool:
        """Whether one of another node is a contact of somebody who is connected."""

    def are_contacts(self, one: AccountId, other: AccountId) -> bool:
        """Whether they have accepted each other, and those of this node are connected, at least one.

        False also where it is not known yet.
        """
