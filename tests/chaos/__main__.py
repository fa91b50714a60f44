"""python -m tests.chaos [SECONDS] [SEED]: `make chaos`. Needs namespaces; docs/chaos.md.

The first process puts the second one into namespaces of its own, which does all the rest.
"""

import subprocess
import sys
import time
from pathlib import Path

from twisted.internet.task import react

from tests.chaos.network import alone, impossible
from tests.chaos.run import main
from tests.e2e.needs import tool

SECONDS = 1800.0


def outside(seconds: float, seed: int) -> int:
    """The status of the second process."""
    for name, package in (("ip", "iproute2"), ("iptables", "iptables"), ("nsenter", "util-linux")):
        tool(name, package)
    reason = impossible()
    if reason is not None:
        print(reason)
        return 1
    command = alone(sys.executable, "-m", "tests.chaos", "--inside", str(seconds), str(seed))
    return subprocess.run(command, cwd=Path(__file__).parent.parent.parent, check=False).returncode


if __name__ == "__main__":
    inside = sys.argv[1:2] == ["--inside"]
    given = sys.argv[2 if inside else 1 :]
    length = float(given[0]) if given else SECONDS
    number = int(given[1]) if len(given) > 1 else int(time.time())
    if inside:
        react(main, (length, number))
    sys.exit(outside(length, number))
