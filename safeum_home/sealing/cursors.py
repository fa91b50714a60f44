"""Cursors: positions in the node's order of events, as texts that tell nothing.

A cursor is one AES-128 block (FIPS 197) over `position (8, big endian) || zeros (8)`, in base64url
without padding: 22 characters. The zeros make a made-up cursor pass once in 2**64 tries.
"""

from binascii import Error, a2b_base64, b2a_base64
from threading import local

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from safeum_home.errors import Code, Problem
from safeum_home.ids import Cursor
from safeum_home.sealing.memory import Slot

CURSOR_KEY_SIZE = 16
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/", b"+/!!")
_LAST = frozenset("AQgw")
_ZEROS = bytes(8)


class _Ciphers(local):
    """The ciphers of one thread, made when it first needs them.

    Those of `cryptography` are not to be shared: `update` may let go of the GIL, and then fails in whoever
    else calls it. Looking them up costs 0.04 us.
    """

    def __init__(self, slot: Slot) -> None:
        # One block with a unique input each: the mode is of no matter.
        cipher = Cipher(AES(slot.view()), ECB())  # noqa: S305 - see above
        self.encrypt = cipher.encryptor().update
        self.decrypt = cipher.decryptor().update


class SealedCursors:
    """`ports.Cursors` under a key of 16 octets, whose slot it owns. Any thread may use it.

    OpenSSL keeps its own copies of this key, in memory that is not locked: it hides how many events a
    node has seen, and nothing else.
    """

    __slots__ = ("_ciphers", "_slot")

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._ciphers = _Ciphers(slot)

    def wipe(self) -> None:
        """Zero the key; twice is harmless. No further thread can use it."""
        self._slot.wipe()

    def encode(self, position: int) -> Cursor:
        """`position` is 0 or more, below 2**64."""
        block = self._ciphers.encrypt(position.to_bytes(8, "big") + _ZEROS)
        return Cursor(b2a_base64(block, newline=False).translate(_TO_URL, b"=").decode())

    def decode(self, cursor: str) -> int:
        """Raises `Problem(invalid_cursor)` for what `encode` did not make."""
        # The last of 22 characters carries two bits; its other four must be zero.
        if len(cursor) != 22 or cursor[-1] not in _LAST or not cursor.isascii():
            raise Problem(Code.INVALID_CURSOR)
        try:
            block = a2b_base64(cursor.encode().translate(_FROM_URL) + b"==", strict_mode=True)
        except Error:
            raise Problem(Code.INVALID_CURSOR) from None
        if len(block) != 16:
            raise Problem(Code.INVALID_CURSOR)
        plain = self._ciphers.decrypt(block)
        if plain[8:] != _ZEROS:
            raise Problem(Code.INVALID_CURSOR)
        return int.from_bytes(plain[:8], "big")
