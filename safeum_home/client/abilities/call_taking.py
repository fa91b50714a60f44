"""A client that takes calls, and calls, once its program has said what it plays and records."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from safeum_home.client.abilities.signals import Signals
from safeum_home.client.calling.call import Call
from safeum_home.client.calling.calling import Calling, Options
from safeum_home.client.calling.conference import Conference
from safeum_home.client.calling.conferences import Conferences, Ringing
from safeum_home.client.calling.directory import Pins
from safeum_home.client.calling.early import EarlyRings
from safeum_home.client.calling.launch import Sign
from safeum_home.client.calling.media import MediaSource
from safeum_home.client.errors import local
from safeum_home.errors import Code
from safeum_home.protocol.types import ContactState


def _as_it_is(deferred: "Deferred[Any]") -> Awaitable[Any]:
    return deferred


class CallTaking(Signals):
    """Without `take_calls` it neither rings nor shows any keys."""

    _clock: IReactorTime
    _calling: Calling | None = None
    _conferences: Conferences | None = None
    _early: EarlyRings | None = None

    def take_calls(
        self,
        media: MediaSource,
        sign: Sign | None = None,
        pins: Pins | None = None,
        *,
        relay_only: bool = False,
    ) -> None:
        """Ring from now on, and be able to call. Once for each client: raises `wrong_state`.

        What has begun to ring on this session before, and does so still, rings then.

        `sign` signs octets by the signing key of this account's published identity, where it has one.
        `pins` says the signing key (base64url) of an account that was compared, None of others: whoever
        answers with another one is refused. `relay_only`: nobody learns this device's address.
        """
        self._take_calls(media, Options(sign, pins, relay_only), _as_it_is)

    def _take_calls(
        self, media: MediaSource, options: Options, awaitable: Callable[["Deferred[Any]"], Awaitable[Any]]
    ) -> None:
        if self._calling is not None or self._calls.ended is not None:
            raise local(Code.WRONG_STATE)
        self._calling = Calling(self, self._clock, self._inbox.tell, media, options, awaitable)
        self._conferences = Conferences(self._calling, self._inbox.tell)
        self._calling.also(self._conferences)
        if self._calls.open:
            self._calling.online()
        early, self._early = self._early, None
        for event in [] if early is None else early.give():
            self._calling.take(event)

    def _takes_calls(self) -> Calling:
        if self._calling is None:
            raise local(Code.WRONG_STATE, "take_calls was not called")
        return self._calling

    def start_call(self, account: str, video: bool = False) -> "Deferred[Call]":
        """Call a contact: all its devices ring. Raises what the node refuses it with.

        What becomes of it is to be seen in the call's `state`.
        """
        return Deferred.fromCoroutine(self._takes_calls().start(account, video))

    def on_call(self, listener: Callable[[Call], None]) -> Callable[[], None]:
        """Call `listener` with each call that comes in, as it rings; returns a way to stop."""
        return self._takes_calls().on_call(listener)

    def conference(self, chat: str, video: bool = False) -> "Deferred[Conference]":
        """Join the conference of a group, or begin one; raises what the node refuses it with.

        Who is in it, and how it is with each, is to be seen in its `peers`.
        """
        return Deferred.fromCoroutine(self._takes_conferences().join(chat, video))

    def on_conference(self, listener: Callable[[Ringing], None]) -> Callable[[], None]:
        """Call `listener` with each conference that rings: one may join it; returns a way to stop."""
        return self._takes_conferences().on_ring(listener)

    @property
    def conferences(self) -> list[Conference]:
        """Those that this device is in, or is joining."""
        return [] if self._conferences is None else self._conferences.conferences

    def _takes_conferences(self) -> Conferences:
        if self._conferences is None:
            raise local(Code.WRONG_STATE, "take_calls was not called")
        return self._conferences

    @property
    def calls(self) -> list[Call]:
        """Those that have not ended."""
        return [] if self._calling is None else self._calling.calls

    def _hear(self, event: Struct) -> None:
        """An event has come: calls are told before all others."""
        if self._calling is not None:
            self._calling.take(event)
        else:
            self._early = self._early or EarlyRings(self._clock.seconds)
            self._early.take(event)
        self._inbox.take(event)

    def _may_ring(self, account: str) -> bool:
        """Whether it is a contact, as far as contacts were loaded: a node may say that anybody calls."""
        state = self._inbox.state
        contact = state.contacts.get(account)
        known = contact is not None and contact.state is ContactState.ACCEPTED
        return known or not state.ready or state.filling is not None

    def _calls_online(self) -> None:
        """There is a session, on a new connection."""
        if self._calling is not None:
            self._calling.online()

    def _rebind_calls(self) -> None:
        """The account's identity is in force, with what is at hand to sign by it."""
        if self._calling is not None and self._calls.open:
            self._calling.rebind()

    def _end_calls(self) -> None:
        if self._calling is not None:
            self._calling.close()
