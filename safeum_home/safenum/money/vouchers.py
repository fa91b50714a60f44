"""Vouchers whose codes lead to no account.

Who has a code exchanges it, before any login, for a token that is made blindly (RFC 9497, mode VOPRF): the
node sees neither the token's input nor its output. The account then redeems the token. So neither what the
node stores, nor the list of codes that the operator has sold, tells which code went to which account. All
vouchers of a value are exchanged by the same key, which the proof shows; there are few values.

What is stored of a code is a keyed hash, its value and the blinded element; of a token the key of its entry
in the ledger, a keyed hash of the input.
"""

from hmac import compare_digest

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, RandomBytes
from safeum_home.ports import Blinder, Key
from safeum_home.ports.money import VoucherKeys
from safeum_home.protocol.invites import new_code
from safeum_home.safenum.money.credits import CreditBook
from safeum_home.storage import vouchers as rows

MOST = 1_000_000
"""Vouchers that are stored: none is forgotten, and of more none are issued."""
SOURCE = "vouchers"
_encoder = msgspec.msgpack.Encoder()


class VoucherRecord(Struct, frozen=True):
    """`element` is what was blinded for it; empty while it was not exchanged."""

    currency: str
    amount: int
    element: bytes = b""


class VoucherBook:
    """For the writer's thread, inside transactions."""

    def __init__(
        self, key: Key, blinder: Blinder, keys: VoucherKeys, book: CreditBook, random: RandomBytes
    ) -> None:
        self._key = key
        self._blinder = blinder
        self._keys = keys
        self._book = book
        self._random = random

    def issue(self, c: Connection, number: int, currency: str, amount: int) -> list[str]:
        """New codes; raises `limit_reached`."""
        if rows.count(c) + number > MOST:
            raise Problem(Code.LIMIT_REACHED, f"{MOST} vouchers")
        codes = [new_code(self._random) for _ in range(number)]
        record = VoucherRecord(currency, amount)
        indexes = [self._index(code) for code in codes]
        rows.put_vouchers(c, [(index, self._seal(index, record)) for index in indexes])
        return codes

    def exchange(self, c: Connection, code: str, element: bytes) -> VoucherRecord:
        """A code is good for one element; raises `bad_voucher`."""
        index = self._index(code)
        sealed = rows.voucher(c, index)
        if sealed is None:
            raise Problem(Code.BAD_VOUCHER)
        record = msgspec.msgpack.decode(self._key.open(sealed, b"voucher" + index), type=VoucherRecord)
        if not record.element:
            record = structs.replace(record, element=element)
            rows.put_vouchers(c, [(index, self._seal(index, record))])
        elif record.element != element:
            raise Problem(Code.BAD_VOUCHER)
        return record

    def redeem(self, c: Connection, account: AccountId, currency: str, amount: int, token: bytes) -> None:
        """Add the value of a token, by its input, that was found to be good; raises `bad_voucher`."""
        reference = f"{currency}\0{amount}\0{token.hex()}"
        if not self._book.credit(c, account, amount, currency, SOURCE, reference):
            raise Problem(Code.BAD_VOUCHER)

    def _index(self, code: str) -> bytes:
        return self._blinder.money("voucher", code)

    def _seal(self, index: bytes, record: VoucherRecord) -> bytes:
        return self._key.seal(_encoder.encode(record), b"voucher" + index)


def is_good(keys: VoucherKeys, currency: str, amount: int, token: bytes, output: bytes) -> bool:
    """Whether a token is of the key for this value."""
    key = keys.of(currency, amount)
    try:
        return compare_digest(key.output(token), output)
    finally:
        key.wipe()
