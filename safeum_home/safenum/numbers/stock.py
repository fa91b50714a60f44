"""A range of numbers, and their order when given: one that tells nobody who signed up after whom."""

from enum import IntEnum
from hashlib import blake2b
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from safeum_home.ports import Key

MOST_OF_RANGE = 10_000_000
"""Numbers of a range."""
_ROUNDS = 4
_encoder = msgspec.msgpack.Encoder()


class State(IntEnum):
    """Of a range, as the database has it: never renumbered."""

    OPEN = 1
    """There are numbers that nobody has had yet."""
    SPENT = 2
    """There are none."""
    WITHDRAWN = 3
    """None of it is given any more; who has one keeps it."""


class StockRecord(Struct, frozen=True):
    """`first` and `last` are E.164 with the plus; the first `drawn` of `count` have had an owner."""

    first: str
    last: str
    country: str
    capabilities: tuple[str, ...]
    order: Annotated[bytes, Meta(min_length=16, max_length=16)]
    """By which the order is found; random."""
    drawn: int = 0

    @property
    def count(self) -> int:
        return int(self.last) - int(self.first) + 1

    def has(self, number: str) -> bool:
        """Whether a number is of this range."""
        return len(number) == len(self.first) and self.first <= number <= self.last

    def number(self, at: int) -> str:
        """The number that is given as the one with index `at`, from 0."""
        return f"+{int(self.first) + permuted(self.order, at, self.count)}"


def permuted(key: bytes, at: int, count: int) -> int:
    """Where `at` stands in an order of 0 to `count` - 1 that nobody knows without `key`.

    A Feistel network walks until it is within `count` (Black and Rogaway, Ciphers with Arbitrary Finite
    Domains, section 4.2): four steps at most on average.
    """
    half = max(1, ((count - 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    while True:
        left, right = at >> half, at & mask
        for turn in range(_ROUNDS):
            data = b"%d %d" % (turn, right)
            left, right = right, left ^ int.from_bytes(blake2b(data, key=key, digest_size=8).digest()) & mask
        at = left << half | right
        if at < count:
            return at


def seal(key: Key, record: StockRecord, stock: int) -> bytes:
    """For the row of this number."""
    return key.seal(_encoder.encode(record), _context(stock))


def unseal(key: Key, sealed: bytes, stock: int) -> StockRecord:
    """Raises `Tampered`."""
    return msgspec.msgpack.decode(key.open(sealed, _context(stock)), type=StockRecord)


def _context(stock: int) -> bytes:
    return b"number stock\0" + stock.to_bytes(8, "big")
