"""What calls act through."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IReactorTime

from safeum_home.ports import Busy
from safeum_home.ports.carrier import Carriers
from safeum_home.ports.money import Charging
from safeum_home.ports.voicemail import Mailbox
from safeum_home.protocol.telephone_types import TelephoneEnded
from safeum_home.safenum.telephone.callers import Callers
from safeum_home.safenum.telephone.missed import MissedBook
from safeum_home.safenum.telephone.settling import Settling
from safeum_home.safenum.telephone.telling import TelephoneTelling

if TYPE_CHECKING:
    from safeum_home.safenum.telephone.call import Call


@dataclass(frozen=True, slots=True)
class Means:
    """`hold_seconds` and `call_seconds` as in the configuration."""

    clock: IReactorTime
    charging: Charging
    carriers: Carriers
    mailbox: Mailbox
    telling: TelephoneTelling
    busy: Busy
    callers: Callers
    settling: Settling
    missed: MissedBook
    hold_seconds: int
    call_seconds: int
    over: Callable[["Call", TelephoneEnded], None]
    """Is told of each that is over, and of why, before anybody else."""
