"""What is stored of a reference under which an account pays in, and what the operator is told of payments."""

import msgspec
from msgspec import Struct, structs

from safeum_home.ids import AccountId
from safeum_home.ports import Key
from safeum_home.storage.payments import NoteRow, PaymentRow

BANK = "bank"
"""The name of the way by bank transfer, where providers have theirs; and of what comes in by it."""
_encoder = msgspec.msgpack.Encoder()


class Part(Struct, frozen=True, array_like=True):
    """What is with the customer again under a name, told at a time of the provider's (seconds)."""

    at: int
    total: int


class PaymentRecord(Struct, frozen=True, omit_defaults=True):
    """`amount` is what was wanted, 0 where the customer chooses; `paid` what came.

    Of that `back` is with the customer again, `collected` of which was taken from the balance: the rest had
    been spent.
    """

    account: AccountId
    provider: str
    currency: str
    amount: int = 0
    payment: str = ""
    paid: int = 0
    parts: dict[str, Part] = {}
    collected: int = 0

    @property
    def back(self) -> int:
        """No more than was paid, whatever is told."""
        return min(self.paid, sum(part.total for part in self.parts.values()))


class PaymentNote(Struct, frozen=True):
    """`what` is in words; `payment` is what the provider, or the bank, calls it.

    `name` tells it from others of the payment that are the same else.
    """

    at: int
    provider: str
    what: str
    payment: str
    amount: int = 0
    currency: str = ""
    name: str = ""

    def repeats(self, other: "PaymentNote") -> bool:
        """Whether it says what the other one does, at whatever time."""
        return structs.replace(self, at=other.at) == other


def sealed(key: Key, reference: bytes, record: PaymentRecord) -> bytes:
    """Under the account's key."""
    return key.seal(_encoder.encode(record), b"payment" + reference)


def opened(key: Key, row: PaymentRow) -> PaymentRecord:
    """Raises `Tampered`."""
    return msgspec.msgpack.decode(key.open(row.sealed, b"payment" + row.reference), type=PaymentRecord)


def sealed_note(key: Key, number: int, note: PaymentNote) -> NoteRow:
    """Under the node's key."""
    return NoteRow(number, key.seal(_encoder.encode(note), _place(number)))


def opened_note(key: Key, row: NoteRow) -> PaymentNote:
    """Raises `Tampered`."""
    return msgspec.msgpack.decode(key.open(row.sealed, _place(row.number)), type=PaymentNote)


def _place(number: int) -> bytes:
    return b"payment note" + number.to_bytes(8, "big")
