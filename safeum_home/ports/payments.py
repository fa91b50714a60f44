"""Payments: what a provider does through which customers pay in, and what it tells of them.

A provider learns a reference, which leads to an account on the node alone, and an amount. It is told neither
an account, nor a name, nor a number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from msgspec import Struct
from twisted.internet.defer import Deferred

from safeum_home.ports.money import Amount


class Order(NamedTuple):
    """What a customer wants to pay in, once, under `reference`: up to 35 of A-Z and 0-9, opaque.

    After `until` (milliseconds) it need not be possible any more.
    """

    reference: str
    amount: Amount
    currency: str
    until: int


@dataclass(frozen=True, slots=True)
class Begun:
    """The customer pays at `url`, which is https:."""

    url: str


@dataclass(frozen=True, slots=True)
class Temporary:
    """It may be taken later. `retry_after` is in seconds, where the provider says."""

    reason: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Permanent:
    """This order will not be taken; `account_refused` where the provider refuses the node, so all of them."""

    reason: str
    account_refused: bool = False


Outcome = Begun | Temporary | Permanent


class Notice(NamedTuple):
    """A notification as it came over HTTPS. `headers` have those that came once, in small letters."""

    headers: Mapping[str, str]
    body: bytes


class Paid(Struct, frozen=True):
    """A payment was made, and is good. `payment` is what the provider calls it: of no other one."""

    reference: str
    payment: str
    amount: Amount
    currency: str


class PaidBack(Struct, frozen=True):
    """Of a payment `total` is with the customer again under `part`: a name for refunds, or one dispute.

    What was told last counts: `at` is the provider's time, in seconds.
    """

    payment: str
    part: str
    total: Amount
    currency: str
    at: int


class Noted(Struct, frozen=True):
    """The operator should know: `what` is in the bridge's words.

    `name` is that of what has happened to the payment, by which it is known where it is told again.
    """

    payment: str
    what: str
    name: str = ""


Told = Paid | PaidBack | Noted


class Forged(Exception):
    """The notification is not signed as it must be, or not at all, or was signed at another time."""


class Malformed(Exception):
    """The notification is not what the provider's documents describe."""


class PaymentProvider(Protocol):
    """A bridge to one provider. It neither retries nor limits: that is done once, in front of all."""

    def begin(self, order: Order) -> "Deferred[Outcome]":
        """Have a customer pay; never fails, and ends within its own time cap.

        The same order again is the same payment: it may have been asked for before. Reasons are words of the
        bridge: no credential is in them.
        """

    def meaning(self, notice: Notice) -> Sequence[Told]:
        """What a notification says; empty where that is nothing of interest.

        Raises `Forged`, `Malformed`, and `Problem` or `Tampered` where the secret cannot be opened that it is
        checked with. What is told is kept before the notification is answered.
        """

    def stop(self) -> "Deferred[None]":
        """Close what is open."""


@dataclass(frozen=True, slots=True)
class PaymentContext:
    """What a bridge is handed to make a provider from its settings."""

    name: str
    """The provider's name in the configuration."""
    node: str
    """The node's name."""
    reactor: Any
    secret: Callable[[str], bytes]
    """Opens a sealed secret by its name; raises `Problem(not_found)`."""
    notice_url: str
    """Where notifications of this provider reach the node; whoever opens it is told that he may close it."""


class PaymentBridge(Protocol):
    """The entry point of a kind of provider (group `safeum_home.payments`).

    It raises `ConfigError`, naming the key, for settings that it cannot use. The provider may have an
    attribute `trouble`, which says in a few words why it cannot be asked now, or is None. A bridge may have
    an attribute `check(name, settings)`, as `ports.sms.SmsBridge` has it.
    """

    def __call__(self, context: PaymentContext, settings: Mapping[str, Any]) -> PaymentProvider: ...


class PaymentWays(Protocol):
    """What the domain begins payments through: breakers and limits are behind it."""

    @property
    def names(self) -> Sequence[str]:
        """Those of the providers, in the configuration's order."""

    async def begin(self, provider: str, order: Order) -> str:
        """Where the customer pays; raises `payments_unavailable` and `busy`."""
