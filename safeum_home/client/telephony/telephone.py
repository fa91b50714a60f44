"""All calls of a client with the telephone network."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from safeum_home.client.calling.asking import Asking
from safeum_home.client.calling.calling import new_id
from safeum_home.client.calling.media import Flow
from safeum_home.client.calling.relays import Relays
from safeum_home.client.errors import ClientError, RemoteProblem, local
from safeum_home.client.listeners import Listeners
from safeum_home.client.telephony.call import TelephoneCall, TelephoneCallBilled, TelephoneCallChanged
from safeum_home.client.telephony.ending import TelephoneEnd
from safeum_home.client.telephony.incoming import IncomingTelephoneCall
from safeum_home.client.telephony.media import TelephoneSource
from safeum_home.client.telephony.outgoing import OutgoingTelephoneCall
from safeum_home.client.telephony.sound import Sound
from safeum_home.errors import Code
from safeum_home.protocol import commands as c
from safeum_home.protocol.commands.telephone import OpenCall, OpenCalls, TelephoneDialled, TelephoneList
from safeum_home.protocol.telephone_events import (
    TelephoneAnswered,
    TelephoneIncoming,
    TelephoneKeys,
    TelephoneOver,
    TelephonePaid,
    TelephoneProgress,
)
from safeum_home.spawn import spawn

MOST_CALLS = 8
"""At once, those that ring included: this device does not ring for more."""
T = TypeVar("T")
_log = Logger()


class Account(Protocol):
    """The client, as far as telephony goes."""

    def wake(self, by_push: bool = False) -> None: ...
    def relay(self) -> Awaitable[Any]: ...
    def _ask(self, params: c.Params, result: type[Any]) -> Awaitable[Any]: ...
    def _milliseconds(self) -> float: ...


class Telephone(Asking):
    """`home.Home` of the calls, and `calling.taker.Taker`. `say` tells who listens to the client."""

    def __init__(
        self,
        client: Account,
        clock: IReactorTime,
        say: Callable[[Struct], None],
        media: TelephoneSource,
        awaitable: Callable[["Deferred[Any]"], Awaitable[Any]],
        *,
        relay_only: bool,
    ) -> None:
        self.clock = clock
        super().__init__(client, awaitable)
        self._client = client
        self._say = say
        self._media = media
        self._relay_only = relay_only
        self._calls: dict[str, TelephoneCall] = {}
        self._unbilled: dict[str, TelephoneCall] = {}
        """Those that this side has ended, and the node has still to say what they have cost."""
        self._listeners = Listeners[IncomingTelephoneCall]()
        self._closed = False

    # --- for programs

    def dial(self, number: str) -> Awaitable[OutgoingTelephoneCall]:
        """Call a number in international form (E.164): it is shown one's own SafeNUM.

        Raises `NoMedia`, and what the node refuses it with: `no_safenum`, `destination_refused`, `no_rate`,
        `country_needed`, `no_balance`, `spend_limit`, `limit_reached`, `carrier_unavailable`, `busy`.
        `Client.call_price` says what it costs.
        """
        return self._awaitable(Deferred.fromCoroutine(self._dial(number)))

    async def _dial(self, number: str) -> OutgoingTelephoneCall:
        if self._closed or len(self._calls) >= MOST_CALLS:
            raise local(Code.CALL_OVER if self._closed else Code.LIMIT_REACHED)
        self._client.wake()
        call = OutgoingTelephoneCall(self, new_id(), number)
        self._calls[call.id] = call
        asked = False
        try:
            invitation = await call.invitation()
            if call.why is not None:
                raise local(Code.CALL_OVER)
            asked = True
            call.dialled(await self.ask(invitation, TelephoneDialled))
        except RemoteProblem:
            call.ended(TelephoneEnd.LOST)
            raise
        except BaseException:  # cancelled too: it may ring there, and nobody would know of it here
            if asked:
                call.hang_up()
            else:
                call.ended(TelephoneEnd.FAILED)
            raise
        return call

    def on_call(self, listener: Callable[[IncomingTelephoneCall], None]) -> Callable[[], None]:
        """Call `listener` with each call that comes in, or rings already; returns what ends that."""
        ringing = (call for call in self.calls if isinstance(call, IncomingTelephoneCall) and call.rings)
        return self._listeners.add(listener, ringing)

    @property
    def calls(self) -> list[TelephoneCall]:
        """Those of this device that have not ended."""
        return list(self._calls.values())

    def open_calls(self) -> Awaitable[OpenCalls]:
        """Those that go on now, on whichever device of the account."""
        return self._awaitable(self.ask(TelephoneList(), OpenCalls))

    # --- `taker.Taker`

    def take(self, event: Struct) -> None:
        if isinstance(event, TelephoneIncoming):
            self._incoming(event)
            return
        name = getattr(event, "call", "")
        if isinstance(event, TelephoneOver) and name in self._unbilled:
            self._unbilled[name].over(event)
            return
        call = self._calls.get(name)
        if call is None:
            return
        if isinstance(event, TelephoneProgress):
            call.progressed(event)
        elif isinstance(event, TelephoneAnswered):
            call.answered(event)
        elif isinstance(event, TelephonePaid):
            call.paid_for(event)
        elif isinstance(event, TelephoneKeys):
            call.pressed(event)
        elif isinstance(event, TelephoneOver):
            call.over(event)

    def online(self) -> None:
        """What was said while nobody listened is not said again: ask what goes on."""
        if self._calls:
            spawn(self._look(), "asking which calls go on")

    async def _look(self) -> None:
        asked_of = self.calls
        try:
            found: OpenCalls = await self.ask(TelephoneList(), OpenCalls)
        except ClientError:
            return  # with the next connection
        listed: dict[str, OpenCall] = {entry.call: entry for entry in found.calls}
        for call in asked_of:
            call.listed(listed.get(call.id))

    def _incoming(self, event: TelephoneIncoming) -> None:
        if self._closed or event.call in self._calls or len(self._calls) >= MOST_CALLS:
            return
        call = IncomingTelephoneCall(self, event)
        self._calls[call.id] = call
        self._listeners.tell(call)

    def close(self) -> None:
        """The client ends: calls do."""
        self._closed = True
        for call in self.calls:
            call.close()
        for call in list(self._unbilled.values()):
            call.settle()

    # --- `home.Home`

    def milliseconds(self) -> int:
        return int(self._client._milliseconds())

    def sound(self, told: Callable[[Flow], None]) -> Sound:
        relays = Relays(self._client.relay, self._client._milliseconds)
        return Sound(self._media, relays.get, told, relay_only=self._relay_only)

    def changed(self, call: TelephoneCall) -> None:
        self._say(TelephoneCallChanged(call))

    def gone(self, call: TelephoneCall, *, is_billed: bool) -> None:
        self._calls.pop(call.id, None)
        if is_billed:
            return
        if len(self._unbilled) >= MOST_CALLS:
            next(iter(self._unbilled.values())).settle()
        self._unbilled[call.id] = call

    def billed(self, call: TelephoneCall) -> None:
        self._say(TelephoneCallBilled(call))

    def settled(self, call: TelephoneCall) -> None:
        self._unbilled.pop(call.id, None)
