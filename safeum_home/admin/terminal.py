"""The operator's terminal: what is asked and said there, and the exit codes of commands."""

import getpass
import sys
from typing import TextIO

OK, REFUSED, USAGE, NO_NODE, NOT_YET = 0, 1, 2, 3, 4


def ask(prompt: str) -> str:
    """What is typed unseen, or the next line of standard input that is not empty; "" at the end."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt).strip()
    return next((line.strip() for line in sys.stdin if not line.isspace()), "")


def fail(code: int, text: str) -> int:
    """Say why a command failed; its exit code."""
    say(f"safeum-home: {text}", sys.stderr)
    return code


def say(text: str, file: TextIO | None = None) -> None:
    """Print what a node said: nothing of it is for the operator's terminal to obey."""
    print("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text), file=file)
