"""All calls of a client: what the node tells is told to the one that it is of, and who calls is let in."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from msgspec import Struct
from nacl.utils import random
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.client.calling.asking import Asking
from safeum_home.client.calling.call import Call, CallChanged
from safeum_home.client.calling.channel import Means, Say
from safeum_home.client.calling.directory import Directory, Pins
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.glare import Glare
from safeum_home.client.calling.handshake import Pair, Tampered, TooMany
from safeum_home.client.calling.incoming import IncomingCall
from safeum_home.client.calling.launch import LaunchKeys, Sign
from safeum_home.client.calling.link import Link
from safeum_home.client.calling.media import MediaSource
from safeum_home.client.calling.opening import Opening
from safeum_home.client.calling.outgoing import OutgoingCall
from safeum_home.client.calling.publishing import Core as Published
from safeum_home.client.calling.publishing import new_publishing
from safeum_home.client.calling.relays import Relays
from safeum_home.client.calling.taker import Taker
from safeum_home.client.calling.way import Way
from safeum_home.client.connection.requests import TIMEOUT
from safeum_home.client.errors import ClientError, RemoteProblem, SessionEnded, TimedOut, local
from safeum_home.client.listeners import Listeners
from safeum_home.errors import Code
from safeum_home.protocol import commands as c
from safeum_home.protocol.call_types import Ended, Media
from safeum_home.protocol.commands.calls import CallInvited
from safeum_home.protocol.commands.keys import KeysLaunch
from safeum_home.protocol.events import CallAnswered, CallEnded, CallInvitation, CallRings, CallSignalled
from safeum_home.protocol.signing import encode_octets
from safeum_home.spawn import spawn

MOST_CALLS = 16
"""At once, those that ring included: this device does not ring for more."""
T = TypeVar("T")
_log = Logger()


class Account(Protocol):
    """The client, as far as calls go."""

    opened: c.Opened | None

    def wake(self, by_push: bool = False) -> None: ...
    def _may_ring(self, account: str) -> bool: ...
    def keys_of(self, accounts: Any, launches: bool = False) -> Awaitable[c.KeyList]: ...
    def relay(self) -> Awaitable[Any]: ...
    def _ask(self, params: c.Params, result: type[Any]) -> Awaitable[Any]: ...
    def _milliseconds(self) -> float: ...


class Options(Struct, frozen=True):
    """How a program takes calls: what it hands to `take_calls`."""

    sign: Sign | None = None
    pins: Pins | None = None
    relay_only: bool = False


class Calling(Asking):
    """`call.Home` of the calls. `tell` tells who listens to the client."""

    def __init__(
        self,
        client: Account,
        clock: IReactorTime,
        tell: Callable[[Struct], None],
        media: MediaSource,
        options: Options,
        awaitable: Callable[["Deferred[Any]"], Awaitable[Any]],
    ) -> None:
        super().__init__(client, awaitable)
        self._client = client
        self._clock = clock
        self._tell = tell
        self._media = media
        self._options = options
        self.launch = LaunchKeys(options.sign)
        directory = Directory(client, options.pins, client._milliseconds, clock)
        self.means = Means.of(clock, self.launch, directory)
        self._publishing = new_publishing(Published(clock, lambda: Deferred.fromCoroutine(self._publish())))
        self._calls: dict[str, Call] = {}
        self._glare = Glare(clock.seconds)
        self._listeners = Listeners[Call]()
        self._others: list[Taker] = []
        self._closed = False

    # --- launch keys

    def online(self) -> None:
        """There is a session, on a new connection."""
        if not self._closed:
            self._publishing.online()
            for other in self._others:
                other.online()
            for call in list(self._calls.values()):
                call.online()

    def rebind(self) -> None:
        """The account's identity is at the node, perhaps another one: launch keys are signed anew."""
        if not self._closed:
            self._publishing.online()

    def ready(self) -> "Deferred[None]":
        """Fires once the node has the launch keys: before that nobody could tell whose a hello is.

        Fails with what they were refused with, or `TimedOut`.
        """
        ready: Deferred[None] = Deferred()
        self._publishing.wanted(ready)
        return ready.addTimeout(TIMEOUT, self._clock, _too_late)

    async def _publish(self) -> Any:
        at, launch = self.milliseconds(), self.launch
        signature = launch.bound(self.account, self.device, at)
        return await self.ask(KeysLaunch(launch.sign, launch.box, at, signature), c.Done)

    # --- calls

    async def start(self, account: str, video: bool = False) -> Call:
        """Call somebody; raises what the node refuses it with."""
        if self._closed or len(self._calls) >= MOST_CALLS:
            raise local(Code.CALL_OVER if self._closed else Code.LIMIT_REACHED)
        self._client.wake()
        await self.ready()
        call = OutgoingCall(self, new_id(), account, Media.VIDEO if video else Media.AUDIO)
        self._calls[call.id] = call
        try:
            invited: CallInvited = await self.ask(call.invitation, CallInvited)
        except RemoteProblem:
            call.ended(CallEnd.LOST)
            raise
        except BaseException:  # cancelled too: it may ring there, and nobody would know of it here
            call.hang_up()
            raise
        call.invited(invited.seconds)
        return call

    def on_call(self, listener: Callable[[Call], None]) -> Callable[[], None]:
        """Call `listener` with each call that comes in, or rings already; returns what ends that."""
        ringing = (call for call in self.calls if isinstance(call, IncomingCall) and call.rings)
        return self._listeners.add(listener, ringing)

    @property
    def calls(self) -> list[Call]:
        """Those that have not ended."""
        return list(self._calls.values())

    def take(self, event: Struct) -> None:
        """An event has come; of those that are of no call nothing comes."""
        for other in self._others:
            other.take(event)
        if isinstance(event, CallInvitation):
            self._invited(event)
        elif isinstance(event, CallRings | CallAnswered | CallSignalled | CallEnded):
            call = self._calls.get(event.call)
            if call is not None:
                self._pass_on(call, event)

    def _pass_on(self, call: Call, event: CallRings | CallAnswered | CallSignalled | CallEnded) -> None:
        if isinstance(event, CallRings):
            call.rang(event)
        elif isinstance(event, CallAnswered):
            call.answered(event)
        elif isinstance(event, CallSignalled):
            call.signalled(event)
        else:
            if event.reason is Ended.REPLACED and not call.incoming:
                self._is_replaced(call)
            call.ended(CallEnd.of(event.reason))

    def _invited(self, event: CallInvitation) -> None:
        known = self._calls.get(event.call)
        if isinstance(known, IncomingCall):
            known.ring_again()
        elif known is None and len(self._calls) < MOST_CALLS and not self._closed:
            if not self._client._may_ring(event.account):
                return
            call = self._calls[event.call] = IncomingCall(self, event)
            spawn(self._ring(call), "ringing")

    async def _ring(self, call: IncomingCall) -> None:
        try:
            await self.ready()
            call.ring()
        except TooMany as error:
            call.ring_later(error.seconds, lambda: spawn(self._ring(call), "ringing"))
            return
        except (ClientError, Tampered):
            # Whoever does not say what its keys are has not called; and nobody would believe what ours are.
            call.ended(CallEnd.LOST)
            return
        self._listeners.tell(call)
        self._take_by_itself(call)

    def _is_replaced(self, call: Call) -> None:
        self._glare.replaced(call.peer, call.id, call.shows)
        for other in list(self._calls.values()):
            if isinstance(other, IncomingCall):
                self._take_by_itself(other)

    def _take_by_itself(self, call: IncomingCall) -> None:
        if call.rings and (video := self._glare.take(call.peer, call.id)) is not None:
            call.answer(video=video)

    def opening(self, seats: int) -> Opening:
        """Keys to be committed to."""
        return Opening(self.launch.signing.public, seats)

    def link(
        self, pair: Pair, role: Opening | str, say: Say, told: Callable[[Link], None], *, video: bool
    ) -> Link:
        """A connection to another device; raises `Tampered` where `role` is a hello that is none,
        `TooMany` where one has to wait."""
        return Link(self.means, pair, role, self.way(video=video), say, told)

    def also(self, taker: Taker) -> None:
        """Tell `taker`, too: what has calls of another kind."""
        self._others.append(taker)

    def close(self) -> None:
        """The client ends: all calls do, and no keys are left."""
        if self._closed:
            return
        self._closed = True
        for other in self._others:
            other.close()
        for call in list(self._calls.values()):
            call.close()
        self._publishing.stop(Failure(SessionEnded("closed")))
        self.launch.wipe()

    # --- `call.Home`

    @property
    def account(self) -> str:
        return "" if self._client.opened is None else self._client.opened.account

    @property
    def device(self) -> str:
        return "" if self._client.opened is None else self._client.opened.device

    def milliseconds(self) -> int:
        return int(self._client._milliseconds())

    def way(self, *, video: bool) -> Way:
        relays = Relays(self._client.relay, self._client._milliseconds)
        only = self._options.relay_only
        return Way(self._media, relays.get, self.means.clock, video=video, relay_only=only)

    def changed(self, call: Call) -> None:
        self._tell(CallChanged(call))

    def gone(self, call: Call) -> None:
        self._calls.pop(call.id, None)


def _too_late(_: object, timeout: float) -> None:
    raise TimedOut(f"launch keys could not be published within {timeout:g} s")


def new_id() -> str:
    """The id of a call: 16 random octets."""
    return encode_octets(bytes(random(16)))
