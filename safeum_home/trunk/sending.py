"""Hands records of calls to the node, as soon as it takes them."""

import sqlite3
from collections.abc import Callable, Sequence
from threading import Event, Thread

from safeum_home.grants.trunk import EdgeRecord
from safeum_home.grants.turn import NotGranted
from safeum_home.trunk.memory import EdgeMemory

BATCH = 100
SOON = 5.0
"""Seconds after which a node that does not take them is asked again."""
LAST = 10.0
"""Seconds that the last ones have."""

Send = Callable[[Sequence[EdgeRecord]], None]
"""Hands them to the node, which keeps them from then on; raises `NotGranted`."""


class Sending:
    """A thread that does it: a node may take its time, or be away for long."""

    def __init__(self, memory: EdgeMemory, send: Send, say: Callable[[str], None]) -> None:
        self._memory = memory
        self._send = send
        self._say = say
        self._due, self._over = Event(), Event()
        self._is_refused = False
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._due.set()
        self._thread.start()

    def more(self) -> None:
        """There is another one."""
        self._due.set()

    def stop(self) -> None:
        """What is there is handed over first, if the node takes it now; if not, it stays where it is."""
        self._over.set()
        self._due.set()
        self._thread.join(LAST)

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            while not self._hand_over() and not self._over.wait(SOON):
                pass
            if self._over.is_set():
                return

    def _hand_over(self) -> bool:
        """Whether all were taken."""
        try:
            while self._hand_over_some():
                self._is_refused = False
        except (NotGranted, sqlite3.Error) as refusal:
            if not self._is_refused:
                self._say(f"The node does not take records of calls now, they are kept: {refusal}")
            self._is_refused = True
            return False
        return True

    def _hand_over_some(self) -> bool:
        """Whether there were any. Raises `NotGranted` and sqlite3.Error."""
        number, records = self._memory.oldest(BATCH)
        if records:
            self._send(records)
            self._memory.drop(number)
        return bool(records)
