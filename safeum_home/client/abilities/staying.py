"""Staying: what a session does with its connections, from the first one to its end.

`plug` has the connection, `requests` what is asked on it; when to connect is for `reconnect`.
"""

from abc import abstractmethod
from typing import Any

from msgspec import UNSET
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.client.abilities.sleeping import Sleeping
from safeum_home.client.connection.plug import Plug
from safeum_home.client.connection.reconnect import FINAL, SLOW_READER
from safeum_home.client.connection.requests import Wire
from safeum_home.client.errors import (
    ASLEEP,
    UNTRUSTED,
    BadAnswer,
    ClientError,
    Closing,
    Disconnected,
    RemoteProblem,
    SessionEnded,
    TimedOut,
)
from safeum_home.client.events import Link, LinkChanged
from safeum_home.client.state.loading import load
from safeum_home.errors import Code
from safeum_home.protocol import commands as c
from safeum_home.spawn import spawn

_log = Logger()


class Staying(Sleeping):
    """`reconnect.Session`, and the owner of its `plug`."""

    _plug: Plug
    _token: str | None = None
    _reset = False
    """Whether what it shows has to be built anew: the node did not know where it was."""
    _behind = False
    """Whether it has not taken events that the node has said."""

    @abstractmethod
    def _ask_now(self, params: c.Params) -> "Deferred[Any]": ...
    @abstractmethod
    def _in(self, opened: c.Opened) -> None:
        """The node has let it in, on a new connection."""

    @abstractmethod
    def _over(self) -> None:
        """It has ended: nothing of it is left behind."""

    def _acknowledge(self, cursor: str) -> bool:
        return self._calls.notify(c.SessionAck(cursor))

    def _catch_up(self) -> None:
        if self._calls.open:  # otherwise the next session goes on from the cursor anyway
            self._drop(Closing(SLOW_READER, "catching up"))
        else:
            self._behind = True
            self._machine.wake()

    def received(self, payload: bytes) -> None:
        try:
            self._calls.received(payload)
        except BadAnswer as error:
            self._drop(Closing(1002, str(error)))

    def closed(self, closing: Closing) -> None:
        self._plug.lost()
        self._calls.lost(closing)
        if closing.code in FINAL:
            self._machine.stop(FINAL[closing.code], closing.code)
        elif closing.code == ASLEEP:
            self._machine.sleep()
        else:
            self._machine.lost(closing, None)

    def _drop(self, closing: Closing, wait: float | None = None) -> None:
        self.hang_up()
        self._calls.lost(closing)
        self._machine.lost(closing, wait)

    def retry(self) -> None:
        """Do not wait for the back-off: try to reconnect now."""
        self._machine.retry()

    # --- what the reconnect machine asks for -----------------------------------------------------

    def dial(self) -> None:
        self._inbox.tell(LinkChanged(Link.CONNECTING))

        def connected(wire: Wire) -> None:
            self._calls.connected(wire)
            self._machine.connected()

        self._plug.dial(connected, lambda closing: self._machine.lost(closing, None))

    def show_token(self) -> None:
        token, woken = self._token or "", True if self._by_push else UNSET
        answer = self._ask_now(c.SessionResume(token, self._inbox.cursor, self._inbox.seen, woken))
        answer.addCallbacks(self._resumed, self._not_resumed)
        answer.addErrback(lambda f: _log.failure("Resuming failed", f))

    def _resumed(self, opened: c.Opened) -> None:
        self._in(opened)
        self._machine.resumed()

    def _not_resumed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, TimedOut | BadAnswer):
            self._drop(Closing(1006, str(error)))
        elif not isinstance(error, RemoteProblem):
            failure.trap(Disconnected, SessionEnded)  # the machine was told already
        elif error.of(Code.INVALID_CURSOR) and self._inbox.cursor is not None:
            self._inbox.forget()
            self._reset = True
            self.show_token()
        elif error.of(Code.BAD_TOKEN):
            self._machine.stop(FINAL[4010], 4010)
        else:
            self._drop(Closing(1013, error.title), error.retry_after)

    def online(self) -> None:
        reset, self._reset = self._reset, False
        if reset and self.state.used:
            spawn(self._rebuild(), "loading what the client shows")
        else:
            self._inbox.tell(LinkChanged(Link.ONLINE, reset=reset))

    async def _rebuild(self) -> None:
        try:
            await load(self.state, self)
        except ClientError as error:
            self._reset = True
            self._drop(Closing(1013, str(error)))
        else:
            self._inbox.tell(LinkChanged(Link.ONLINE, reset=True))

    def offline(self, closing: Closing, retry_in: float) -> None:
        untrusted = closing.code == UNTRUSTED
        self.state.presence.clear()
        self._inbox.tell(LinkChanged(Link.OFFLINE, closing.reason, retry_in, untrusted=untrusted))

    def asleep(self) -> None:
        self.state.presence.clear()
        self._inbox.tell(LinkChanged(Link.ASLEEP))
        if self._calls.waiting or self._behind or self._pushed:
            self._machine.wake()

    def hang_up(self) -> None:
        self._plug.hang_up()

    def ended(self, reason: str, code: int) -> None:
        ended = SessionEnded(reason, code)
        self._calls.end(ended)
        self._over()
        self._inbox.end(None if code == 1000 else ended)
        self._inbox.tell(LinkChanged(Link.CLOSED, reason))
