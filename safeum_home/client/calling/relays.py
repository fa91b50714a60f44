"""The node's relay, for as long as a call goes on."""

from collections.abc import Awaitable, Callable, Sequence

from twisted.internet.defer import Deferred, succeed

from safeum_home.client.calling.media import Relay
from safeum_home.client.errors import ClientError
from safeum_home.protocol.commands.calls import RelayCredentials
from safeum_home.spawn import spawn

MARGIN = 60_000
"""Milliseconds for which credentials have to be good still, to be used for another way."""


class Relays:
    """Asks when there is a call, and again once what it was told is about to end."""

    def __init__(
        self, ask: Callable[[], Awaitable[RelayCredentials]], milliseconds: Callable[[], float]
    ) -> None:
        self._ask = ask
        self._milliseconds = milliseconds
        self._held: RelayCredentials | None = None
        self._asking: list[Deferred[Sequence[Relay]]] = []

    def get(self) -> "Deferred[Sequence[Relay]]":
        """What there is now: nothing where the node has no relay, or does not say. Never fails."""
        held = self._held
        if held is not None and held.until - MARGIN > self._milliseconds():
            return succeed(_relays(held))
        answered: Deferred[Sequence[Relay]] = Deferred()
        self._asking.append(answered)
        if len(self._asking) == 1:
            spawn(self._get(), "asking for a relay")
        return answered

    async def _get(self) -> None:
        found: Sequence[Relay] = []
        try:
            self._held = await self._ask()
            found = _relays(self._held)
        except ClientError:
            pass  # then there is none, as far as anybody knows
        finally:
            asking, self._asking = self._asking, []
            for answered in asking:
                answered.callback(found)


def _relays(held: RelayCredentials) -> Sequence[Relay]:
    return [Relay(tuple(held.urls), held.username, held.password)] if held.urls else []
