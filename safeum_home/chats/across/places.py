"""Places in the node's order for what another node has told."""

from safeum_home.chats.contents import Chat
from safeum_home.errors import Code, Problem
from safeum_home.ports import Database


class Places:
    """A place for a message, and a later one for what has changed with it.

    They are taken in the turn in which what uses them is handed to the database: `take` is `Applied.placed`.
    """

    def __init__(self, database: Database, chat: Chat) -> None:
        self._database = database
        self._chat = chat
        self._is_changing = False
        self.take()

    def take(self) -> None:
        """In the reactor's thread."""
        self._both = self._database.next_position(), self._database.next_position()
        self._is_changing = self._chat.stale

    def check(self) -> None:
        """In the writer's thread; raises `busy` where key and consent may be others than they were."""
        if self._is_changing:
            raise Problem(Code.BUSY, retry_after=1.0)

    @property
    def both(self) -> tuple[int, int]:
        """In the writer's thread; raises as `check` does."""
        self.check()
        return self._both
