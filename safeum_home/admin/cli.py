"""`safeum-home`: the operator's command line.

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no node answers. Secrets are read from a hidden prompt
or from standard input, never from arguments, which every process of a machine can read.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

import msgspec

from safeum_home import __version__, config
from safeum_home.admin.caller import NoNode, Refused, call
from safeum_home.admin.wire import (
    DEFAULT_SOCKET,
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

OK, REFUSED, USAGE, NO_NODE = 0, 1, 2, 3
LONGEST_SECRET = 64 * 1024

Initialise = Callable[[Path, int, int], list[str]]
"""`initialise(state_dir, shares, threshold)` makes a node's root secret: its shares, or its words for 0."""

_ADVICE = """\
This is shown once and stored nowhere. Write it down by hand, on paper; give each share to another
person. Without it nobody can open the node's data, you included. Then clear this terminal."""


def main(argv: Sequence[str] | None = None, initialise: Initialise | None = None) -> int:
    """Run one command; its exit code. `init` is there where `initialise` is handed in."""
    arguments = _parser(initialise).parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except Refused as refused:
        return _fail(REFUSED, _sentence(refused.problem.title, refused.problem.detail))
    except Problem as problem:
        return _fail(REFUSED, _sentence(problem.code.value.title, problem.detail))
    except NoNode as error:
        return _fail(NO_NODE, f"No node answers at {error}")
    except config.ConfigError as error:
        return _fail(USAGE, str(error))
    except OSError as error:
        return _fail(REFUSED, f"{error.filename or 'input'}: {error.strerror}")
    except (KeyboardInterrupt, EOFError):
        return _fail(REFUSED, "Interrupted.")


def _parser(initialise: Initialise | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="safeum-home", description="Operate a SafeUM Home node.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    online = argparse.ArgumentParser(add_help=False)
    online.add_argument("--socket", help=f"the node's socket ($SAFEUM_ADMIN_SOCKET, or {DEFAULT_SOCKET})")
    online.add_argument("--config", type=Path, help="the node's configuration file, which names its socket")

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, parents=[online])
        command.set_defaults(run=run)
        return command

    if initialise is not None:
        _add_init(commands, initialise)
    add("unseal", _unseal, "Feed the root secret to the node: its words, or shares, one a line.")
    add("status", _status, "Show how the node is.").add_argument("--json", action="store_true")
    secret = commands.add_parser("secret", help="Keep credentials and keys in the node's sealed store.")
    commands = secret.add_subparsers(required=True, metavar="COMMAND")
    add("set", _set_secret, "Keep a secret, read from a prompt or standard input.").add_argument("name")
    add("list", _list_secrets, "Show the names of all secrets.")
    add("delete", _delete_secret, "Delete a secret.").add_argument("name")
    return parser


def _add_init(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", make: Initialise) -> None:
    text = "Make a new node's root secret and keyring, and show the root secret once."
    init = commands.add_parser("init", help=text, description=text)
    init.add_argument("--state-dir", type=Path, required=True)
    init.add_argument("--words", action="store_true", help="as 24 words (the default)")
    init.add_argument("--shares", type=int, metavar="N", help="as N shares")
    init.add_argument("--threshold", type=int, metavar="K", help="of which any K are enough")
    init.add_argument("--yes-print", action="store_true", help="print it even where that is not a terminal")

    def run(arguments: argparse.Namespace) -> int:
        shares, threshold = arguments.shares, arguments.threshold
        if (shares is None) != (threshold is None) or (arguments.words and shares is not None):
            init.error("give either --words, or --shares with --threshold")
        if shares is not None and (not 1 <= threshold <= shares <= 16 or threshold == 1 < shares):
            init.error("at most 16 shares, of which 2 or more are needed")
        if not (sys.stdout.isatty() or arguments.yes_print):
            init.error("the root secret is not printed into a file or pipe without --yes-print")
        _show(make(arguments.state_dir, shares or 0, threshold or 0), threshold)
        return OK

    init.set_defaults(run=run)


def _show(texts: list[str], threshold: int | None) -> None:
    count = len(texts)
    head = "The root secret:" if threshold is None else f"{count} shares; any {threshold} open the node:"
    print(f"{head}\n", file=sys.stderr)
    for number, text in enumerate(texts, 1):
        if sys.stdout.isatty():
            words = text.split()
            label = "" if threshold is None else f"Share {number} of {count}\n"
            rows = (words[start : start + 6] for start in range(0, len(words), 6))
            print(label + "\n".join("    " + " ".join(f"{word:<10}" for word in row) for row in rows) + "\n")
        else:
            print(text)
    sys.stdout.flush()
    print(_ADVICE, file=sys.stderr)


def _unseal(arguments: argparse.Namespace) -> int:
    socket = _socket(arguments)
    state = call(socket, "status", Params(), Status)
    progress = Progress(state.state, state.have, state.needed)
    if progress.state not in ("sealed", "unsealing"):
        print("The node is open already.")
        return OK
    while text := _ask(f"Words or share{_of(progress)}: "):
        try:
            progress = call(socket, "unseal", UnsealParams(text), Progress)
        except Refused as refused:
            if not sys.stdin.isatty():
                raise
            _say(_sentence(refused.problem.title, refused.problem.detail), sys.stderr)
            continue
        if progress.state == "open":
            print("The node is open.")
            return OK
        print(f"Taken{_of(progress)}.")
    print(f"The node is not open yet{_of(progress)}.", file=sys.stderr)
    return OK if progress.have else REFUSED


def _of(progress: Progress) -> str:
    return f" ({progress.have} of {progress.needed} shares)" if progress.needed else ""


def _ask(prompt: str) -> str:
    """What is typed unseen, or the next line of standard input that is not empty; "" at the end."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt).strip()
    return next((line.strip() for line in sys.stdin if not line.isspace()), "")


def _status(arguments: argparse.Namespace) -> int:
    status = call(_socket(arguments), "status", Params(), Status)
    if arguments.json:
        print(msgspec.json.encode(status).decode())
        return OK
    rows = {
        "node": f"{status.node} (SafeUM Home {status.version})",
        "state": status.state + _of(Progress(status.state, status.have, status.needed)),
        "keys held in": status.memory,
        "core dumps": "off" if status.core_dumps_off else "POSSIBLE",
        "database": status.database,
        "clients at": ", ".join(status.listening) or "nowhere yet",
        "connections": str(status.connections),
        "health at": status.health or "no address of its own",
    }
    for name, value in rows.items():
        _say(f"{name:<14}{value}")
    return OK


def _set_secret(arguments: argparse.Namespace) -> int:
    if sys.stdin.isatty():
        value = getpass.getpass(f"Value of {arguments.name}: ").encode()
    else:
        # One line end is what `echo` adds; files of keys do not miss it.
        value = sys.stdin.buffer.read(LONGEST_SECRET + 2).removesuffix(b"\n")
    if not 0 < len(value) <= LONGEST_SECRET:
        return _fail(REFUSED, "A secret has 1 to 65536 octets.")
    call(_socket(arguments), "secret.set", SetSecretParams(arguments.name, value), Done)
    return OK


def _list_secrets(arguments: argparse.Namespace) -> int:
    for name in call(_socket(arguments), "secret.list", Params(), Names).names:
        _say(name)
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


def _sentence(title: str, detail: str | None) -> str:
    return f"{title} ({detail})" if detail else title


def _fail(code: int, text: str) -> int:
    _say(f"safeum-home: {text}", sys.stderr)
    return code


def _say(text: str, file: TextIO | None = None) -> None:
    """Print what a node said: nothing of it is for the operator's terminal to obey."""
    print("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text), file=file)
