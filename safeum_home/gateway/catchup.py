"""Bringing a device that was away up to date, exactly: what was missed, then what is live.

While pages are read and sent, live events are held back. When the last page is out, those that
it did not hold already follow, and the session is live. Where too many had to be held back they are
dropped and read from the database instead: nothing is lost, memory stays bounded.
"""

from collections.abc import Awaitable, Callable

from safeum_home.ports import MissedPage, Published

HELD_LIMIT = 1000
HELD_OCTETS = 512 * 1024


class CatchUp:
    """One device's way from a position to the present."""

    def __init__(
        self,
        read: Callable[[int], Awaitable[MissedPage]],
        send: Callable[[Published], None],
        writable: Callable[[], Awaitable[bool]],
    ) -> None:
        """`writable` waits until the client has taken what was sent; False when it is gone."""
        self._read = read
        self._send = send
        self._writable = writable
        self._held: list[Published] = []
        self._octets = 0
        self._overflowed = False

    def hold(self, event: Published) -> None:
        """A live event that has to wait for its turn."""
        self._octets += len(event.frame)
        if len(self._held) >= HELD_LIMIT or self._octets > HELD_OCTETS:
            self._held.clear()
            self._overflowed = True
        if not self._overflowed:
            self._held.append(event)

    async def run(self, after: int) -> int | None:
        """Send all behind `after`; the position reached, or None where the client went away.

        When it returns, the caller is live in the same turn: nothing can come between.
        """
        while True:
            page = await self._read(after)
            for event in page.events:
                self._send(event)
            after = page.position
            if not await self._writable():
                return None
            if page.more:
                continue
            if not self._overflowed:
                break
            self._overflowed = False
            self._octets = 0
        for event in self._held:
            if event.position > after:
                self._send(event)
                after = event.position
        self._held.clear()
        return after
