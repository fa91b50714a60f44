"""What is passed on of what Kamailio and Janus say: no number, no address, nothing that a carrier wrote."""

import re
from collections.abc import Callable

from safeum_home.daemon_log import ADDRESS, ProgramLog

EDGE_SERVES = "The edge serves."
JANUS_SERVES = "Janus serves."
_BEGINS = "WebSockets thread started"
"""The last of Janus' that is of importance."""
_EDGE_TELLING = re.compile(r"ERROR|CRITICAL|ALERT|EMERGENCY|BUG|WARNING")
_JANUS_TELLING = re.compile(r"\[(ERR|FATAL)\]|\[WARN\]|error|cannot|fail", re.I)
_WRITTEN = re.compile(r"[\[<\"'`{].*")
"""From here on it may quote a message."""
_NUMBER = re.compile(r"\+?\d{5,}")
_URI = re.compile(r"\b(?:sips?|tel):\S+", re.I)
_PLACE = re.compile(r"\A\s*\d*\(\d+\) ([A-Z]+): (\S+ \[[\w./-]+:\d+\]: \w+\(\)): ")
"""What Kamailio's lines begin with: the process, the level, the module and where in it."""
_JANUS_PLACE = re.compile(r"\A\[ERR\] \[([a-z/_-]{1,60}\.c:[a-z_]{1,60}:\d{1,4})\] ")
"""What Janus' errors begin with: where in its source. No number fits in, whoever writes what looks so."""


class EdgeLog(ProgramLog):
    """Kamailio's. What begins with a mark that nobody else knows is for `marked`, not for the operator."""

    def __init__(self, now: Callable[[], float], mark: str, marked: Callable[[str], None]) -> None:
        super().__init__(now, f"{mark} serves", EDGE_SERVES, _EDGE_TELLING)
        self._mark = mark
        self._marked = marked

    def is_taken(self, text: str) -> bool:
        before, found, rest = text.partition(self._mark)
        rest = rest.lstrip(" ;")
        if not found or rest == "serves":
            return False
        # A record has it in its midst.
        if before.endswith("mark="):
            rest = f"record {before.partition('(): ')[2].removesuffix('mark=')}{rest}"
        self._marked(rest)
        return True

    def redacted(self, text: str) -> str:
        place = _PLACE.match(text)
        if place is None:
            return _hidden(text)
        return f"{place[1]}: {place[2]}: {_hidden(text[place.end() :])}"


class JanusLog(ProgramLog):
    """Janus'."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now, _BEGINS, JANUS_SERVES, _JANUS_TELLING)

    def redacted(self, text: str) -> str:
        if (place := _JANUS_PLACE.match(text)) is not None:
            # What follows may quote a description, without a mark of where it begins.
            return f"[ERR] {place[1]}: ..."
        level, found, rest = text.partition("] ")
        return f"{level}{found}{_hidden(rest)}" if found else _hidden(text)


def _hidden(text: str) -> str:
    text = _NUMBER.sub("(number)", ADDRESS.sub("(address)", _URI.sub("(uri)", text)))
    return _WRITTEN.sub("...", text)
