"""The `safeum-home` command: the operator's command line, with what it needs to make a new node."""

from collections.abc import Sequence
from pathlib import Path

from safeum_home.admin import cli


def initialise(state_dir: Path, shares: int, threshold: int) -> list[str]:
    """Make a root secret and the keyring under it: the root's shares, or its words where `shares` is 0.

    Raises `already_initialised`, and OSError.
    """
    # Every other command does without these, and starts in half the time.
    from safeum_home.sealing import root, vault
    from safeum_home.sealing.hardening import harden_process
    from safeum_home.sealing.memory import Arena

    harden_process()
    secret = root.generate(Arena())
    texts = root.split(secret, threshold, shares) if shares else [root.to_words(secret)]
    vault.initialise(secret, state_dir)
    secret.wipe()
    return texts


def main(argv: Sequence[str] | None = None) -> int:
    """The console script; its exit code."""
    return cli.main(argv, initialise)
