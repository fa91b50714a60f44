"""Vouchers: a code becomes a token of which the node cannot tell for which code it was made.

RFC 9497, mode VOPRF: the node evaluates a blinded input, and proves that it did so with the key that it tells
everybody.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from safeum_home.client.errors import local
from safeum_home.errors import Code
from safeum_home.protocol import voprf
from safeum_home.protocol.commands import money
from safeum_home.protocol.invites import LONGEST
from safeum_home.protocol.signing import decode_octets, encode_octets

_LENGTH = 26


class Token(Struct, frozen=True):
    """What is redeemed: money for whoever has it. Keep it until that was done."""

    currency: str
    amount: int
    input: str
    output: str

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def code_of(text: str) -> str:
    """A code as people type it: in groups, in capitals; raises `bad_voucher`."""
    code = "".join(text[:LONGEST].split()).replace("-", "").lower()
    if len(code) != _LENGTH or not set(code) <= set("abcdefghijklmnopqrstuvwxyz234567"):
        raise local(Code.BAD_VOUCHER, "a code has 26 letters and digits from 2 to 7")
    return code


class Exchange:
    """A code on its way. The same one may be sent again where no answer came: it is good for nothing else."""

    def __init__(self, code: str) -> None:
        self._input = os.urandom(32)
        self._blinded = voprf.blind(self._input)
        self.params = money.VoucherExchange(code_of(code), encode_octets(self._blinded.element))

    async def token(
        self,
        ask: Callable[[Any, type[money.VoucherKeyList]], Awaitable[money.VoucherKeyList]],
        answer: money.VoucherExchanged,
    ) -> Token:
        """`ask` gives a command as the account: who is told another key would be told apart by it.

        Raises `bad_voucher` where the node proves nothing.
        """
        listed = await ask(money.VoucherKeys(), money.VoucherKeyList)
        told = {(each.currency, each.amount): each.key for each in listed.keys}
        known = told.get((answer.currency, answer.amount))
        key, element = decode_octets(answer.key, 32), decode_octets(answer.element, 32)
        proof = decode_octets(answer.proof, 64)
        if key is None or element is None or proof is None or known not in (None, answer.key):
            raise local(Code.BAD_VOUCHER, "the node uses another key than it says")
        try:
            output = voprf.finalize(self._input, self._blinded, element, proof, key)
        except ValueError:
            raise local(Code.BAD_VOUCHER, "the node's proof is wrong") from None
        return Token(answer.currency, answer.amount, encode_octets(self._input), encode_octets(output))
