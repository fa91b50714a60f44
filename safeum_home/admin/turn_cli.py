"""`safeum-home turn`: runs the relay of calls, with what the node gives."""

import argparse
from collections.abc import Callable
from pathlib import Path

from safeum_home import config
from safeum_home.admin import words
from safeum_home.admin.caller import NoNode, Refused, call
from safeum_home.admin.terminal import say
from safeum_home.admin.turn_wire import TurnGrant
from safeum_home.admin.wire import Params
from safeum_home.ports.turn import NotGranted, RelayGrant

PATIENCE = 10.0
"""Seconds in which a node answers: meanwhile nothing of what the relay says is passed on."""

Relay = Callable[[config.Config, Callable[[], RelayGrant], Callable[[str], None]], int]
"""`relay(config, ask, say)` runs it until it ends: the exit code. Raises `NotGranted`, `Problem`, OSError."""


def add_turn(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    socket_of: Callable[[argparse.Namespace], str],
    relay: Relay,
) -> None:
    """`turn`."""
    text = "Run the relay of calls (coturn) in the foreground, with secrets that the node gives."
    command = commands.add_parser("turn", help=text, description=text)
    command.add_argument(
        "--config", type=Path, required=True, help="the configuration file with the section [turn]"
    )
    command.add_argument("--socket", help="the node's socket, where it is not the one of the configuration")

    def run(arguments: argparse.Namespace) -> int:
        settings = config.load(arguments.config)
        socket = socket_of(arguments)
        try:
            return relay(settings, lambda: _ask(socket), say)
        except NotGranted as refusal:
            # At the start: a command that is refused is refused as all others are.
            raise refusal.__cause__ or refusal from None

    command.set_defaults(run=run)


def _ask(socket: str) -> RelayGrant:
    try:
        grant = call(socket, "turn.grant", Params(), TurnGrant, timeout=PATIENCE)
    except NoNode as error:
        raise NotGranted(f"no node answers at {error}") from error
    except Refused as refused:
        problem = refused.problem
        raise NotGranted(words.refusal(problem.code, problem.title, problem.detail)) from refused
    return RelayGrant(tuple(grant.secrets), grant.seconds, grant.key)
