"""Finds pumping: prefixes to which many codes are sent, and from which few ever come back.

Whoever earns by each message to numbers of his has codes sent there, and no use for them. So it is
counted, for each prefix, how many codes were entered and how many were not within a wait; where the
share that was entered is too small, nothing is sent to the prefix for a while.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from twisted.logger import Logger

from safeum_home.errors import Code, Problem

_AT_ONCE = 1000
"""Numbers that are judged at one time, however many are due: nobody is to wait for it."""


@dataclass(slots=True)
class _Sent:
    """Messages to one number since `at`, and whether a code that they brought was entered."""

    prefix: bytes
    at: float
    count: int = 0
    used: bool = False


@dataclass(slots=True)
class _Prefix:
    since: float
    used: int = 0
    unused: int = 0
    closed_until: float = 0.0


class Conversion:
    """Which prefixes are closed. Numbers and prefixes are keys: keyed hashes, not digits."""

    _log = Logger()

    def __init__(
        self,
        least: int,
        share: float,
        wait: float,
        closed: float,
        now: Callable[[], float],
        size: int = 65536,
    ) -> None:
        """A prefix closes for `closed` seconds where of `least` messages or more, each at least `wait`
        seconds old, less than `share` were of use. Counts are begun anew as often as that. At most `size`
        numbers and prefixes are held; beyond it the oldest are forgotten, which errs towards allowing.
        """
        self._least, self._share = least, share
        self._wait, self._closed = wait, closed
        self._now = now
        self._size = size
        self._sent: OrderedDict[bytes, _Sent] = OrderedDict()
        self._prefixes: OrderedDict[bytes, _Prefix] = OrderedDict()

    def __len__(self) -> int:
        return max(len(self._sent), len(self._prefixes))

    def check(self, prefix: bytes) -> None:
        """Raises `Problem(rate_limited)` while `prefix` is closed."""
        self._mature()
        counts = self._prefixes.get(prefix)
        if counts is not None and (left := counts.closed_until - self._now()) > 0:
            raise Problem(Code.RATE_LIMITED, retry_after=left)

    def sent(self, number: bytes, prefix: bytes) -> None:
        """A provider took a message to `number`."""
        # The wait counts from the first: sending again and again must not put off the verdict.
        self._sent.setdefault(number, _Sent(prefix, self._now())).count += 1
        while len(self._sent) > self._size:
            self._judge(self._sent.popitem(last=False)[1])

    def used(self, number: bytes) -> None:
        """A code that was sent to `number` was entered; after the wait that counts no more."""
        sent = self._sent.get(number)
        if sent is not None:
            sent.used = True

    def _mature(self) -> None:
        """Judge what has waited for long enough."""
        for _ in range(_AT_ONCE):
            number, oldest = next(iter(self._sent.items()), (b"", None))
            if oldest is None or oldest.at + self._wait > self._now():
                return
            del self._sent[number]
            self._judge(oldest)

    def _judge(self, sent: _Sent) -> None:
        counts = self._counts(sent.prefix)
        if counts.closed_until > self._now():
            # Sent before the verdict, which it is part of.
            return
        # One code that is entered makes up for those that its reader had to ask for again.
        counts.used += sent.used
        counts.unused += 0 if sent.used else sent.count
        total = counts.used + counts.unused
        if total >= self._least and counts.used < self._share * total:
            counts.used = counts.unused = 0
            counts.closed_until = counts.since = self._now() + self._closed
            self._log.critical(
                "ALARM: a prefix of numbers is closed for {seconds} seconds: "
                "of {total} codes that were sent there hardly any was entered.",
                seconds=round(self._closed),
                total=total,
            )

    def _counts(self, prefix: bytes) -> _Prefix:
        now = self._now()
        counts = self._prefixes.setdefault(prefix, _Prefix(now))
        self._prefixes.move_to_end(prefix)
        if now - counts.since > self._closed and counts.closed_until <= now:
            counts.since, counts.used, counts.unused = now, 0, 0
        while len(self._prefixes) > self._size:
            self._prefixes.popitem(last=False)
        return counts
