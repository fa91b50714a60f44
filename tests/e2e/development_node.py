"""A development node whose certificate goes where the caller says: `PORT CERTIFICATE`."""

import sys
from pathlib import Path
from typing import Any

from safeum_home import ids
from safeum_home.node.development import DevelopmentNode


def main() -> None:
    from twisted.internet import reactor

    runs: Any = reactor
    node = DevelopmentNode(reactor, int(sys.argv[1]), Path(sys.argv[2]))
    runs.callWhenRunning(node.startService)
    runs.addSystemEventTrigger("before", "shutdown", node.stopService)
    runs.run()


def with_numbers_for_logins() -> None:
    """One at which a number is a login without a text message: contact sync looks at the login alone."""
    plain = ids.username
    vars(ids)["username"] = lambda text: text if ids.is_number(text) else plain(text)
    main()
