"""Ends calls at the edge whose Janus is gone, so that the carrier hears of it."""

import sqlite3
from collections.abc import Callable
from queue import Empty, Full, Queue
from threading import Thread

from safeum_home.trunk.memory import Call, EdgeMemory
from safeum_home.trunk.rpc import NoAnswer

AGAIN = 2.0
"""Seconds after which it is tried again, `TRIES` times."""
TRIES = 5
NOBODY = ""
"""The session of no Janus."""
_STOP = None

Ask = Callable[..., bool]
"""`rpc.ask`, of a Kamailio: `ask(method, *params)`."""


class Ending:
    """A thread that does it: asking takes its time, while what Kamailio says has to be read on."""

    def __init__(self, memory: EdgeMemory, ask: Ask, say: Callable[[str], None]) -> None:
        self._memory = memory
        self._ask = ask
        self._say = say
        self._sessions: Queue[str | None] = Queue(1000)
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def but(self, session: str) -> None:
        """End all calls that are not of a session."""
        try:
            self._sessions.put_nowait(session)
        except Full:
            self._say("Calls of a Janus that is gone are ended later: it comes and goes too often.")

    def stop(self) -> None:
        self._sessions.put(_STOP)
        self._thread.join(AGAIN)

    def _run(self) -> None:
        session = self._sessions.get()
        while session is not _STOP:
            session = self._end(session)

    def _end(self, session: str) -> str | None:
        """End them; what comes next."""
        for _ in range(TRIES):
            is_done = self._end_all(session)
            try:
                return self._sessions.get(timeout=None if is_done else AGAIN)
            except Empty:
                continue
        self._say("Calls of a Janus that is gone could not all be ended.")
        return self._sessions.get()

    def _end_all(self, session: str) -> bool:
        """Whether there were none any more."""
        try:
            calls = self._memory.others(session)
            for call in calls:
                self._end_one(call)
        except sqlite3.Error as error:
            self._say(f"Calls of a Janus that is gone are ended later: {error}")
            return False
        return not calls

    def _end_one(self, call: Call) -> None:
        try:
            if call.id is None:
                done = self._ask("tm.cancel", call.reference, str(call.cseq))
            else:
                done = self._ask("dlg.end_dlg", call.entry, call.id)
        except NoAnswer:
            return
        if not done:
            # There is no such call any more.
            self._memory.forget(call.reference)
