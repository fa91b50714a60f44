"""The configurations as they are shown: with nothing in them that is secret."""

from collections.abc import Iterator
from pathlib import Path

from safeum_home.config_trunk import TrunkSection
from safeum_home.errors import Code, Problem
from safeum_home.grants.trunk import TrunkGrant
from safeum_home.trunk import janus, kamailio

HIDDEN = "*****"
NO_TRUNK = "there is no trunk in the configuration: trunk.carriers"


def render(section: TrunkSection) -> str:
    """All files, one after another. Raises `wrong_state` where there is no trunk."""
    if not section.carriers:
        raise Problem(Code.WRONG_STATE, NO_TRUNK)
    return "".join(f"# ===== {name}\n{text}\n" for name, text in _files(section))


def _files(section: TrunkSection) -> Iterator[tuple[str, str]]:
    folder = Path("/run/safeum-carrier")
    paths = kamailio.Paths(folder / "calls.sqlite", folder / "rpc")
    yield "kamailio.cfg", kamailio.configuration(section, TrunkGrant(HIDDEN, HIDDEN), paths, HIDDEN)
    yield "janus.jcfg", janus.configuration(section, HIDDEN, HIDDEN, folder)
    yield from janus.others(section).items()
