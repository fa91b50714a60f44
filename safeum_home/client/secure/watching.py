"""What members tell of what they have seen: by that a cut is seen, which leaves no gap behind."""

from collections.abc import Iterator

from safeum_home.client.secure.events import Event, Forked, Missing, Unseen
from safeum_home.client.secure.message import HALF, Inner, Seen
from safeum_home.client.secure.streams import Streams

PATIENCE = 60 * 1000
"""Milliseconds in which what somebody else has seen may come here."""
UNSEEN = 5 * 60 * 1000
"""Milliseconds after which what was said here should have come to others, and their clocks may differ by."""
MOST_OWED = 256
MOST_SENT = 256


class Watching:
    """Compares what others have seen with what has come here, and with what this program has said."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._owed: dict[bytes, tuple[Seen, str, int]] = {}
        """By stream: what somebody has seen of it, who, and since when that is known."""
        self._sent: dict[tuple[bytes, int], int] = {}
        """When this program has said what: stream and number."""
        self._reported: dict[str, tuple[bytes, int]] = {}
        """How far others have come in this program's stream."""
        self._warned: dict[str, tuple[bytes, int]] = {}

    def said(self, stream: bytes, number: int, now: int) -> None:
        """This program has said something."""
        self._sent[stream, number] = now
        if len(self._sent) > MOST_SENT:
            del self._sent[next(iter(self._sent))]

    def heard(self, by: str, inner: Inner, own: bytes, now: int) -> Iterator[Event]:
        """`by` has said something, and what it had seen; `own` is the stream of this program."""
        for seen in inner.seen:
            stream = self._streams.get(seen.stream)
            if stream is not None and stream.differs(seen.number, seen.half):
                yield Forked(by, stream.account)
            elif seen.stream == own:
                if self._reported.get(by, (own, 0)) < (own, seen.number):
                    self._reported[by] = (own, seen.number)
            elif self._streams.misses(seen) > 0:
                self._owe(seen, by, now)
        yield from self._unseen(by, inner.at, own)

    def _owe(self, seen: Seen, by: str, now: int) -> None:
        owed = self._owed.get(seen.stream)
        if owed is None and len(self._owed) < MOST_OWED:
            self._owed[seen.stream] = (seen, by, now)
        elif owed is not None and owed[0].number < seen.number:
            self._owed[seen.stream] = (seen, by, owed[2])

    def _unseen(self, by: str, at: int, own: bytes) -> Iterator[Event]:
        stream, last = self._reported.get(by, (own, 0))
        known = last if stream == own else 0
        due = [
            number
            for (stream, number), sent in self._sent.items()
            if stream == own and number > known and sent + UNSEEN < at
        ]
        if due and self._warned.get(by, (own, 0)) < (own, max(due)):
            self._warned[by] = (own, max(due))
            yield Unseen(by, len(due))

    def overdue(self, now: int) -> Iterator[Event]:
        """What others have seen, and has not come here within a minute; told once."""
        for name, (seen, by, since) in list(self._owed.items()):
            stream = self._streams.get(name)
            missing = self._streams.misses(seen)
            if missing <= 0:
                del self._owed[name]
                if stream is not None and stream.head == seen.number and stream.hash[:HALF] != seen.half:
                    yield Forked(by, stream.account)
            elif since + PATIENCE <= now:
                del self._owed[name]
                yield Missing(by, None if stream is None else stream.account, missing)
