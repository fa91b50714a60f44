"""`safeum-home carrier`: runs the processes between a node and a carrier, with what the node gives."""

import argparse
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from safeum_home import config
from safeum_home.admin import words
from safeum_home.admin.caller import NoNode, Refused, call
from safeum_home.admin.carrier_wire import CarrierGrant, CarrierGrantParams, Part
from safeum_home.admin.terminal import OK, say
from safeum_home.admin.turn_cli import is_passed_on
from safeum_home.ports.trunk import TrunkGrant
from safeum_home.ports.turn import NotGranted

PATIENCE = 10.0
"""Seconds in which a node answers."""
SOCKET = "the node's socket, where it is not the one of the configuration"
R = TypeVar("R", bound=Struct)
Run = Callable[[Part, config.Config, Callable[[], TrunkGrant], Callable[[str], None]], int]
"""`run(part, config, ask, say)` runs Kamailio or Janus until it ends: the exit code.

Raises `NotGranted`, `Problem`, OSError."""
Render = Callable[[config.Config], str]
"""What they are told, without secrets."""


def add_carrier(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    socket_of: Callable[[argparse.Namespace], str],
    run: Run,
    render: Render,
) -> None:
    """`carrier`."""
    text = "Run what is between the node and a carrier: Kamailio and Janus."
    nested = commands.add_parser("carrier", help=text, description=text).add_subparsers(
        required=True, metavar="COMMAND"
    )
    command = _Carrier(socket_of, run, render)
    for part, text in (
        ("kamailio", "Run Kamailio in the foreground, which speaks SIP with the carrier."),
        ("janus", "Run Janus in the foreground, which gives sound from SIP to WebRTC and back."),
    ):
        parser = nested.add_parser(part, help=text, description=text)
        _add_config(parser)
        parser.add_argument("--socket", help=SOCKET)
        parser.add_argument(
            "--through", metavar="COMMAND", help=f"a command that has `carrier grant {part}` run at the node"
        )
        parser.set_defaults(run=command.run, part=part)
    text = "Print what one of them needs that runs elsewhere, into a pipe."
    parser = nested.add_parser("grant", help=text, description=text)
    parser.add_argument("part", choices=("kamailio", "janus"))
    _add_config(parser)
    parser.add_argument("--socket", help=SOCKET)
    parser.set_defaults(run=lambda arguments: command.grant(parser, arguments))
    text = "Show what they are told, without secrets."
    parser = nested.add_parser("render", help=text, description=text)
    _add_config(parser)
    parser.set_defaults(run=command.render)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, required=True, help="the configuration file with the section [trunk]"
    )


class _Carrier:
    """What the commands do."""

    def __init__(self, socket_of: Callable[[argparse.Namespace], str], run: Run, render: Render) -> None:
        self._socket_of = socket_of
        self._run = run
        self._render = render

    def run(self, arguments: argparse.Namespace) -> int:
        settings, socket = config.load(arguments.config), self._socket_of(arguments)
        through = shlex.split(arguments.through or "")

        def ask() -> CarrierGrant:
            return _through(through, CarrierGrant) if through else _granted(socket, arguments.part)

        try:
            return self._run(arguments.part, settings, lambda: _ask(ask), say)
        except NotGranted as refusal:
            raise refusal.__cause__ or refusal from None

    def grant(self, parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
        if not is_passed_on(sys.stdout):
            parser.error("secrets are printed into a pipe alone: not on a terminal, nor into a file")
        grant = _granted(self._socket_of(arguments), arguments.part)
        sys.stdout.buffer.write(msgspec.json.encode(grant) + b"\n")
        return OK

    def render(self, arguments: argparse.Namespace) -> int:
        print(self._render(config.load(arguments.config)), end="")
        return OK


def _ask(ask: Callable[[], CarrierGrant]) -> TrunkGrant:
    try:
        grant = ask()
    except NoNode as error:
        raise NotGranted(f"no node answers at {error}") from error
    except Refused as refused:
        problem = refused.problem
        raise NotGranted(words.refusal(problem.code, problem.title, problem.detail)) from refused
    return TrunkGrant(grant.shared, grant.password, grant.key)


def _granted(socket: str, part: Part) -> CarrierGrant:
    """Raises `NoNode` and `Refused`."""
    return call(socket, "carrier.grant", CarrierGrantParams(part), CarrierGrant, timeout=PATIENCE)


def _through(command: list[str], result: type[R]) -> R:
    """What a command prints. Raises `NoNode`."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=PATIENCE, check=True
        )
        return msgspec.json.decode(done.stdout, type=result)
    except subprocess.TimeoutExpired:
        raise NoNode(f"{command[0]}: no answer in time") from None
    except subprocess.CalledProcessError as error:
        raise NoNode(f"{command[0]}: exit code {error.returncode}") from None
    except OSError as error:
        raise NoNode(f"{command[0]}: {error.strerror}") from None
    except msgspec.DecodeError:
        raise NoNode(f"{command[0]}: what it prints is not what was asked for") from None
