"""A device that is connected: live events, catching up, and what it has acknowledged."""

from collections import deque
from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from safeum_home.errors import Problem
from safeum_home.gateway.catchup import CatchUp
from safeum_home.gateway.outbound import SLOW_READER, Outbound
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports import MissedPage, Published, Receipts

INTERNAL_ERROR, TRY_AGAIN_LATER = 1011, 1013
"""RFC 6455 section 7.4.1, and the IANA WebSocket Close Code registry."""
REPLACED = 4009
REVOKED = 4010
ACCOUNT_CLOSED = 4011
ASLEEP = 4012


class ConnectedDevice:
    """`ports.Subscriber`: the events of an account on their way to one of its devices."""

    __slots__ = (
        "_catch_up",
        "_max_unacknowledged",
        "_outbound",
        "_unacknowledged",
        "_waiting",
        "account",
        "asleep",
        "device",
        "gone",
        "held",
        "host",
        "on_use",
        "unreachable",
        "used_at",
        "woken",
    )

    _log = Logger()

    def __init__(
        self,
        account: AccountId,
        device: DeviceId,
        host: str,
        outbound: Outbound,
        max_unacknowledged: int,
        now: float,
        woken: bool = False,
    ) -> None:
        self.account = account
        self.device = device
        self.host = host
        self.held = 0
        self.used_at = now
        self.woken = woken
        self.asleep = False
        self.unreachable: float | None = None
        """When it had been used last as it turned out that nothing can wake it."""
        self.on_use: Callable[[], None] | None = None
        self._outbound = outbound
        self._max_unacknowledged = max_unacknowledged
        self._catch_up: CatchUp | None = None
        self._waiting: Deferred[bool] | None = None
        self.gone = False
        # Others' messages that were sent to this device and that it has not acknowledged yet.
        self._unacknowledged: deque[tuple[int, ChatId]] | None = None

    def deliver(self, event: Published) -> None:
        """Never raises: whoever publishes has others to tell."""
        try:
            if self._catch_up is not None and event.position:
                self._catch_up.hold(event)
            else:
                self._send(event)
        except Exception:
            # This device has a gap now: it must come back for what it missed.
            self._log.failure("an event could not be delivered")
            self._outbound.close(INTERNAL_ERROR, "resume")

    def replaced(self) -> None:
        self._outbound.close(REPLACED, "this device connected anew")

    def revoked(self) -> None:
        self._outbound.close(REVOKED, "the token was revoked")

    def account_closed(self) -> None:
        self._outbound.close(ACCOUNT_CLOSED, "the account was closed")

    def acknowledge(self, position: int, receipts: Receipts) -> None:
        """The device holds everything up to `position`: tell the senders."""
        self.held = position
        waiting = self._unacknowledged
        if waiting is None:
            return
        latest: dict[ChatId, int] = {}
        while waiting and waiting[0][0] <= position:
            at, chat = waiting.popleft()
            latest[chat] = at
        if not waiting:
            self._unacknowledged = None
        for chat, at in latest.items():
            receipts.delivered(self.account, chat, at)

    async def catch_up(
        self,
        read: Callable[[AccountId, int], Awaitable[MissedPage]],
        after: int,
        synced: Callable[[int], bytes],
    ) -> None:
        """Send all that was missed behind `after`, then what `synced` makes of the position reached.

        Live events wait meanwhile. Where it fails the client is closed, and tries again.
        """
        self._catch_up = CatchUp(lambda after: read(self.account, after), self._send, self._writable)
        try:
            reached = await self._catch_up.run(after)
        except Problem as problem:
            self._outbound.close(TRY_AGAIN_LATER, problem.code.code)
        except Exception:
            self._log.failure("catching up failed")
            self._outbound.close(INTERNAL_ERROR, "resume")
        else:
            self._catch_up = None
            if reached is not None:
                self._outbound.write(synced(reached))

    @property
    def keeps_up(self) -> bool:
        return self._outbound.clear

    @property
    def up_to_date(self) -> bool:
        """Whether it was sent all that there is."""
        return self._catch_up is None and self._outbound.clear

    @property
    def has_all(self) -> bool:
        """Whether it was sent all, and has said that it holds the messages of others among that."""
        return self.up_to_date and self._unacknowledged is None

    def used(self, now: float) -> None:
        """Whoever is at the device has it do something."""
        self.used_at = now
        if self.on_use is not None:
            on_use, self.on_use = self.on_use, None
            on_use()

    def takes_again(self) -> None:
        """The client takes frames again."""
        self._tell_writable(True)

    def leave(self) -> None:
        """It is none of its account's any more that are connected."""
        self.gone = True
        self._tell_writable(False)

    def _send(self, event: Published) -> None:
        if event.chat is not None:
            if self._unacknowledged is None:
                self._unacknowledged = deque()
            self._unacknowledged.append((event.position, event.chat))
            if len(self._unacknowledged) > self._max_unacknowledged:
                self._outbound.close(SLOW_READER, "acknowledge what you hold: resume")
                return
        self._outbound.write(event.frame)

    def _writable(self) -> "Deferred[bool]":
        if self.gone or self._outbound.closed:
            return succeed(False)
        if self._outbound.clear:
            return succeed(True)
        self._waiting = Deferred()
        return self._waiting

    def _tell_writable(self, alive: bool) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(alive)
