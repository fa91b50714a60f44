"""What the halves of calls act through."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IReactorTime

from safeum_home.calls.counts import CallCounts
from safeum_home.calls.telling import CallTelling
from safeum_home.ports import Busy
from safeum_home.ports.calls import CallTimes, Line
from safeum_home.protocol.call_types import Ended

if TYPE_CHECKING:
    from safeum_home.calls.leg import Leg


@dataclass(frozen=True, slots=True)
class LegMeans:
    """What legs act through."""

    clock: IReactorTime
    line: Line
    telling: CallTelling
    busy: Busy
    times: CallTimes
    counts: CallCounts
    over: Callable[["Leg", Ended], None]
    """Is told of each that is over, and of why, before anybody else."""
