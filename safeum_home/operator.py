"""The `safeum-home` command: the operator's command line, with what it does without a node."""

from collections.abc import Callable, Sequence
from pathlib import Path

from safeum_home.admin import cli
from safeum_home.admin.offline import Check, Offline
from safeum_home.config import Config
from safeum_home.errors import Code, Problem
from safeum_home.grants.trunk import EdgeRecord, TrunkGrant
from safeum_home.grants.turn import RelayGrant

# What needs more than a socket is imported where it is used: other commands start in half the time.


def initialise(state_dir: Path, shares: int, threshold: int) -> list[str]:
    """Make a root secret and the keyring under it: the root's shares, or its words where `shares` is 0.

    Raises `already_initialised`, `unsafe_source` where others may enter the directory, and OSError.
    """
    from safeum_home.sealing import root, vault
    from safeum_home.sealing.hardening import harden_process
    from safeum_home.sealing.memory import Arena

    harden_process()
    if state_dir.exists():
        _check_state_dir(state_dir)
    secret = root.generate(Arena())
    texts = root.split(secret, threshold, shares) if shares else [root.to_words(secret)]
    vault.initialise(secret, state_dir)
    secret.wipe()
    return texts


def check(state_dir: Path | None) -> Check:
    """Looks at words and shares, and whether they open a state directory."""
    from safeum_home.sealing.check import ShareCheck
    from safeum_home.sealing.hardening import harden_process
    from safeum_home.sealing.memory import Arena

    harden_process()
    return ShareCheck(Arena(), state_dir)


def restore(config: Config, backup: Path, force: bool) -> Path | None:
    """Put a backup in the place of a stopped node's database: where the former one is now.

    Raises `wrong_state` while a node runs, `invalid_params` where the backup is no good, or the keyring
    was turned since and it is not forced, and OSError.
    """
    from safeum_home.admin.service import is_answered
    from safeum_home.node.opening import embedded
    from safeum_home.storage import copies
    from safeum_home.storage.backend import DatabaseInUse

    database = embedded(config)
    if database is None:
        raise Problem(Code.INVALID_PARAMS, "this database is a server's: pg_restore puts it back")
    _check_state_dir(config.state_dir)
    try:
        if not is_answered(config.admin_socket):
            return copies.restore(database, backup, force)
    except DatabaseInUse:
        pass
    raise Problem(Code.WRONG_STATE, "the node runs: stop it first")


def relay(config: Config, ask: Callable[[], RelayGrant], say: Callable[[str], None]) -> int:
    """Run the relay of calls until it ends: its exit code. Raises as `turn.running.run` does."""
    from safeum_home.sealing.hardening import harden_process
    from safeum_home.turn.running import run

    harden_process()
    return run(config.turn, config.node.name, ask, say)


def carrier(
    part: str,
    config: Config,
    ask: Callable[[], TrunkGrant],
    send: Callable[[Sequence[EdgeRecord]], None],
    say: Callable[[str], None],
) -> int:
    """Run Kamailio or Janus until it ends: its exit code. Raises as `trunk.running.run_edge` does."""
    from safeum_home.sealing.hardening import harden_process
    from safeum_home.trunk.running import run_edge, run_janus

    harden_process()
    if part == "janus":
        return run_janus(config.trunk, ask, say)
    return run_edge(config.trunk, ask, send, say)


def render_carrier(config: Config) -> str:
    """What Kamailio and Janus are told, without secrets. Raises `wrong_state` where there is no trunk."""
    from safeum_home.trunk.rendering import render

    return render(config.trunk)


def _check_state_dir(path: Path) -> None:
    from safeum_home.node.startup import StartError, check_state_dir

    try:
        check_state_dir(path)
    except StartError as error:
        raise Problem(Code.UNSAFE_SOURCE, str(error)) from None


def main(argv: Sequence[str] | None = None) -> int:
    """The console script; its exit code."""
    return cli.main(argv, Offline(initialise, check, restore, relay, carrier, render_carrier))
