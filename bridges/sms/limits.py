"""What is asked before a message is sent: who wants it, whereto, and what the day can still bear.

SMS pumping, sending to numbers whose owner earns by it, costs the node real money. So each message
counts against its client's network, its number, its prefix and a wider prefix, and the node's day.
Keys are keyed hashes under a key of this start: no number stays in memory for the sake of counting.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import blake2b

from bridges.sms.conversion import Conversion
from bridges.sms.spend import DayBudget
from safeum_home.config import SmsSection
from safeum_home.limits import RateLimit, network

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Taken:
    """What a message was counted against."""

    number: bytes = field(repr=False)
    prefix: bytes = field(repr=False)
    area: bytes = field(repr=False)
    day: int


class SendLimits:
    """All limits of sending. `key` is the key of the hashes."""

    def __init__(self, section: SmsSection, now: Callable[[], float], key: bytes | None = None) -> None:
        def each(per_hour: float, burst: int) -> RateLimit:
            return RateLimit(per_hour / HOUR, burst, now)

        self._key = key or os.urandom(32)
        self._digits, self._area_digits = section.prefix_digits, section.area_digits
        self._addresses = each(section.address_per_hour, section.address_burst)
        self._numbers = each(section.number_per_hour, section.number_burst)
        self._prefixes = each(section.prefix_per_hour, section.prefix_burst)
        self._areas = each(section.area_per_hour, section.area_burst)
        self.conversion = Conversion(
            section.conversion_messages,
            section.conversion_share,
            section.conversion_wait_seconds,
            section.conversion_closed_seconds,
            now,
        )
        self.budget = DayBudget(
            section.messages_per_day, section.cost_per_day, section.price, section.prices, now
        )

    def take(self, number: str, host: str) -> Taken:
        """Count a message; raises `Problem(rate_limited)` with `retry_after`.

        Asking counts for the client in any case; for the rest, only what is let through does.
        """
        keys = self._of(number)
        self._addresses.take(self._hash(b"address", network(host)))
        self.conversion.check(keys.prefix)
        with ExitStack() as undo:
            for limit, key in self._pairs(keys):
                limit.take(key)
                undo.callback(limit.give_back, key)
            taken = Taken(keys.number, keys.prefix, keys.area, self.budget.take(number))
            undo.pop_all()
        return taken

    def give_back(self, number: str, taken: Taken) -> None:
        """No provider can have got the message."""
        for limit, key in self._pairs(taken):
            limit.give_back(key)
        self.budget.give_back(number, taken.day)

    def refused(self, number: str, taken: Taken) -> None:
        """A provider refused the number, so nothing was sent and nothing is to be paid."""
        self.budget.give_back(number, taken.day)

    def sent(self, taken: Taken) -> None:
        """A provider took the message."""
        self.conversion.sent(taken.number, taken.prefix)

    def used(self, number: str) -> None:
        """The code that was sent to `number` was entered."""
        self.conversion.used(self._of(number).number)

    def _pairs(self, keys: Taken) -> Iterable[tuple[RateLimit, bytes]]:
        return (
            (self._numbers, keys.number),
            (self._prefixes, keys.prefix),
            (self._areas, keys.area),
        )

    def _of(self, number: str) -> Taken:
        digits = number.removeprefix("+")
        return Taken(
            self._hash(b"number", digits),
            self._hash(b"prefix", digits[: self._digits]),
            self._hash(b"area", digits[: self._area_digits]),
            0,
        )

    def _hash(self, person: bytes, text: str) -> bytes:
        return blake2b(text.encode(), digest_size=16, key=self._key, person=person).digest()
