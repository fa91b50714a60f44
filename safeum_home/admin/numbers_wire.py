"""What an operator's command line and a node say to each other about SafeNUMs."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.admin.wire import Params

LONGEST_FILE = 100 * 1024
"""Octets of a file of numbers: it fits a line."""


class LoadParams(Params, frozen=True):
    """`text` is a file of numbers; with `check` nothing is stored."""

    text: Annotated[str, Meta(max_length=LONGEST_FILE)]
    check: bool = False


class NumbersLoaded(Struct, frozen=True):
    """New ranges and their numbers, and ranges that were withdrawn and are back; or mistakes, and nothing."""

    ranges: int = 0
    numbers: int = 0
    back: int = 0
    mistakes: list[str] = []


class RangesParams(Params, frozen=True):
    """Leave out the first ranges, and those that are in another state."""

    skip: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    state: Annotated[str, Meta(max_length=16)] | None = None


class RangeRow(Struct, frozen=True):
    """`state` is `open`, `spent` or `withdrawn`."""

    first: str
    last: str
    country: str
    capabilities: list[str]
    state: str
    count: int
    given: int
    quarantined: int
    withdrawn: int
    left: int


class RangeRows(Struct, frozen=True):
    """A page, and how many there are."""

    ranges: list[RangeRow]
    count: int


class NumbersState(Struct, frozen=True):
    """Numbers over all ranges; `assign` is as configured."""

    assign: str
    ranges: int
    loaded: int
    given: int
    quarantined: int
    withdrawn: int
    left: int


class NumberParams(Params, frozen=True):
    number: Annotated[str, Meta(max_length=32)]


class WithdrawParams(NumberParams, frozen=True):
    """The range that the number is of or, with `only`, the number alone."""

    only: bool = False


class AssignAllParams(Params, frozen=True):
    """To accounts behind one, some at a time; empty is from the first."""

    after: Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?$(?!\n)", max_length=32)] = ""


class AssignedSome(Struct, frozen=True):
    """So many got a number; `next` is where to go on, empty where there are no more accounts or numbers."""

    given: int
    next: str
    left: bool
    """Whether there are numbers left."""


class AssignedAll(Struct, frozen=True):
    """So many got a number; `left`: and there are some for others."""

    given: int
    left: bool
