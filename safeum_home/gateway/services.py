"""What a session is handed by the node."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from safeum_home.config import LimitSection
from safeum_home.gateway.catchup import MissedPage
from safeum_home.gateway.dispatch import Routes
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.limits import RateLimit
from safeum_home.ports import Bus, Cursors, Receipts
from safeum_home.ports.files import FileTransfers


class Identity(Protocol):
    """Who a session turned out to be (`safeum_home.accounts.logins.Authenticated`)."""

    @property
    def account(self) -> AccountId: ...
    @property
    def address(self) -> str: ...
    @property
    def device(self) -> DeviceId: ...
    @property
    def token(self) -> str | None: ...
    @property
    def policy(self) -> str | None: ...


@dataclass(slots=True)
class Services:
    """What all sessions of a node share. A session keeps the `limits` that it began with."""

    clock: IReactorTime
    routes: Routes
    bus: Bus
    cursors: Cursors
    receipts: Receipts
    missed: Callable[[AccountId, int], Awaitable[MissedPage]]
    committed: Callable[[], int]
    gave_out: Callable[[int], bool]
    rate: RateLimit
    limits: LimitSection
    held: Callable[[AccountId, DeviceId, int], None]
    """Is told that a device holds everything up to a position."""
    node_key: str
    """The node's public key, as clients are told it."""
    support_chat: Callable[[AccountId], ChatId]
    wakeable: Callable[[AccountId, DeviceId], Awaitable[bool]]
    """Whether a device can be woken once it sleeps."""
    transfers: FileTransfers | None = None
    """What serves files over HTTP."""
