"""A client with a telephone, once its program has said what it plays and records."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct
from twisted.internet.defer import Deferred

from safeum_home.client.abilities.call_taking import CallTaking, _as_it_is
from safeum_home.client.calling.early import EarlyRings
from safeum_home.client.errors import local
from safeum_home.client.telephony.media import TelephoneSource
from safeum_home.client.telephony.telephone import Telephone
from safeum_home.errors import Code
from safeum_home.protocol.telephone_events import TelephoneIncoming, TelephoneOver


class TelephoneTaking(CallTaking):
    """Without `take_telephone` it does not ring for the telephone network, nor call anybody there."""

    _telephone: Telephone | None = None
    _early_telephone: EarlyRings | None = None

    def take_telephone(self, media: TelephoneSource, *, relay_only: bool = False) -> Telephone:
        """Ring for one's SafeNUM from now on, and be able to dial. Once a client: raises `wrong_state`.

        What has begun to ring on this session before, and does so still, rings then. These calls are open:
        bridge and carrier hear them. `relay_only`: the bridge does not learn this device's address either.
        """
        return self._take_telephone(media, _as_it_is, relay_only=relay_only)

    def _take_telephone(
        self,
        media: TelephoneSource,
        awaitable: Callable[["Deferred[Any]"], Awaitable[Any]],
        *,
        relay_only: bool,
    ) -> Telephone:
        if self._telephone is not None or self._calls.ended is not None:
            raise local(Code.WRONG_STATE)
        telephone = self._telephone = Telephone(
            self, self._clock, self._inbox.tell, media, awaitable, relay_only=relay_only
        )
        early, self._early_telephone = self._early_telephone, None
        for event in [] if early is None else early.give():
            telephone.take(event)
        return telephone

    @property
    def telephone(self) -> Telephone | None:
        """What `take_telephone` has made."""
        return self._telephone

    def _hear(self, event: Struct) -> None:
        if self._telephone is not None:
            self._telephone.take(event)
        elif type(event) in (TelephoneIncoming, TelephoneOver):
            self._early_telephone = self._early_telephone or EarlyRings(self._clock.seconds)
            self._early_telephone.take(event)
        super()._hear(event)

    def _calls_online(self) -> None:
        super()._calls_online()
        if self._telephone is not None:
            self._telephone.online()

    def _end_calls(self) -> None:
        super()._end_calls()
        if self._telephone is not None:
            self._telephone.close()
