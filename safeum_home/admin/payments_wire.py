"""What an operator's command line and a node say to each other about payments. Amounts are in micro-units."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.admin.wire import Params


class TillRow(Struct, frozen=True):
    """A provider, how it is with it, and what became of payments since the node was opened."""

    name: str
    kind: str
    state: str
    counts: dict[str, int]


class PaymentState(Struct, frozen=True):
    """`iban` is where transfers go; empty where none are taken. So many `notes` are to be looked at."""

    providers: list[TillRow]
    iban: str
    notes: int


class ReadParams(Params, frozen=True):
    """The parts are `size` octets together."""

    size: Annotated[int, Meta(ge=0, le=2**31)]


class StatementRead(Struct, frozen=True):
    """What was read, to be named as `file`; or what is `wrong` with it."""

    file: str
    message: str
    entries: int
    wrong: str


class BookParams(Params, frozen=True):
    """Go on behind so many of the file's items; with `check` nothing is added."""

    file: Annotated[str, Meta(max_length=64)]
    after: Annotated[int, Meta(ge=0, le=2**31)] = 0
    check: bool = False


class ItemRow(Struct, frozen=True):
    """`outcome` is `added`, `before` (it was), `unmatched`, `reversal`, `debit` or `pending`.

    `reference` is what the bank calls it: with this and `--source bank` it is added by hand, once.
    """

    entry: int
    outcome: str
    reference: str
    amount: int
    currency: str
    date: str
    why: str


class Booked(Struct, frozen=True):
    """`next` is where to go on; 0 at the end."""

    items: list[ItemRow]
    next: int


class NotesParams(Params, frozen=True):
    after: Annotated[int, Meta(ge=0)] = 0


class NoteRow(Struct, frozen=True):
    """`at` is in milliseconds; `payment` is what the provider calls it."""

    number: int
    at: int
    provider: str
    what: str
    payment: str
    amount: int
    currency: str


class NoteRows(Struct, frozen=True):
    """`next` is where the next page begins; 0 at the end."""

    notes: list[NoteRow]
    next: int


class NoteParams(Params, frozen=True):
    number: Annotated[int, Meta(ge=1)]
