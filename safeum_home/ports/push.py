"""Waking devices that sleep: what a push provider does, and what is in front of all of them.

Nothing of what a wake is about ever gets here: a provider is told an address, a class, and for how long.
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from safeum_home.ids import AccountId
from safeum_home.protocol.push import Wake as Wake


@dataclass(frozen=True, slots=True)
class PushAddress:
    """Where a provider reaches a device, as its client got it from there. Secret: it is in no `repr`."""

    token: str = field(repr=False)
    """The provider's token, channel URI (WNS) or endpoint (Web Push)."""
    call_token: str | None = field(default=None, repr=False)
    """Where calls have a token of their own (APNs: PushKit's); without it they are sent to `token`."""
    key: bytes | None = field(default=None, repr=False)
    """Web Push: the client's public key, `p256dh`, 65 octets (RFC 8291, section 3.1)."""
    secret: bytes | None = field(default=None, repr=False)
    """Web Push: the client's authentication secret, `auth`, 16 octets (RFC 8291, section 3.2)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the wake."""


@dataclass(frozen=True, slots=True)
class Temporary:
    """It may be taken later. `retry_after` is in seconds, where the provider says.

    `address_alone` where it is this address that gets too many, and not the provider that is in trouble.
    """

    reason: str
    retry_after: float | None = None
    address_alone: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """The address is dead: it is to be forgotten."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """This wake will never be taken. `account_refused` where the node itself is refused: credentials."""

    reason: str
    account_refused: bool = False


Outcome = Accepted | Temporary | Gone | Refused


class Services(Protocol):
    """What a provider is many of: one that is busy or down is to hold up nobody but its own."""

    def of(self, address: PushAddress) -> Hashable | None:
        """Which one an address is of; None where no room is to be looked for."""

    def room(self, service: Hashable) -> int:
        """How many wakes may be under way to it now; 0 while it is left alone."""


class PushProvider(Protocol):
    """A bridge to one provider. It neither queues, limits nor retries: that is done once, in front of all.

    But for what the protocol itself says was certainly not processed (a GOAWAY below the stream): that is
    asked again at once, on another connection. Reasons are words of the bridge: no address, no credential,
    and nothing that the other side wrote is in them. It may have an attribute `trouble`, which says in a few
    words why it cannot take wakes now, or is None; and one `services`, where it is many.
    """

    @property
    def application_key(self) -> str | None:
        """What clients need for subscribing (Web Push: the VAPID public key, base64url), or None."""

    def check(self, address: PushAddress) -> PushAddress:
        """The address in its one written form, by which it is known when another device hands it in.

        Raises `Problem(push_address_refused)` for what can be no address of this provider. Asks nobody.
        """

    def wake(self, address: PushAddress, wake: Wake, seconds: int) -> "Deferred[Outcome]":
        """Hand over a wake that is of use for so many seconds; never fails, and ends within its own time cap.

        Cancelled, it is given up.
        """

    def stop(self) -> "Deferred[None]":
        """Close what is open."""


@dataclass(frozen=True, slots=True)
class PushContext:
    """What a bridge is handed to make a provider from its settings."""

    name: str
    """The provider's name in the configuration."""
    node: str
    """The node's name."""
    reactor: Any
    secret: Callable[[str], bytes]
    """Opens a sealed secret by its name; raises `Problem(not_found)`."""
    derived: Callable[[], bytes]
    """32 octets that are this provider's alone, the same at each start, derived from the root secret."""


class PushBridge(Protocol):
    """The entry point of a kind of provider (group `safeum_home.push`).

    It raises `ConfigError`, naming the key, for settings that it cannot use. It may have an attribute
    `check(name, settings)`, which raises the same, opens nothing and needs no secret: it is called before
    the node starts.
    """

    def __call__(self, context: PushContext, settings: Mapping[str, Any]) -> PushProvider: ...


@dataclass(frozen=True, slots=True)
class Offered:
    """A provider of this node, for clients: they know by `kind` what they have to fetch for it."""

    name: str
    kind: str
    application_key: str | None = None


class Woken(StrEnum):
    """What became of a wake."""

    TAKEN = "taken"
    """The provider has it."""
    DEAD = "dead"
    """The address is to be forgotten."""
    GIVEN_UP = "given_up"
    """It was refused, or there was no way until it was of no use any more."""


class Pushes(Protocol):
    """What the domain wakes devices through: a bounded queue, retries, breakers, limits are behind it."""

    @property
    def offered(self) -> Sequence[Offered]:
        """The providers of the configuration, in its order."""

    @property
    def names(self) -> Collection[str]:
        """Of these providers."""

    def can_wake(self, provider: str) -> bool:
        """Whether it has what it takes: no trouble of its own, and it does not refuse this node.

        One that is only down for a while can. What it says is a second old at the most.
        """

    def check(self, provider: str, address: PushAddress) -> PushAddress:
        """The address in its one written form, which is what is to be kept.

        Raises `push_unavailable` where there is no such provider, and `push_address_refused`.
        """

    def wake(self, provider: str, address: PushAddress, wake: Wake) -> "Deferred[Woken]":
        """Have the provider wake a device. Never fails; one that is cancelled is not handed over any more."""

    def test(self, provider: str, address: PushAddress) -> "Deferred[Outcome]":
        """Have a device woken once, now, by whatever waits and however it is with the provider.

        What that says of it. Never fails: with no such provider it is `Refused`.
        """


@dataclass(frozen=True, slots=True)
class Tested:
    """What became of an operator's test."""

    provider: str
    """The name of the provider that the device is registered with."""
    outcome: Outcome


class Wakes(Protocol):
    """What an operator asks of the domain about waking."""

    def test(self, device: str) -> "Deferred[Tested]":
        """Wake a device, whether or not it sleeps or was woken before.

        Raises `device_not_found`, and `push_unavailable` where it is registered with no provider.
        """


class Reach(Protocol):
    """Whether anybody would hear of a call."""

    async def reaches(self, account: AccountId) -> bool:
        """Whether an account has a device that is connected, or that can be woken as it looks now."""
