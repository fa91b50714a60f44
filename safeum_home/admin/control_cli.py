"""`safeum-home registration`, `policy`, `accounts`, `limits`: what is looked at and changed at run time."""

import argparse
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec
from msgspec import Struct

from safeum_home.admin import control_wire as wire
from safeum_home.admin.terminal import OK, ask, say
from safeum_home.admin.wire import Params

R = TypeVar("R", bound=Struct)


class Ask(Protocol):
    """Asks the node that the arguments name; raises as `caller.call` does."""

    def __call__(
        self, arguments: argparse.Namespace, method: str, params: Params, result: type[R], /
    ) -> R: ...


Run = Callable[[argparse.Namespace], int]


class Adds(Protocol):
    """Adds a command that asks a node."""

    def __call__(
        self,
        commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
        name: str,
        run: Run,
        text: str,
        /,
    ) -> argparse.ArgumentParser: ...


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", add: Adds, node: Ask
) -> None:
    """All four."""
    command = Control(node)
    text = "Show who may sign up, or set it: it holds until it is set again, restarts included."
    add(commands, "registration", command.registration, text).add_argument(
        "mode",
        nargs="?",
        choices=("open", "invite", "closed", "configured"),
        help="`configured` lets the configuration file decide again",
    )
    text = "Show the policy that people agree to, or read its file anew."
    add(commands, "policy", command.policy, text).add_argument("action", nargs="?", choices=("reload",))
    accounts = add(commands, "accounts", command.accounts, "Show how many accounts there are.")
    nested = accounts.add_subparsers(metavar="COMMAND")
    text = "Show an account from outside. Without LOGIN it is asked for, or read from standard input."
    add(nested, "show", command.account, text).add_argument("login", nargs="?", metavar="LOGIN")
    limits = add(commands, "limits", command.limits, "Show every limit, and how many are held back by it.")
    nested = limits.add_subparsers(metavar="COMMAND")
    change = add(nested, "set", command.set_limit, "Change a limit until the node is started anew.")
    change.add_argument("name", metavar="NAME")
    change.add_argument("value", metavar="VALUE")


class Control:
    """What the commands do."""

    def __init__(self, node: Ask) -> None:
        self._node = node

    def registration(self, arguments: argparse.Namespace) -> int:
        params = wire.RegistrationParams(arguments.mode)
        state = self._node(arguments, "registration", params, wire.RegistrationState)
        if state.set_to is None:
            return shown(arguments, state, [f"{state.mode} (as configured)"])
        return shown(
            arguments, state, [f"{state.mode} (set at run time; the configuration says {state.configured})"]
        )

    def policy(self, arguments: argparse.Namespace) -> int:
        method = "policy.reload" if arguments.action else "policy"
        state = self._node(arguments, method, Params(), wire.PolicyState)
        lines = [f"version {state.version}, from {state.file}"]
        return shown(arguments, state, lines if arguments.action else [*lines, "", *state.text.split("\n")])

    def accounts(self, arguments: argparse.Namespace) -> int:
        counts = self._node(arguments, "accounts", Params(), wire.AccountCounts)
        rows = {"accounts": counts.accounts, "connected": counts.connected, "closed": counts.closed}
        return shown(arguments, counts, columns(rows))

    def account(self, arguments: argparse.Namespace) -> int:
        login = arguments.login or (input("Login: ") if sys.stdin.isatty() else ask(""))
        state = self._node(arguments, "account", wire.LoginParams(login), wire.AccountState)
        policy = "nothing" if state.policy is None else f"version {state.policy}, {day(state.policy_at)}"
        rows = {
            "account": state.account,
            "made": day(state.created_at),
            "devices": f"{state.devices}, connected: {state.connected}",
            "agreed to": policy,
        }
        return shown(arguments, state, columns(rows))

    def limits(self, arguments: argparse.Namespace) -> int:
        return self._limits(arguments, self._node(arguments, "limits", Params(), wire.LimitRows))

    def set_limit(self, arguments: argparse.Namespace) -> int:
        params = wire.SetLimitParams(arguments.name, arguments.value)
        rows = self._node(arguments, "limit.set", params, wire.LimitRows)
        changed = [row for row in rows.limits if row.name == arguments.name]
        return self._limits(arguments, wire.LimitRows(changed))

    def _limits(self, arguments: argparse.Namespace, rows: wire.LimitRows) -> int:
        width = max((len(row.name) for row in rows.limits), default=0) + 2
        return shown(arguments, rows, [_limit(row, width) for row in rows.limits])


def _limit(row: wire.LimitRow, width: int) -> str:
    notes = [] if row.held_back is None else [f"held back: {row.held_back}"]
    if row.value != row.configured:
        notes.append(f"configured: {_value(row.configured)}")
    return f"{row.name:<{width}}{_value(row.value):<12}{'; '.join(notes)}".rstrip()


def _value(value: float | str) -> str:
    """As it would stand in the configuration: whole numbers with all their digits."""
    if isinstance(value, str):
        return value
    return str(int(value)) if value.is_integer() else repr(value)


def columns(rows: Mapping[str, object]) -> list[str]:
    """Lines as those of `safeum-home status`."""
    return [f"{name:<14}{value}" for name, value in rows.items()]


def shown(arguments: argparse.Namespace, answer: Struct, lines: list[str], nothing: str = "") -> int:
    """Print the answer for a person or, with `--json`, for a program; the exit code.

    Where there are no lines a person is told `nothing`, beside what a script would read.
    """
    if arguments.json:
        print(msgspec.json.encode(answer).decode())
    elif not lines and nothing:
        print(nothing, file=sys.stderr)
    else:
        for line in lines:
            say(line)
    return OK


def day(milliseconds: int | None) -> str:
    """A moment in the time of the machine."""
    return datetime.fromtimestamp((milliseconds or 0) / 1000).strftime("%Y-%m-%d %H:%M")
