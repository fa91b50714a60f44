"""A session with a node that outlives its connections, held in memory only."""

from collections.abc import Awaitable, Callable
from random import SystemRandom
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from safeum_home.client.abilities.inbox import Inbox
from safeum_home.client.abilities.secure_taking import SecureTaking
from safeum_home.client.abilities.staying import Staying
from safeum_home.client.abilities.voucher_taking import Exchanges, VoucherTaking
from safeum_home.client.connection.connection import Dial
from safeum_home.client.connection.plug import Plug
from safeum_home.client.connection.reconnect import BackOff, new_reconnect
from safeum_home.client.connection.requests import TIMEOUT, Calls
from safeum_home.client.errors import (
    Disconnected,
    SessionEnded,
)
from safeum_home.client.errors import local as local_problem
from safeum_home.client.events import QUEUE, Listen, Stream
from safeum_home.client.state.loading import load
from safeum_home.errors import Code
from safeum_home.protocol import commands as c

R = TypeVar("R", bound=c.Result)
_log = Logger()
_random = SystemRandom().random


class Client(Staying, SecureTaking, VoucherTaking):
    """A device of an account. Make one with `connect`, then `register`, `login` or `resume`.

    From then on it stays connected: it comes back by itself with the token and the cursor it holds, sends
    what was not acknowledged again under the same `client_id`, and hands out each event once. It
    is over when closed, or when the node says so (`SessionEnded`). Put to sleep, it stays away until it is
    woken (`wake`, `on_push`) or used: any command does.

    `clock` and `random` (numbers in [0, 1)) are handed in.
    """

    def __init__(self, dial: Dial, clock: IReactorTime, random: Callable[[], float] = _random) -> None:
        self._dial = dial
        self._plug = Plug(dial, self)
        self._clock = clock
        self._inbox = Inbox(clock, self._acknowledge, self._catch_up)
        self._calls = Calls(clock, self._hear)
        self._machine = new_reconnect(BackOff(clock, random, self))
        self._exchanges = Exchanges()
        self.opened: c.Opened | None = None
        """Who this is; None before the first login. The token in it is the session's secret."""
        self.state = self._inbox.state
        """Contacts, chats and messages, once `load` was called."""

    # --- opening and closing ---------------------------------------------------------------------

    async def connect(self) -> None:
        """Connect without logging in yet; raises `Disconnected`. Logging in does it where it was not done."""
        if not self._plug.connected:
            self._calls.connected(await self._plug.open(lambda: self._calls.ended))

    def _milliseconds(self) -> float:
        return self._clock.seconds() * 1000

    def _greet(self, params: c.Params, result: type[R]) -> "Deferred[R]":
        return Deferred.fromCoroutine(self._step(params))

    async def _step(self, params: c.Params) -> Any:
        if self.opened is not None:
            raise local_problem(Code.WRONG_STATE)
        await self.connect()
        return await self._ask_now(params)

    def _enter(self, params: c.Params) -> "Deferred[c.Opened]":
        return Deferred.fromCoroutine(self._open(params))

    async def _open(self, params: c.Params) -> c.Opened:
        opened: c.Opened = await self._step(params)
        if self.opened is not None:
            raise local_problem(Code.WRONG_STATE)
        self.opened = opened
        self._token = opened.token or getattr(params, "token", None)
        self._in(opened)
        self._machine.opened()
        return opened

    def _in(self, opened: c.Opened) -> None:
        self._behind = self._by_push = self._pushed = False
        self._inbox.opened(opened)
        self._calls.opened()
        self._begin_presence()
        self._inbox.acks.flush()
        self._calls_online()

    def _over(self) -> None:
        self._end_calls()
        self._wipe()

    def close(self) -> "Deferred[None]":
        """Leave; the token stays valid. Fires when the connection is closed.

        Secure chats are locked before: what their vault lacks has five seconds (`lock`).
        """
        self._end_calls()
        return self.lock().addCallback(lambda _: self._leave())

    def _leave(self) -> "Deferred[None]":
        gone = self._plug.gone
        self._machine.stop("closed", 1000)
        return gone or succeed(None)

    def logout(self) -> "Deferred[None]":
        """Revoke this device's token and leave."""
        return Deferred.fromCoroutine(self._logout())

    async def _logout(self) -> None:
        await self.lock()
        try:
            await self._ask(c.SessionLogout(), c.Done)
        except Disconnected as error:
            if error.closing.code not in (1000, 4010, 4011):
                raise
        except SessionEnded:
            return
        finally:
            await self.close()

    # --- commands --------------------------------------------------------------------------------

    def _nobody(self) -> "Client":
        return Client(self._dial, self._clock)

    def _ask(self, params: c.Params, result: type[R]) -> "Deferred[R]":
        if self.opened is None and type(params) is not c.PolicyGet:
            raise local_problem(Code.NOT_AUTHENTICATED)
        if self.opened is None:
            return self._greet(params, result)
        if (kept := self._kept_here(params)) is not None:
            return kept
        early = self.state.groups.begin() if isinstance(params, c.GroupInvitations) else None
        answer = self._ask_now(params)
        self.wake()
        if early is not None:
            answer.addCallback(self._invited, early)
        elif isinstance(params, c.ChatSend | c.ChatRead):
            answer.addCallback(self._own, params)
        return answer

    def _invited(self, result: c.InvitationList, early: set[str]) -> c.InvitationList:
        self.state.groups.build(early, result.invitations)
        return result

    def _ask_now(self, params: c.Params) -> "Deferred[Any]":
        # A message waits for as long as it takes: giving it up would leave its sender in doubt.
        return self._calls.request(params, None if isinstance(params, c.ChatSend) else TIMEOUT)

    def _own(self, result: c.Result, params: c.ChatSend | c.ChatRead) -> c.Result:
        if isinstance(params, c.ChatRead):
            self.state.marked(params.chat, params.upto)
        elif isinstance(result, c.Sent) and self.opened is not None:
            self._inbox.sent(params, result, self.opened.account)
        return result

    def load(self) -> Awaitable[None]:
        """Build `state` from the node; it is kept current from then on."""
        return Deferred.fromCoroutine(load(self.state, self))

    # --- events ----------------------------------------------------------------------------------

    def listen(self, listener: Listen) -> Callable[[], None]:
        """Call `listener` with each event and `LinkChanged`, after `state` took it; returns a way to stop."""
        return self._inbox.listen(listener)

    def events(self, limit: int = QUEUE) -> Stream:
        """The events from now on: `async for event in client.events()`."""
        return self._inbox.stream(limit)
