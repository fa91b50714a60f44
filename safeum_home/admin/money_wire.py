"""What is said over the operator's socket about money. Amounts are in micro-units, times in milliseconds."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.admin.wire import Params

Text = Annotated[str, Meta(max_length=320)]
MonthText = Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$(?!\n)", max_length=7)]


class RatesImportParams(Params, frozen=True):
    """The parts are `size` octets together: look at them and, without `check`, put them in force."""

    size: Annotated[int, Meta(ge=0, le=2**31)]
    check: bool = False


class FaultRow(Struct, frozen=True):
    """What is wrong with a line, counted from 1."""

    line: int
    text: str


class RatesImported(Struct, frozen=True):
    """`faults`, and `more` that are not told; or so many `rates`, in force as `version` (0: not yet)."""

    rates: int
    version: int
    faults: list[FaultRow]
    more: int


class RatesState(Struct, frozen=True):
    """The table in force: 0 is none."""

    version: int
    at: int
    rates: int
    currency: str


class RateRow(Struct, frozen=True):
    """Prices are without tax. `until` is empty where there is no end. `allowed`: one may call there."""

    prefix: str
    destination: str
    kind: str
    since: str
    until: str
    currency: str
    connection_fee: int
    per_minute: int
    first_increment: int
    increment: int
    allowed: bool


class RateParams(Params, frozen=True):
    number: Text


class ListRatesParams(Params, frozen=True):
    """Of prefixes that begin so, behind a prefix."""

    begins: Annotated[str, Meta(max_length=16)] = ""
    after: Annotated[str, Meta(max_length=16)] = ""


class RateRows(Struct, frozen=True):
    """`next` is behind which the next page begins; empty at the end."""

    rates: list[RateRow]
    next: str


class CdrParams(Params, frozen=True):
    month: MonthText
    after: Annotated[int, Meta(ge=0)] = 0


class CdrRows(Struct, frozen=True):
    """Fields of records, in the order of `columns`; `next` is where the next page begins, 0 at the end."""

    columns: list[str]
    records: list[list[str]]
    next: int


class LedgerParams(Params, frozen=True):
    """All that was ever entered or, with `month`, what was in that."""

    month: MonthText | None = None


class TotalRow(Struct, frozen=True):
    account: str
    currency: str
    amount: int


class LedgerTotals(Struct, frozen=True):
    """Debits are above zero, credits below; `balanced`: in each currency they are zero together."""

    totals: list[TotalRow]
    balanced: bool


class Checked(Struct, frozen=True):
    """`entries` are in the journal; `faults` are words for people, and there are `more`."""

    entries: int
    faults: list[str]
    more: int


class Rebuilt(Struct, frozen=True):
    """So many totals were wrong."""

    changed: int


class CreditParams(Params, frozen=True):
    """`reference` is credited once. `source` names where it came from; `goodwill` is a present."""

    login: Text
    amount: Annotated[str, Meta(max_length=20)]
    reference: Annotated[str, Meta(min_length=1, max_length=64)]
    source: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}$(?!\n)", max_length=32)] = "manual"


class Credited(Struct, frozen=True):
    """Whether it was added now: not where this reference was there before."""

    added: bool
    amount: int
    currency: str


class IssueParams(Params, frozen=True):
    count: Annotated[int, Meta(ge=1, le=1000)]
    amount: Annotated[str, Meta(max_length=20)]


class Issued(Struct, frozen=True):
    """New codes, which the node itself forgets."""

    codes: list[str]
    amount: int
    currency: str
