"""Text messages: what a user sees when providers fail, each in its own way."""

from twisted.internet.defer import Deferred, fail

from bridges.sms.slots import RETRY_AFTER
from safeum_home.ports.sms import (
    Accepted,
    Outcome,
    Permanent,
    SmsState,
    Temporary,
)
from tests.sms import HOST, NUMBER, TEXT, Provider, SenderCase, logged

DOWN = Temporary("unreachable")
OTHER = "+12025550123"


class FailoverTests(SenderCase):
    """One provider fails: another takes the message, and the user does not notice."""

    def test_first_takes_it(self) -> None:
        """The message goes to the first provider alone, as it is."""
        first, second = Provider(Accepted("1")), Provider(Accepted("2"))
        self.successResultOf(self.sender(first, second).send(NUMBER, TEXT, HOST))
        self.assertEqual((first.sent, second.sent), ([(NUMBER, TEXT)], []))

    def test_down(self) -> None:
        """A provider that cannot be reached, or answers 5xx, costs no time: the next is asked at once."""
        first, second = Provider(DOWN), Provider(Accepted())
        self.successResultOf(self.sender(first, second).send(NUMBER, TEXT, HOST))
        self.assertEqual((len(first.sent), len(second.sent)), (1, 1))

    def test_slow(self) -> None:
        """One that does not answer is given up after `attempt_seconds`, and its late answer is nobody's."""
        first, second = Provider(), Provider(Accepted())
        sending = self.sender(first, second, attempt_seconds=8.0).send(NUMBER, TEXT, HOST)
        self.clock.advance(7.9)
        self.assertNoResult(sending)
        self.clock.advance(0.2)
        self.successResultOf(sending)
        first.answer()
        self.assertEqual(self.tally.of("a"), {"timed_out": 1})

    def test_all_slow(self) -> None:
        """Where nobody answers the user is told within `total_seconds`, and that coming back may help."""
        providers = Provider(), Provider()
        sending = self.sender(*providers, attempt_seconds=8.0, total_seconds=20.0).send(NUMBER, TEXT, HOST)
        self.clock.pump([0.1] * 199)
        self.assertNoResult(sending)
        self.clock.pump([0.1] * 2)
        self.assertEqual(self.refused(sending), ("sms_unavailable", 5.0))

    def test_all_down(self) -> None:
        """All are asked in `rounds` rounds, further and further apart; then the user is told."""
        first, second = Provider(DOWN), Provider(DOWN)
        sending = self.sender(first, second, rounds=3).send(NUMBER, TEXT, HOST)
        asked = []
        for _ in range(80):
            asked.append(len(first.sent))
            self.clock.advance(0.1)
        self.assertEqual((asked[0], asked[9], asked[11], asked[29], asked[32]), (1, 1, 2, 2, 3))
        self.assertEqual((len(first.sent), len(second.sent)), (3, 3))
        self.assertEqual(self.refused(sending), ("sms_unavailable", 5.0))

    def test_comes_back(self) -> None:
        """One that is back in the second round takes the message."""
        first = Provider(DOWN)
        sending = self.sender(first).send(NUMBER, TEXT, HOST)
        first.outcome = Accepted()
        self.clock.advance(1.1)
        self.successResultOf(sending)

    def test_throttled(self) -> None:
        """Its `retry_after` is kept to: by this message, and by all others meanwhile."""
        first = Provider(Temporary("throttled", retry_after=7.0))
        sender = self.sender(first)
        sending = sender.send(NUMBER, TEXT, HOST)
        first.outcome = Accepted()
        other = sender.send(OTHER, TEXT, HOST)
        self.clock.advance(6.9)
        self.assertEqual(len(first.sent), 1)
        self.clock.advance(0.2)
        self.successResultOf(sending)
        self.successResultOf(other)

    def test_throttled_for_long(self) -> None:
        """Where that is later than a message may take, the user is told at once, and when to come back."""
        first = Provider(Temporary("throttled", retry_after=120.0))
        sender = self.sender(first)
        self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST)), ("sms_unavailable", 120.0))
        self.clock.advance(20)
        self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST)), ("sms_unavailable", 100.0))
        self.assertEqual(len(first.sent), 1)

    def test_a_strange_retry_after(self) -> None:
        """Years, or less than nothing, are not believed."""
        for strange, told in ((1e12, 3600.0), (float("inf"), 3600.0), (-1e9, 5.0)):
            sender = self.sender(Provider(Temporary("throttled", retry_after=strange)), rounds=1)
            self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST)), ("sms_unavailable", told))

    def test_number_refused(self) -> None:
        """A number that does not exist for one does not for the next: no other is asked, no waiting helps."""
        first, second = Provider(Permanent("invalid number", number_refused=True)), Provider(Accepted())
        sender = self.sender(first, second, breaker_failures=1)
        for _ in range(20):
            self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST)), ("sms_unavailable", None))
        self.assertEqual((len(first.sent), second.sent), (20, []))

    def test_message_refused(self) -> None:
        """What one will not take (4xx) goes to the next, and not to that one again."""
        first, second = Provider(Permanent("refused")), Provider(DOWN)
        sending = self.sender(first, second).send(NUMBER, TEXT, HOST)
        self.clock.pump([0.1] * 80)
        self.assertEqual((len(first.sent), len(second.sent)), (1, 3))
        self.assertEqual(self.refused(sending), ("sms_unavailable", 5.0))

    def test_refused_by_the_only_one(self) -> None:
        """The user hears of it at once."""
        sending = self.sender(Provider(Permanent("refused"))).send(NUMBER, TEXT, HOST)
        self.assertEqual(self.refused(sending), ("sms_unavailable", 5.0))

    def test_a_bridge_that_fails(self) -> None:
        """A third party's bridge may raise: the next is asked, and nothing of what it said is logged."""

        class Broken(Provider):
            def send(self, number: str, text: str) -> Deferred[Outcome]:
                if self.sent:
                    return fail(ValueError(f"{number} {text}"))
                self.sent.append((number, text))
                raise RuntimeError(f"{number} {text}")

        events = logged(self)
        sender = self.sender(Broken(), second := Provider(Accepted()))
        for _ in range(2):
            self.successResultOf(sender.send(NUMBER, TEXT, HOST))
        self.assertEqual(len(second.sent), 2)
        self.assertIn("RuntimeError", str(events))
        self.assertIn("ValueError", str(events))
        self.assertNotIn(NUMBER, str(events))
        self.assertNotIn("482913", str(events))

    def test_routes(self) -> None:
        """The longest prefix that fits decides who is asked, and in which order."""
        a, b, c = (Provider(DOWN) for _ in range(3))
        sender = self.sender(a, b, c, rounds=1, routes={"44": ["c", "b"], "447": ["b"]})
        for number, asked in ((NUMBER, "b"), ("+441632960123", "cb"), (OTHER, "abc")):
            for provider in (a, b, c):
                provider.sent.clear()
            self.refused(sender.send(number, TEXT, HOST))
            self.assertEqual({n for n, p in zip("abc", (a, b, c), strict=True) if p.sent}, set(asked))

    def test_none_configured(self) -> None:
        """Without a provider no message is ever sent."""
        self.assertEqual(self.refused(self.sender().send(NUMBER, TEXT, HOST)), ("sms_unavailable", None))

    def test_not_a_number(self) -> None:
        """Only E.164 gets to a provider."""
        sender = self.sender(provider := Provider(Accepted()))
        for number in (
            "",
            "447700900123",
            "+0447700900",
            "+44 7700 900123",
            NUMBER + "\n",
            "+1" * 9,
            "+١٢٣٤٥٦٧٨",
        ):
            self.assertEqual(self.refused(sender.send(number, TEXT, HOST)), ("invalid_params", None))
        self.assertEqual(provider.sent, [])


class BreakerTests(SenderCase):
    """A provider that fails again and again is left alone."""

    def test_opens_and_closes(self) -> None:
        """closed, open, half open with one message, closed; users are told when it is tried again."""
        provider = Provider(DOWN)
        sender = self.sender(provider, rounds=1, breaker_failures=3, breaker_seconds=30.0)
        for _ in range(3):
            self.assertEqual(sender.report()[0].split(";")[0], "a: taking messages")
            self.refused(sender.send(NUMBER, TEXT, HOST))
        self.assertEqual(sender.report(), ["a: left alone for a while; temporary 3"])
        self.clock.advance(10)
        self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST)), ("sms_unavailable", 20.0))
        self.assertEqual(len(provider.sent), 3)
        self.clock.advance(20)
        provider.outcome = None
        trial = sender.send(NUMBER, TEXT, HOST)
        self.assertEqual(self.refused(sender.send(OTHER, TEXT, HOST)), ("sms_unavailable", 5.0))
        self.assertEqual((sender.report()[0].split(";")[0], len(provider.sent)), ("a: being tried again", 4))
        provider.answer()
        self.successResultOf(trial)
        self.assertEqual(sender.report()[0].split(";")[0], "a: taking messages")
        provider.outcome = Accepted()
        self.successResultOf(sender.send(OTHER, TEXT, HOST))

    def test_in_words(self) -> None:
        """The operator reads how it is with a provider, or in its own words what troubles it."""
        provider = Provider(Temporary("throttled", retry_after=60.0))
        sender = self.sender(provider, rounds=1, breaker_failures=2, breaker_seconds=30.0)
        self.refused(sender.send(NUMBER, TEXT, HOST))
        self.assertEqual(sender.report(), ["a: left alone for a while; temporary 1"])
        self.clock.advance(60)
        provider.outcome = DOWN
        self.refused(sender.send(NUMBER, TEXT, HOST))
        self.clock.advance(30)
        self.assertEqual(sender.report(), ["a: to be tried with the next message; temporary 2"])
        provider.trouble = "not connected"
        self.assertEqual(sender.report(), ["a: not connected; temporary 2"])

    def test_stays_down(self) -> None:
        """Each trial that fails doubles the time, up to sixteen times; one that succeeds begins anew."""
        provider = Provider(DOWN)
        sender = self.sender(provider, rounds=1, breaker_failures=1, breaker_seconds=30.0)
        for wait in (30, 60, 120, 240, 480, 480):
            self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST)), ("sms_unavailable", float(wait)))
            self.clock.advance(wait)
        provider.outcome = Accepted()
        self.successResultOf(sender.send(NUMBER, TEXT, HOST))
        provider.outcome = DOWN
        self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST)), ("sms_unavailable", 30.0))

    def test_the_trial_fails(self) -> None:
        """One failure is enough then, however many it takes otherwise; the next trial is let through."""
        provider = Provider(DOWN)
        sender = self.sender(provider, rounds=1, breaker_failures=3, breaker_seconds=30.0)
        for _ in range(3):
            self.refused(sender.send(NUMBER, TEXT, HOST))
        self.clock.advance(30)
        self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST)), ("sms_unavailable", 60.0))
        self.clock.advance(60)
        provider.outcome = Accepted()
        self.successResultOf(sender.send(NUMBER, TEXT, HOST))

    def test_credentials(self) -> None:
        """One that refuses the node is left alone at once, and the next takes the message."""
        first, second = (
            Provider(Permanent("the account is refused", account_refused=True)),
            Provider(Accepted()),
        )
        sender = self.sender(first, second)
        for _ in range(5):
            self.successResultOf(sender.send(NUMBER, TEXT, HOST))
        self.assertEqual((len(first.sent), len(second.sent)), (1, 5))

    def test_others_do_not_open_it(self) -> None:
        """Failures in between successes, and refused numbers, do not."""
        outcomes: list[Outcome] = [DOWN, DOWN, Accepted(), DOWN, DOWN, Permanent("no such number", True)] * 5
        sender = self.sender(Provider(lambda _: outcomes.pop(0)), Provider(Accepted()), breaker_failures=3)
        while outcomes:
            sender.send(NUMBER, TEXT, HOST).addErrback(lambda _: None)
        self.assertIn("a: taking messages", sender.report()[0])

    def test_late_results_are_not_the_trials(self) -> None:
        """What was asked before the breaker opened neither closes it nor opens it again."""
        provider = Provider()
        sender = self.sender(provider, rounds=1, breaker_failures=2, breaker_seconds=5.0)
        sending = [sender.send(NUMBER, TEXT, HOST) for _ in range(4)]
        provider.answer(DOWN)
        self.clock.advance(1)
        provider.answer(DOWN)
        self.assertIn("a: left alone for a while", sender.report()[0])
        provider.answer(Accepted())
        self.assertIn("a: left alone for a while", sender.report()[0])
        self.clock.advance(5)
        trial = sender.send(NUMBER, TEXT, HOST)
        provider.answer(DOWN)
        self.assertIn("a: being tried again", sender.report()[0])
        provider.answer(Accepted())
        self.successResultOf(trial)
        self.assertIn("a: taking messages", sender.report()[0])
        self.assertEqual([self.refused(sending[at])[0] for at in (0, 1, 3)], ["sms_unavailable"] * 3)
        self.successResultOf(sending[2])


class QueueTests(SenderCase):
    """What is handed over at once, and what waits, is bounded."""

    def test_full(self) -> None:
        """Beyond `concurrency` messages wait in order, beyond `queue` users are told to come back."""
        provider = Provider()
        sender = self.sender(provider, concurrency=2, queue=3)
        sending = [sender.send(f"+4477009001{n:02}", TEXT, HOST) for n in range(6)]
        self.assertEqual(len(provider.sent), 2)
        self.assertEqual(self.refused(sending[5]), ("busy", RETRY_AFTER))
        for _ in range(5):
            provider.answer()
        self.assertEqual([number[-2:] for number, _ in provider.sent], ["00", "01", "02", "03", "04"])
        for done in sending[:5]:
            self.successResultOf(done)
        provider.outcome = Accepted()
        self.successResultOf(sender.send(NUMBER, TEXT, HOST))

    def test_refused_is_not_counted(self) -> None:
        """Who was told that the node is busy has used up nothing."""
        provider = Provider()
        sender = self.sender(provider, concurrency=1, queue=0, number_burst=1, number_per_hour=1.0)
        sending = sender.send(OTHER, TEXT, HOST)
        self.assertEqual(self.refused(sender.send(NUMBER, TEXT, HOST))[0], "busy")
        provider.answer()
        self.successResultOf(sending)
        provider.outcome = Accepted()
        self.successResultOf(sender.send(NUMBER, TEXT, HOST))

    def test_waited_too_long(self) -> None:
        """Who waits for his turn is told within `total_seconds` too."""
        sender = self.sender(Provider(), concurrency=1, queue=5, attempt_seconds=99.0, total_seconds=20.0)
        first, second = sender.send(OTHER, TEXT, HOST), sender.send(NUMBER, TEXT, HOST)
        self.clock.advance(19.9)
        self.assertNoResult(second)
        self.clock.advance(0.2)
        self.assertIn(self.refused(second)[0], ("busy", "sms_unavailable"))
        self.assertEqual(self.refused(first)[0], "sms_unavailable")

    def test_stop(self) -> None:
        """At the end everybody is told, whoever waits for what, and all providers are closed."""
        providers = Provider(), Provider(DOWN)
        sender = self.sender(*providers, concurrency=1, queue=5)
        sending = [sender.send(NUMBER, TEXT, HOST) for _ in range(3)]
        self.successResultOf(Deferred.fromCoroutine(sender.stop()))
        sending.append(sender.send(NUMBER, TEXT, HOST))
        self.assertEqual([self.refused(one)[0] for one in sending], ["shutting_down"] * 4)
        self.assertTrue(all(provider.stopped for provider in providers))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_of_one_that_swallows_it(self) -> None:
        """A bridge that makes an outcome of being interrupted does not have the next one asked."""

        class Swallowing(Provider):
            def send(self, number: str, text: str) -> Deferred[Outcome]:
                return super().send(number, text).addErrback(lambda _: DOWN)

        sender = self.sender(Swallowing(), second := Provider(Accepted()))
        sending = sender.send(NUMBER, TEXT, HOST)
        self.successResultOf(Deferred.fromCoroutine(sender.stop()))
        self.assertEqual(self.refused(sending)[0], "shutting_down")
        self.assertEqual(second.sent, [])

    def test_taken_when_interrupted(self) -> None:
        """A provider that has taken the message at the last moment is not doubted."""

        class Late(Provider):
            def send(self, number: str, text: str) -> Deferred[Outcome]:
                return super().send(number, text).addErrback(lambda _: Accepted("x"))

        sender = self.sender(Late(), second := Provider(Accepted()), attempt_seconds=5.0)
        sending = sender.send(NUMBER, TEXT, HOST)
        self.clock.advance(5)
        self.successResultOf(sending)
        self.assertEqual((second.sent, self.tally.of("a")), ([], {"taken": 1}))


class ReportTests(SenderCase):
    """Delivery reports are counted."""

    def test_counts(self) -> None:
        """For each provider and state, each report once, whatever else is told."""
        sender = self.sender(Provider(Accepted("x")), Provider())
        self.successResultOf(sender.send(NUMBER, TEXT, HOST))
        for _ in range(3):
            self.tally.report("a", "x", SmsState.DELIVERED)
        self.tally.report("a", "y", SmsState.FAILED)
        self.tally.report("b", "x", SmsState.DELIVERED)
        self.tally.report("nobody", "x", SmsState.DELIVERED)
        self.tally.report("a", "\ud800" * 100, SmsState.ACCEPTED)
        self.assertEqual(
            sender.report(),
            [
                "a: taking messages; accepted 1, delivered 1, failed 1, taken 1",
                "b: taking messages; delivered 1",
            ],
        )

    def test_bounded(self) -> None:
        """However many references are made up, what is held stays small."""
        self.sender(Provider())
        for number in range(20_000):
            self.tally.report("a", str(number), SmsState.DELIVERED)
        self.assertLessEqual(len(self.tally._seen), 8192)
        self.assertEqual(self.tally.of("a"), {"delivered": 20_000})
