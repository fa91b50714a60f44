"""How octets are laid out: numbers are big-endian, texts and lists have their length before them."""

from hashlib import blake2b

from safeum_home.client.secure.refused import Reason, Refused

HASH = 32


def digest(octets: bytes, person: bytes, size: int = HASH) -> bytes:
    """BLAKE2b (RFC 7693) without a key; `person` says what is hashed, and is filled up with zeros to 16."""
    return blake2b(octets, digest_size=size, person=person).digest()


def number(value: int, size: int = 8) -> bytes:
    """An integer of `size` octets."""
    return value.to_bytes(size, "big")


def text(value: str) -> bytes:
    """UTF-8, its length before it in two octets."""
    octets = value.encode()
    return number(len(octets), 2) + octets


class Reader:
    """Takes octets apart from their beginning; raises `Refused(MALFORMED)` where there are too few."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.at = 0

    def take(self, size: int) -> bytes:
        taken = self._octets[self.at : self.at + size]
        if len(taken) != size:
            raise malformed()
        self.at += size
        return taken

    def number(self, size: int = 8) -> int:
        """An integer of `size` octets, below 2^53: so that every language has it."""
        value = int.from_bytes(self.take(size), "big")
        if value >= 2**53:
            raise malformed()
        return value

    def text(self, most: int) -> str:
        """A text of at most `most` octets."""
        size = self.number(2)
        if size > most:
            raise malformed()
        try:
            return self.take(size).decode()
        except UnicodeDecodeError:
            raise malformed() from None

    def rest(self) -> bytes:
        return self.take(len(self._octets) - self.at)

    def end(self) -> None:
        """There is nothing more."""
        if self.at != len(self._octets):
            raise malformed()


def malformed() -> Refused:
    return Refused(Reason.MALFORMED)
