"""What a call with the telephone network is given by the client that it is of."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from safeum_home.client.calling.media import Flow
from safeum_home.client.errors import ClientError
from safeum_home.client.telephony.sound import Sound
from safeum_home.protocol.command import Params

if TYPE_CHECKING:
    from safeum_home.client.telephony.call import TelephoneCall

T = TypeVar("T")


class Home(Protocol):
    """`telephone.Telephone`, as its calls see it."""

    clock: IReactorTime

    def milliseconds(self) -> int: ...
    def sound(self, told: Callable[[Flow], None]) -> Sound: ...
    def awaitable(self, deferred: "Deferred[T]") -> Awaitable[T]: ...
    def ask(self, params: Params, result: type[Any]) -> "Deferred[Any]": ...

    def tell(self, params: Params, failed: Callable[[ClientError], None] | None = None) -> None:
        """Give a command, whose result does not matter; in order with all others."""

    def changed(self, call: "TelephoneCall") -> None: ...

    def gone(self, call: "TelephoneCall", *, is_billed: bool) -> None:
        """It is over. Unless it `is_billed` the node has still to say what it has cost, until `settled`."""

    def billed(self, call: "TelephoneCall") -> None:
        """Now it has."""

    def settled(self, call: "TelephoneCall") -> None: ...
