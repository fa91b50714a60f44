"""Money in words: amounts, lines of a statement, and invoices as CSV."""

import csv
import io
import re

from safeum_home.client.words.text import length, moment, safe
from safeum_home.protocol.cells import cell
from safeum_home.protocol.commands.money import CallPrice, Invoice, StatementLine
from safeum_home.protocol.commands.premium import PremiumState

MICRO = 1_000_000
_AMOUNT = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,6}))?\Z")
INVOICE_COLUMNS = (
    "invoice",
    "month",
    "node",
    "kind",
    "count",
    "seconds",
    "country",
    "vat_percent",
    "net",
    "vat",
    "gross",
    "currency",
)


def amount(micros: int) -> str:
    """With two decimals, or as many as it has."""
    units, parts = divmod(abs(micros), MICRO)
    decimals = f"{parts:06}".rstrip("0").ljust(2, "0")
    return f"{'-' * (micros < 0)}{units}.{decimals}"


def micros(text: str) -> int | None:
    """What `12.5` or `12,50` says; None where it is no amount."""
    found = _AMOUNT.match(text)
    if found is None:
        return None
    return int(found[1]) * MICRO + int((found[2] or "").ljust(6, "0"))


def percent(basis_points: int) -> str:
    """As `19` or `25.5`."""
    return f"{basis_points / 100:g}"


def price(told: CallPrice) -> str:
    """What a call costs, in a line."""
    minute = f"{amount(told.per_minute)} {safe(told.currency)} a minute"
    fee = f" and {amount(told.connection_fee)} for the connection" if told.connection_fee else ""
    billed = f"billed {told.first_increment} s, then every {told.increment} s"
    if not told.per_minute and not told.connection_fee:
        return f"{safe(told.destination)}: free"
    tax = f"with {percent(told.vat_rate)} % tax ({safe(told.country)})"
    return f"{safe(told.destination)}: {minute}{fee}, {billed}, {tax}"


def line(told: StatementLine) -> str:
    """A line of a statement."""
    at = moment(told.at)
    call = f" {safe(told.number)}, {length(told.seconds)}" if told.number else ""
    about = f"{safe(told.kind)}{call}"
    money = f"{amount(told.amount):>12} {safe(told.currency)}, then {amount(told.balance)}"
    return f"{at:%Y-%m-%d %H:%M} {money}  {about}"


def premium(state: PremiumState, now: float) -> str:
    """Until when there is premium, and what it costs; `now` is in milliseconds."""
    if state.free:
        return "Everybody has premium on this node: there is nothing to pay."
    month = f"A month costs {amount(state.price)} {safe(state.currency)}: /premium MONTHS."
    if state.until <= now:
        return f"You have no premium. {month}"
    until = moment(state.until)
    return f"You have premium until {until.day} {until:%b} {until.year}. {month}"


def invoice_csv(invoice: Invoice) -> str:
    """One row for each item; amounts in units of the currency. No cell is a formula, whatever a node says."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(INVOICE_COLUMNS)
    for item in invoice.items:
        writer.writerow(
            [
                cell(invoice.number),
                cell(invoice.month),
                cell(invoice.node),
                cell(item.kind),
                item.count,
                item.seconds,
                cell(item.country),
                percent(item.vat_rate),
                *map(amount, (item.net, item.vat, item.gross)),
                cell(item.currency),
            ]
        )
    return out.getvalue()
