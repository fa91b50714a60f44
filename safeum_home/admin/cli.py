"""`safeum-home`: the operator's command line.

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no node answers, 4 done as far as it goes, but the node
does not serve (`status`, `unseal`), or the shares are not enough (`shares check`). Secrets are read from a
hidden prompt or from standard input, never from arguments, which every process of a machine can read.
"""

import argparse
import getpass
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from safeum_home import __version__, config
from safeum_home.admin import (
    calls_cli,
    control_cli,
    federation_cli,
    invite_cli,
    money_cli,
    numbers_cli,
    payments_cli,
    push_cli,
    words,
)
from safeum_home.admin.caller import NoNode, Refused, call
from safeum_home.admin.carrier_cli import add_carrier
from safeum_home.admin.offline import Offline, add_commands
from safeum_home.admin.parser import Parser
from safeum_home.admin.support_cli import add_support
from safeum_home.admin.terminal import NO_NODE, NOT_YET, OK, REFUSED, USAGE, ask, fail, say
from safeum_home.admin.turn_cli import add_turn
from safeum_home.admin.wire import (
    DEFAULT_SOCKET,
    BackupParams,
    Copied,
    Done,
    Names,
    Params,
    Progress,
    SecretParams,
    SetSecretParams,
    Status,
    UnsealParams,
)
from safeum_home.errors import Problem

LONGEST_SECRET = 64 * 1024
R = TypeVar("R", bound=msgspec.Struct)
OPENING_SECONDS = 30.0
"""How long `unseal` waits for a node to open before it tells how far it is."""


def main(argv: Sequence[str] | None = None, offline: Offline | None = None) -> int:
    """Run one command; its exit code. Those that need no node are there where they are handed in."""
    arguments = _parser(offline).parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except Refused as refused:
        return fail(REFUSED, _refusal(refused))
    except Problem as problem:
        return fail(REFUSED, words.problem(problem))
    except NoNode as error:
        return fail(NO_NODE, f"No node answers at {error}")
    except config.ConfigError as error:
        return fail(USAGE, str(error))
    except BrokenPipeError:
        # Whoever read the output has had enough; Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except OSError as error:
        return fail(REFUSED, f"{error.filename or 'input'}: {error.strerror}")
    except (KeyboardInterrupt, EOFError):
        return fail(REFUSED, "Interrupted.")


def _parser(offline: Offline | None) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = Parser(prog="safeum-home", description="Operate a SafeUM Home node.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    parser.set_defaults(socket=None, config=None, json=False)
    # What is not given is not set: so it may stand before a nested command or behind it.
    online = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    online.add_argument("--socket", help=f"the node's socket ($SAFEUM_ADMIN_SOCKET, or {DEFAULT_SOCKET})")
    online.add_argument("--config", type=Path, help="the node's configuration file, which names its socket")

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, parents=[online])
        command.set_defaults(run=run)
        return command

    as_json = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    as_json.add_argument("--json", action="store_true", help="as one line of JSON")

    def add_online(
        commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
        name: str,
        run: Callable[[argparse.Namespace], int],
        text: str,
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, parents=[online, as_json])
        command.set_defaults(run=run)
        return command

    if offline is not None:
        add_commands(commands, offline)
        add_turn(commands, _socket, offline.relay)
        add_carrier(commands, _socket, offline.carrier, offline.render_carrier)
    control_cli.add_commands(commands, add_online, _ask_node)
    invite_cli.add_commands(commands, add_online, _ask_node)
    federation_cli.add_commands(commands, add_online, _ask_node)
    push_cli.add_commands(commands, add_online, _ask_node)
    calls_cli.add_commands(commands, add_online, _ask_node)
    money_cli.add_commands(commands, add_online, _ask_node)
    payments_cli.add_commands(commands, add_online, _ask_node)
    numbers_cli.add_commands(commands, add_online, _ask_node)
    add("unseal", _unseal, "Feed the root secret to the node: its words, or shares, one a line.")
    add("status", _status, "Show how the node is.").add_argument("--json", action="store_true")
    add("backup", _backup, "Copy the database, while the node runs.").add_argument("path", type=Path)
    add_support(commands, online, _socket)
    secret = commands.add_parser("secret", help="Keep credentials and keys in the node's sealed store.")
    commands = secret.add_subparsers(required=True, metavar="COMMAND")
    add("set", _set_secret, "Keep a secret, read from a prompt or standard input.").add_argument("name")
    add("list", _list_secrets, "Show the names of all secrets.")
    add("delete", _delete_secret, "Delete a secret.").add_argument("name")
    return parser


def _unseal(arguments: argparse.Namespace) -> int:
    socket = _socket(arguments)
    state = call(socket, "status", Params(), Status)
    if state.state == "not_initialised":
        return fail(REFUSED, words.NEXT_STEPS[state.state])
    progress = Progress(state.state, state.have, state.needed)
    if progress.state not in ("sealed", "unsealing"):
        print("The node was unsealed before.")
        return _tell_how_far(socket)
    while text := ask(f"Words or share{words.of_shares(progress)}: "):
        try:
            progress = call(socket, "unseal", UnsealParams(text), Progress)
        except Refused as refused:
            if not sys.stdin.isatty():
                raise
            say(_refusal(refused), sys.stderr)
            continue
        if progress.state == "open":
            print("The root secret is right.")
            return _tell_how_far(socket)
        print(f"Taken{words.of_shares(progress)}.")
    print(f"The node is not open yet{words.of_shares(progress)}.", file=sys.stderr)
    return NOT_YET


def _tell_how_far(socket: str) -> int:
    """Wait while the node opens; say how it is then."""
    deadline = time.monotonic() + OPENING_SECONDS
    while (status := call(socket, "status", Params(), Status)).state == "opening":
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    say(f"The node is {words.state(status)}")
    return _code(status)


def _code(status: Status) -> int:
    return OK if status.state == "ok" else NOT_YET


def _backup(arguments: argparse.Namespace) -> int:
    path = arguments.path.absolute()
    copied = call(_socket(arguments), "backup", BackupParams(str(path)), Copied, timeout=None)
    say(f"{path}: {copied.size} octets")
    return OK


def _status(arguments: argparse.Namespace) -> int:
    status = call(_socket(arguments), "status", Params(), Status)
    if arguments.json:
        print(msgspec.json.encode(status).decode())
        return _code(status)
    for name, value in words.rows(status).items():
        say(f"{name:<14}{value}")
    return _code(status)


def _set_secret(arguments: argparse.Namespace) -> int:
    if sys.stdin.isatty():
        value = getpass.getpass(f"Value of {arguments.name}: ").encode()
    else:
        # One line end is what `echo` adds; files of keys do not miss it.
        value = sys.stdin.buffer.read(LONGEST_SECRET + 2).removesuffix(b"\n")
    if not 0 < len(value) <= LONGEST_SECRET:
        return fail(REFUSED, "A secret has 1 to 65536 octets.")
    call(_socket(arguments), "secret.set", SetSecretParams(arguments.name, value), Done)
    return OK


def _list_secrets(arguments: argparse.Namespace) -> int:
    for name in call(_socket(arguments), "secret.list", Params(), Names).names:
        say(name)
    return OK


def _delete_secret(arguments: argparse.Namespace) -> int:
    call(_socket(arguments), "secret.delete", SecretParams(arguments.name), Done)
    return OK


def _socket(arguments: argparse.Namespace) -> str:
    if arguments.socket:
        return str(arguments.socket)
    if arguments.config is not None:
        return str(config.load(arguments.config).admin_socket)
    return os.environ.get("SAFEUM_ADMIN_SOCKET", DEFAULT_SOCKET)


def _ask_node(arguments: argparse.Namespace, method: str, params: Params, result: type[R]) -> R:
    return call(_socket(arguments), method, params, result)


def _refusal(refused: Refused) -> str:
    return words.refusal(refused.problem.code, refused.problem.title, refused.problem.detail)
