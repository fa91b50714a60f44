"""Money, for those who make calls or take payments: what they ask of `safenum.money`.

Amounts are whole micro-units: millionths of a unit of their currency (ISO 4217).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.ids import AccountId

Amount = int


class Direction(Enum):
    """Of a call with the telephone network, as seen by the node."""

    OUT = "out"
    IN = "in"


class Disposition(Enum):
    """What became of a call, in the words that carriers use."""

    ANSWERED = "ANSWERED"
    NO_ANSWER = "NO ANSWER"
    BUSY = "BUSY"
    FAILED = "FAILED"


class Released(Enum):
    """Who has ended a call."""

    CALLER = "caller"
    CALLEE = "callee"
    CARRIER = "carrier"
    NODE = "node"


class Leg(NamedTuple):
    """A call with the telephone network, when it begins. Numbers are E.164; `caller` is empty where withheld.

    `reference` is the Call-ID (RFC 3261) of the carrier's side.
    """

    caller: str
    called: str
    trunk: str = ""
    reference: str = ""


class Over(Struct, frozen=True):
    """How a call has ended. Times are in milliseconds since 1970; `answered` is 0 where it was not.

    `sip` is a status code (RFC 3261) and `cause` one of Q.850; 0 where there was none. `reference` and
    `trunk` are told where they were not known before.
    """

    ended: int
    answered: int = 0
    disposition: Disposition = Disposition.ANSWERED
    sip: int = 0
    cause: int = 0
    released: Released = Released.NODE
    reference: str = ""
    trunk: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """A call is paid for so many `seconds` from its answer; `last`: it will not be for more."""

    seconds: int
    last: bool


@dataclass(frozen=True, slots=True)
class Charged:
    """What a call has cost, with tax, and for how many seconds that was."""

    amount: Amount
    currency: str
    seconds: int


class Charging(Protocol):
    """Calls with the telephone network: they are paid for ahead, and settled once.

    A call is named by its account and an id that this account uses once. What fails with
    `storage_unavailable` or `busy` has changed nothing.
    """

    async def outgoing(self, account: AccountId, call: str, leg: Leg, is_free: bool = False) -> Granted:
        """Before dialling: hold what the first seconds cost; for one that `is_free` the account pays nothing.

        Raises `no_rate`, `destination_refused`, `country_needed`, `no_balance`, `spend_limit`,
        `limit_reached` (calls at once) and `call_exists`.
        """

    async def incoming(self, account: AccountId, call: str, leg: Leg) -> None:
        """Note a call that costs nothing, so that it is recorded whatever happens; raises `call_exists`."""

    async def nobody(self, leg: Leg, began: int, over: Over) -> None:
        """Record a call that has come in for nobody, or for whom it could not be found."""

    async def answered(
        self, account: AccountId, call: str, at: int, trunk: str = "", reference: str = ""
    ) -> None:
        """It was answered `at`, and is known by these to the carrier; raises `call_over`."""

    async def alive(self, at: int) -> None:
        """All calls of which no end was told to `settle` go on `at`: to be said about each second.

        Should the node be killed they are charged for so long. One short write, however many they are.
        """

    async def extend(self, account: AccountId, call: str, at: int) -> Granted:
        """It goes on `at`: hold what the next seconds cost, before those that were granted are over.

        Raises `call_over`.
        """

    async def settle(
        self, account: AccountId, call: str, over: Over, also: Callable[[Connection], None] | None = None
    ) -> Charged | None:
        """It is over: charge and record it, in one commit, of which `also` is a part. None: it was before.

        It waits for a storage that is away. What was not granted is not charged.
        """


class Credits(Protocol):
    """Money that comes in."""

    async def credit(
        self, account: AccountId, amount: Amount, currency: str, source: str, reference: str
    ) -> bool:
        """Add to a balance what `source` (a provider's name) has received; False where it was added before.

        `reference` is the payment's own, unique to its source. Raises `not_found`.
        """


class Purchases(Protocol):
    """What is bought from the balance."""

    async def buy(self, account: AccountId, amount: Amount, currency: str, what: str, reference: str) -> bool:
        """Take `amount`, which includes the tax, for `what` (a word); False where it was paid before.

        Raises `not_found`, `no_balance`, `country_needed`.
        """


class VoucherKey(Protocol):
    """A key of the verifiable oblivious function (RFC 9497, mode VOPRF) in locked memory."""

    @property
    def public(self) -> bytes:
        """32 octets."""

    def evaluate(self, element: bytes) -> tuple[bytes, bytes]:
        """The blinded element times the key, and the proof; raises `protocol.ristretto.NotAnElement`."""

    def output(self, message: bytes) -> bytes:
        """The function of a message, 64 octets."""

    def wipe(self) -> None: ...


class VoucherKeys(Protocol):
    """One for each value."""

    def of(self, currency: str, amount: Amount) -> VoucherKey:
        """Each time the same one. Wipe it after use."""
