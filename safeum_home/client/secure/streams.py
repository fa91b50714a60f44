"""What has come of whom: gaps, replays and forks in the streams of envelopes of a chat.

A stream begins where a program that takes part begins to say something, and each envelope in it names the one
before. So two devices of an account never give the same number, nor does one that has lost its memory.
"""

from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from safeum_home.client.secure.envelope import NONE, Head
from safeum_home.client.secure.message import HALF, MOST_SEEN, Seen
from safeum_home.client.secure.refused import Reason, Refused

WINDOW = 2048
"""Hashes that are kept of a stream: of what is further back it is not told whether it was there."""
MOST_MISSING = 1024
MOST_NAMED = 256
PER_ACCOUNT = 8
"""Streams that are kept of an account: those that began last."""


class Verdict(Enum):
    """What an envelope is to its stream."""

    NEW = auto()
    LATE = auto()
    """It was missing."""
    AGAIN = auto()
    """It was there already."""


class Noted(NamedTuple):
    """A verdict, with the numbers that are missing before it."""

    verdict: Verdict
    gap: range = range(0)


class Stream:
    """One stream. `head` is the highest number that has come, or that the vault knows."""

    def __init__(self, account: str, head: int = 0, hash: bytes = NONE) -> None:
        self.account = account
        self.head = head
        self.hash = hash
        self._known: dict[int, bytes] = {head: hash}
        """Hashes by number: of what has come, and of what was named by the next one."""
        self._come: set[int] = set()
        self.in_vault = 0
        """The vault knows of this number, and of all before."""
        self.missing: set[int] = set()

    def note(self, head: Head, hash: bytes, live: bool) -> Noted:
        """An envelope that its sender has signed; raises `Refused`: FORKED, REPLAYED."""
        number = head.number
        if self._differs(number, hash) or self._differs(number - 1, head.previous):
            raise Refused(Reason.FORKED)
        if number in self._come:
            return Noted(Verdict.AGAIN)
        if not live:
            self._keep(number, hash, head.previous)
            return Noted(Verdict.NEW if number > self.in_vault else Verdict.AGAIN)
        gap = range(0)
        if number > self.head:
            gap = range(self.head + 1, number)
            self.missing.update(gap[-MOST_MISSING:])
            verdict = Verdict.NEW
        elif number in self.missing:
            verdict = Verdict.LATE
        else:
            raise Refused(Reason.REPLAYED)
        self._keep(number, hash, head.previous)
        return Noted(verdict, gap)

    def differs(self, number: int, half: bytes) -> bool:
        """Whether somebody has seen another envelope of this number."""
        return number in self._known and self._known[number][:HALF] != half

    def _differs(self, number: int, hash: bytes) -> bool:
        return self._known.get(number, hash) != hash

    def _keep(self, number: int, hash: bytes, previous: bytes) -> None:
        self._come.add(number)
        self.missing.discard(number)
        self._known[number], self._known[number - 1] = hash, previous
        if number > self.head:
            self.head, self.hash = number, hash
        if len(self._known) > 2 * WINDOW:
            self._known = {each: known for each, known in self._known.items() if each > self.head - WINDOW}
            self._come = {each for each in self._come if each > self.head - WINDOW}


class Streams:
    """All streams of a chat. `since` is when this account came to know the chat, in milliseconds."""

    def __init__(self, since: int) -> None:
        self._since = since
        self._back = 0
        """When this account was let in again, in milliseconds, where it was out."""
        self._named: dict[bytes, int] = {}
        """Of streams of before, of which nothing has come since: how far they were when told of first."""
        self._unheard: set[bytes] = set()
        """Streams of before, of which nothing has come since: what is missing in them was said meanwhile."""
        self._streams: dict[bytes, Stream] = {}
        self._floors: dict[str, int] = {}
        """Of accounts: streams that began then or before are not kept any more."""
        self._moved: dict[bytes, None] = {}
        """Streams that have grown since this account has said something, the newest last."""
        self._ends: dict[bytes, tuple[int, bytes]] = {}
        """Own streams of which a node did not take all: the last number that it took, and its hash."""

    def knows_since(self, since: int) -> None:
        """All that was said before `since` is known: of what began later the first ones have to come."""
        self._since = min(self._since, since)

    def let_in_again(self, now: int, by: bytes) -> None:
        """This account was out: each stream, but for `by`, has yet to show where it is now."""
        self._back = now
        self._named.clear()
        self._unheard = set(self._streams) - {by}

    def restore(self, account: str, floor: int, heads: Iterable[tuple[bytes, int, bytes]]) -> None:
        """As they were in the vault. What has come since is further."""
        self._floors[account] = max(floor, self._floors.get(account, 0))
        for stream, number, hash in heads:
            known = self._streams.get(stream)
            if known is None:
                known = self._streams[stream] = Stream(account, number, hash)
                known.in_vault = number
            elif known.head < number:
                known.head, known.hash = number, hash

    def note(self, head: Head, account: str, hash: bytes, live: bool) -> Noted:
        """An envelope that `account` has signed; raises `Refused`."""
        stream = self._streams.get(head.stream)
        if stream is None:
            stream = self._begin(head, account, live)
        if stream.account != account:
            raise Refused(Reason.FORKED)
        noted = stream.note(head, hash, live)
        if head.stream not in self._streams:
            self._streams[head.stream] = stream
            self._trim(account)
        if noted.verdict is Verdict.NEW and live:
            if head.stream in self._unheard:
                self._unheard.discard(head.stream)
                noted = Noted(noted.verdict)
            self._moved.pop(head.stream, None)
            self._moved[head.stream] = None
        return noted

    def _begin(self, head: Head, account: str, live: bool) -> Stream:
        if live and head.began <= self._floors.get(account, -1):
            raise Refused(Reason.REPLAYED)
        # What was said before this account knew the chat, or while it was out, is no gap.
        heard = live and self._is_of_before(head.stream)
        return Stream(account, head.number - 1, head.previous) if heard else Stream(account)

    def _is_of_before(self, stream: bytes) -> bool:
        """Whether it has begun before this account was in, and nothing of it has come since."""
        if stream in self._streams:
            return stream in self._unheard
        return int.from_bytes(stream[:8], "big") < max(self._since, self._back)

    def _trim(self, account: str) -> None:
        own = sorted(stream for stream, each in self._streams.items() if each.account == account)
        for stream in own[: max(0, len(own) - PER_ACCOUNT)]:
            del self._streams[stream]
            self._moved.pop(stream, None)
            self._ends.pop(stream, None)
            self._unheard.discard(stream)
            self._floors[account] = max(self._floors.get(account, 0), int.from_bytes(stream[:8], "big"))

    def has(self, account: str) -> bool:
        """Whether it has said anything."""
        return any(each.account == account for each in self._streams.values())

    def get(self, stream: bytes) -> Stream | None:
        return self._streams.get(stream)

    def end_before(self, head: Head) -> None:
        """A stream that others have no more of. All before that, and of others, is to be said once more to
        have been seen: nobody has heard what was said of it meanwhile."""
        known, _ = self._ends.get(head.stream, (head.number, NONE))
        if head.number - 1 <= known and head.stream in self._streams:
            self._ends[head.stream] = head.number - 1, head.previous
        moved = {stream: None for stream in self._streams if stream not in self._moved} | self._moved
        moved.pop(head.stream, None)
        self._moved = moved | {head.stream: None} if head.stream in self._streams else moved

    def misses(self, seen: Seen) -> int:
        """How many up to one that somebody has seen should have come, and have not: 0 or less where none.

        Of a stream of before, whatever was there when it is named first was said before this account was in.
        """
        stream = self._streams.get(seen.stream)
        head = 0 if stream is None else stream.head
        if self._is_of_before(seen.stream):
            head = max(head, self._named.setdefault(seen.stream, seen.number))
            if len(self._named) > MOST_NAMED:
                del self._named[next(iter(self._named))]
        return seen.number - head

    def seen(self, own: bytes) -> tuple[Seen, ...]:
        """What this account has seen since it has said something: at most 8, the newest, and not `own`."""
        moved = [stream for stream in self._moved if stream != own][-MOST_SEEN:]
        self._moved.clear()
        known = ((stream, self._streams[stream]) for stream in moved)
        heads = ((stream, *self._ends.get(stream, (each.head, each.hash))) for stream, each in known)
        return tuple(Seen(stream, number, hash[:HALF]) for stream, number, hash in heads if number)

    def heads(self) -> Iterator[tuple[str, int, list[tuple[bytes, int, bytes]]]]:
        """For the vault: accounts, with their floor and the heads of their streams."""
        for account in sorted({each.account for each in self._streams.values()} | self._floors.keys()):
            own = [
                (stream, each.head, each.hash)
                for stream, each in sorted(self._streams.items())
                if each.account == account and each.head
            ]
            yield account, self._floors.get(account, 0), own
