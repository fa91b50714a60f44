"""What a device has missed: the durable events of all sources, merged into one order."""

from collections.abc import Sequence
from typing import NamedTuple

from twisted.internet.defer import Deferred, gatherResults

from safeum_home.ids import AccountId
from safeum_home.ports import Database, Published, Source
from safeum_home.storage import node

PAGE = 200


class Page(NamedTuple):
    """Events in order; the device is then current up to `position`, and `more` may follow."""

    events: list[Published]
    position: int
    more: bool


class Backlog:
    """Reads the events behind a position, a page at a time."""

    def __init__(self, database: Database, sources: Sequence[Source]) -> None:
        self._database = database
        self._sources = sources

    async def page(self, account: AccountId, after: int) -> Page:
        """The next events of `account` behind `after`: nothing left out, nothing twice.

        Each source is read in a snapshot of its own, so what lies behind the oldest of them is left
        for the next page.
        """
        complete = await self._database.read(node.committed)
        reads: list[Deferred[list[Published]]] = [source(account, after, PAGE) for source in self._sources]
        lists = await gatherResults(reads, consumeErrors=True)
        upto = complete
        for events in lists:
            if len(events) >= PAGE:
                upto = min(upto, events[-1].position)
        merged = [event for events in lists for event in events if event.position <= upto]
        merged.sort(key=lambda event: event.position)
        return Page(merged, max(upto, after), upto < complete)
