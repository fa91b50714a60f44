"""Being woken, as typed methods, for the Twisted client and the asyncio client alike."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import TypeVar

from safeum_home.protocol import commands as c
from safeum_home.protocol.commands.push import (
    ProviderList,
    PushGet,
    PushKeys,
    PushProviders,
    PushRemove,
    PushSet,
    PushState,
)

R = TypeVar("R", bound=c.Result)


class PushMethods(ABC):
    """Where this device is woken when it sleeps: registered anew each time the program is started."""

    @abstractmethod
    def _ask(self, params: c.Params, result: type[R]) -> Awaitable[R]:
        """Give a command of an open session."""

    def push_providers(self) -> Awaitable[ProviderList]:
        """The push providers of the node, and what has to be had from each."""
        return self._ask(PushProviders(), ProviderList)

    def set_push(
        self, provider: str, token: str, call_token: str | None = None, keys: PushKeys | None = None
    ) -> Awaitable[c.Done]:
        """Have this device woken by `provider` at `token`; raises `push_unavailable`, `push_address_refused`.

        `call_token` is where calls have one of their own (APNs), `keys` are those of Web Push.
        """
        return self._ask(PushSet(provider, token, call_token, keys), c.Done)

    def remove_push(self) -> Awaitable[c.Done]:
        """Have it woken no more, and so never put to sleep."""
        return self._ask(PushRemove(), c.Done)

    def push(self) -> Awaitable[PushState]:
        """By which provider this device is woken; None also where its token is dead: set it anew then."""
        return self._ask(PushGet(), PushState)
