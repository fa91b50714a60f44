"""Tickets: what HTTP takes instead of a device's token, which is too strong to be in a link.

They are random, in memory alone, bound to a device and one purpose, and good for a quarter of an hour after
they were last used. After a restart a client asks for another.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_urlsafe

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, DeviceId, FileId

LIFE = 900.0
"""Seconds."""
MOST = 20_000
MOST_OF_ACCOUNT = 64


@dataclass(slots=True)
class UploadGrant:
    """For one upload into a chat; `file` is None until that is begun."""

    account: AccountId
    device: DeviceId
    chat: ChatId
    file: FileId | None = None


@dataclass(frozen=True, slots=True)
class DownloadGrant:
    """For the file of the message at `position`."""

    account: AccountId
    device: DeviceId
    chat: ChatId
    position: int
    name: str


Grant = UploadGrant | DownloadGrant


class Tickets:
    """`now` is in seconds since 1970. The oldest go where there are too many."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._grants: OrderedDict[str, tuple[Grant, float]] = OrderedDict()
        self._of: dict[AccountId, OrderedDict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._grants)

    def issue(self, grant: Grant) -> tuple[str, float]:
        """A new ticket, and when it ends where it is not used."""
        ticket = token_urlsafe(32)
        own = self._of.setdefault(grant.account, OrderedDict())
        own[ticket] = None
        expires = self._now() + LIFE
        self._grants[ticket] = grant, expires
        if len(own) > MOST_OF_ACCOUNT:
            self._drop(next(iter(own)))
        while len(self._grants) > MOST:
            self._drop(next(iter(self._grants)))
        return ticket, expires

    def upload(self, ticket: str) -> UploadGrant:
        """What a ticket allows; raises `bad_ticket`."""
        grant = self._take(ticket)
        if not isinstance(grant, UploadGrant):
            raise Problem(Code.BAD_TICKET)
        return grant

    def download(self, ticket: str) -> DownloadGrant:
        """What a ticket allows; raises `bad_ticket`."""
        grant = self._take(ticket)
        if not isinstance(grant, DownloadGrant):
            raise Problem(Code.BAD_TICKET)
        return grant

    def forget_account(self, account: AccountId) -> None:
        """The account was closed."""
        for ticket in tuple(self._of.get(account, ())):
            self._drop(ticket)

    def _take(self, ticket: str) -> Grant | None:
        grant, expires = self._grants.get(ticket, (None, 0.0))
        if grant is None:
            return None
        now = self._now()
        if expires <= now:
            self._drop(ticket)
            return None
        # The order is that in which they end.
        self._grants[ticket] = grant, now + LIFE
        self._grants.move_to_end(ticket)
        self._of[grant.account].move_to_end(ticket)
        return grant

    def _drop(self, ticket: str) -> None:
        grant, _ = self._grants.pop(ticket)
        own = self._of[grant.account]
        del own[ticket]
        if not own:
            del self._of[grant.account]
