"""A node with a carrier in memory: the test is the telephone network, and hears what the node asks of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config_safenum import SafenumSection
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.node import domain
from safeum_home.node.telephone import TelephoneParts, make_telephone
from safeum_home.ports.carrier import (
    CarrierCall,
    CarrierEnd,
    CarrierListener,
    CarrierLost,
    Exchange,
    Incoming,
)
from safeum_home.ports.voicemail import Unanswered
from safeum_home.safenum.money.cdr import Cdr
from safeum_home.safenum.money.months import month_of
from safeum_home.safenum.money.rate_table import RateTable
from safeum_home.safenum.numbers.stock_file import parse
from tests.calls_case import call_id
from tests.money_case import LANDLINE, NOW, RATES, UNIT
from tests.world import Client, Refused, World

OFFER = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8 0\r\n"
ANSWER = OFFER.replace("192.0.2.1", "192.0.2.2")
WRONG = OFFER.replace("8 0", "111")
"""What no bridge takes."""
FIRST, LAST = "+3544900001", "+3544900050"
STRANGER = "+442079460123"
CALL, OTHER, THIRD = call_id("call"), call_id("other"), call_id("third")
STOCK = f"first,last,country,capabilities\n{FIRST},{LAST},IS,voice-in voice-out\n"
SECOND = 238
"""Of a call to a landline, with tax."""


@dataclass(eq=False)
class MemoryCall:
    """`ports.carrier.CarrierCall`; what was asked of it, and what a test lets happen at the other side."""

    reference: str
    seconds: Callable[[], float]
    goes_out: bool
    cli: str = ""
    to: str = ""
    sdp: str = ""
    listener: CarrierListener = field(init=False)
    answers: list[str] = field(default_factory=list)
    declined: int | None = None
    hung_up: bool = False
    keys: str = ""
    over: bool = False
    answered_at: int = 0
    """In milliseconds, as the carrier sees it."""
    ended_at: int = 0

    # --- what the node asks

    def answer(self, sdp: str) -> None:
        if sdp == WRONG:
            raise Problem(Code.INVALID_PARAMS, "sdp")
        if not self.over:
            self.answers.append(sdp)

    def decline(self, sip: int) -> None:
        if not self.over and not self.answers:
            self.declined = sip
            self._end(CarrierEnd(sip, far=False))

    def hang_up(self) -> None:
        if not self.over:
            self.hung_up = True
            self._end(CarrierEnd(200, 16, far=False))

    def dtmf(self, digits: str) -> None:
        self.keys += "" if self.over else digits

    # --- what happens there

    def progress(self, sdp: str | None = None) -> None:
        self.listener.progress(sdp)

    def take(self, sdp: str | None = ANSWER) -> None:
        """The other side answers; or, where it has called, hears that it was answered."""
        self.answered_at = int(self.seconds() * 1000)
        self.listener.answered(sdp)

    def press(self, digits: str) -> None:
        self.listener.dtmf(digits)

    def end(self, sip: int = 200, cause: int = 16, far: bool = True) -> None:
        if not self.over:
            self._end(CarrierEnd(sip, cause, far))

    def _end(self, end: CarrierEnd) -> None:
        self.over, self.ended_at = True, int(self.seconds() * 1000)
        if hasattr(self, "listener"):
            self.listener.ended(end)


class MemoryMailbox:
    """`ports.voicemail.Mailbox` that takes calls as a test says, and hears what becomes of them."""

    def __init__(self) -> None:
        self.at_once = self.takes = False
        self.asked: list[Unanswered] = []
        self.held: Deferred[bool] | None = None
        """Where it is set it is waited for: whether the call is taken."""
        self.heard: list[Any] = []

    async def takes_at_once(self, account: AccountId) -> bool:
        return self.at_once

    async def take(
        self, account: AccountId, call: CarrierCall, offer: Incoming, why: Unanswered
    ) -> CarrierListener | None:
        self.asked.append(why)
        takes = self.takes if self.held is None else await self.held
        if takes:
            call.answer("voicemail")
        return self if takes else None

    def progress(self, sdp: str | None) -> None:
        self.heard.append("progress")

    def answered(self, sdp: str | None) -> None:
        self.heard.append("answered")

    def dtmf(self, digits: str) -> None:
        self.heard.append(digits)

    def ended(self, end: CarrierEnd) -> None:
        self.heard.append(end)


class MemoryCarriers:
    """`ports.carrier.Carriers`: one named `carrier`, with as many lines as anybody wants."""

    names = ("carrier",)

    def __init__(self) -> None:
        self.calls: list[MemoryCall] = []
        self.away = self.full = self.picky = False
        self.seconds: Callable[[], float] = float
        """The time now; of `node_with_numbers` that of its clock."""

    def dial(self, cli: str, to: str, sdp: str, listener: CarrierListener) -> tuple[str, MemoryCall]:
        if self.away or self.full:
            raise CarrierLost(self.full)
        if self.picky:
            raise Problem(Code.INVALID_PARAMS, "sdp")
        call = self._new(True, cli, to, sdp)
        call.listener = listener
        return "carrier", call

    def ring(self, exchange: Exchange, called: str, caller: str = STRANGER, sdp: str = OFFER) -> MemoryCall:
        """Somebody calls."""
        call = self._new(False, caller, called, sdp)
        call.listener = exchange.incoming(call, Incoming(called, caller, sdp, "carrier"))
        return call

    def _new(self, goes_out: bool, cli: str, to: str, sdp: str) -> MemoryCall:
        call = MemoryCall(f"call-{len(self.calls)}@carrier", self.seconds, goes_out, cli, to, sdp)
        self.calls.append(call)
        return call


def told(client: Client) -> list[tuple[Any, ...]]:
    """What a device was told of calls since the last time, each as its name and some words."""
    found: list[tuple[Any, ...]] = []
    for event in client.take():
        name, params = event["method"], event["params"]
        if name.startswith("telephone."):
            keys = ("reason", "caller", "seconds", "last", "digits", "voicemail")
            found.append((name.removeprefix("telephone."), *(params[key] for key in keys if key in params)))
    return found


def node_with_numbers(carriers: MemoryCarriers, limits: dict[str, Any], **settings: Any) -> World:
    """A world with a carrier, numbers for those who sign up, and rates."""
    clock = Clock()
    clock.advance(NOW)
    carriers.seconds = clock.seconds
    section = SafenumSection(**{"country": "DE", **settings})
    world = World(carriers=carriers, safenum=section, clock=clock, **limits)
    inventory = world.domain.numbers.inventory
    world.database.transact(lambda c: inventory.load(c, parse(STOCK), False))
    world.domain.money.tables.table = RateTable(RATES)
    return world


class TelephoneCase(SynchronousTestCase):
    """Ann has a number, a balance of one unit, and two devices."""

    settings: dict[str, Any] = {}
    limits: dict[str, Any] = {}

    def setUp(self) -> None:
        self.carriers, self.mailbox = MemoryCarriers(), MemoryMailbox()
        self.patch(domain, "make_telephone", self._with_mailbox)
        self.world = node_with_numbers(self.carriers, self.more(), **self.settings)
        self.ann = self.world.register("ann")
        self.phone = self.world.login("ann")
        self.number = self.number_of(self.ann)
        self.pay(self.ann, UNIT)
        self.settle()

    def tearDown(self) -> None:
        self.world.clock.advance(7300)
        self.world.clock.advance(120)
        self.nothing_left()
        self.assertEqual(self.world.late, [])

    def nothing_left(self) -> None:
        """No call is left, and nothing that it held."""
        telephone = self.world.domain.telephone
        self.assertEqual((len(telephone.table), telephone.table._by_account), (0, {}))
        self.assertEqual(self.world.database.count("holds"), 0)
        busy: Any = self.world.services.busy
        self.assertEqual(busy._held, {})
        self.assertTrue(all(call.over for call in self.carriers.calls), "a call goes on at the carrier")

    def _with_mailbox(self, *given: Any) -> TelephoneParts:
        """The node has no voicemail but the test's."""
        make: Any = make_telephone
        found: TelephoneParts = make(*given[:-1], self.mailbox)
        return found

    def more(self) -> dict[str, Any]:
        """What the world is made with, besides."""
        return self.limits

    # --- people

    def ids(self) -> list[str]:
        """Of the calls that Ann sees."""
        return [each["call"] for each in self.ann.call("telephone.list")["calls"]]

    def missed(self) -> list[tuple[str | None, bool]]:
        """What Ann finds of calls that she has missed: who has called, and whether the voicemail answered."""
        found = self.ann.call("telephone.missed")
        return [(each.get("caller"), each["voicemail"]) for each in found["calls"]]

    def number_of(self, client: Client) -> str:
        return str(client.call("profile.get")["profile"]["safenum"])

    def pay(self, client: Client, amount: int) -> None:
        credit = self.world.domain.money.credits.credit
        done = credit(AccountId(client.account), amount, "EUR", "test", str(self.world.clock.seconds()))
        self.successResultOf(Deferred.fromCoroutine(done))

    def balance(self, client: Client | None = None) -> tuple[int, int]:
        """What can be spent, and what is held."""
        found = (client or self.ann).call("balance.get")
        return found["balance"], found["held"]

    def settle(self) -> None:
        """What came until now is of no interest."""
        self.world.settle()
        for client in (self.ann, self.phone):
            client.take()

    def advance(self, seconds: float) -> None:
        """Second by second: what is due in one may bring about what is due in the next."""
        while seconds > 0:
            self.world.clock.advance(min(seconds, 1.0))
            seconds -= 1.0

    def denied(self, code: str, client: Client, method: str, **params: Any) -> str:
        error: Refused = self.assertRaises(Refused, client.call, method, **params)
        self.assertEqual(error.code, code)
        return str(error.error["data"].get("detail", ""))

    # --- calls

    def dial(
        self, to: str = LANDLINE, call: str = CALL, client: Client | None = None, sdp: str = OFFER
    ) -> dict[str, Any]:
        return (client or self.ann).call("telephone.dial", call=call, to=to, sdp=sdp)

    def dialled(self, to: str = LANDLINE, call: str = CALL, client: Client | None = None) -> MemoryCall:
        """A call that rings at the other side."""
        self.dial(to, call, client)
        return self.carriers.calls[-1]

    def ring(self, caller: str = STRANGER, called: str = "") -> MemoryCall:
        """Somebody calls Ann."""
        return self.carriers.ring(self.world.domain.telephone.exchange, called or self.number, caller)

    def incoming(self, client: Client) -> str:
        """The id of the call that rings on a device."""
        found = [event["params"] for event in client.take("telephone.incoming")]
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0]["sdp"], OFFER)
        return str(found[0]["call"])

    def answer(self, client: Client, call: str) -> None:
        client.call("telephone.answer", call=call, sdp=ANSWER)

    def hang_up(self, client: Client, call: str = CALL) -> None:
        client.call("telephone.hangup", call=call)

    def cdrs(self) -> list[Cdr]:
        cdrs, month = self.world.domain.money.cdrs, month_of(int(self.world.clock.seconds() * 1000))
        return self.world.database.now(lambda c: cdrs.page(c, month, 0, 100)[0])

    def cdr(self) -> list[str]:
        """The one that there is, from the disposition on, with its seconds first."""
        [record] = self.cdrs()
        return record.fields()[7:]
