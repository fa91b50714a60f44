"""Argon2id in a pool of its own: bounded, so that a flood of logins cannot starve the node."""

from unicodedata import normalize

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads

from safeum_home.accounts.work_pool import WorkPool
from safeum_home.config import PasswordSection
from safeum_home.errors import Code, Problem

PIN_OPERATIONS, PIN_MEMORY = 2, 64 * 1024 * 1024
"""What a PIN costs, whatever `[passwords]` says: PINs that are set already cannot be hashed anew, and where
they cost something else than nobody's do, the time for a wrong one tells who has any."""
_COMMON = frozenset(
    [
        "password",
        "password1",
        "passw0rd",
        "12345678",
        "123456789",
        "1234567890",
        "qwertyui",
        "qwerty123",
        "qwertyuiop",
        "iloveyou",
        "11111111",
        "00000000",
        "abc12345",
        "abcd1234",
        "1q2w3e4r",
        "1qaz2wsx",
        "letmein1",
        "football",
        "baseball",
        "sunshine",
        "princess",
        "superman",
        "whatever",
        "trustno1",
        "starwars",
        "computer",
        "michelle",
        "jennifer",
        "internet",
        "asdfghjk",
        "asdfghjkl",
        "87654321",
        "66666666",
        "88888888",
        "password123",
        "welcome1",
        "admin123",
        "changeme",
        "monkey123",
        "dragon123",
    ]
)


class PasswordHasher:
    """Hashes and verifies passwords with libsodium's Argon2id (which releases the GIL).

    More than `threads + queue` at once are refused with `rate_limited`.
    """

    def __init__(self, reactor: IReactorFromThreads, section: PasswordSection) -> None:
        self._section = section
        self._pool = WorkPool(reactor, "passwords", section.threads, section.queue)
        self._memory = section.memory_mib * 1024 * 1024
        self._pin_cost = PIN_OPERATIONS, PIN_MEMORY
        self._dummy = argon2id.str(b"", opslimit=section.operations, memlimit=self._memory).decode("ascii")

    def start(self) -> None:
        self._pool.start()

    def stop(self) -> None:
        """Wait for the hashes that are under way, which blocks; those that wait fail with `shutting_down`."""
        self._pool.stop()

    def check_strength(self, password: str, username: str) -> None:
        """Raise `weak_password` where a password is too short, very common, or the login itself."""
        if len(password) < self._section.minimum_length:
            raise Problem(Code.WEAK_PASSWORD, f"at least {self._section.minimum_length} characters")
        if password.lower() == username:
            raise Problem(Code.WEAK_PASSWORD, "it is the login")
        if password.lower() in _COMMON:
            raise Problem(Code.WEAK_PASSWORD, "it is among the most common ones")

    def outdated(self, hashed: str) -> bool:
        """Whether `hashed` was made at another cost than is configured now.

        It would give an account away: whoever is unknown is verified at the present cost.
        """
        cost = f"$m={self._memory // 1024},t={self._section.operations},p=1$"
        return cost not in hashed

    def hash(self, password: str) -> "Deferred[str]":
        """The password's hash in the PHC string format."""

        def run() -> str:
            data = _octets(password)
            hashed = argon2id.str(data, opslimit=self._section.operations, memlimit=self._memory)
            return hashed.decode("ascii")

        return self._pool.run(run)

    def verify(self, password: str, hashed: str | None) -> "Deferred[bool]":
        """Whether `password` has the hash `hashed`. Without one it costs the same and is False."""

        def run() -> bool:
            try:
                argon2id.verify((hashed or self._dummy).encode("ascii"), _octets(password))
            except InvalidkeyError:
                return False
            return hashed is not None

        return self._pool.run(run)

    def pin_cost(self) -> tuple[int, int]:
        """Operations and octets of memory that a PIN takes."""
        return self._pin_cost

    def pin_verifier(self, pin: str, salt: bytes, operations: int, memory: int) -> "Deferred[bytes]":
        """What a PIN (ASCII) is recognised by: 32 octets of Argon2id under a salt of 16."""
        return self._pool.run(
            lambda: argon2id.kdf(32, pin.encode(), salt, opslimit=operations, memlimit=memory)
        )


def _octets(password: str) -> bytes:
    """A password as it is hashed: in NFC (RFC 8265 section 4.2), since systems differ in how they write é."""
    return normalize("NFC", password).encode()
