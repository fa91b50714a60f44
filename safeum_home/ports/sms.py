"""Text messages to phone numbers: what a provider does, and what is in front of all of them."""

from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the message; `reference` is what its delivery reports call it."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class Temporary:
    """It may be taken later, or by another provider. `retry_after` is in seconds, where the provider says."""

    reason: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Permanent:
    """This message will not be taken by this provider; `number_refused` where it is because of the number."""

    reason: str
    number_refused: bool = False


Outcome = Accepted | Temporary | Permanent


class SmsProvider(Protocol):
    """A bridge to one provider. It neither retries nor limits: that is done once, in front of all."""

    def send(self, number: str, text: str) -> "Deferred[Outcome]":
        """Hand over a message to `number` (E.164, with "+"); never fails, and ends within its own time cap.

        Reasons are words of the bridge: neither number, text, nor a credential is in them.
        """

    def stop(self) -> "Deferred[None]":
        """Close what is open."""


class TextMessages(Protocol):
    """What the domain sends codes through: limits, the spend breaker and fail-over are behind it."""

    def send(self, number: str, text: str, host: str) -> "Deferred[None]":
        """Send a message for a client at address `host`.

        Done when a provider has accepted it. Fails with `Problem(rate_limited)` and `retry_after` where a
        limit is reached, and `Problem(sms_unavailable)` where no provider takes it, or none is configured.
        """
