"""`safeum-home numbers`: the SafeNUMs that a node can give. Whose they are is told by none of it."""

import argparse
import sys
from pathlib import Path

from safeum_home.admin import numbers_wire as wire
from safeum_home.admin.control_cli import Adds, Ask, columns, shown
from safeum_home.admin.control_wire import LoginParams
from safeum_home.admin.terminal import OK, REFUSED, USAGE, ask, fail, say
from safeum_home.admin.wire import Done, Params

STATES = ("open", "spent", "withdrawn")


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", add: Adds, node: Ask
) -> None:
    """`numbers load`, `status`, `list`, `withdraw`, `restore`, `assign` and `release`."""
    command = NumberCommands(node)
    numbers = commands.add_parser("numbers", help="Load SafeNUMs, and see how many are left.")
    nested = numbers.add_subparsers(required=True, metavar="COMMAND")
    load = add(nested, "load", command.load, "Load ranges of numbers from a CSV file: all of it, or nothing.")
    load.add_argument("file", type=Path, metavar="FILE")
    load.add_argument("--check", action="store_true", help="look for mistakes, and store nothing")
    add(nested, "status", command.status, "Show how many numbers are given, and how many are left.")
    text = "Show every range."
    add(nested, "list", command.list, text).add_argument("--state", choices=STATES, help="those alone")
    text = "Give no more numbers of the range that NUMBER is of. Who has one keeps it."
    withdraw = add(nested, "withdraw", command.withdraw, text)
    withdraw.add_argument("number", metavar="NUMBER")
    withdraw.add_argument("--only", action="store_true", help="this number alone, and no other of its range")
    text = "Give a number again that was withdrawn with --only."
    add(nested, "restore", command.restore, text).add_argument("number", metavar="NUMBER")
    for name, run, text in (
        ("assign", command.assign, "Give a number to an account that has none."),
        ("release", command.release, "Take the number from an account: it waits until it is given anew."),
    ):
        one = add(nested, name, run, f"{text} Without LOGIN it is read from standard input.")
        one.add_argument("login", nargs="?", metavar="LOGIN")
        if name == "assign":
            one.add_argument("--all", action="store_true", help="to all accounts that have none")


class NumberCommands:
    """What the commands do."""

    def __init__(self, node: Ask) -> None:
        self._node = node

    def load(self, arguments: argparse.Namespace) -> int:
        with arguments.file.open("rb") as file:
            octets = file.read(wire.LONGEST_FILE + 1)
        if len(octets) > wire.LONGEST_FILE:
            return fail(REFUSED, f"A file has {wire.LONGEST_FILE} octets at most: split it.")
        try:
            text = octets.decode()
        except UnicodeDecodeError as error:
            return fail(REFUSED, f"line {octets.count(10, 0, error.start) + 1}: this is not UTF-8")
        answer = self._node(
            arguments, "numbers.load", wire.LoadParams(text, arguments.check), wire.NumbersLoaded
        )
        if answer.mistakes and not arguments.json:
            for mistake in answer.mistakes:
                say(mistake, sys.stderr)
            return REFUSED
        done = "would be loaded" if arguments.check else "loaded"
        lines = [f"{answer.numbers} numbers in {answer.ranges} ranges {done}; ranges back: {answer.back}"]
        code = shown(arguments, answer, lines)
        return REFUSED if answer.mistakes else code

    def status(self, arguments: argparse.Namespace) -> int:
        state = self._node(arguments, "numbers.status", Params(), wire.NumbersState)
        rows = {
            "assigned at": state.assign,
            "ranges": state.ranges,
            "loaded": state.loaded,
            "given": state.given,
            "quarantined": state.quarantined,
            "withdrawn": state.withdrawn,
            "left": state.left,
        }
        return shown(arguments, state, columns(rows))

    def list(self, arguments: argparse.Namespace) -> int:
        found: list[wire.RangeRow] = []
        while True:
            params = wire.RangesParams(len(found), arguments.state)
            page = self._node(arguments, "numbers.ranges", params, wire.RangeRows)
            found += page.ranges
            if not page.ranges or len(found) >= page.count:
                break
        answer = wire.RangeRows(found, len(found))
        return shown(arguments, answer, [_range(row) for row in found], "There are no numbers.")

    def withdraw(self, arguments: argparse.Namespace) -> int:
        params = wire.WithdrawParams(arguments.number, arguments.only)
        self._node(arguments, "numbers.withdraw", params, Done)
        return OK

    def restore(self, arguments: argparse.Namespace) -> int:
        self._node(arguments, "numbers.restore", wire.NumberParams(arguments.number), Done)
        return OK

    def assign(self, arguments: argparse.Namespace) -> int:
        if arguments.all:
            if arguments.login:
                return fail(USAGE, "Either LOGIN, or --all.")
            return self._assign_all(arguments)
        self._node(arguments, "numbers.assign", LoginParams(_login(arguments)), Done)
        return OK

    def _assign_all(self, arguments: argparse.Namespace) -> int:
        """Some at a time: whoever stops it goes on when it is started anew."""
        given, after = 0, ""
        while True:
            some = self._node(arguments, "numbers.assign_all", wire.AssignAllParams(after), wire.AssignedSome)
            given, after = given + some.given, some.next
            if not after:
                break
        lines = [f"{given} accounts were given a number.", *([] if some.left else ["No number is left."])]
        return shown(arguments, wire.AssignedAll(given, some.left), lines)

    def release(self, arguments: argparse.Namespace) -> int:
        self._node(arguments, "numbers.release", LoginParams(_login(arguments)), Done)
        return OK


def _login(arguments: argparse.Namespace) -> str:
    login: str = arguments.login or (input("Login: ") if sys.stdin.isatty() else ask(""))
    return login


def _range(row: wire.RangeRow) -> str:
    numbers = row.first if row.first == row.last else f"{row.first}-{row.last}"
    parts = [f"{row.left} of {row.count} left", f"{row.given} given"]
    if row.quarantined:
        parts.append(f"{row.quarantined} quarantined")
    if row.withdrawn:
        parts.append(f"{row.withdrawn} withdrawn")
    if row.state != "open":
        parts.append(row.state)
    return f"{numbers:<34}{row.country:<5}{' '.join(row.capabilities):<26}{', '.join(parts)}"
