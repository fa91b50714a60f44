"""Events on their way to sessions."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports.push import Wake


def _always() -> bool:
    return True


class Waking(Struct, frozen=True):
    """That an event is something its receiver wants to be told of while away: with it devices are woken.

    Whoever has muted `chat` is not woken, unless `message` mentions him: one of that chat, encoded. For a
    call nobody is woken once `stands` says that it does not any more. None of that leaves the node.
    """

    wake: Wake = Wake.MESSAGE
    chat: ChatId | None = None
    message: bytes = b""
    stands: Callable[[], bool] = _always


WAKING = Waking()
"""Of what is told in no chat, to one account alone."""


class Published(Struct, frozen=True):
    """An event on its way to the sessions of an account: encoded and framed once, for all of them.

    `position` is 0 for what is not durable. `chat` is set for messages of others, whose arrival at a
    device is to be told to their sender. `skip` names the device that caused it and knows already; `only` the
    one that it is for. With `wake` devices of the account that sleep are woken.
    """

    frame: bytes
    position: int = 0
    chat: ChatId | None = None
    skip: DeviceId | None = None
    wake: Waking | None = None
    only: DeviceId | None = None


class Subscriber(Protocol):
    """A session, as the bus sees it."""

    @property
    def device(self) -> DeviceId: ...
    @property
    def host(self) -> str:
        """The IP address that the device is connected from."""

    @property
    def keeps_up(self) -> bool:
        """Whether it takes what is written: what is not durable is better left out where not."""

    held: int
    """Up to which position it has said to hold all."""
    used_at: float
    """When it was in use last, by the reactor's clock: when it connected, or with its last command."""
    on_use: Callable[[], None] | None
    """Called with the next command, once."""
    woken: bool
    """Whether it has connected because it was woken: nobody uses it before the first command."""
    asleep: bool
    """Whether it has left to sleep, and can be woken."""

    def deliver(self, event: Published) -> None: ...
    def replaced(self) -> None:
        """The same device has connected anew: close, and leave the account to it."""

    def revoked(self) -> None:
        """The device's token was revoked: say so and close."""

    def account_closed(self) -> None:
        """The account was closed for ever: say so and close."""


class Hold(Protocol):
    """Something that a device is busy with. A `with` ends it, too."""

    def end(self) -> None:
        """It is over; harmless when it was."""

    def __enter__(self) -> object: ...
    def __exit__(self, *_: object) -> None: ...


class Busy(Protocol):
    """Devices that are busy with something besides commands, such as a transfer. They are left awake."""

    def hold(self, device: DeviceId) -> Hold: ...
    def last(self, device: DeviceId) -> float:
        """When it was busy last, by the reactor's clock: infinity while it is, 0 where that is long ago."""


class Waker(Protocol):
    """Is told by the bus of what devices are to be woken for."""

    def news(self, account: AccountId, event: Published) -> None:
        """Of an event with a `wake`, after the sessions of the account have it. It never raises."""


class Bus(Protocol):
    """Carries events to wherever an account's sessions are."""

    def subscribe(self, account: AccountId, subscriber: Subscriber) -> None: ...
    def unsubscribe(self, account: AccountId, subscriber: Subscriber) -> None: ...
    def publish(self, account: AccountId, event: Published) -> None: ...
    def revoke(self, account: AccountId, which: Callable[[DeviceId], bool]) -> None:
        """Devices of an account were revoked, connected or not: `which` tells them from the others."""

    def close_account(self, account: AccountId, skip: DeviceId | None = None) -> None:
        """Close the sessions of an account that was closed, but for that of the device `skip`."""

    def connected(self, account: AccountId) -> frozenset[DeviceId]: ...
    def hosts(self, account: AccountId) -> dict[DeviceId, str]:
        """The IP addresses of the devices that are connected. They are for the account's owner alone."""
