"""`safeum-home calls`: how many go on, and what became of those before."""

import argparse

from safeum_home.admin.control_cli import Adds, Ask, shown
from safeum_home.admin.metrics import Metrics, written
from safeum_home.admin.wire import Params


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", add: Adds, node: Ask
) -> None:
    """`calls`, with `metrics`."""

    def metrics(arguments: argparse.Namespace) -> int:
        answer = node(arguments, "calls.metrics", Params(), Metrics)
        return shown(arguments, answer, written("calls", answer))

    calls = add(commands, "calls", metrics, "Show calls in numbers, as Prometheus reads them.")
    nested = calls.add_subparsers(metavar="COMMAND")
    add(nested, "metrics", metrics, "The same.")
