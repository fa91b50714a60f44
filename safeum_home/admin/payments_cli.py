"""`safeum-home payments`: providers, statements of the bank, and payments that are to be looked at."""

import argparse
import sys
from pathlib import Path

from safeum_home.admin import payments_wire as wire
from safeum_home.admin.control_cli import Adds, Ask, columns, day, shown
from safeum_home.admin.money_cli import amount_text, printable
from safeum_home.admin.parts import TooLarge, send_file
from safeum_home.admin.terminal import OK, REFUSED, fail, say
from safeum_home.admin.wire import Done, Params

LARGEST = 8 * 1024 * 1024
"""Octets of a statement: the node takes no larger one."""
LISTED = ("unmatched", "reversal")


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", add: Adds, node: Ask
) -> None:
    """`payments`, with `status`, `import`, `notes` and `done`."""
    command = PaymentCommands(node)
    payments = add(commands, "payments", command.status, "Show in which ways accounts pay in.")
    nested = payments.add_subparsers(metavar="COMMAND")
    add(nested, "status", command.status, "The same.")
    text = "Add what a statement of the bank has: ISO 20022, camt.053 or camt.054. Each entry once."
    taken = add(nested, "import", command.take, text)
    taken.add_argument("file", metavar="FILE", type=Path)
    taken.add_argument("--check", action="store_true", help="only say what would be added")
    add(nested, "notes", command.notes, "Show payments that are to be looked at.")
    text = "A note was looked at: forget it."
    add(nested, "done", command.done, text).add_argument("number", metavar="NUMBER", type=int)


class PaymentCommands:
    """What the commands do."""

    def __init__(self, node: Ask) -> None:
        self._node = node

    def status(self, arguments: argparse.Namespace) -> int:
        state = self._node(arguments, "payments.status", Params(), wire.PaymentState)
        lines = [line for row in state.providers for line in _till(row)]
        rows = {"transfers to": state.iban or "none are taken", "notes": state.notes}
        return shown(arguments, state, [*lines, *columns(rows)])

    def take(self, arguments: argparse.Namespace) -> int:
        try:
            size = send_file(self._node, arguments, "payments.part", arguments.file, LARGEST)
        except TooLarge:
            return fail(REFUSED, f"{arguments.file}: larger than {LARGEST} octets")
        read = self._node(arguments, "payments.read", wire.ReadParams(size), wire.StatementRead)
        if read.wrong:
            return fail(REFUSED, f"{arguments.file}: {read.wrong}")
        return self._book(arguments, read)

    def notes(self, arguments: argparse.Namespace) -> int:
        found: list[wire.NoteRow] = []
        after = 0
        while True:
            page = self._node(arguments, "payments.notes", wire.NotesParams(after), wire.NoteRows)
            found, after = [*found, *page.notes], page.next
            if not after:
                break
        return shown(arguments, wire.NoteRows(found, 0), [_note(row) for row in found], "There are none.")

    def done(self, arguments: argparse.Namespace) -> int:
        self._node(arguments, "payments.done", wire.NoteParams(arguments.number), Done)
        return OK

    def _book(self, arguments: argparse.Namespace, read: wire.StatementRead) -> int:
        """Some items at a time: if it is stopped, it goes on when the file is given again."""
        found: list[wire.ItemRow] = []
        after = 0
        while True:
            params = wire.BookParams(read.file, after, arguments.check)
            page = self._node(arguments, "payments.book", params, wire.Booked)
            found, after = [*found, *page.items], page.next
            if not after:
                break
        lines = [_item(row) for row in found if row.outcome in LISTED]
        if arguments.json:
            return shown(arguments, wire.Booked(found, 0), [])
        for line in lines:
            say(line, sys.stderr)
        say(_summary(read, found, arguments.check))
        return OK


def _till(row: wire.TillRow) -> list[str]:
    lines = [f"{row.name:<16} {row.kind:<10} {row.state}"]
    if row.counts:
        lines.append("  " + ", ".join(f"{what} {count}" for what, count in sorted(row.counts.items())))
    return lines


def _item(row: wire.ItemRow) -> str:
    money = f"{amount_text(row.amount)} {row.currency}"
    reference = printable(row.reference) or "no reference"
    return f"entry {row.entry}, {row.date}: {money}, {reference}: {row.why}"


def _summary(read: wire.StatementRead, found: list[wire.ItemRow], check: bool) -> str:
    """What became of all items, in a line."""
    words = {
        "added": "to be added" if check else "added",
        "before": "were added before",
        "unmatched": "unmatched",
        "reversal": "reversals",
        "pending": "not booked yet",
        "debit": "debits",
    }
    counts = {word: [row for row in found if row.outcome == outcome] for outcome, word in words.items()}
    told = [f"{len(rows)} {word}" for word, rows in counts.items() if rows]
    added = sum(row.amount for row in found if row.outcome == "added")
    total = f"; {amount_text(added)} together" if added else ""
    return f"{read.message}, {read.entries} entries: {', '.join(told) or 'nothing'}{total}"


def _note(row: wire.NoteRow) -> str:
    money = f" {amount_text(row.amount)} {row.currency}" if row.amount else ""
    return f"{row.number:<6}{day(row.at)} {row.provider:<12} {printable(row.payment)}{money}: {row.what}"
