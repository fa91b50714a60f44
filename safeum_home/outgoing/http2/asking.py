"""One request, from being asked to its end, and who is told of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.web.http_headers import Headers

from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.http import Answer

Fields = Sequence[tuple[bytes, bytes]]
"""Header fields; names in lower case."""


class Carrier(Protocol):
    """A connection that carries requests."""

    def drop(self, asking: "Asking") -> None:
        """Nobody waits for the answer any more."""

    def stop(self) -> None:
        """End it now."""


@dataclass(slots=True, eq=False)
class Asking:
    """A request, and what has come of its answer."""

    head: Fields = field(repr=False)
    body: bytes = field(repr=False)
    begun: float
    until: float
    """When it is too late. Both by the reactor's clock."""
    answered: "Deferred[Answer]" = field(repr=False)
    carrier: Carrier | None = None
    """What it was handed to; None while it waits."""
    tries: int = 0
    """How often it was certainly not processed."""
    stream: int = 0
    sent: int = 0
    """Octets of the body that were."""
    status: int = 0
    fields: Headers = field(default_factory=Headers, repr=False)
    came: bytes = field(default=b"", repr=False)
    size: int = 0
    """Octets of the answer, header fields and all."""

    def again(self) -> None:
        """It waits, as if it had not been asked."""
        self.tries += 1
        self.carrier = None
        self.stream = self.sent = self.status = self.size = 0
        self.fields, self.came = Headers(), b""


class Asker(Protocol):
    """Whom a connection tells."""

    def answer(self, asking: Asking, answer: Answer) -> None:
        """It was answered."""

    def fail(self, asking: Asking, error: NoAnswer) -> None:
        """It will not be, and may have been processed."""

    def unprocessed(self, askings: Iterable[Asking]) -> None:
        """They were certainly not processed: they may be asked again."""

    def room(self) -> None:
        """There may be room for more streams."""

    def no_connection(self, carrier: Carrier, why: NoAnswer) -> None:
        """It never came to be one."""

    def over(self, carrier: Carrier, fruitless: bool) -> None:
        """It takes no further request; `fruitless` where it has answered none."""

    def gone(self, carrier: Carrier) -> None:
        """Nothing is left of it."""
