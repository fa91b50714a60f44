"""The ledger: what goes to one account comes from others, at every step, whatever is done beside it."""

from functools import partial
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.ports.money import Leg, Over
from safeum_home.ports.payments import Paid, PaidBack
from safeum_home.safenum.money import chart
from safeum_home.safenum.money.ledger import Entry, Posting
from safeum_home.storage.erasure import erase_account
from safeum_home.storage.wallets import holds_of
from tests.money_case import LANDLINE, MOBILE, SAFENUM, UNIT, Bank, faults

PEOPLE = 3
AMOUNTS = st.one_of(st.integers(1, UNIT), st.just(3 * UNIT), st.just(9 * UNIT))
WHO = st.integers(0, PEOPLE - 1)
CALL = st.sampled_from("abc")


class LedgerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.bank = Bank()
        self.ann = self.bank.account()

    def enter(self, key: str, *postings: Posting, wallet: bool = True) -> bool:
        bank, blind = self.bank, self.bank.vault.blinder.money("test", key)
        entry = Entry("test", bank.now(), postings)

        def enter(c: Any) -> bool:
            with bank.wallets.open(c, self.ann) as opened:
                return bank.ledger.enter(c, blind, entry, opened if wallet else None)

        return bank.write(enter)

    def test_one_sided(self) -> None:
        """What comes from nowhere is refused, and so is what adds up in another currency alone."""
        with self.assertRaises(ValueError):
            self.enter("1", Posting(chart.CUSTOMERS, "EUR", -5))
        with self.assertRaises(ValueError):
            self.enter("1", Posting(chart.CUSTOMERS, "EUR", -5), Posting("clearing:x", "USD", 5))
        with self.assertRaises(ValueError):
            self.enter("1")
        self.assertEqual(self.bank.read(self.bank.ledger.totals), [])
        self.assertEqual(self.bank.database.count("ledger"), 0)

    def test_once(self) -> None:
        """What was entered for a key is not entered for it again."""
        postings = Posting("clearing:x", "EUR", 5), Posting(chart.CUSTOMERS, "EUR", -5)
        self.assertTrue(self.enter("1", *postings))
        self.assertFalse(self.enter("1", *postings))
        self.assertEqual(self.bank.balance(self.ann), (5, 0))

    def test_overdraft(self) -> None:
        """Nobody has less than nothing, and nothing is left of the try."""
        self.enter("1", Posting("clearing:x", "EUR", 5), Posting(chart.CUSTOMERS, "EUR", -5))
        with self.assertRaises(Problem) as caught:
            self.enter("2", Posting(chart.REVENUE, "EUR", -6), Posting(chart.CUSTOMERS, "EUR", 6))
        self.assertEqual(caught.exception.code.code, "no_balance")
        self.assertEqual(self.bank.totals(), {"clearing:x": 5, "customers": -5})

    def test_two_currencies(self) -> None:
        """They are kept apart."""
        for currency in ("EUR", "USD"):
            self.enter(currency, Posting("clearing:x", currency, 5), Posting(chart.CUSTOMERS, currency, -5))
        with self.assertRaises(Problem):
            self.enter("3", Posting(chart.REVENUE, "EUR", -6), Posting(chart.CUSTOMERS, "EUR", 6))
        self.assertEqual(self.bank.read(lambda c: faults(self.bank, c, [self.ann])), [])

    def test_no_wallet(self) -> None:
        """The control accounts cannot be changed without a wallet."""
        with self.assertRaises(ValueError):
            self.enter("1", Posting("x", "EUR", 5), Posting(chart.HELD, "EUR", -5), wallet=False)


class MoneyMachine(RuleBasedStateMachine):
    """Three people who pay in, call, buy, and close their accounts; the node is killed now and then.

    What they do is held back, so that many do it in one group of the writer, in the order they began.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bank = Bank(calls_at_once=2, spend_per_day="2")
        self.database = self.bank.database
        self.people = [self.bank.account(UNIT // 2) for _ in range(PEOPLE)]
        self.references: dict[str, int] = {}
        self.open: list[tuple[AccountId, str]] = []
        self.runs = 1
        self.orders: dict[str, AccountId] = {}

    def ask(self, coroutine: Any, done: Any = None) -> None:
        """Refusals are none of this test's business: the books are."""
        deferred = Deferred.fromCoroutine(coroutine)
        deferred.addCallbacks(done or (lambda _: None), lambda failure: failure.trap(Problem) and None)

    @rule(who=WHO, amount=AMOUNTS, reference=st.integers(0, 5))
    def credit(self, who: int, amount: int, reference: int) -> None:
        person, name = self.people[who], f"{who}-{reference}"

        def added(is_new: bool) -> None:
            assert is_new == (name not in self.references), "a payment was added twice, or not at all"
            if is_new:
                self.references[name] = amount

        self.ask(self.bank.credits.credit(person, amount, "EUR", "bank", name), added)

    @rule(who=WHO, amount=AMOUNTS, reference=st.integers(0, 2))
    def buy(self, who: int, amount: int, reference: int) -> None:
        self.ask(self.bank.credits.buy(self.people[who], amount, "EUR", "premium", str(reference)))

    @rule(who=WHO, months=st.integers(1, 3), reference=st.integers(0, 2))
    def premium(self, who: int, months: int, reference: int) -> None:
        """For each reference it is paid once, and had once: see `premium_is_paid_for`."""
        person, name, now = self.people[who], f"{reference}", self.bank.now()
        book = self.bank.premium_book
        self.ask(_transact(self.bank, lambda c: book.buy(c, person, months, 2 * UNIT, name, now)))

    @rule(who=WHO, reference=st.integers(0, 3))
    def begin(self, who: int, reference: int) -> None:
        """To pay in through a provider."""
        person, name = self.people[who], f"{who}-{reference}"
        if name not in self.orders:
            self.orders[name] = person
            book = self.bank.payments
            self.ask(_transact(self.bank, lambda c: book.open(c, person, name, "card", UNIT, "EUR")))

    @rule(who=WHO, reference=st.integers(0, 3), amount=AMOUNTS)
    def paid(self, who: int, reference: int, amount: int) -> None:
        """The provider tells of a payment, maybe of one that nobody has begun, or again."""
        name = f"{who}-{reference}"
        self.ask(self.bank.takings.take("card", [Paid(name, f"pi-{name}", amount, "EUR")]))

    @rule(
        who=WHO,
        reference=st.integers(0, 3),
        part=st.sampled_from(["refunds", "dispute"]),
        total=st.sampled_from([0, UNIT // 2, UNIT, 3 * UNIT]),
        at=st.integers(1, 5),
    )
    def paid_back(self, who: int, reference: int, part: str, total: int, at: int) -> None:
        """A refund, or a dispute that is lost or won, in any order, and of any amount."""
        told = PaidBack(f"pi-{who}-{reference}", part, total, "EUR", at)
        self.ask(self.bank.takings.take("card", [told]))

    @rule(who=WHO, call=CALL, number=st.sampled_from([LANDLINE, MOBILE]))
    def dial(self, who: int, call: str, number: str) -> None:
        person = self.people[who]
        self.ask(
            self.bank.calls.outgoing(person, call, Leg(SAFENUM, number)),
            lambda _: self.open.append((person, call)),
        )

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 5))
    def answer(self, which: int) -> None:
        """Some call that there is or was."""
        person, known = self.open[which % len(self.open)]
        self.ask(self.bank.calls.answered(person, known, self.bank.now()))
        self.ask(self.bank.calls.alive(self.bank.now()))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 5))
    def extend(self, which: int) -> None:
        self.ask(self.bank.calls.extend(*self.open[which % len(self.open)], self.bank.now()))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 5), forget=st.booleans())
    def settle(self, which: int, forget: bool) -> None:
        person, call = self.open[which % len(self.open)]
        self.ask(self.bank.calls.settle(person, call, Over(self.bank.now())))
        if forget:
            self.open.remove((person, call))

    @rule(who=WHO)
    def close(self, who: int) -> None:
        """The account goes, and another one comes."""
        person, bank = self.people[who], self.bank
        self.land()
        blind = bank.vault.blinder.account(person)

        def close(c: Any) -> None:
            bank.book.forfeit(c, blind)
            erase_account(c, blind, bank.vault.keyring.epoch)

        bank.write(close)
        self.people[who] = bank.account()
        self.orders = {name: person for name, person in self.orders.items() if name[0] != str(who)}
        self.references = {name: paid for name, paid in self.references.items() if name[0] != str(who)}
        # Its references belong to payments that were made: they are of the new one no more.
        self.references |= {f"{who}-{number}": 0 for number in range(6) if self._entered(who, number)}

    def _entered(self, who: int, number: int) -> bool:
        key = self.bank.vault.blinder.money("credit", f"bank\0{who}-{number}")
        return self.bank.read(lambda c: self.bank.ledger.entered(c, key))

    @rule(seconds=st.sampled_from([0.3, 5, 61, 3600, 86400]))
    def wait(self, seconds: float) -> None:
        self.land()
        self.bank.clock.advance(seconds)

    @rule()
    def hold_back(self) -> None:
        """What follows is done at once, in one transaction."""
        self.database.hold = True

    @rule()
    def land(self) -> None:
        self.database.hold = False
        self.database.release()

    @rule()
    def kill(self) -> None:
        """What was not committed is lost; the next process settles what was open."""
        self.database.drop()
        self.database.hold = False
        self.runs += 1
        self.bank = self.bank.again(str(self.runs))
        self.orders.clear()  # those that were lost may be begun anew
        self.bank.do(self.bank.calls.settle_left())
        assert self.database.count("holds") == 0
        # What was told to nobody may be done all the same.
        for who in range(PEOPLE):
            for number in range(6):
                if self._entered(who, number):
                    self.references.setdefault(f"{who}-{number}", 0)

    @invariant()
    def books_are_right(self) -> None:
        found = self.bank.read(lambda c: faults(self.bank, c, self.people))
        assert not found, found

    @invariant()
    def nothing_is_lost_twice(self) -> None:
        """What is uncollected is never below nothing, and a provider never owes less than that."""
        totals = self.bank.totals()
        assert totals.get("uncollected", 0) >= 0, totals
        assert totals.get("clearing:card", 0) >= 0, totals

    @invariant()
    def premium_is_paid_for(self) -> None:
        """Who has premium has paid for it."""
        for person in self.people:
            if self.bank.wallet(person).premium:
                assert self.bank.totals()["revenue"] < 0

    @invariant()
    def limits_hold(self) -> None:
        """No more calls than may be, nothing is held without one, and no day is spent beyond its limit."""
        for person in self.people:
            record = self.bank.wallet(person)
            assert record.spent <= 2 * UNIT, record
            blind = self.bank.vault.blinder.account(person)
            count = len(self.bank.read(partial(holds_of, account=blind)))
            assert count <= 2
            assert count or not self.bank.balance(person)[1], "held for no call"


async def _transact(bank: Bank, fn: Any) -> None:
    await bank.database.transact(fn)


class ModelTests(SynchronousTestCase):
    def test_model(self) -> None:
        run_state_machine_as_test(
            MoneyMachine,
            settings=settings(
                max_examples=20,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
