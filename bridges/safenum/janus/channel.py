"""Requests to Janus, and what it says, over one WebSocket and within one session."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred

from bridges.safenum.janus.messages import ANSWERS, Frame, PluginEvent, read
from bridges.safenum.janus.requests import PLUGIN, Body, Jsep, Request
from bridges.safenum.janus.socket import Wire
from bridges.safenum.janus.transactions import Transactions, Unanswered
from safeum_home.errors import Problem
from safeum_home.limits import RateLimit

MOST_BAD, BAD_RATE = 100, 0.1
"""Frames that make no sense, at once and in a second, before the connection is cut."""
RATE, BURST = 500.0, 10_000
"""Frames in a second, and at once."""


class Senseless(Exception):
    """What Janus says makes no sense, or is too much; the text is for the operator."""


class Channel:
    """`clock` provides IReactorTime; Janus has `seconds` for an answer; `credentials` go with requests."""

    def __init__(
        self, clock: Any, wire: Wire, seconds: float, credentials: Callable[[], dict[str, str]]
    ) -> None:
        self._wire = wire
        self._transactions = Transactions(clock, seconds, wire.send, credentials)
        self._limit = RateLimit(RATE, BURST, clock.seconds)
        self._bad = RateLimit(BAD_RATE, MOST_BAD, clock.seconds)
        self._is_closed = False
        self.session = 0
        """Its id; 0 until there is one."""

    def received(self, payload: bytes) -> Frame | None:
        """An event, where it is one, and nobody waits for it. Raises `Senseless`."""
        _take(self._limit, "Janus says too much")
        frame = read(payload)
        if frame is None or frame.session_id not in (0, self.session or frame.session_id):
            _take(self._bad, "what Janus says makes no sense")
            return None
        if self._transactions.answered(frame) or frame.janus in ANSWERS:
            return None
        return frame

    def close(self) -> None:
        """Nobody is answered any more."""
        self._is_closed = True
        self._transactions.fail_all("the session is over")
        self._wire.drop()

    # --- what is asked of Janus itself; all fail with `Unanswered`

    async def create(self) -> None:
        made = await self._ask(Request("create"))
        if made.data is None or not made.data.id:
            raise Unanswered("no session")
        self.session = made.data.id

    async def destroy(self, session: int) -> None:
        """End a session, and all that is in it, unless it is gone already."""
        await self._quietly(Request("destroy", session))

    async def keep_alive(self) -> None:
        await self._ask(Request("keepalive", self.session))

    async def attach(self) -> int:
        """A new handle of the SIP plugin."""
        made = await self._ask(Request("attach", self.session, plugin=PLUGIN))
        return 0 if made.data is None else made.data.id

    async def detach(self, handle: int) -> None:
        """End a handle, and the call on it, unless it is gone already."""
        await self._quietly(Request("detach", self.session, handle))

    # --- what is asked of the SIP plugin

    def message(self, handle: int, body: Body, jsep: Jsep | None) -> tuple[str, "Deferred[Frame]"]:
        """As `Transactions.ask`: what comes of it comes as events."""
        return self._transactions.ask(Request("message", self.session, handle, body=body, jsep=jsep))

    async def tell(self, handle: int, body: Body) -> PluginEvent:
        """What the plugin says to it at first."""
        request = Request("message", self.session, handle, body=body)
        frame = await self._transactions.ask(request, event=True)[1]
        return PluginEvent() if frame.plugindata is None else frame.plugindata.data

    def _ask(self, request: Request) -> "Deferred[Frame]":
        return self._transactions.ask(request)[1]

    async def _quietly(self, request: Request) -> None:
        if not self._is_closed:
            with suppress(Unanswered):
                await self._ask(request)


def _take(limit: RateLimit, too_much: str) -> None:
    try:
        limit.take("")
    except Problem:
        raise Senseless(too_much) from None
