"""`safeum-home push`: how it is with each push provider, and waking one device to see."""

import argparse
import sys

from safeum_home.admin import push_wire as wire
from safeum_home.admin.control_cli import Adds, Ask, shown
from safeum_home.admin.metrics import Metrics, written
from safeum_home.admin.terminal import NOT_YET, OK, ask
from safeum_home.admin.wire import Params

NO_PROVIDER = "There is no push provider in the configuration."
_BECAME = {
    "taken": "{provider} has taken the wake.",
    "temporary": "{provider} does not take it now: {reason}.",
    "dead": "{provider} knows this address no more: {reason}. The app has to register anew.",
    "refused": "{provider} refuses it: {reason}.",
}


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", add: Adds, node: Ask
) -> None:
    """`push`, with `status`, `test` and `metrics`."""
    command = PushCommands(node)
    push = add(commands, "push", command.status, "Show how it is with each push provider.")
    nested = push.add_subparsers(metavar="COMMAND")
    add(nested, "status", command.status, "The same.")
    text = "Wake a device, asleep or not, and show what its provider says. Without DEVICE it is asked for."
    add(nested, "test", command.test, text).add_argument("device", nargs="?", metavar="DEVICE")
    add(nested, "metrics", command.metrics, "Show all of it in numbers, as Prometheus reads them.")


class PushCommands:
    """What the commands do."""

    def __init__(self, node: Ask) -> None:
        self._node = node

    def status(self, arguments: argparse.Namespace) -> int:
        rows = self._node(arguments, "push.status", Params(), wire.PushRows)
        return shown(arguments, rows, [line for row in rows.providers for line in _lines(row)], NO_PROVIDER)

    def test(self, arguments: argparse.Namespace) -> int:
        device = arguments.device or (input("Device: ") if sys.stdin.isatty() else ask(""))
        tested = self._node(arguments, "push.test", wire.PushTestParams(device), wire.PushTested)
        said = _BECAME[tested.outcome].format(provider=tested.provider, reason=tested.reason)
        shown(arguments, tested, [said])
        return OK if tested.outcome == "taken" else NOT_YET

    def metrics(self, arguments: argparse.Namespace) -> int:
        answer = self._node(arguments, "push.metrics", Params(), Metrics)
        return shown(arguments, answer, written("push", answer))


def _lines(row: wire.PushRow) -> list[str]:
    waits = f"{row.calls} calls and {row.messages} messages waiting, {row.under_way} under way"
    lines = [f"{row.name:<16} {row.kind:<10} {row.state}; {waits}"]
    if row.counts:
        lines.append("  " + ", ".join(f"{what} {count}" for what, count in sorted(row.counts.items())))
    if row.trouble:
        lines.append(f"  last trouble: {row.trouble}")
    return lines
