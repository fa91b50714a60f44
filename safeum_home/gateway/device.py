"""A device that is connected: live events, catching up, and what it has acknowledged."""

from collections import deque
from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred, succeed

from safeum_home.gateway.catchup import CatchUp, MissedPage
from safeum_home.gateway.outbound import SLOW_READER, Outbound
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports import Published, Receipts

REPLACED = 4009
REVOKED = 4010

Close = Callable[[int, str], None]


class ConnectedDevice:
    """`ports.Subscriber`: the events of an account on their way to one of its devices."""

    __slots__ = (
        "_catch_up",
        "_close",
        "_gone",
        "_max_unacknowledged",
        "_outbound",
        "_unacknowledged",
        "_waiting",
        "account",
        "device",
    )

    def __init__(
        self, account: AccountId, device: DeviceId, outbound: Outbound, close: Close, max_unacknowledged: int
    ) -> None:
        self.account = account
        self.device = device
        self._outbound = outbound
        self._close = close
        self._max_unacknowledged = max_unacknowledged
        self._catch_up: CatchUp | None = None
        self._waiting: Deferred[bool] | None = None
        self._gone = False
        # Others' messages that were sent to this device and that it has not acknowledged yet.
        self._unacknowledged: deque[tuple[int, ChatId]] | None = None

    def deliver(self, event: Published) -> None:
        if self._catch_up is not None and event.position:
            self._catch_up.hold(event)
        else:
            self._send(event)

    def replaced(self) -> None:
        self._close(REPLACED, "this device connected anew")

    def revoked(self) -> None:
        self._close(REVOKED, "the token was revoked")

    def acknowledge(self, position: int, receipts: Receipts) -> None:
        """The device holds everything up to `position`: tell the senders."""
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

    def catch_up(
        self, read: Callable[[AccountId, int], Awaitable[MissedPage]]
    ) -> Callable[[int], Awaitable[int | None]]:
        """From now on live events wait; what is returned sends what was missed, and ends the waiting."""
        catch_up = CatchUp(lambda after: read(self.account, after), self._send, self._writable)
        self._catch_up = catch_up

        async def run(after: int) -> int | None:
            reached = await catch_up.run(after)
            self._catch_up = None
            return reached

        return run

    def keeps_up(self) -> None:
        """The client takes frames again."""
        self._tell_writable(True)

    def gone(self) -> None:
        """The connection is over."""
        self._gone = True
        self._tell_writable(False)

    def _send(self, event: Published) -> None:
        if event.chat is not None:
            if self._unacknowledged is None:
                self._unacknowledged = deque()
            self._unacknowledged.append((event.position, event.chat))
            if len(self._unacknowledged) > self._max_unacknowledged:
                self._close(SLOW_READER, "acknowledge what you hold: resume")
                return
        self._outbound.write(event.frame)

    def _writable(self) -> "Deferred[bool]":
        if self._gone or self._outbound.clear:
            return succeed(not self._gone)
        self._waiting = Deferred()
        return self._waiting

    def _tell_writable(self, alive: bool) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(alive)
