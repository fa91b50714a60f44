"""What a node keeps of calls, its relay, and one's number, as typed methods for both clients alike."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import TypeVar

from safeum_home.protocol import commands as c
from safeum_home.protocol.commands import calls, safenum, telephone

R = TypeVar("R", bound=c.Result)


class CallMethods(ABC):
    """The log, and credentials for the relay. `call_taking` has the calls themselves."""

    @abstractmethod
    def _ask(self, params: c.Params, result: type[R]) -> Awaitable[R]:
        """Give a command of an open session."""

    def call_log(self, before: int | None = None, limit: int = 50) -> Awaitable[calls.CallEntries]:
        """When one has spoken, and for how long, the newest first; `before` the last `at` for more."""
        return self._ask(calls.CallLog(before, limit), calls.CallEntries)

    def forget_calls(self) -> Awaitable[c.Done]:
        """Erase the log of one's calls."""
        return self._ask(calls.CallForget(), c.Done)

    def relay(self) -> Awaitable[calls.RelayCredentials]:
        """Credentials for the node's relay; calls ask for them by themselves."""
        return self._ask(calls.TurnCredentials(), calls.RelayCredentials)

    def request_safenum(self) -> Awaitable[safenum.SafenumState]:
        """Have an international number, or learn the one that the account has; raises `limit_reached`."""
        return self._ask(safenum.SafenumRequest(), safenum.SafenumState)

    def missed_calls(self, before: int | None = None, limit: int = 50) -> Awaitable[telephone.MissedCalls]:
        """Who has called one's SafeNUM in vain, the newest first; `before` the last `number` for more."""
        return self._ask(telephone.TelephoneMissedList(before, limit), telephone.MissedCalls)

    def forget_missed_calls(self) -> Awaitable[c.Done]:
        """Erase that list."""
        return self._ask(telephone.TelephoneForget(), c.Done)
