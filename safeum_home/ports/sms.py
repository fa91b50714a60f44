"""Text messages to phone numbers: what a provider does, and what is in front of all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from twisted.internet.defer import Deferred


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the message; `reference` is what its delivery reports call it."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class Temporary:
    """It may be taken later, or by another provider. `retry_after` is in seconds, where the provider says.

    `handed_over` is False where the provider has certainly not got the message: there was no connection,
    nothing to sign in with, nothing written. Whatever may have been received counts as sent.
    """

    reason: str
    retry_after: float | None = None
    handed_over: bool = True


@dataclass(frozen=True, slots=True)
class Permanent:
    """This message will not be taken by this provider; `number_refused` where it is because of the number.

    `account_refused` where the provider refuses the node itself (credentials, a blocked account) and so
    every message: it is asked nothing more for a while. `handed_over` as in `Temporary`; a message that
    comes with refused credentials never counts as handed over.
    """

    reason: str
    number_refused: bool = False
    account_refused: bool = False
    handed_over: bool = True


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
        limit is reached, `Problem(busy)` and `retry_after` where too many wait already, and
        `Problem(sms_unavailable)` where no provider takes it, or none is configured.
        """

    def used(self, number: str) -> None:
        """The code that was sent to `number` was entered: its prefix is one that people read messages at.

        To be called once for each number that was verified. Where few codes of a prefix are ever
        entered, somebody has them sent for the money, and the prefix is closed for a while.
        """


class SmsState(StrEnum):
    """What a delivery report says became of a message."""

    DELIVERED = "delivered"
    FAILED = "failed"
    ACCEPTED = "accepted"
    """On its way: taken, sent or held by a network, and not there yet."""


class SmsReports(Protocol):
    """Whom a bridge tells of delivery reports."""

    def report(self, provider: str, reference: str, state: SmsState) -> None:
        """`reference` is as `Accepted` had it; it may be unknown, late, or told of before."""


@dataclass(frozen=True, slots=True)
class SmsContext:
    """What a bridge is handed to make a provider from its settings."""

    name: str
    """The provider's name in the configuration."""
    reactor: Any
    secret: Callable[[str], bytes]
    """Opens a sealed secret by its name; raises `Problem(not_found)`."""
    callback_url: str | None
    """Where delivery reports of this provider reach the node, or None where they cannot."""
    reports: SmsReports


class SmsBridge(Protocol):
    """The entry point of a kind of provider (group `safeum_home.sms`).

    It raises `ConfigError`, naming the key, for settings that it cannot use. The provider may have an
    attribute `callback`, a resource or None, which is served at the context's `callback_url`; and one
    `trouble`, which says in a few words why it cannot take messages now (`not connected`), or is None.

    A bridge may have an attribute `check(name, settings)`, which raises `ConfigError` for settings that it
    cannot use, opens nothing and needs no secret: it is called before the node starts.
    """

    def __call__(self, context: SmsContext, settings: Mapping[str, Any]) -> SmsProvider: ...
