"""The commands for vouchers: exchanging a code by nobody in particular, and redeeming a token."""

from safeum_home.config_safenum import SafenumSection
from safeum_home.errors import Code, Problem
from safeum_home.limits import RateLimit, network
from safeum_home.ports import Caller, Database
from safeum_home.ports.money import VoucherKeys
from safeum_home.protocol import ristretto
from safeum_home.protocol.commands import money
from safeum_home.protocol.signing import decode_octets, encode_octets
from safeum_home.safenum.money import amounts
from safeum_home.safenum.money.telling import BalanceTelling
from safeum_home.safenum.money.vouchers import VoucherBook, is_good
from safeum_home.safenum.money.wallets import Wallets


class VoucherCommands:
    """An evaluation takes a third of a millisecond of the reactor's thread: `limit` bounds them."""

    def __init__(
        self,
        section: SafenumSection,
        database: Database,
        keys: VoucherKeys,
        book: VoucherBook,
        wallets: Wallets,
        telling: BalanceTelling,
        limit: RateLimit,
    ) -> None:
        self._section = section
        self._database = database
        self._keys = keys
        self._book = book
        self._wallets = wallets
        self._telling = telling
        self._limit = limit

    async def keys(self, caller: Caller, params: money.VoucherKeys) -> money.VoucherKeyList:
        """None where the group is missing on this machine."""
        if not ristretto.available():
            return money.VoucherKeyList([])
        currency = self._section.currency
        found = []
        for amount in map(amounts.parse, self._section.vouchers):
            key = self._keys.of(currency, amount)
            found.append(money.KeyOfVouchers(currency, amount, encode_octets(key.public)))
            key.wipe()
        return money.VoucherKeyList(found)

    async def exchange(self, caller: Caller, params: money.VoucherExchange) -> money.VoucherExchanged:
        _need_group()
        self._limit.take(network(caller.host))
        element = _octets(params.element, 32)
        try:
            ristretto.multiply(ristretto.random_scalar(), [element])
        except ristretto.NotAnElement:
            raise Problem(Code.INVALID_PARAMS, "not an element") from None
        code = params.code
        voucher = await self._database.transact(lambda c: self._book.exchange(c, code, element))
        key = self._keys.of(voucher.currency, voucher.amount)
        try:
            evaluated, proof = key.evaluate(element)
            return money.VoucherExchanged(
                voucher.currency,
                voucher.amount,
                encode_octets(evaluated),
                encode_octets(proof),
                encode_octets(key.public),
            )
        finally:
            key.wipe()

    async def redeem(self, caller: Caller, params: money.BalanceRedeem) -> money.Balance:
        _need_group()
        self._limit.take(network(caller.host))
        account, currency, amount = caller.account, params.currency, params.amount
        token, output = _octets(params.input, 32), _octets(params.output, 64)
        if amount <= 0 or not is_good(self._keys, currency, amount, token, output):
            raise Problem(Code.BAD_VOUCHER)
        await self._database.transact(lambda c: self._book.redeem(c, account, currency, amount, token))
        self._telling.changed(account)
        return await self._database.read(lambda c: self._wallets.balance(c, account, currency))


def _need_group() -> None:
    if not ristretto.available():
        raise Problem(Code.NOT_FOUND, "this node takes no vouchers")


def _octets(text: str, size: int) -> bytes:
    octets = decode_octets(text, size)
    if octets is None:
        raise Problem(Code.INVALID_PARAMS, "not base64url in its one form")
    return octets
