"""What becomes of what Kamailio tells: calls of a Janus that is gone are ended, records go to the node."""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

from safeum_home.grants.trunk import EdgeRecord
from safeum_home.trunk import rpc, told
from safeum_home.trunk.ending import NOBODY, Ending
from safeum_home.trunk.memory import EdgeMemory
from safeum_home.trunk.sending import Send, Sending

LOST = "Janus does not answer any more: its calls are ended."
ANEW = "Janus has registered anew."
GIVEN_UP = "Records of calls were given up: the node takes none for long."


class Edge:
    """Takes lines with a mark, without waiting for anything but a file in memory."""

    def __init__(self, path: Path, socket: Path, send: Send, say: Callable[[str], None]) -> None:
        """`path` is of its own rows, and `socket` where Kamailio is asked."""
        self._memory = EdgeMemory(path)
        self._say = say
        self._ending = Ending(self._memory, partial(rpc.ask, socket), say)
        self._sending = Sending(self._memory, send, say)

    @property
    def session(self) -> str:
        """Of the Janus whose calls go on, as far as Kamailio had told before it was started anew."""
        return self._memory.session

    def start(self) -> None:
        self._ending.start()
        self._sending.start()

    def stop(self) -> None:
        self._ending.stop()
        self._sending.stop()

    def take(self, text: str) -> None:
        """What stood behind a mark."""
        try:
            self._take(told.read(text))
        except sqlite3.Error as error:
            self._say(f"What Kamailio tells of calls could not be kept: {error}")

    def _take(self, said: told.Told | None) -> None:
        match said:
            case told.Present(session):
                self._say(ANEW)
                self._memory.present(session)
                self._ending.but(session)
            case told.Lost():
                self._say(LOST)
                self._ending.but(NOBODY)
            case told.Begun():
                self._memory.begun(said)
            case told.Answered():
                self._memory.answered(said)
            case EdgeRecord():
                if self._memory.add(said):
                    self._say(GIVEN_UP)
                self._sending.more()
            case None:
                self._say("Kamailio has told something that is not understood.")
