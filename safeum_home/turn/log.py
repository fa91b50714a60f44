"""What is passed on of coturn's log."""

import re
from collections.abc import Callable

from safeum_home.daemon_log import LONGEST as LONGEST
from safeum_home.daemon_log import MOST as MOST
from safeum_home.daemon_log import ProgramLog

SERVES = "The relay serves."
_BEGINS = "Total General servers"
"""The last that coturn says before it does."""
_TELLING = re.compile(r"error|warning|fatal|cannot|fail|bind", re.I)
"""The rest of what it says is of its inner life."""


class RelayLog(ProgramLog):
    """`daemon_log.ProgramLog` of coturn."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now, _BEGINS, SERVES, _TELLING)
