"""`safeum-home rates`, `cdr`, `ledger`, `balance`, `vouchers`: what calls cost, what became of money."""

import argparse
import csv
import sys
from pathlib import Path

import msgspec

from safeum_home.admin import money_wire as wire
from safeum_home.admin.control_cli import Adds, Ask, columns, day, shown
from safeum_home.admin.metrics import Metrics, written
from safeum_home.admin.parts import TooLarge, send_file
from safeum_home.admin.reconcile_cli import add_reconcile
from safeum_home.admin.terminal import OK, REFUSED, fail
from safeum_home.admin.wire import Params
from safeum_home.protocol.cells import cell

LARGEST = 16 * 1024 * 1024
"""Octets of a file that is sent: the node takes no larger one."""
NO_RATES = "There is no rate table: nobody can call out."
CREDITED_BEFORE = "This reference was credited before: nothing was added."
_MICRO = 1_000_000


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", add: Adds, node: Ask
) -> None:
    """All five."""
    command = MoneyCommands(node)
    rates = add(commands, "rates", command.state, "Show which rate table is in force.")
    nested = rates.add_subparsers(metavar="COMMAND")
    text = "Put a table of rates in force, in place of the one before: CSV, as docs/money.md says."
    taken = add(nested, "import", command.take, text)
    taken.add_argument("file", metavar="FILE", type=Path)
    taken.add_argument("--check", action="store_true", help="only look for what is wrong with it")
    text = "Show what calls to a number cost, without tax."
    add(nested, "show", command.rate, text).add_argument("number", metavar="NUMBER")
    text = "Show all rates, or those whose prefix begins with PREFIX."
    add(nested, "list", command.list, text).add_argument("prefix", nargs="?", default="", metavar="PREFIX")
    text = "Records of calls to and from the telephone network."
    cdr = commands.add_parser("cdr", help=text, description=text).add_subparsers(
        required=True, metavar="COMMAND"
    )
    export = add(cdr, "export", command.export, "Print those of a month, as CSV.")
    export.add_argument("--month", required=True, metavar="YYYY-MM")
    add_reconcile(cdr, add, node)
    text = "Show what is in the accounts of the ledger: debits above zero, credits below."
    ledger = add(commands, "ledger", command.ledger, text)
    ledger.add_argument("--month", metavar="YYYY-MM")
    nested = ledger.add_subparsers(metavar="COMMAND")
    text = "Look whether all entries can be read, and the totals of the accounts are what was posted."
    add(nested, "check", command.check, text)
    text = "Make the totals of the accounts anew of the entries, where some are damaged."
    add(nested, "rebuild", command.rebuild, text)
    add(nested, "metrics", command.metrics, "Show money in numbers, as Prometheus reads them.")
    text = "Balances of accounts."
    balance = commands.add_parser("balance", help=text, description=text).add_subparsers(
        required=True, metavar="COMMAND"
    )
    text = "Add to the balance of an account, once for each REFERENCE."
    credit = add(balance, "credit", command.credit, text)
    credit.add_argument("login", metavar="LOGIN")
    credit.add_argument("amount", metavar="AMOUNT")
    credit.add_argument("reference", metavar="REFERENCE")
    credit.add_argument("--source", default="manual", help="where it came from; `goodwill` is a present")
    text = "Vouchers, which people redeem without anybody knowing who had which."
    vouchers = commands.add_parser("vouchers", help=text, description=text).add_subparsers(
        required=True, metavar="COMMAND"
    )
    text = "Make COUNT vouchers and print their codes, which are kept nowhere."
    issue = add(vouchers, "issue", command.issue, text)
    issue.add_argument("count", metavar="COUNT", type=int)
    issue.add_argument("amount", metavar="AMOUNT")


class MoneyCommands:
    """What the commands do."""

    def __init__(self, node: Ask) -> None:
        self._node = node

    def state(self, arguments: argparse.Namespace) -> int:
        state = self._node(arguments, "rates", Params(), wire.RatesState)
        rows = {"version": state.version, "rates": state.rates, "since": day(state.at)}
        lines = columns({**rows, "currency": state.currency}) if state.version else []
        return shown(arguments, state, lines, NO_RATES)

    def take(self, arguments: argparse.Namespace) -> int:
        try:
            size = send_file(self._node, arguments, "rates.part", arguments.file, LARGEST)
        except TooLarge:
            return fail(REFUSED, f"{arguments.file}: larger than {LARGEST} octets")
        params = wire.RatesImportParams(size, arguments.check)
        done = self._node(arguments, "rates.import", params, wire.RatesImported)
        lines = [f"{arguments.file}:{fault.line}: {fault.text}" for fault in done.faults]
        if done.more:
            lines.append(f"{arguments.file}: and {done.more} more")
        if not lines:
            told = f"in force as version {done.version}" if done.version else "nothing is wrong with them"
            lines = [f"{done.rates} rates: {told}"]
        shown(arguments, done, lines)
        return REFUSED if done.faults else OK

    def rate(self, arguments: argparse.Namespace) -> int:
        row = self._node(arguments, "rates.show", wire.RateParams(arguments.number), wire.RateRow)
        rows = {
            "prefix": f"+{row.prefix}, {row.destination}",
            "class": row.kind if row.allowed else f"{row.kind}, which may not be called",
            "connection": f"{amount_text(row.connection_fee)} {row.currency}",
            "minute": f"{amount_text(row.per_minute)} {row.currency}",
            "billed": f"{row.first_increment} s, then every {row.increment} s",
            "since": row.since,
            "until": row.until or "there is another table",
        }
        return shown(arguments, row, columns(rows))

    def list(self, arguments: argparse.Namespace) -> int:
        found: list[wire.RateRow] = []
        after = ""
        while True:
            params = wire.ListRatesParams(arguments.prefix, after)
            page = self._node(arguments, "rates.list", params, wire.RateRows)
            found += page.rates
            if not (after := page.next):
                break
        return shown(arguments, wire.RateRows(found, ""), [_rate(row) for row in found], NO_RATES)

    def export(self, arguments: argparse.Namespace) -> int:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        after, is_first = 0, True
        while True:
            page = self._node(arguments, "cdr", wire.CdrParams(arguments.month, after), wire.CdrRows)
            records = [[*map(printable, record)] for record in page.records]
            if arguments.json:
                for record in records:
                    print(msgspec.json.encode(dict(zip(page.columns, record, strict=True))).decode())
            else:
                cells = [[*map(cell, record)] for record in records]
                writer.writerows([page.columns, *cells] if is_first else cells)
            after, is_first = page.next, False
            if not after:
                return OK

    def ledger(self, arguments: argparse.Namespace) -> int:
        params = wire.LedgerParams(arguments.month)
        totals = self._node(arguments, "ledger", params, wire.LedgerTotals)
        lines = [f"{row.account:<24} {amount_text(row.amount):>20} {row.currency}" for row in totals.totals]
        shown(arguments, totals, lines, "Nothing was entered.")
        return OK if totals.balanced else fail(REFUSED, "these do not add up to zero")

    def check(self, arguments: argparse.Namespace) -> int:
        done = self._node(arguments, "ledger.check", Params(), wire.Checked)
        lines = [*done.faults, *([f"and {done.more} more"] if done.more else [])]
        shown(arguments, done, lines or [f"{done.entries} entries: nothing is wrong with them"])
        return REFUSED if done.faults else OK

    def rebuild(self, arguments: argparse.Namespace) -> int:
        done = self._node(arguments, "ledger.rebuild", Params(), wire.Rebuilt)
        return shown(arguments, done, [f"Totals that were wrong: {done.changed}."])

    def metrics(self, arguments: argparse.Namespace) -> int:
        answer = self._node(arguments, "ledger.metrics", Params(), Metrics)
        return shown(arguments, answer, written("money", answer))

    def credit(self, arguments: argparse.Namespace) -> int:
        params = wire.CreditParams(arguments.login, arguments.amount, arguments.reference, arguments.source)
        done = self._node(arguments, "balance.credit", params, wire.Credited)
        amount = f"{amount_text(done.amount)} {done.currency}"
        told = (
            f"{amount} were added."
            if done.added
            else "This reference was credited before: nothing was added."
        )
        return shown(arguments, done, [told])

    def issue(self, arguments: argparse.Namespace) -> int:
        params = wire.IssueParams(arguments.count, arguments.amount)
        done = self._node(arguments, "vouchers.issue", params, wire.Issued)
        return shown(arguments, done, done.codes)


def _rate(row: wire.RateRow) -> str:
    dates = f"{row.since} - {row.until or '':<10}"
    price = f"{amount_text(row.connection_fee)} + {amount_text(row.per_minute)} {row.currency}"
    steps = f"{row.first_increment}/{row.increment}"
    refused = "" if row.allowed else "  not allowed"
    return f"+{row.prefix:<15} {row.kind:<12} {dates} {price:<24} {steps:<8} {row.destination}{refused}"


def printable(text: str) -> str:
    """Nothing of what a carrier said is for the operator's terminal to obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def amount_text(micros: int) -> str:
    """With two decimals, or as many as it has."""
    units, parts = divmod(abs(micros), _MICRO)
    decimals = f"{parts:06}".rstrip("0").ljust(2, "0")
    return f"{'-' * (micros < 0)}{units}.{decimals}"
