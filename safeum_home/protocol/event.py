"""What an event is made of, and the table of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from msgspec import Struct


@dataclass(frozen=True, slots=True)
class Event:
    """A notification: its method name, its type, and whether it comes again after a reconnect."""

    method: str
    type: type[Struct]
    durable: bool


EVENTS: dict[str, Event] = {}
METHOD_OF: dict[type[Struct], str] = {}
S = TypeVar("S", bound=type[Struct])


def event(method: str, durable: bool) -> Callable[[S], S]:
    def register(struct: S) -> S:
        EVENTS[method] = Event(method, struct, durable)
        METHOD_OF[struct] = method
        return struct

    return register
