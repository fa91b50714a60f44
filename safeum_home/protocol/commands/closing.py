"""PINs, and closing an account for ever with one."""

from typing import Annotated

from msgspec import Meta

from safeum_home.protocol.command import Done, Params, Phase, Result, command
from safeum_home.protocol.types import Alias, Password, Pin

MOST_PINS = 3
Ordinal = Annotated[
    int, Meta(ge=1, le=MOST_PINS, description="Which PIN, in the order in which they were set.")
]


class PinSet(Result, frozen=True):
    """The PIN is set; it is the account's `ordinal`th."""

    ordinal: Ordinal


@command("account.pin.set", PinSet)
class AccountPinSet(Params, frozen=True):
    """Set a PIN, up to three: whoever enters one closes the account for ever, on whatever device."""

    password: Password
    pin: Pin


class PinCount(Result, frozen=True):
    """How many PINs are set. Nothing else is told of them."""

    count: Annotated[int, Meta(ge=0, le=MOST_PINS)]


@command("account.pin.list", PinCount)
class AccountPinList(Params, frozen=True):
    """How many PINs the account has."""


@command("account.pin.remove", Done)
class AccountPinRemove(Params, frozen=True):
    """Remove a PIN; those that were set after it move up by one."""

    password: Password
    ordinal: Ordinal


@command("account.block", Done, Phase.GREETING)
class AccountBlock(Params, frozen=True):
    """Close an account for ever with one of its PINs, from any device. The answer comes when it is erased."""

    username: Alias
    pin: Pin


@command("session.block", Done)
class SessionBlock(Params, frozen=True):
    """The same for the session's own account. Afterwards the connection is closed with 4011."""

    pin: Pin
