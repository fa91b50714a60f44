"""`safeum-home carrier`: runs the processes between a node and a carrier, with what the node gives."""

import argparse
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from safeum_home import config
from safeum_home.admin import words
from safeum_home.admin.caller import NoNode, Refused, call
from safeum_home.admin.carrier_wire import (
    PARTS,
    CarrierGrant,
    CarrierGrantParams,
    CarrierRecordsParams,
    Part,
    Passed,
)
from safeum_home.admin.terminal import OK, say
from safeum_home.admin.turn_cli import is_passed_on
from safeum_home.admin.wire import MAX_LINE, Done
from safeum_home.grants.trunk import EdgeRecord, TrunkGrant
from safeum_home.grants.turn import NotGranted

PATIENCE = 10.0
"""Seconds in which a node answers."""
SOCKET = "the node's socket, where it is not the one of the configuration"
Send = Callable[[Sequence[EdgeRecord]], None]
Run = Callable[[Part, config.Config, Callable[[], TrunkGrant], Send, Callable[[str], None]], int]
"""`run(part, config, ask, send, say)` runs Kamailio or Janus until it ends: the exit code.

`send` hands records of calls to the node. All raise `NotGranted`; it raises `Problem` and OSError too."""
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
            "--through", metavar="COMMAND", help=f"a command that has `carrier pass {part}` run at the node"
        )
        parser.set_defaults(run=command.run, part=part)
    text = "Pass on what one of them needs, or tells, that runs elsewhere: from a pipe, and into one."
    parser = nested.add_parser("pass", help=text, description=text)
    parser.add_argument("part", choices=PARTS)
    _add_config(parser)
    parser.add_argument("--socket", help=SOCKET)
    parser.set_defaults(run=lambda arguments: command.pass_on(parser, arguments))
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

        def passed(what: Passed) -> CarrierGrant:
            return _through(through, what) if through else _at_node(socket, arguments.part, what)

        def ask() -> TrunkGrant:
            grant = _asked(lambda: passed(Passed()))
            return TrunkGrant(grant.shared, grant.password)

        def send(records: Sequence[EdgeRecord]) -> None:
            _asked(lambda: passed(Passed(list(records))))

        try:
            return self._run(arguments.part, settings, ask, send, say)
        except NotGranted as refusal:
            # At the start: a command that is refused is refused as all others are.
            raise refusal.__cause__ or refusal from None

    def pass_on(self, parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
        if not is_passed_on(sys.stdout):
            parser.error("secrets are printed into a pipe alone: not on a terminal, nor into a file")
        try:
            what = msgspec.json.decode(sys.stdin.buffer.readline(MAX_LINE) or b"{}", type=Passed)
        except msgspec.DecodeError:
            parser.error("what comes on standard input is not what `carrier` passes on")
        grant = _at_node(self._socket_of(arguments), arguments.part, what)
        sys.stdout.buffer.write(msgspec.json.encode(grant) + b"\n")
        return OK

    def render(self, arguments: argparse.Namespace) -> int:
        print(self._render(config.load(arguments.config)), end="")
        return OK


def _asked(ask: Callable[[], CarrierGrant]) -> CarrierGrant:
    """Raises `NotGranted`."""
    try:
        return ask()
    except NoNode as error:
        raise NotGranted(f"no node answers at {error}") from error
    except Refused as refused:
        problem = refused.problem
        raise NotGranted(words.refusal(problem.code, problem.title, problem.detail)) from refused


def _at_node(socket: str, part: Part, what: Passed) -> CarrierGrant:
    """Ask or tell the node itself. Raises `NoNode` and `Refused`."""
    if what.records is None:
        return call(socket, "carrier.grant", CarrierGrantParams(part), CarrierGrant, timeout=PATIENCE)
    call(socket, "carrier.records", CarrierRecordsParams(what.records), Done, timeout=PATIENCE)
    return CarrierGrant("")


def _through(command: list[str], what: Passed) -> CarrierGrant:
    """What a command prints that is given something. Raises `NoNode`."""
    try:
        line = msgspec.json.encode(what) + b"\n"
        done = subprocess.run(command, input=line, stdout=subprocess.PIPE, timeout=PATIENCE, check=True)
        return msgspec.json.decode(done.stdout, type=CarrierGrant)
    except subprocess.TimeoutExpired:
        raise NoNode(f"{command[0]}: no answer in time") from None
    except subprocess.CalledProcessError as error:
        raise NoNode(f"{command[0]}: exit code {error.returncode}") from None
    except OSError as error:
        raise NoNode(f"{command[0]}: {error.strerror}") from None
    except msgspec.DecodeError:
        raise NoNode(f"{command[0]}: what it prints is not what `carrier pass` does") from None
