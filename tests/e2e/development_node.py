"""A development node whose certificate goes where the caller says: `PORT CERTIFICATE`."""

import sys
from pathlib import Path
from typing import Any

from safeum_home.node.development import DevelopmentNode


def main() -> None:
    from twisted.internet import reactor

    runs: Any = reactor
    node = DevelopmentNode(reactor, int(sys.argv[1]), Path(sys.argv[2]))
    runs.callWhenRunning(node.startService)
    runs.addSystemEventTrigger("before", "shutdown", node.stopService)
    runs.run()
