"""The node's relay, for as long as a call goes on."""

from collections.abc import Awaitable, Callable, Sequence

from twisted.internet.defer import Deferred

from safeum_home.client.calling.media import Relay
from safeum_home.client.errors import ClientError
from safeum_home.protocol.commands.calls import RelayCredentials

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

    def get(self) -> "Deferred[Sequence[Relay]]":
        """What there is now: nothing where the node has no relay, or does not say. Never fails."""
        return Deferred.fromCoroutine(self._get())

    async def _get(self) -> Sequence[Relay]:
        held = self._held
        if held is None or held.until - MARGIN <= self._milliseconds():
            try:
                held = self._held = await self._ask()
            except ClientError:
                return []
        return [Relay(tuple(held.urls), held.username, held.password)] if held.urls else []
