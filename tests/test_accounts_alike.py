"""Nobody learns whether somebody has an account: the same answers, and the same work behind them.

This needs no clock: what is compared is every statement, key, hash and text message, in their order. How
long it takes is compared by `make timing`.
"""

import re
from collections.abc import Callable
from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.sealing.keys import SealedKey
from tests.alike import CASES, Crowd, Trial, people
from tests.timing import SURE, compare, judge
from tests.world import CONSENT, LAPTOP, PASSWORD
from tests.world_parts import InlinePool, RecordedTexts

_LITERAL = re.compile(r"[xX]'[0-9A-Fa-f]*'|\b\d+\b")
_PARTICULAR = re.compile(rb'"id":\d+|"verification":"[\w-]{22}"|\+4917112\d{5}')


class Recorder:
    """What the node does, in its order."""

    def __init__(self, case: SynchronousTestCase, crowd: Crowd) -> None:
        self.steps: list[str] = []
        driver: Any = crowd.world.database.connection.connection.driver_connection
        driver.set_trace_callback(lambda sql: self.steps.append(_LITERAL.sub("?", sql)))
        for owner, names in (
            (SealedKey, ("seal", "open", "wrap", "unwrap")),
            (InlinePool, ("callInThreadWithCallback",)),
            (RecordedTexts, ("send",)),
        ):
            for name in names:
                case.patch(owner, name, self._noting(f"{owner.__name__}.{name}", getattr(owner, name)))

    def _noting(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any) -> Any:
            self.steps.append(step)
            return function(*args)

        return noted

    def of(self, trial: Trial) -> tuple[bytes, list[str]]:
        """The answer to a question, without what is random in it, and what was done for it."""
        self.steps.clear()
        answer = _PARTICULAR.sub(b"...", trial.run())
        return answer, list(self.steps)


class AlikeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.crowd = Crowd()
        self.recorder = Recorder(self, self.crowd)

    def test_same_answers_and_same_work(self) -> None:
        """Of every question that a stranger can ask, of many people."""
        for name, case in CASES.items():
            seen = [
                self.recorder.of(case(self.crowd, person))
                for known in (True, False)
                for person, _ in zip(people(known), range(12), strict=False)
            ]
            answers, work = [one[0] for one in seen], [one[1] for one in seen]
            self.assertEqual(len(seen), 24)
            self.assertTrue(answers[0])
            self.assertEqual(answers, [answers[0]] * 24, name)
            self.assertEqual(work, [work[0]] * 24, name)

    def test_what_is_done(self) -> None:
        """A login that is refused: one statement, one account opened, one hash. A code: one text message."""
        _, steps = self.recorder.of(self.crowd.login(1))
        keys = [step for step in steps if step.startswith("Sealed")]
        self.assertEqual(keys, ["SealedKey.unwrap", "SealedKey.open"])
        self.assertEqual(sum("SELECT" in step for step in steps), 1)
        self.assertEqual(steps.count("InlinePool.callInThreadWithCallback"), 1)
        self.assertEqual(self.recorder.of(self.crowd.create(1))[1], [])
        self.assertEqual(self.recorder.of(self.crowd.request(1))[1], ["RecordedTexts.send"])
        self.assertEqual(self.recorder.of(self.crowd.submit(1))[1], [])

    def test_it_would_be_seen(self) -> None:
        """A way in that looked people up as a sign-up does would do other work for those that there are."""
        about = {"password": PASSWORD, "device": LAPTOP, "consent": CONSENT}
        works = []
        for username in ("person0000", "person0001"):
            trial = self.crowd._trial("account.register", username=username, **about)
            works.append(self.recorder.of(trial))
        self.assertNotEqual(works[0][0], works[1][0])
        self.assertNotEqual(works[0][1], works[1][1])

    def test_on_an_empty_node(self) -> None:
        """Where there is nobody at all, nobody is known: the answer is the same."""
        answers = [crowd.login(0).run() for crowd in (Crowd(empty=True), self.crowd)]
        self.assertIn(b"bad_credentials", answers[0])
        self.assertEqual(*[_PARTICULAR.sub(b"...", answer) for answer in answers])


class JudgingTests(SynchronousTestCase):
    """What `make timing` concludes, on samples that are made up."""

    def sample(self, seed: int, mean: float) -> list[float]:
        """A thousand times around a mean, with interruptions."""
        random = Random(seed)
        return [random.gauss(mean, 10) + (random.random() < 0.02) * 5000 for _ in range(1000)]

    def test_same(self) -> None:
        """Two samples of one kind are alike, however often they were interrupted."""
        found = [judge(self.sample(seed, 200), self.sample(-seed - 1, 200)).p for seed in range(40)]
        self.assertLess(sum(p < SURE for p in found), 5)

    def test_a_difference_of_one_per_cent(self) -> None:
        """Is seen."""
        for seed in range(10):
            found = judge(self.sample(seed, 200), self.sample(-seed - 1, 202))
            self.assertLess(found.p, SURE)
            self.assertLess(found.known, found.unknown)

    def test_everything_is_compared(self) -> None:
        """Each question can be asked many times of both kinds of people; their times are not judged here."""
        crowd = Crowd()
        for case in CASES.values():
            found = compare(crowd, case, tries=20)
            self.assertGreater(min(found.known, found.unknown), 0)
            self.assertTrue(0 <= found.p <= 1)
