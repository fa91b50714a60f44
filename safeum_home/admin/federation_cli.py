"""`safeum-home federation`: other nodes, what was refused between them and this one, and its keys."""

import argparse

from safeum_home.admin import federation_wire as wire
from safeum_home.admin.control_cli import Adds, Ask, day, shown
from safeum_home.admin.metrics import Metrics, written
from safeum_home.admin.terminal import NOT_YET, OK
from safeum_home.admin.wire import Params

NO_NODES = "There is nothing with any other node yet."
ANSWERS = "answers, and deals with this node."
NONE_ASIDE = "Nothing was refused between this node and others."


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    add: Adds,
    node: Ask,
) -> None:
    """`federation`, with `nodes`, `check`, `aside`, `metrics`, `keys` and `rotate`."""
    command = FederationCommands(node)
    text = "Show other nodes, what is set aside, and the keys that this one signs with."
    federation = commands.add_parser("federation", help=text, description=text)
    nested = federation.add_subparsers(required=True, metavar="COMMAND")
    add(nested, "nodes", command.nodes, "Show all nodes that this one has to do with.")
    text = "Say hello to another node, and show whether it takes that."
    add(nested, "check", command.check, text).add_argument("name", metavar="NODE")
    add(nested, "aside", command.aside, "Show which events were refused, and why.")
    add(nested, "metrics", command.metrics, "Show all of it in numbers, as Prometheus reads them.")
    add(nested, "keys", command.keys, "Show the keys that this node signs with, and did before.")
    add(nested, "rotate", command.rotate, "Sign with a new key from now on.")


class FederationCommands:
    """What the commands do."""

    def __init__(self, node: Ask) -> None:
        self._node = node

    def nodes(self, arguments: argparse.Namespace) -> int:
        found: list[wire.NodeRow] = []
        after = ""
        while True:
            page = self._node(arguments, "federation.nodes", wire.NodesParams(after), wire.NodeRows)
            found += page.nodes
            after = page.next
            if not after:
                break
        return shown(arguments, wire.NodeRows(found, ""), [_node(row) for row in found], NO_NODES)

    def check(self, arguments: argparse.Namespace) -> int:
        done = self._node(arguments, "federation.check", wire.CheckParams(arguments.name), wire.Checked)
        what = f"cannot be told: {done.error}" if done.error else ANSWERS
        shown(arguments, done, [f"{done.node} {what}"])
        return NOT_YET if done.error else OK

    def aside(self, arguments: argparse.Namespace) -> int:
        rows = self._node(arguments, "federation.aside", Params(), wire.AsideRows)
        return shown(arguments, rows, [_aside(row) for row in rows.events], NONE_ASIDE)

    def metrics(self, arguments: argparse.Namespace) -> int:
        answer = self._node(arguments, "federation.metrics", Params(), Metrics)
        return shown(arguments, answer, written("federation", answer))

    def keys(self, arguments: argparse.Namespace) -> int:
        return self._keys(arguments, "federation.keys")

    def rotate(self, arguments: argparse.Namespace) -> int:
        return self._keys(arguments, "federation.rotate")

    def _keys(self, arguments: argparse.Namespace, method: str) -> int:
        rows = self._node(arguments, method, Params(), wire.KeyRows)
        return shown(arguments, rows, [_key(row) for row in rows.keys])


def _node(row: wire.NodeRow) -> str:
    seen = f"seen {day(row.seen)}" if row.seen else "never seen"
    notes = [] if not row.failing else [f"failing since {day(row.failing)}"]
    if row.error:
        notes.append(row.error)
    return f"{row.name:<32} {row.state:<12} {row.waiting:>8} waiting  {seen}  {'; '.join(notes)}".rstrip()


def _aside(row: wire.AsideRow) -> str:
    by = "refused here" if row.ours else "refused there"
    return f"{day(row.at)}  {row.name:<32} {by:<14} {row.type or '-':<24} {row.code}  {row.detail}".rstrip()


def _key(row: wire.KeyRow) -> str:
    state = "in force" if row.expired is None else f"until {day(row.expired)}"
    return f"{row.id:<14} {row.key}  {state}"
