"""What a command is made of, and the table of them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from msgspec import Struct


class Phase(Enum):
    """The session's states in which a command is taken."""

    GREETING = "greeting"
    """Connected, nobody yet."""
    OPEN = "open"
    """A device of an account."""
    ANY = "any"
    """Either of them: what is taken before and after the way in."""


class Params(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of a command: unknown fields are refused."""

    def __repr__(self) -> str:
        # Passwords, tokens, codes and what people write are among them.
        return f"<{type(self).__name__}>"


class Result(Struct, frozen=True):
    """Result of a command: clients ignore fields they do not know."""


@dataclass(frozen=True, slots=True)
class Command:
    """A method: its name, its parameters, its result, and when it is taken."""

    method: str
    params: type[Params]
    result: type[Result]
    phase: Phase
    cost: float
    """How many ordinary commands it counts for: about what it makes the node read."""
    activity: bool = True
    """Whether it says that somebody uses the device. What clients ask by themselves does not."""


COMMANDS: dict[str, Command] = {}
"""Every method, filled by the modules of `safeum_home.protocol.commands`."""
P = TypeVar("P", bound=type[Params])


def command(
    method: str,
    result: type[Result],
    phase: Phase = Phase.OPEN,
    cost: float = 1.0,
    *,
    activity: bool = True,
) -> Callable[[P], P]:
    """Register the parameters of a method."""

    def register(params: P) -> P:
        COMMANDS[method] = Command(method, params, result, phase, cost, activity)
        return params

    return register


class Done(Result, frozen=True):
    """The command was carried out."""
