"""`safeum-home turn`: runs the relay of calls, with what the node gives."""

import argparse
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import msgspec

from safeum_home import config
from safeum_home.admin import words
from safeum_home.admin.caller import NoNode, Refused, call
from safeum_home.admin.terminal import OK, say
from safeum_home.admin.turn_wire import TurnGrant
from safeum_home.admin.wire import Params
from safeum_home.grants.turn import NotGranted, RelayGrant

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
    command.add_argument(
        "--through", metavar="COMMAND", help="a command that has `turn --grant` run where the node is"
    )
    command.add_argument(
        "--grant", action="store_true", help="run nothing: print what a relay elsewhere needs, into a pipe"
    )

    def run(arguments: argparse.Namespace) -> int:
        if arguments.grant:
            if not is_passed_on(sys.stdout):
                command.error("secrets are printed into a pipe alone: not on a terminal, nor into a file")
            grant = _granted(socket_of(arguments))
            sys.stdout.buffer.write(msgspec.json.encode(grant) + b"\n")
            return OK
        settings, socket = config.load(arguments.config), socket_of(arguments)
        through = shlex.split(arguments.through or "")

        def ask() -> TurnGrant:
            return _through(through) if through else _granted(socket)

        try:
            return relay(settings, lambda: _ask(ask), say)
        except NotGranted as refusal:
            # At the start: a command that is refused is refused as all others are.
            raise refusal.__cause__ or refusal from None

    command.set_defaults(run=run)


def is_passed_on(output: TextIO) -> bool:
    """Whether what is written there is read by a process, and kept nowhere by the system."""
    mode = os.fstat(output.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _ask(ask: Callable[[], TurnGrant]) -> RelayGrant:
    try:
        grant = ask()
    except NoNode as error:
        raise NotGranted(f"no node answers at {error}") from error
    except Refused as refused:
        problem = refused.problem
        raise NotGranted(words.refusal(problem.code, problem.title, problem.detail)) from refused
    return RelayGrant(tuple(grant.secrets), grant.seconds, grant.key)


def _granted(socket: str) -> TurnGrant:
    """Raises `NoNode` and `Refused`."""
    return call(socket, "turn.grant", Params(), TurnGrant, timeout=PATIENCE)


def _through(command: list[str]) -> TurnGrant:
    """What a command prints, as `turn --grant` does. Raises `NoNode`."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=PATIENCE, check=True
        )
        return msgspec.json.decode(done.stdout, type=TurnGrant)
    except subprocess.TimeoutExpired:
        raise NoNode(f"{command[0]}: no answer in time") from None
    except subprocess.CalledProcessError as error:
        raise NoNode(f"{command[0]}: exit code {error.returncode}") from None
    except OSError as error:
        raise NoNode(f"{command[0]}: {error.strerror}") from None
    except msgspec.DecodeError:
        raise NoNode(f"{command[0]}: what it prints is not what `turn --grant` does") from None
