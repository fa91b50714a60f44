"""python -m tools.demo [PORT [NODE]]: two nodes at PORT and the next one of localhost, until Ctrl-C.

NODE is the name of a third one, which somebody else runs, and which may come to both.
"""

import sys
from collections.abc import Sequence

from safeum_home.errors import Problem
from safeum_home.ids import node_name
from safeum_home.node.free_port import PORT, check_free, port_number


def _read(given: Sequence[str]) -> tuple[int, str | None]:
    """The port, and the third node's name where there is one; raises SystemExit with a sentence."""
    port, guest = [*given, "", ""][:2]
    try:
        return port_number(port) if port else PORT, node_name(guest) if guest else None
    except Problem:
        raise SystemExit(f"{guest} is not the name of a node: localhost:9445 is one.") from None


def main(given: Sequence[str]) -> int:
    port, guest = _read(given)
    for each in (port, port + 1):
        check_free(each, "demo")
    # What is given amiss is said at once: all that a node is made of takes its time to load.
    from twisted.internet import reactor

    from tools.demo.show import show

    return show(reactor, port, guest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
