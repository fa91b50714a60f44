"""Somebody who calls, in front of a `tests.money_case.Bank`."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.ports.money import Over
from safeum_home.safenum.money.cdr import Cdr
from safeum_home.safenum.money.months import month_of
from safeum_home.safenum.money.wallets import Line
from tests.money_case import LANDLINE, UNIT, Bank, faults

A_MINUTE = 14_280
"""Of a call to a landline, with German tax."""
DAY = 86_400


class CallCase(SynchronousTestCase):
    settings: dict[str, Any] = {}

    def setUp(self) -> None:
        self.bank = Bank(**self.settings)
        self.ann = self.bank.account(UNIT)

    def speak(self, seconds: float, call: str = "1", number: str = LANDLINE) -> Any:
        """A call that is answered at once."""
        self.bank.dial(self.ann, call, number)
        self.answer(call)
        self.bank.clock.advance(seconds)
        return self.settle(call)

    def answer(self, call: str = "1") -> None:
        self.bank.do(self.bank.calls.answered(self.ann, call, self.bank.now()))

    def settle(self, call: str = "1", **about: Any) -> Any:
        return self.bank.do(self.bank.calls.settle(self.ann, call, Over(self.bank.now(), **about)))

    def extend(self, call: str = "1") -> Any:
        return self.bank.do(self.bank.calls.extend(self.ann, call, self.bank.now()))

    def refused(self, call: str = "1", number: str = LANDLINE, account: AccountId | None = None) -> str:
        with self.assertRaises(Problem) as caught:
            self.bank.dial(account or self.ann, call, number)
        return str(caught.exception)

    def cdrs(self) -> list[Cdr]:
        month = month_of(self.bank.now())
        return self.bank.read(lambda c: self.bank.cdrs.page(c, month, 0, 100))[0]

    def lines(self) -> list[Line]:
        def lines(c: Any) -> list[Line]:
            with self.bank.wallets.open(c, self.ann) as wallet:
                return [line for _, line in wallet.lines_before(2**31, 100)]

        return self.bank.read(lines)

    def assertRight(self, *others: AccountId) -> None:
        self.assertEqual(self.bank.read(lambda c: faults(self.bank, c, [self.ann, *others])), [])
