"""Presence and privacy as typed methods, for the Twisted client and the asyncio client alike."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from safeum_home.protocol import commands as c

R = TypeVar("R", bound=c.Result)


class PresenceMethods(ABC):
    """Asking how it is with contacts, and hiding. What is told unasked is in `state.presence`."""

    @abstractmethod
    def _ask(self, params: c.Params, result: type[R]) -> Awaitable[R]:
        """Give a command of an open session."""

    def presences(self, accounts: Iterable[str]) -> Awaitable[c.PresenceList]:
        """How it is with up to 150 contacts now; whoever is none, hides, or does not exist is `unknown`."""
        return self._ask(c.PresenceGet(list(accounts)), c.PresenceList)

    def privacy(self) -> Awaitable[c.PrivacyResult]:
        """What this account hides."""
        return self._ask(c.AccountPrivacy(), c.PrivacyResult)

    def hide(self, presence: bool | None = None, typing: bool | None = None) -> Awaitable[c.PrivacyResult]:
        """Hide something from everybody, and not be shown it of others; False shows it again.

        What is left out stays as it is.
        """
        return self._ask(c.AccountPrivacy(presence, typing), c.PrivacyResult)
