"""What the command line does without a node. It is handed in: this package does not reach that far."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from safeum_home import config
from safeum_home.admin import words
from safeum_home.admin.carrier_cli import Render, Run
from safeum_home.admin.terminal import NOT_YET, OK, REFUSED, ask, say
from safeum_home.admin.turn_cli import Relay
from safeum_home.errors import Problem


class Check(Protocol):
    """Looks at words and shares."""

    complete: bool
    """A whole root secret was there."""

    def take(self, text: str, /) -> str:
        """What is to be said of words or a share; raises a `Problem`."""


@dataclass(frozen=True, slots=True)
class Offline:
    """All of it blocks, and raises `Problem` and OSError."""

    initialise: Callable[[Path, int, int], list[str]]
    """`initialise(state_dir, shares, threshold)` makes a root secret: its shares, or its words for 0."""

    check: Callable[[Path | None], Check]
    """`check(state_dir)`; where one is given, it is tried whether it can be opened."""

    restore: Callable[[config.Config, Path, bool], Path | None]
    """`restore(config, backup, force)` puts a backup in place; where the former database is now."""

    relay: Relay
    """It asks a node, but for the relay's secrets only."""

    carrier: Run
    """So does this, for those of the processes towards a carrier, and tells it of calls."""

    render_carrier: Render


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", offline: Offline) -> None:
    """`init`, `restore` and `shares check`."""
    _add_init(commands, offline)
    text = "Put a backup of an SQLite database in place. The node must not run."
    put_back = commands.add_parser("restore", help=text, description=text)
    put_back.add_argument("path", type=Path)
    put_back.add_argument("--config", type=Path, required=True, help="the node's configuration file")
    put_back.add_argument(
        "--force", action="store_true", help="also where the keyring was turned after the backup was made"
    )
    put_back.set_defaults(run=lambda arguments: _restore(arguments, offline))
    shares = commands.add_parser("shares", help="Look at shares and words, without a node.")
    nested = shares.add_subparsers(required=True, metavar="COMMAND")
    text = "Tell whether words or shares are well-formed, belong together and are enough."
    check = nested.add_parser("check", help=text, description=text)
    check.add_argument("--state-dir", type=Path, help="see whether they open this state directory")
    check.set_defaults(run=lambda arguments: _check_shares(arguments, offline))


def _add_init(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", offline: Offline) -> None:
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
            init.error("the threshold is from 2 to the number of shares, which is 16 at most")
        if not (sys.stdout.isatty() or arguments.yes_print):
            init.error("the root secret is not printed into a file or pipe without --yes-print")
        _show(offline.initialise(arguments.state_dir, shares or 0, threshold or 0), threshold)
        return OK

    init.set_defaults(run=run)


def _restore(arguments: argparse.Namespace, offline: Offline) -> int:
    aside = offline.restore(config.load(arguments.config), arguments.path, arguments.force)
    say("The backup is in place.")
    if aside is not None:
        say(f"What was there is now {aside}: delete it, with its -wal and -shm, when it is of no more use.")
    return OK


def _show(texts: list[str], threshold: int | None) -> None:
    count = len(texts)
    head = "The root secret:" if threshold is None else f"{count} shares; any {threshold} open the node:"
    print(f"{head}\n", file=sys.stderr)
    for number, text in enumerate(texts, 1):
        if sys.stdout.isatty():
            row_words = text.split()
            label = "" if threshold is None else f"Share {number} of {count}\n"
            rows = (row_words[start : start + 6] for start in range(0, len(row_words), 6))
            print(label + "\n".join("    " + " ".join(f"{word:<10}" for word in row) for row in rows) + "\n")
        else:
            print(text)
    sys.stdout.flush()
    print(words.advice(threshold), file=sys.stderr)


def _check_shares(arguments: argparse.Namespace, offline: Offline) -> int:
    check = offline.check(arguments.state_dir)
    refused = False
    while text := ask("Words or share (nothing to end): "):
        try:
            say(check.take(text))
        except Problem as problem:
            refused = True
            say(words.problem(problem), sys.stderr)
    if refused:
        return REFUSED
    if not check.complete:
        say("These are not enough to open anything.", sys.stderr)
    return OK if check.complete else NOT_YET
