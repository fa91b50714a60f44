"""What a session is handed by the node."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from safeum_home.config import LimitSection
from safeum_home.errors import Problem
from safeum_home.gateway.dispatch import Routes
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.limits import RateLimit
from safeum_home.ports import Bus, Busy, Cursors, MissedPage, Receipts
from safeum_home.ports.files import FileTransfers

if TYPE_CHECKING:
    from safeum_home.gateway.session import Session

_log = Logger()


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
    busy: Busy
    """What keeps devices awake besides commands."""
    wakeable: Callable[[AccountId, DeviceId], Awaitable[bool]]
    """Whether a device can be woken once it sleeps."""
    transfers: FileTransfers | None = None
    """What serves files over HTTP."""
    sessions: set["Session"] = field(default_factory=set)
    """Those whose connections are open."""

    async def can_wake(self, account: AccountId, device: DeviceId) -> bool | None:
        """Whether a device can be woken; None where that cannot be looked up now."""
        try:
            return await self.wakeable(account, device)
        except Problem:
            return None
        except Exception:
            _log.failure("it could not be looked up whether a device can be woken")
            return None
