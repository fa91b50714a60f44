"""Telephone carriers: what a bridge to one does, and what it is told with.

Numbers are E.164, with the plus. Descriptions are SDP (RFC 8866) of WebRTC, whole: all candidates are in
them, nothing is trickled. Sound between bridge and carrier is in clear; so these legs are open, and clients
say so. A carrier learns numbers and nothing else: no account, no name, no address of an app.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred

from safeum_home.errors import Code, Problem

BUSY_HERE, NOT_FOUND, UNAVAILABLE, DECLINED = 486, 404, 480, 603
"""What a call is declined with (RFC 3261, section 21)."""


JANUS, EDGE = "janus", "edge"
"""Words that secrets of the processes beside the node are made of."""
CALLED_HEADER, CALLER_HEADER, CLI_HEADER = "X-SafeNUM", "X-CLI", "X-SafeNUM-From"
"""In these the edge says which SafeNUM is called and who calls, and is told from which one a call goes."""
NO_CIRCUIT, NETWORK_DOWN, APP_VANISHED = 34, 38, 27
"""Causes (Q.850) of a bridge's own: no line; it has died, or the way to it; nothing comes from the app."""


class CarrierEnd(NamedTuple):
    """How a call has ended at the carrier's side.

    `sip` is a status code (RFC 3261), 200 where it was answered before, also where that has crossed a
    `hang_up`; `cause` one of Q.850; 0: none was told. `far` where the other side has ended it, and not this
    one, nor the bridge.
    """

    sip: int = 0
    cause: int = 0
    far: bool = True


class CarrierLost(Problem):
    """A call cannot be begun: nothing leads to the carrier now, or all its lines are taken."""

    def __init__(self, is_full: bool = False) -> None:
        super().__init__(Code.BUSY if is_full else Code.CARRIER_UNAVAILABLE, "no line to the carrier")


class CarrierListener(Protocol):
    """Is told what becomes of one call, in order, and nothing after `ended`, which always comes.

    After a `hang_up` there is nothing but that.
    """

    def progress(self, sdp: str | None) -> None:
        """It rings at the other side; with a description there is sound already (RFC 3960)."""

    def answered(self, sdp: str | None) -> None:
        """It is taken. The description is None where one was there before, or it is ours that answers."""

    def dtmf(self, digits: str) -> None:
        """Keys that the other side has pressed, as far as they are signalled (SIP INFO)."""

    def ended(self, end: CarrierEnd) -> None:
        """It is over, also where the bridge or the way to it has died."""


class CarrierCall(Protocol):
    """One call. What is asked of one that is over does nothing."""

    @property
    def reference(self) -> str:
        """Its Call-ID (RFC 3261) at the carrier's side; empty as long as it is not known."""

    def answer(self, sdp: str) -> None:
        """Take one that comes in; the description answers the one that it has brought.

        Raises `Problem(invalid_params)` where that is of no use; the call goes on ringing.
        """

    def decline(self, sip: int) -> None:
        """Do not take one that comes in: a status code of 400 to 699."""

    def hang_up(self) -> None:
        """End it, also before it is answered."""

    def dtmf(self, digits: str) -> None:
        """Press keys: 0 to 9, * and #, A to D."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call from the telephone network. `caller` is empty where withheld, `sdp` is the bridge's offer."""

    called: str
    caller: str
    sdp: str
    trunk: str
    """The carrier's name, as in the configuration."""


class Exchange(Protocol):
    """Takes calls that come in."""

    def incoming(self, call: CarrierCall, offer: Incoming) -> CarrierListener:
        """Somebody calls. It is answered or declined later, or already when this returns.

        What is told of it is told after that.
        """


class CarrierCounts(NamedTuple):
    """Since the start: how often the way to a carrier was lost, calls that found all lines taken, and how
    often the bridge's own end has refused to put one through.
    """

    lost: int = 0
    missed: int = 0
    refused: int = 0


class Carrier(Protocol):
    """A bridge to a carrier: any number of SafeNUMs behind one trunk."""

    def start(self, exchange: Exchange) -> None:
        """Connect, and connect again whenever either end has died; calls that come in go to `exchange`."""

    def stop(self) -> "Deferred[None]":
        """End all calls and close."""

    def dial(self, cli: str, to: str, sdp: str, listener: CarrierListener) -> CarrierCall:
        """Call a number from the SafeNUM `cli`; `sdp` is the offer of the app.

        Raises `CarrierLost`, and `Problem(invalid_params)` where the offer is of no use. Nothing is told
        before this returns.
        """

    @property
    def is_up(self) -> bool:
        """Whether calls can go out and come in now."""

    @property
    def standing(self) -> str:
        """How it is with it, in a few words for the operator, without numbers or secrets."""

    @property
    def lines(self) -> tuple[int, int]:
        """How many are taken, and how many there are."""

    @property
    def counts(self) -> CarrierCounts: ...


class CarrierContext(NamedTuple):
    """What a bridge is made with.

    `secret` opens a sealed secret of the operator by its name; `derived` makes 32 octets out of a word, the
    same at each start, which the processes beside the node are given too: those of `JANUS` are the API secret
    of Janus, in hexadecimal digits, and those of `EDGE` what Janus registers at the edge with.
    """

    name: str
    reactor: Any
    secret: Callable[[str], bytes]
    derived: Callable[[str], bytes]


CarrierBridge = Callable[[CarrierContext, Any], Carrier]
"""Makes one of its settings (entry point `safeum_home.safenum`)."""


class Carriers(Protocol):
    """All carriers of a node."""

    def dial(self, cli: str, to: str, sdp: str, listener: CarrierListener) -> tuple[str, CarrierCall]:
        """Through the first that is up and has a line: its name, and the call. Raises as `Carrier.dial`."""

    @property
    def names(self) -> Sequence[str]: ...
