"""Calls with the telephone network, in whatever order things happen at both sides and in the storage.

The books are right at every step, no balance is below zero, nobody is charged twice, all who listen are told
of the end once, and nothing stays held.
"""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config_safenum import SafenumSection
from safeum_home.ids import AccountId
from safeum_home.node import domain
from safeum_home.node.telephone import TelephoneParts, make_telephone
from safeum_home.ports.carrier import CarrierCall, CarrierEnd, CarrierListener, Incoming
from safeum_home.ports.voicemail import Unanswered
from safeum_home.safenum.money.cdr import Cdr, talked
from safeum_home.safenum.money.months import month_of
from safeum_home.safenum.money.rate_table import RateTable
from safeum_home.safenum.money.wallets import Wallets
from tests.calls_case import call_id
from tests.money_case import LANDLINE, MOBILE, PREMIUM, RATES, UNIT, faults
from tests.telephone_case import ANSWER, OFFER, MemoryCall, MemoryCarriers, node_with_numbers
from tests.world import Client, Refused, World

LIMITS = {"calls_at_once": 2, "hold_seconds": 20, "call_seconds": 300, "spend_per_day": "0.5"}
ONE_OF = st.integers(0, 7)
TO = (LANDLINE, MOBILE, LANDLINE, "bob", PREMIUM, LANDLINE, "112", LANDLINE)
ENDS = ((200, True), (200, False), (486, True), (404, True), (503, False), (0, False), (200, True))
ACTS = ("answer", "answer", "answer", "decline", "hangup", "dtmf")
WAITS = (0.3, 1.0, 3.0, 9.0, 9.0, 11.0, 31.0, 70.0)
HAPPENS = st.sampled_from(
    [
        *(["dial"] * 4 + ["take"] * 6 + ["call"] * 4 + ["act"] * 5 + ["wait"] * 5 + ["end"]),
        *("carrier", "storage", "storage", "kill", "lines", "voicemail", "leave_or_come_back", "pay"),
    ]
)
EXPECTED = (
    *("call_over", "call_exists", "not_found", "limit_reached", "busy", "no_balance", "spend_limit"),
    *("destination_refused", "carrier_unavailable", "storage_unavailable", "wrong_call_state"),
)


class Recorder:
    """Voicemail, of one call: it may hang up as well."""

    def __init__(self, call: CarrierCall) -> None:
        self.call = call
        self.ends = 0

    def progress(self, sdp: str | None) -> None: ...
    def answered(self, sdp: str | None) -> None: ...
    def dtmf(self, digits: str) -> None:
        assert not self.ends

    def ended(self, end: CarrierEnd) -> None:
        self.ends += 1


class Mailboxes:
    """`ports.voicemail.Mailbox`."""

    takes = at_once = False
    recorders: list[Recorder]

    def begin(self) -> None:
        """Nobody has called yet."""
        self.takes = self.at_once = False
        self.recorders = []

    async def takes_at_once(self, account: AccountId) -> bool:
        return self.at_once

    async def take(
        self, account: AccountId, call: CarrierCall, offer: Incoming, why: Unanswered
    ) -> CarrierListener | None:
        if not self.takes:
            return None
        call.answer(ANSWER)
        self.recorders.append(Recorder(call))
        return self.recorders[-1]


MAILBOX = Mailboxes()


def with_mailbox(*given: Any) -> TelephoneParts:
    """`make_telephone` with that one."""
    make: Any = make_telephone
    made: TelephoneParts = make(*given[:-1], MAILBOX)
    return made


class Books:
    """What `faults` looks at."""

    def __init__(self, world: World) -> None:
        self.ledger = world.domain.money.ledger
        self.wallets = Wallets(world.vault.keyring, world.vault.blinder)


class TelephoneMachine(RuleBasedStateMachine):
    """Ann has two devices and some money, Bob has one and less."""

    def __init__(self) -> None:
        super().__init__()
        self.carriers, self.mailbox = MemoryCarriers(), MAILBOX
        self.mailbox.begin()
        self.world = node_with_numbers(self.carriers, {}, **LIMITS)
        ann, bob = self.world.register("ann"), self.world.register("bob")
        self.devices = [ann, self.world.login("ann"), bob]
        self.numbers = {
            client.account: str(client.call("profile.get")["profile"]["safenum"]) for client in (ann, bob)
        }
        self.account = {number: account for account, number in self.numbers.items()}
        self.given = 0
        for client, amount in ((ann, UNIT // 10), (bob, UNIT // 50)):
            self._pay(client, amount)
        self.ids: list[str] = []
        self.ended: dict[tuple[str, str], int] = {}
        """How often a device was told that a call is over."""
        self.doubted: set[str] = set()
        """Calls of a process that was killed, and such as came while the storage was away."""
        self.number = self.step = self.held_at = 0

    def teardown(self) -> None:
        self._look_at_the_end()

    # --- what people do

    @rule(what=HAPPENS, one=ONE_OF, other=ONE_OF)
    def happens(self, what: str, one: int, other: int) -> None:
        """One rule: with many of them Hypothesis leaves out too often what a call needs."""
        self.step += 1
        if self.held_at and self.step > self.held_at + 2:
            self._well()
        getattr(self, what)(one, other)

    def dial(self, who: int, one: int) -> None:
        client, to, again = self.devices[who % 3], TO[one % len(TO)], one == 7
        number = self.numbers[self.devices[2].account] if to == "bob" else to
        if not again or not self.ids:
            self.number += 1
            self.ids.append(call_id(self.number))
        self._ask(client, "telephone.dial", call=self.ids[-1], to=number, sdp=OFFER)

    def act(self, who: int, which: int) -> None:
        client, what = self.devices[who % 3], ACTS[which % len(ACTS)]
        if client.connection.over:
            return
        found = client.call("telephone.list")["calls"]
        if not found:
            return
        about: dict[str, Any] = {"call": found[which % len(found)]["call"]}
        about |= {"answer": {"sdp": ANSWER}, "dtmf": {"digits": "1"}}.get(what, {})
        self._ask(client, f"telephone.{what}", **about)

    def leave_or_come_back(self, who: int, _: int) -> None:
        client = self.devices[who % 3]
        if not client.connection.over:
            client.drop()
        elif not self.held_at:
            client.resume(None)
            self.world.clock.advance(0)

    def pay(self, who: int, much: int) -> None:
        if not self.held_at:
            self._pay(self.devices[who % 3], (much + 1) * 5_000)

    # --- what happens in the telephone network

    def call(self, who: int, how: int) -> None:
        number = self.numbers[self.devices[who % 3].account]
        exchange = self.world.domain.telephone.exchange
        call = self.carriers.ring(exchange, number, "" if how == 0 else f"+4930{100000 + self.number}")
        self.number += 1
        if self.world.database.failing:
            self.doubted.add(call.reference)

    def take(self, which: int, _: int) -> None:
        """The other side answers, or hears that ours has."""
        for call in self._live(which)[:1]:
            if (call.goes_out or call.answers) and not call.answered_at:
                call.take(None)

    def carrier(self, which: int, one: int) -> None:
        for call in self._live(which)[:1]:
            if one < 3:
                call.progress()
            elif one < 6:
                call.press("5")
            else:
                call.hang_up()  # as voicemail does

    def end(self, which: int, how: int) -> None:
        for call in self._live(which)[:1]:
            sip, is_far = ENDS[how % len(ENDS)]
            call.end(sip, 16, is_far)

    def lines(self, _: int, how: int) -> None:
        self.carriers.away = how == 0

    def voicemail(self, takes: int, how: int) -> None:
        self.mailbox.takes, self.mailbox.at_once = takes < 5, how == 0

    # --- time, the storage, the process

    def wait(self, how: int, _: int) -> None:
        self._wait(WAITS[how])

    def storage(self, how: int, _: int) -> None:
        """It is away, or slow, while some more things happen."""
        database = self.world.database
        self._well()
        self.held_at = self.step
        database.hold, database.failing = how < 4, how >= 4

    def kill(self, _: int, __: int) -> None:
        """What was not committed is lost; the next process settles what was open."""
        database = self.world.database
        database.drop()
        self._well()
        self._sort()
        self.doubted |= {call.reference for call in self.carriers.calls if not self._is_settled(call)}
        for call in self.carriers.calls:
            call.over = True
            call.listener = Recorder(call)
        self.mailbox.recorders = []
        section = SafenumSection(country="DE", **LIMITS)  # type: ignore[arg-type]
        was, clock = self.devices, Clock()
        clock.advance(self.world.clock.seconds())
        self.carriers.seconds = clock.seconds
        self.world = World(database, self.world.vault, carriers=self.carriers, safenum=section, clock=clock)
        self.world.domain.money.tables.table = RateTable(RATES)
        charging: Any = self.world.domain.money.charging
        _done(charging.settle_left())
        assert database.count("holds") == 0
        self.devices = []
        for client in was:
            again = Client(self.world)
            again.token = client.token
            again.opened(again.call("session.resume", token=client.token, since=None))
            again.device = client.device
            self.devices.append(again)

    # --- what has to hold

    @invariant()
    def the_books_are_right(self) -> None:
        self._sort()
        people = [AccountId(account) for account in self.numbers]
        books: Any = Books(self.world)
        found = self.world.database.now(lambda c: faults(books, c, people))
        assert not found, found

    @invariant()
    def nobody_is_told_twice(self) -> None:
        assert all(times == 1 for times in self.ended.values()), self.ended
        assert all(recorder.ends <= 1 for recorder in self.mailbox.recorders)

    @invariant()
    def who_calls_is_bounded(self) -> None:
        database = self.world.database
        for account in self.numbers:
            live = [each for each in self._calls() if each.goes_out and each.cli == self.numbers[account]]
            assert len(live) <= 2, "more calls at once than may be"
        assert database.count("beats") <= 2

    # --- means

    @property
    def now(self) -> int:
        return int(self.world.clock.seconds() * 1000)

    def _calls(self) -> list[MemoryCall]:
        return [call for call in self.carriers.calls if not call.over]

    def _live(self, which: int) -> list[MemoryCall]:
        """Those that go on at the carrier, beginning with some."""
        live = self._calls()
        start = which % len(live) if live else 0
        return live[start:]

    def _well(self) -> None:
        """The storage is there."""
        database, self.held_at = self.world.database, 0
        database.hold = database.failing = False
        database.release()

    def _wait(self, seconds: float) -> None:
        while seconds > 0:
            self.world.clock.advance(min(seconds, 1.0))
            seconds -= 1.0
            self._sort()

    def _ask(self, client: Client, method: str, **params: Any) -> None:
        if client.connection.over:
            return
        number = client.ask(method, **params)
        try:
            client.answer(number)
        except Refused as refused:
            assert refused.code in EXPECTED, refused

    def _pay(self, client: Client, amount: int) -> None:
        self.given += 1
        credit = self.world.domain.money.credits.credit
        _done(credit(AccountId(client.account), amount, "EUR", "test", str(self.given)))

    def _sort(self) -> None:
        for client in self.devices:
            for event in client.take("telephone.ended"):
                key = client.device, event["params"]["call"]
                self.ended[key] = self.ended.get(key, 0) + 1

    def _is_settled(self, call: MemoryCall) -> bool:
        return call.over and any(record.reference == call.reference for record in self._records())

    def _records(self) -> list[Cdr]:
        cdrs, month = self.world.domain.money.cdrs, month_of(self.now)
        return self.world.database.now(lambda c: cdrs.page(c, month, 0, 1000)[0])

    def _look_at_the_end(self) -> None:
        database = self.world.database
        self._well()
        for call in self._calls():
            call.end()
        self._wait(5)
        assert not self._calls() and not len(self.world.domain.telephone.table)
        assert database.count("holds") == 0
        busy: Any = self.world.services.busy
        assert busy._held == {}
        assert all(recorder.ends == 1 for recorder in self.mailbox.recorders)
        self.the_books_are_right()
        self.nobody_is_told_twice()
        records = self._records()
        for call in self.carriers.calls:
            mine = [record for record in records if record.reference == call.reference]
            if call.reference in self.doubted:
                assert len(mine) <= 1
                continue
            assert len(mine) == 1, f"{len(mine)} records of one call"
            known = talked(mine[0].answered, mine[0].ended)
            assert known == talked(call.answered_at, call.ended_at), "it was not as long as that"


def _done(coroutine: Any) -> None:
    failures: list[Any] = []
    done = Deferred.fromCoroutine(coroutine)
    done.addErrback(failures.append)
    assert done.called and not failures, failures


class ModelTests(SynchronousTestCase):
    def test_calls(self) -> None:
        self.patch(domain, "make_telephone", with_mailbox)
        run_state_machine_as_test(
            TelephoneMachine,
            settings=settings(
                max_examples=25,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
