"""Running Kamailio and Janus, each with its own secrets and no others, which are in memory alone."""

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from safeum_home.config_trunk import TrunkSection, split
from safeum_home.daemon import Owner, becoming, owner_of, program, sealed
from safeum_home.errors import Code, Problem
from safeum_home.grants.trunk import TrunkGrant
from safeum_home.trunk import janus, kamailio
from safeum_home.trunk.edge import Edge
from safeum_home.trunk.log import EdgeLog, JanusLog
from safeum_home.trunk.place import edge_database, fresh, kept, place
from safeum_home.trunk.rendering import NO_TRUNK
from safeum_home.trunk.sending import Send
from safeum_home.trunk.supervising import running

Say = Callable[[str], None]
Ask = Callable[[], TrunkGrant]
"""Asks the node; raises `NotGranted`."""


def run_edge(section: TrunkSection, ask: Ask, send: Send, say: Say) -> int:
    """Run Kamailio until it ends: its exit code. `say` takes lines for the operator.

    Raises `NotGranted`, `unsafe_source`, `wrong_state` where something is missing, and OSError.
    """
    path = program(kamailio.PROGRAM, kamailio.PACKAGES)
    owner = _owner(section, section.kamailio_user, "trunk.kamailio_user")
    grant = ask()
    with place("edge", os.environ) as folder:
        database = kept(folder, "calls", owner) / "calls.sqlite"
        edge_database(database, owner)
        inner = fresh(folder, "run", owner)
        paths = kamailio.Paths(database, inner / "rpc")
        mark = _mark(folder / "mark")
        edge = Edge(folder / "calls.sqlite", paths.rpc, send, say)
        text = kamailio.configuration(section, grant, paths, mark, edge.session)
        descriptor = sealed("kamailio.cfg", text, owner)
        low = min(split(each)[1] for each in (section.listen, section.inside)) < 1024
        command = [*becoming(owner, low), path, "-DD", "-E", "-m", "64", "-M", "8", "-Y", str(inner)]
        command += ["-f", f"/proc/self/fd/{descriptor}"]
        edge.start()
        try:
            log = EdgeLog(time.monotonic, mark, edge.take)
            return _serve("Kamailio", command, descriptor, log, say)
        finally:
            edge.stop()


def run_janus(section: TrunkSection, ask: Ask, say: Say) -> int:
    """Run Janus until it ends, as `run_edge`."""
    path = program(janus.PROGRAM, janus.PACKAGE)
    owner = _owner(section, section.janus_user, "trunk.janus_user")
    grant = ask()
    with place("janus", os.environ) as folder:
        inner = fresh(folder, "run", Owner(os.geteuid(), os.getegid()))
        _put_janus_files(section, inner)
        text = janus.configuration(section, grant.shared, secrets.token_hex(32), inner)
        descriptor = sealed("janus.jcfg", text, owner)
        # By its ending Janus knows which language it is in.
        name = inner / "janus.jcfg"
        name.symlink_to(f"/proc/self/fd/{descriptor}")
        command = [*becoming(owner), path, "-F", str(inner), "-C", str(name)]
        return _serve("Janus", command, descriptor, JanusLog(time.monotonic), say)


def _serve(name: str, command: list[str], descriptor: int, log: EdgeLog | JanusLog, say: Say) -> int:
    def take(octets: bytes) -> None:
        for line in log.take(octets):
            say(line)

    with running(name, command, [descriptor], take) as supervised:
        code = supervised.serve(say)
    if code:
        for line in log.ended():
            say(line)
    return code


def _owner(section: TrunkSection, user: str, setting: str) -> Owner:
    if not section.carriers:
        raise Problem(Code.WRONG_STATE, NO_TRUNK)
    return owner_of(user, setting)


def _mark(path: Path) -> str:
    """The same as long as the calls that were begun with it may go on."""
    if not path.exists():
        fresh_path = path.with_suffix(".new")
        fresh_path.unlink(missing_ok=True)
        with open(os.open(fresh_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"#{secrets.token_hex(16)}")
        fresh_path.rename(path)
    return path.read_text(encoding="ascii")


def _put_janus_files(section: TrunkSection, folder: Path) -> None:
    """They are ours, and Janus only reads them."""
    folder.chmod(0o755)
    try:
        libraries = janus.libraries()
    except FileNotFoundError as error:
        raise Problem(Code.WRONG_STATE, f"{error}: apt-get install {janus.PACKAGE}") from None
    for name in ("plugins", "transports", "none"):
        (folder / name).mkdir()
        (folder / name).chmod(0o755)
    for name, library in libraries.items():
        (folder / name).symlink_to(library)
    for name, text in janus.others(section).items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o644)
