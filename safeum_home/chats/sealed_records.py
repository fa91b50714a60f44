"""Records at rest: what rows of chats hold besides messages, sealed for their places."""

from typing import Any, Generic, TypeVar

from msgspec import Struct, msgpack

from safeum_home.errors import Tampered
from safeum_home.ports import Key

R = TypeVar("R", bound=Struct)


class SealedRecords(Generic[R]):
    """Records of one kind. `context` names the row that one is for, so that rows cannot be exchanged."""

    def __init__(self, kind: type[R]) -> None:
        self._encoder = msgpack.Encoder()
        # The names of texts are no types to msgspec: it checks that they are texts.
        self._decoder: msgpack.Decoder[Any] = msgpack.Decoder(kind)

    def seal(self, key: Key, record: R, context: bytes) -> bytes:
        return key.seal(self._encoder.encode(record), context)

    def open(self, key: Key, sealed: bytes, context: bytes) -> R:
        """Raises `Tampered`."""
        return self.decode(key.open(sealed, context))

    def encode(self, record: R) -> bytes:
        """For what is sealed in another way: it begins with another octet than sealed octets do."""
        return self._encoder.encode(record)

    def decode(self, plain: bytes) -> R:
        """Raises `Tampered`."""
        try:
            record: R = self._decoder.decode(plain)
        except ValueError:
            raise Tampered from None
        return record
