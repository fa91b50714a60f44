"""Exchanging vouchers: asked by nobody in particular, over another connection to the same node."""

from abc import abstractmethod
from collections import OrderedDict
from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.client.methods.methods import Methods
from safeum_home.client.methods.voucher_tokens import Exchange, Token, code_of
from safeum_home.protocol.commands.money import VoucherExchanged

MOST = 100
"""Exchanges that are remembered, so that one can be asked for again: the last ones."""

Exchanges = OrderedDict[str, Exchange]


class VoucherTaking(Methods):
    """A part of `session.Client`."""

    _exchanges: Exchanges

    @abstractmethod
    def _nobody(self) -> Any:
        """Another client of the same node, on which nobody has logged in."""

    def exchange_voucher(self, code: str) -> "Deferred[Token]":
        """A token for a voucher's code, over a connection on which nobody logs in; raises `bad_voucher`.

        Where no answer came this client can ask again. Keep the token until it is redeemed.
        """
        return Deferred.fromCoroutine(self._exchange(code_of(code)))

    async def _exchange(self, code: str) -> Token:
        exchange = self._exchanges.setdefault(code, Exchange(code))
        if len(self._exchanges) > MOST:
            self._exchanges.popitem(last=False)
        nobody = self._nobody()
        try:
            answer = await nobody._greet(exchange.params, VoucherExchanged)
        finally:
            nobody.close()
        return await exchange.token(self._ask, answer)
