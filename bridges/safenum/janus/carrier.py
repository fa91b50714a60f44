"""The carrier of kind `janus`: keeps a WebSocket to Janus, and calls on it."""

import os
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from bridges.connecting import BackOff, client_endpoint, lasting
from bridges.safenum.janus.call import Call
from bridges.safenum.janus.call_machine import set_going
from bridges.safenum.janus.requests import OFFER, Dial, Jsep
from bridges.safenum.janus.sdp import for_janus
from bridges.safenum.janus.secrets import Unusable, credentials
from bridges.safenum.janus.session import Session
from bridges.safenum.janus.settings import JanusSettings, read
from bridges.safenum.janus.socket import JanusSockets, Speaker, Wire
from safeum_home.outgoing.answers import reason_of
from safeum_home.ports.carrier import (
    CLI_HEADER,
    CarrierCall,
    CarrierContext,
    CarrierCounts,
    CarrierListener,
    CarrierLost,
    Exchange,
    Incoming,
)

SHOWN = 60.0
"""Seconds for which it is shown that Janus has refused a call; in these it is logged once."""


class JanusCall:
    """`ports.carrier.CarrierCall`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    @property
    def reference(self) -> str:
        return self._call.reference

    def answer(self, sdp: str) -> None:
        """Raises `Problem(invalid_params)` where the description is of no use."""
        self._call.machine.answer(for_janus(sdp))

    def decline(self, sip: int) -> None:
        self._call.machine.decline(sip)

    def hang_up(self) -> None:
        self._call.machine.hang_up()

    def dtmf(self, digits: str) -> None:
        self._call.machine.press(digits)


class Janus:
    """`ports.carrier.Carrier`."""

    _log = Logger()

    def __init__(self, context: CarrierContext, settings: JanusSettings) -> None:
        self._context = context
        self._settings = settings
        self._domain = settings.identity.partition("@")[2]
        self._exchange: Exchange | None = None
        self._session: Session | None = None
        self._former = 0
        self._lost = 0
        self._missed = 0
        self._refused = 0
        self._refusal = ""
        self._shown_until = 0.0
        self._why: str | None = None
        """Why there are no calls, as it was told last."""
        reactor, whose = context.reactor, f"safenum.carriers, settings of {context.name}"
        self._back_off = BackOff(settings.reconnect_seconds)
        self._service = lasting(
            client_endpoint(reactor, whose, settings.endpoint),
            JanusSockets(reactor, self._speak),
            self._back_off,
            self._not_reached,
            reactor,
        )

    # --- the port

    def start(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._service.startService()

    def stop(self) -> "Deferred[None]":
        return Deferred.fromCoroutine(self._stop())

    def dial(self, cli: str, to: str, sdp: str, listener: CarrierListener) -> CarrierCall:
        described = for_janus(sdp)
        if not self.is_up or self._session is None:
            raise CarrierLost
        line = self._session.lines.idle()
        if line is None:
            raise CarrierLost(is_full=True)
        call = Call(self._context.reactor, self._session.lines.patience, os.urandom(16).hex(), line, listener)
        uri, headers = f"sip:{to}@{self._domain}", {CLI_HEADER: cli}
        call.opening = Dial(uri, call.reference, headers), Jsep(OFFER, described)
        machine = set_going(call)
        line.carry(call)
        machine.dial()
        return JanusCall(call)

    @property
    def is_up(self) -> bool:
        return self._session is not None and self._session.state == "up"

    @property
    def standing(self) -> str:
        if self.is_up:
            return f"up, but Janus refuses calls: {self._refusal}" if self._is_refusing else "up"
        return "not connected" if self._why is None else self._why

    @property
    def lines(self) -> tuple[int, int]:
        taken = 0 if self._session is None else self._session.lines.taken
        return taken, self._settings.calls

    @property
    def counts(self) -> CarrierCounts:
        return CarrierCounts(self._lost, self._missed, self._refused)

    @property
    def _is_refusing(self) -> bool:
        return bool(self._context.reactor.seconds() < self._shown_until)

    # --- what a session tells: `session.Owner`

    def arrived(self, call: Call, called: str, caller: str, sdp: str) -> None:
        if self._exchange is None:
            call.machine.hang_up()
            return
        offered = Incoming(called, caller, sdp, self._context.name)
        try:
            listener = self._exchange.incoming(JanusCall(call), offered)
        except Exception:
            self._log.failure("a call that came in could not be taken")
            call.machine.hang_up()
        else:
            call.attend(listener)

    def missed(self) -> None:
        self._missed += 1

    def refused(self, why: str) -> None:
        self._refused += 1
        was_refusing, former = self._is_refusing, self._refusal
        self._refusal = why
        self._shown_until = self._context.reactor.seconds() + SHOWN
        if not was_refusing or why != former:
            name = self._context.name
            self._log.warn("Janus refuses calls of carrier {carrier}: {reason}", carrier=name, reason=why)

    def up(self) -> None:
        self._back_off.succeeded()
        self._why = None
        self._log.info("Carrier {carrier} is up.", carrier=self._context.name)

    def down(self, why: str) -> None:
        self._tell(why)

    def over(self, session: Session, why: str) -> None:
        if self._session is session:
            self._session = None
            self._former = session.id or self._former
            if self._exchange is not None:
                self._lost += 1
                self._tell(why)

    async def _stop(self) -> None:
        self._exchange = None
        if self._session is not None:
            await self._session.destroy()
        await self._service.stopService()

    # --- connecting

    def _speak(self, wire: Wire) -> Speaker:
        try:
            opened_with = credentials(self._context, self._settings)
        except Unusable as error:
            self._tell(str(error))
            return _Nobody(wire)
        former = self._former
        session = Session(self._context.reactor, wire, self._settings, opened_with, self, former)
        self._session = session
        return session

    def _not_reached(self, failure: Failure) -> None:
        self._tell(f"not connected: {reason_of(failure)}")

    def _tell(self, why: str) -> None:
        """Once, however often it is tried."""
        if why != self._why:
            self._why = why
            self._log.warn("Carrier {carrier} is not up: {reason}", carrier=self._context.name, reason=why)


class _Nobody:
    """Cuts what cannot be spoken over."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def opened(self) -> None:
        self._wire.drop()

    def received(self, payload: bytes) -> None:
        pass

    def closed(self) -> None:
        pass


def janus(context: CarrierContext, settings: Mapping[str, Any]) -> Janus:
    """The entry point: `ports.carrier.CarrierBridge`."""
    return Janus(context, read(context.name, settings))


janus.check = read  # type: ignore[attr-defined]  # as the other bridges' have it
