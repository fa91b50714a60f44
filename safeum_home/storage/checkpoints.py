"""SQLite's log is folded into its file in a thread of its own: no commit waits for that.

What is committed meanwhile stays in the log, which is begun anew only where all of it was folded. So where
commits never pause the writer folds the rest itself, once the log is long, and waits for the thread first:
where the disk is slow the log would grow for ever else. See `Sqlite.committed`.
"""

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from queue import SimpleQueue
from threading import Lock, Thread


class Checkpoints:
    """Folds it when it is asked to, as far as no reader is in the way. For the writer's thread."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """`connect` opens a connection for the thread that calls it."""
        self._connect = connect
        self._asked: SimpleQueue[bool] = SimpleQueue()
        self._is_asked = False
        self._thread: Thread | None = None
        self.pages = 0
        """How many the log had when it was last folded."""
        self.folding = Lock()
        """Held while it is folded: whoever holds it has nobody in the way but readers."""

    def ask(self) -> None:
        """Fold what is committed by now, soon."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="storage checkpoints", daemon=True)
            self._thread.start()
        if not self._is_asked:
            self._is_asked = True
            self._asked.put(True)

    def close(self) -> None:
        """Return when what was asked for is done, and the thread has ended."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._asked.put(False)
            thread.join()

    def _run(self) -> None:
        with ExitStack() as stack:
            connection = None
            while self._asked.get():
                self._is_asked = False
                with self.folding:
                    try:
                        # One for all of them: each connection's first sync takes one of the folder as well.
                        connection = connection or stack.enter_context(closing(self._connect()))
                        [(_, self.pages, _)] = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                    except sqlite3.Error:
                        # The changes are stored all the same; what is wrong shows with the next ones. Not
                        # with this connection: what was opened while the disk was read-only remains so.
                        connection = None
                        stack.close()
