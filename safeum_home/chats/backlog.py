"""What a device has missed: the durable events of all sources, merged into one order."""

from collections.abc import Sequence

from sqlalchemy import Connection

from safeum_home.chats.settled import settled
from safeum_home.ids import AccountId
from safeum_home.ports import Database, Missed, MissedPage, Source
from safeum_home.storage import node

PAGE = 200
PAGE_OCTETS = 256 * 1024


class Backlog:
    """Reads the events behind a position, a page at a time."""

    def __init__(self, database: Database, sources: Sequence[Source]) -> None:
        self._database = database
        self._sources = sources

    async def page(self, account: AccountId, after: int) -> MissedPage:
        """The next events of `account` behind `after`: nothing left out, nothing twice."""

        def read(c: Connection) -> MissedPage:
            # One snapshot for all: what moves on while it is read (a receipt, a contact) is in none of them.
            missed = [source(c, account, after, PAGE) for source in self._sources]
            return _merge(missed, after, node.committed(c))

        # Whoever asks is told first of what is on disk and not told yet, so that he can leave it out.
        return await settled(self._database, read)


def _merge(missed: Sequence[Missed], after: int, complete: int) -> MissedPage:
    upto = min([complete, *[part.upto for part in missed if part.upto is not None]])
    events = [event for part in missed for event in part.events if event.position <= upto]
    events.sort(key=lambda event: event.position)
    octets = 0
    for count, event in enumerate(events):
        octets += len(event.frame)
        if octets > PAGE_OCTETS and count:
            events = events[:count]
            upto = events[-1].position
            break
    return MissedPage(events, max(upto, after), upto < complete)
