"""`safeum-home cdr reconcile`: records of calls compared with those of the edge towards the carrier."""

import argparse
import csv
import sys
from collections.abc import Iterator
from datetime import datetime

import msgspec

from safeum_home.admin import money_wire, reconcile
from safeum_home.admin.carrier_wire import EdgeParams, EdgeRows
from safeum_home.admin.control_cli import Adds, Ask
from safeum_home.admin.terminal import OK, REFUSED, say
from safeum_home.grants.trunk import EdgeRecord
from safeum_home.protocol.cells import cell

SAME = "There is no difference."
_TIMES = ("answer", "end")


def add_reconcile(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", add: Adds, node: Ask
) -> None:
    """`cdr reconcile`."""
    text = "Compare those of a month with what the edge towards the carrier has seen, and list differences."
    command = add(commands, "reconcile", Reconciliation(node).run, text)
    command.add_argument("--month", required=True, metavar="YYYY-MM")
    command.add_argument("--csv", action="store_true", help="as CSV")
    command.add_argument("--all", action="store_true", help="calls too that nobody answered")


class Reconciliation:
    """Reads both, a page at a time. A month has calls that ended in it, by the clock of whoever wrote it."""

    def __init__(self, node: Ask) -> None:
        self._node = node

    def run(self, arguments: argparse.Namespace) -> int:
        """1 where there is a difference."""
        edge, tolerance = self._edge(arguments, arguments.month)
        own = list(self._own(arguments, arguments.month))
        found = list(reconcile.differences(own, edge, tolerance, arguments.all))
        found = list(self._without_neighbours(arguments, found, tolerance))
        if arguments.json:
            rows = [dict(zip(reconcile.COLUMNS, each.fields(), strict=True)) for each in found]
            print(msgspec.json.encode(rows).decode())
        elif arguments.csv:
            csv.writer(sys.stdout, lineterminator="\n").writerows(
                [reconcile.COLUMNS, *([cell(_printable(text)) for text in each.fields()] for each in found)]
            )
        else:
            for each in found:
                say(_line(each))
            counted = f"{len(own)} records here, {len(edge)} at the edge, {len(found)} differences."
            say(counted if found else SAME)
        return REFUSED if found else OK

    def _without_neighbours(
        self, arguments: argparse.Namespace, found: list[reconcile.Difference], tolerance: int
    ) -> Iterator[reconcile.Difference]:
        """A call that one has in this month and the other in the one beside it is missing nowhere."""
        missing = {reconcile.MISSING_HERE, reconcile.MISSING_THERE}
        alone = [each for each in found if each.what in missing]
        yield from (each for each in found if each.what not in missing)
        if not alone:
            return
        own: dict[str, reconcile.OwnRecord] = {}
        edge: dict[str, EdgeRecord] = {}
        for month in _beside(arguments.month):
            own |= {each.reference: each for each in self._own(arguments, month)}
            edge |= {each.reference: each for each in self._edge(arguments, month)[0]}
        for each in alone:
            here = each.own or own.get(each.edge.reference if each.edge else "")
            there = each.edge or edge.get(each.own.reference if each.own else "")
            yield from reconcile.differences(
                [here] if here else [], [there] if there else [], tolerance, arguments.all
            )

    def _own(self, arguments: argparse.Namespace, month: str) -> Iterator[reconcile.OwnRecord]:
        after = 0
        while True:
            page = self._node(arguments, "cdr", money_wire.CdrParams(month, after), money_wire.CdrRows)
            for record in page.records:
                yield _own(dict(zip(page.columns, record, strict=True)))
            if not (after := page.next):
                return

    def _edge(self, arguments: argparse.Namespace, month: str) -> tuple[list[EdgeRecord], int]:
        found: list[EdgeRecord] = []
        after = ""
        while True:
            page = self._node(arguments, "carrier.edge", EdgeParams(month, after), EdgeRows)
            found += page.records
            if not (after := page.next):
                return found, page.tolerance


def _own(row: dict[str, str]) -> reconcile.OwnRecord:
    answered, ended = (_milliseconds(row[name]) for name in _TIMES)
    return reconcile.OwnRecord(
        row["call_id"], row["direction"], row["a_number"], row["b_number"], answered, ended
    )


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000) if text else 0


def _beside(month: str) -> tuple[str, str]:
    year, number = map(int, month.split("-"))
    before, after = year * 12 + number - 2, year * 12 + number
    return tuple(f"{each // 12:04}-{each % 12 + 1:02}" for each in (before, after))  # type: ignore[return-value]  # two


def _line(each: reconcile.Difference) -> str:
    what, reference, direction, *rest = map(_printable, each.fields())
    ours, theirs = rest[:3], rest[3:]
    sides = []
    if each.own is not None:
        sides.append(f"here {ours[0] or 'withheld'} to {ours[1]}, {ours[2]} s")
    if each.edge is not None:
        sides.append(f"at the edge {theirs[0] or 'withheld'} to {theirs[1]}, {theirs[2]} s")
    return f"{what}: {direction} {reference}: {'; '.join(sides)}"


def _printable(text: str) -> str:
    """Nothing of what a carrier said is for the operator's terminal to obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
