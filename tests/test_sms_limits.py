"""Against SMS pumping: what a node sends, and to whom, stays within bounds whoever asks for it."""

import gc
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from bridges.sms.sender import Sender
from safeum_home.config import SmsSection
from safeum_home.errors import Problem
from safeum_home.ports.sms import Accepted, Permanent, Temporary
from tests.sms import HOST, NUMBER, TEXT, Provider, SenderCase, logged

OTHER = "+12025550123"
MIDNIGHT = 43200.0
"""Seconds until then."""


class LimitCase(SenderCase):
    def setUp(self) -> None:
        super().setUp()
        self.provider = Provider(Accepted())
        self.logged = logged(self)

    def alarms(self) -> list[LogEvent]:
        return [event for event in self.logged if "ALARM" in (event["log_format"] or "")]

    def outcome(self, sending: Deferred[None]) -> str:
        """`sent`, or the code that the user gets."""
        found: list[str] = []
        sending.addCallbacks(lambda _: found.append("sent"), lambda f: found.append(f.value.code.code))
        return found[0]


class PumpingTests(LimitCase):
    """Bursts over many numbers, from many addresses."""

    def burst(self, sender: Sender, first: int, count: int = 10_000) -> int:
        """How many of `count` sequential numbers are sent to, each for another address."""
        return sum(
            self.outcome(sender.send(f"+{first + n}", TEXT, f"10.{n >> 8 & 255}.{n & 255}.9")) == "sent"
            for n in range(count)
        )

    def test_one_prefix(self) -> None:
        """Of 10,000 numbers of a prefix as many get a message as are configured, and all others theirs."""
        sender = self.sender(self.provider, prefix_burst=20, prefix_per_hour=20.0, area_burst=200)
        self.assertEqual(self.burst(sender, 447700_900000), 20)
        self.assertEqual({number[:8] for number, _ in self.provider.sent}, {"+4477009"})
        for number in ("+447800900123", "+12025550123", "+3725123456", "+380441234567"):
            self.successResultOf(sender.send(number, TEXT, HOST))
        code, wait = self.refused(sender.send("+447700912345", TEXT, HOST))
        self.assertEqual((code, wait and round(wait)), ("rate_limited", 180))

    def test_one_prefix_with_the_defaults(self) -> None:
        """A node that configures nothing is as safe; who goes on for hours finds the prefix closed."""
        defaults = {name: getattr(SmsSection(), name) for name in SmsSection.__struct_fields__}
        sender = self.sender(self.provider, **defaults)
        self.assertEqual(self.burst(sender, 447700_900000), 20)
        self.successResultOf(sender.send("+12025550123", TEXT, HOST))
        self.clock.advance(3600)
        self.assertEqual(self.burst(sender, 447700_900000), 0)
        self.successResultOf(sender.send("+12025550199", TEXT, HOST))
        self.assertEqual(len(self.alarms()), 1)
        self.clock.advance(3600)
        self.assertEqual(self.burst(sender, 447700_900000), 20)

    def test_a_prefix_beside_the_next(self) -> None:
        """Going on to the next prefix is of little use: the wider one is full in time."""
        sender = self.sender(
            self.provider, prefix_burst=20, prefix_per_hour=20.0, area_burst=50, area_per_hour=50.0
        )
        # With nine digits a prefix of seven has 100 numbers: 100 prefixes.
        self.assertEqual(self.burst(sender, 372510000), 50)
        self.assertEqual(self.burst(sender, 999_1000000000, 100), 20)

    def test_one_number(self) -> None:
        """Nobody's telephone can be made to ring all day, from however many addresses."""
        sender = self.sender(self.provider, number_burst=3, number_per_hour=0.5)
        told = [self.outcome(sender.send(NUMBER, TEXT, f"192.0.2.{n}")) for n in range(20)]
        self.assertEqual(told, ["sent"] * 3 + ["rate_limited"] * 17)
        self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST)), ("rate_limited", 7200.0))

    def test_one_address(self) -> None:
        """Neither an address nor an IPv6 network asks for more than a few; asking too often counts too."""
        sender = self.sender(self.provider, address_burst=10, address_per_hour=10.0)
        hosts = [(lambda n: HOST), (lambda n: f"2001:db8::{n + 1:x}"), (lambda n: "::ffff:198.51.100.1")]
        for at, host in enumerate(hosts):
            told = [self.outcome(sender.send(f"+1{at}0255{n:05}", TEXT, host(n))) for n in range(50)]
            self.assertEqual(told, ["sent"] * 10 + ["rate_limited"] * 40)
        self.assertEqual(self.outcome(sender.send(NUMBER, TEXT, "2001:db8:0:1::1")), "sent")

    def test_refused_uses_up_nothing_else(self) -> None:
        """A number whose prefix was full has all its messages left when that is over."""
        sender = self.sender(
            self.provider, prefix_burst=5, prefix_per_hour=3600.0, number_burst=1, number_per_hour=0.001
        )
        self.assertEqual(self.burst(sender, 447700_900000, 100), 5)
        for _ in range(50):
            self.assertEqual(self.outcome(sender.send("+447700999999", TEXT, HOST)), "rate_limited")
        self.clock.advance(1)
        self.assertEqual(self.outcome(sender.send("+447700999999", TEXT, HOST)), "sent")

    def test_no_provider_was_asked(self) -> None:
        """While all are left alone nothing counts, but for the address; what may have been sent does."""
        self.provider.outcome = Temporary("unreachable")
        sender = self.sender(
            self.provider,
            rounds=1,
            number_burst=1,
            number_per_hour=0.001,
            messages_per_day=3,
            breaker_failures=1,
        )
        other = "+12025550123"
        self.assertEqual(self.outcome(sender.send(other, TEXT, HOST)), "sms_unavailable")
        for _ in range(50):
            self.assertEqual(self.outcome(sender.send(NUMBER, TEXT, HOST)), "sms_unavailable")
        self.provider.outcome = Accepted()
        self.clock.advance(30)
        self.assertEqual(self.outcome(sender.send(NUMBER, TEXT, HOST)), "sent")
        self.assertEqual(self.outcome(sender.send(other, TEXT, HOST)), "rate_limited")
        self.assertEqual(sender._limits.budget.messages, 2)

    def test_nothing_was_handed_over(self) -> None:
        """What certainly reached no provider counts for the address alone; one that may have it is enough."""
        reached = Provider(Temporary("unreachable", handed_over=False))
        sender = self.sender(
            self.provider,
            reached,
            rounds=2,
            number_burst=1,
            number_per_hour=0.001,
            prefix_burst=1,
            prefix_per_hour=0.001,
            area_burst=1,
            area_per_hour=0.001,
            address_burst=4,
            address_per_hour=0.001,
            messages_per_day=1,
        )

        def after_a_while() -> str:
            sending = sender.send(NUMBER, TEXT, HOST)
            self.clock.pump([1.0] * 400)
            return self.outcome(sending)

        for outcome in (
            Temporary("connection refused", handed_over=False),
            Permanent("no secret", handed_over=False),
            Permanent("wrong password", account_refused=True),
        ):
            self.provider.outcome = outcome
            self.assertEqual(after_a_while(), "sms_unavailable")
            self.assertEqual(sender._limits.budget.messages, 0)
        self.provider.outcome = Temporary("broke off")
        self.assertEqual(after_a_while(), "sms_unavailable")
        self.assertEqual(sender._limits.budget.messages, 1)
        self.assertEqual(self.outcome(sender.send(NUMBER, TEXT, "192.0.2.99")), "rate_limited")
        self.assertEqual(self.outcome(sender.send(OTHER, TEXT, HOST)), "rate_limited")

    def test_memory(self) -> None:
        """However many numbers were asked for, little is held, and none of them."""
        sender = self.sender(self.provider)
        for n in range(70_000):
            sender.send(f"+4477{n:08}", TEXT, f"2001:db8:{n >> 8:x}:{n & 255:x}::1")
        self.provider.sent.clear()
        limits = sender._limits
        for held in (limits._numbers, limits._addresses, limits._prefixes, limits.conversion):
            self.assertLessEqual(len(held), 65536)
        gc.collect()
        seen = {id(sender)}
        todo: list[Any] = [sender]
        while todo:
            for inner in gc.get_referents(todo.pop()):
                if (
                    id(inner) not in seen
                    and not isinstance(inner, type)
                    and not hasattr(inner, "__globals__")
                ):
                    seen.add(id(inner))
                    todo.append(inner)
                    if isinstance(inner, str | bytes):
                        self.assertNotIn("4477", str(inner))
        self.assertGreater(len(seen), 60_000)


class BudgetTests(LimitCase):
    """The day of the whole node."""

    def test_messages(self) -> None:
        """The day's last message is sent, the next waits for midnight, and one alarm names no number."""
        sender = self.sender(self.provider, messages_per_day=5)
        told = [self.outcome(sender.send(f"+4477009001{n:02}", TEXT, HOST)) for n in range(50)]
        self.assertEqual(told, ["sent"] * 5 + ["rate_limited"] * 45)
        self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST)), ("rate_limited", MIDNIGHT))
        [alarm] = self.alarms()
        self.assertNotIn("44770", str(alarm))

    def test_over_midnight(self) -> None:
        """At midnight UTC a new day begins, with an alarm of its own; not a second sooner."""
        sender = self.sender(self.provider, messages_per_day=2)

        def day() -> list[str]:
            return [self.outcome(sender.send(NUMBER, TEXT, HOST)) for _ in range(4)]

        self.assertEqual(day(), ["sent"] * 2 + ["rate_limited"] * 2)
        self.clock.advance(MIDNIGHT - 1)
        self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST)), ("rate_limited", 1.0))
        self.clock.advance(1)
        self.assertEqual(day(), ["sent"] * 2 + ["rate_limited"] * 2)
        self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST)), ("rate_limited", 86400.0))
        self.assertEqual(len(self.alarms()), 2)

    def test_cost(self) -> None:
        """Money counts by the longest prefix: what is dear ends, what is cheap goes on while it fits."""
        sender = self.sender(
            self.provider, cost_per_day=1_000_000, price=100_000, prices={"44": 40_000, "4477009": 600_000}
        )
        self.assertEqual(self.outcome(sender.send("+447700900001", TEXT, HOST)), "sent")
        self.assertEqual(self.outcome(sender.send("+447700900002", TEXT, HOST)), "rate_limited")
        told = [self.outcome(sender.send("+447800900002", TEXT, HOST)) for _ in range(12)]
        self.assertEqual(told, ["sent"] * 10 + ["rate_limited"] * 2)
        self.assertEqual(sender._limits.budget.cost, 1_000_000)

    def test_refused_numbers_cost_nothing(self) -> None:
        """Numbers that do not exist cannot use up the day; one that is refused after midnight neither."""
        self.provider.outcome = Permanent("no such number", number_refused=True)
        sender = self.sender(self.provider, messages_per_day=2)
        told = [self.outcome(sender.send(NUMBER, TEXT, HOST)) for _ in range(9)]
        self.assertEqual(told, ["sms_unavailable"] * 9)
        self.provider.outcome = None
        self.clock.advance(MIDNIGHT - 1)
        sending = sender.send(NUMBER, TEXT, HOST)
        self.clock.advance(2)
        self.provider.answer(Permanent("no such number", number_refused=True))
        self.failureResultOf(sending, Problem)
        self.provider.outcome = Accepted()
        told = [self.outcome(sender.send(NUMBER, TEXT, HOST)) for _ in range(3)]
        self.assertEqual(told, ["sent", "sent", "rate_limited"])

    def test_a_clock_that_is_set_back(self) -> None:
        """Does not give the day twice."""
        sender = self.sender(self.provider, messages_per_day=2)
        self.clock.rightNow += MIDNIGHT
        told = [self.outcome(sender.send(NUMBER, TEXT, HOST)) for _ in range(3)]
        self.clock.rightNow -= 10
        told += [self.outcome(sender.send(NUMBER, TEXT, HOST)) for _ in range(3)]
        self.assertEqual(told, ["sent"] * 2 + ["rate_limited"] * 4)


class ConversionTests(LimitCase):
    """Prefixes whose codes are never entered."""

    def guarded(self, **settings: Any) -> Sender:
        return self.sender(
            self.provider,
            **{
                "conversion_messages": 10,
                "conversion_share": 0.2,
                "conversion_wait_seconds": 600.0,
                "conversion_closed_seconds": 3600.0,
                **settings,
            },
        )

    def test_nobody_enters_codes(self) -> None:
        """The prefix is closed for a while, with one alarm that names it not; others are open."""
        sender = self.guarded()
        for n in range(10):
            self.successResultOf(sender.send(f"+44770090010{n}", TEXT, HOST))
        self.clock.advance(599)
        self.assertEqual(self.outcome(sender.send("+447700900200", TEXT, HOST)), "sent")
        self.clock.advance(1)
        self.assertEqual(self.refused(sender.send("+447700900201", TEXT, HOST)), ("rate_limited", 3600.0))
        self.successResultOf(sender.send("+447800900100", TEXT, HOST))
        [alarm] = self.alarms()
        self.assertNotIn("44770", str(alarm))
        self.clock.advance(3601)
        self.assertEqual(self.outcome(sender.send("+447700900202", TEXT, HOST)), "sent")
        self.assertEqual(len(self.alarms()), 1)

    def test_one_verdict(self) -> None:
        """All that was sent before is part of it: it is told once, and the prefix opens when that says."""
        sender = self.guarded()
        for n in range(40):
            self.successResultOf(sender.send(f"+4477009001{n:02}", TEXT, HOST))
            self.clock.advance(1)
        self.clock.advance(575)
        self.assertEqual(self.outcome(sender.send("+447700900200", TEXT, HOST)), "rate_limited")
        self.clock.advance(100)
        self.assertEqual(self.outcome(sender.send("+447700900200", TEXT, HOST)), "rate_limited")
        self.clock.advance(3500)
        self.assertEqual(self.outcome(sender.send("+447700900200", TEXT, HOST)), "sent")
        self.assertEqual(len(self.alarms()), 1)

    def test_people_enter_codes(self) -> None:
        """Where a third is entered it stays open, however many there are and for however long."""
        sender = self.guarded()
        for n in range(200):
            number = f"+4477009{n:05}"
            self.successResultOf(sender.send(number, TEXT, HOST))
            if n % 3 == 0:
                sender.used(number)
            self.clock.advance(60)
        self.successResultOf(sender.send("+447700999999", TEXT, HOST))
        self.assertEqual(self.alarms(), [])

    def test_a_burst_of_people(self) -> None:
        """Codes on their way are no evidence: who enters them within the wait is in time."""
        sender = self.guarded()
        numbers = [f"+44770090{n:04}" for n in range(50)]
        for number in numbers:
            self.successResultOf(sender.send(number, TEXT, HOST))
        self.clock.advance(590)
        for number in numbers:
            sender.used(number)
        self.clock.advance(100)
        self.successResultOf(sender.send("+447700999999", TEXT, HOST))

    def test_nobody_can_enter_for_others(self) -> None:
        """A code counts once, and only where one was sent: the verdict cannot be bought with one number."""
        sender = self.guarded()
        for n in range(12):
            self.successResultOf(sender.send(f"+4477009001{n:02}", TEXT, HOST))
        for _ in range(100):
            sender.used("+447700900100")
            sender.used("+447700955555")
        self.clock.advance(600)
        self.assertEqual(self.outcome(sender.send("+447700900300", TEXT, HOST)), "rate_limited")

    def test_sending_again_does_not_put_it_off(self) -> None:
        """Messages to the same numbers again and again are counted, from the first on."""
        sender = self.guarded()
        for _ in range(6):
            self.successResultOf(sender.send("+447700900100", TEXT, HOST))
            self.successResultOf(sender.send("+447700900101", TEXT, HOST))
            self.clock.advance(110)
        self.assertEqual(self.outcome(sender.send("+447700900300", TEXT, HOST)), "rate_limited")

    def test_what_was_not_sent_does_not_count(self) -> None:
        """An outage is nobody's fraud."""
        sender = self.guarded(rounds=1, breaker_failures=1000)
        self.provider.outcome = Temporary("unreachable")
        for n in range(30):
            self.assertEqual(self.outcome(sender.send(f"+4477009001{n:02}", TEXT, HOST)), "sms_unavailable")
        self.provider.outcome = Accepted()
        self.clock.advance(700)
        self.assertEqual(self.outcome(sender.send(NUMBER, TEXT, HOST)), "sent")
