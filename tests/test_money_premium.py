"""Premium: paid ahead, once for each request, out of what there is."""

from typing import Any

from sqlalchemy import Connection

from safeum_home.config_premium import PremiumSection
from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.protocol.commands.premium import PremiumBuy, PremiumGet, PremiumState
from safeum_home.safenum.money.months import months_later
from safeum_home.safenum.money.premium import MOST_AHEAD, PremiumBook, PremiumCommands
from tests.money_calls_case import DAY, CallCase
from tests.money_case import UNIT

PRICE = 2 * UNIT


class PremiumCase(CallCase):
    def setUp(self) -> None:
        super().setUp()
        self.pay(20 * UNIT)

    def pay(self, amount: int) -> None:
        self.bank.do(self.bank.credits.credit(self.ann, amount, "EUR", "bank", f"{amount}"))

    def caller(self, account: AccountId | None = None) -> Any:
        return type("Anybody", (), {"account": account or self.ann})()

    def buy(self, months: int = 1, client_id: str = "1", price: int = PRICE) -> PremiumState:
        params = PremiumBuy(months, price, client_id)
        state: PremiumState = self.bank.do(self.bank.premium.buy(self.caller(), params))
        return state

    def entitled(self) -> bool:
        return bool(self.bank.do(self.bank.premium.entitled(self.ann)))

    def no(self, **arguments: Any) -> str:
        with self.assertRaises(Problem) as caught:
            self.buy(**arguments)
        return str(caught.exception.code.code)


class PremiumTests(PremiumCase):
    def test_bought(self) -> None:
        """It is there for as long as it was paid for, tax within the price; buying again makes it longer."""
        self.assertFalse(self.entitled())
        state = self.buy()
        self.assertEqual(state.until, months_later(self.bank.now(), 1))
        self.assertTrue(self.entitled())
        self.assertEqual(self.bank.balance(self.ann), (19 * UNIT, 0))
        self.assertEqual((self.lines()[0].kind, self.lines()[0].vat), ("premium", 319_328))
        again = self.buy(months=2, client_id="2")
        self.assertEqual(again.until, months_later(state.until, 2))
        self.bank.clock.advance((again.until - self.bank.now()) / 1000)
        self.assertFalse(self.entitled())
        self.assertEqual(self.buy(client_id="3").until, months_later(self.bank.now(), 1))
        self.assertRight()

    def test_once(self) -> None:
        """What is asked for again, after an answer was lost for instance, is neither paid nor had twice."""
        first = self.buy()
        self.bank.clock.advance(DAY)
        self.assertEqual(self.buy(), first)
        self.assertEqual(self.bank.balance(self.ann), (19 * UNIT, 0))

    def test_once_at_another_price(self) -> None:
        """Who has paid before the price was changed, and asks again, is told so: and pays no second time."""
        bank, first = self.bank, self.buy()
        book = PremiumBook(3 * UNIT, "EUR", bank.wallets, bank.book, bank.vault.blinder)
        more = bank.database, book, bank.counts, bank.changed.append, bank.now
        dearer = PremiumCommands(PremiumSection(free=False, price="3"), "EUR", *more)
        self.assertEqual(bank.do(dearer.buy(self.caller(), PremiumBuy(1, PRICE, "1"))).until, first.until)
        with self.assertRaises(Problem) as caught:
            bank.do(dearer.buy(self.caller(), PremiumBuy(1, PRICE, "2")))
        self.assertEqual(caught.exception.code.code, "price_changed")
        self.assertEqual(bank.balance(self.ann), (19 * UNIT, 0))

    def test_refused(self) -> None:
        """Without the money, at another price, beyond five years, and where it is free nothing is changed."""
        self.assertEqual(self.no(months=12), "no_balance")
        self.assertEqual(self.no(price=PRICE - 1), "price_changed")
        self.pay(1000 * UNIT)
        for number in range(MOST_AHEAD // 12):
            self.buy(months=12, client_id=f"{number}")
        before = self.bank.balance(self.ann)
        self.assertEqual(self.no(client_id="more"), "limit_reached")
        self.assertEqual(self.bank.balance(self.ann), before)
        self.assertEqual(self.bank.counts.refused["premium", "no_balance"], 1)
        self.assertRight()

    def test_no_country(self) -> None:
        self.settings = {"country": ""}
        super().setUp()
        self.assertEqual(self.no(), "country_needed")
        self.assertFalse(self.entitled())

    def test_in_one_commit(self) -> None:
        """Either both are there after a kill, the charge and the time, or neither is."""
        self.bank.database.hold = True
        asked = self.bank.premium.buy(self.caller(), PremiumBuy(1, PRICE, "1"))
        with self.assertRaises(AssertionError):  # it waits
            self.bank.do(asked)
        self.bank.database.drop()
        self.bank.database.hold = False
        self.bank = self.bank.again()
        self.assertEqual((self.entitled(), self.bank.balance(self.ann)), (False, (21 * UNIT, 0)))
        self.buy()
        self.bank = self.bank.again()
        self.assertEqual((self.entitled(), self.bank.balance(self.ann)), (True, (19 * UNIT, 0)))

    def test_free(self) -> None:
        """Where it is free everybody has it, and nobody can pay for it."""
        bank = self.bank
        commands = PremiumCommands(
            PremiumSection(),
            "EUR",
            bank.database,
            bank.premium_book,
            bank.counts,
            bank.changed.append,
            bank.now,
        )
        self.assertTrue(bank.do(commands.entitled(AccountId("@nobody:elsewhere.example"))))
        state = bank.do(commands.get(self.caller(), PremiumGet()))
        self.assertEqual((state.free, state.until), (True, 0))
        with self.assertRaises(Problem) as caught:
            bank.do(commands.buy(self.caller(), PremiumBuy(1, PRICE, "1")))
        self.assertEqual(caught.exception.code.code, "premium_free")

    def test_nobody(self) -> None:
        """Accounts of other nodes have none."""
        self.assertFalse(self.bank.do(self.bank.premium.entitled(AccountId("@nobody:elsewhere.example"))))

    def test_calendar(self) -> None:
        """A month goes to the same day of the next one, or its last day."""
        january = 1_801_396_800_123  # 2027-01-31T12:00:00.123Z
        self.assertEqual(months_later(january, 1), january + 28 * DAY * 1000)
        self.assertEqual(months_later(january, 12), january + 365 * DAY * 1000)
        self.assertEqual(months_later(january, 13), january + (365 + 29) * DAY * 1000)


class ErasedTests(PremiumCase):
    def test_closed(self) -> None:
        """Nothing of it is left of an account that was closed."""
        self.buy()

        def close(c: Connection) -> None:
            self.bank.book.forfeit(c, self.bank.vault.blinder.account(self.ann))

        self.bank.write(close)
        self.assertEqual(self.bank.balance(self.ann), (0, 0))
