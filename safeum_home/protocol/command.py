"""What a command is made of."""

from dataclasses import dataclass
from enum import Enum

from msgspec import Struct


class Phase(Enum):
    """The session's states in which a command is taken."""

    GREETING = "greeting"
    """Connected, nobody yet."""
    OPEN = "open"
    """A device of an account."""


class Params(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of a command: unknown fields are refused."""


class Result(Struct, frozen=True):
    """Result of a command: clients ignore fields they do not know."""


@dataclass(frozen=True, slots=True)
class Command:
    """A method: its name, its parameters, its result, and when it is taken."""

    method: str
    params: type[Params]
    result: type[Result]
    phase: Phase
