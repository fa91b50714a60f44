"""`make timing`: whether the time of an answer tells that somebody has an account.

Each question is asked so many times about people who have an account and about people who have none, in a
random order. The two are compared by Welch's t-test on trimmed means (Yuen, 1974): what interrupts a machine
is in neither. What is timed is the whole node in one thread, from the frame to the answer, with the cheapest
hash there is: so a difference that would be lost beside a real one is seen. The last rows are with real ones.
"""

import gc
import sys
from collections.abc import Callable
from random import SystemRandom
from statistics import fmean
from time import perf_counter_ns
from typing import NamedTuple

from scipy.stats import ttest_ind

from tests.alike import CASES, Crowd, Trial, people

TRIES = 1000
"""For each of both."""
TRIM = 0.1
"""Of each end of the sorted times."""
SURE = 0.01
"""The two differ where chance alone would make them differ so much less often than this."""
_WARM_UP = 100
_random = SystemRandom()


class Comparison(NamedTuple):
    """Means in microseconds, after trimming."""

    known: float
    unknown: float
    t: float
    p: float


def compare(crowd: Crowd, case: Callable[[Crowd, int], Trial], tries: int = TRIES) -> Comparison:
    """Time `tries` questions about each of both kinds of people."""
    who = {True: people(True), False: people(False)}
    order = [True, False] * (tries + _WARM_UP)
    pairs = [order[start : start + 2] for start in range(0, len(order), 2)]
    for pair in pairs:
        _random.shuffle(pair)
    times: dict[bool, list[float]] = {True: [], False: []}
    gc.collect()
    gc.disable()
    try:
        for place, known in enumerate(known for pair in pairs for known in pair):
            trial = case(crowd, next(who[known]))
            begun = perf_counter_ns()
            trial.run()
            taken = perf_counter_ns() - begun
            if place >= 2 * _WARM_UP:
                times[known].append(taken / 1000)
            trial.connection.lose()
            if place % 200 == 0:
                gc.collect()
    finally:
        gc.enable()
    return judge(times[True], times[False])


def judge(known: list[float], unknown: list[float]) -> Comparison:
    """Compare two samples."""
    found = ttest_ind(known, unknown, equal_var=False, trim=TRIM)
    return Comparison(_trimmed(known), _trimmed(unknown), float(found.statistic), float(found.pvalue))


def _trimmed(sample: list[float]) -> float:
    cut = int(len(sample) * TRIM)
    return fmean(sorted(sample)[cut : len(sample) - cut])


def main() -> int:
    """Compare everything; 1 where something can be told apart."""
    failed = False
    print(f"microseconds, {TRIES} tries each, trimmed by {TRIM:.0%} at both ends")
    print(f"{'question':36} {'known':>10} {'unknown':>10} {'t':>7} {'p':>8}")
    for memory, names in ((0, list(CASES)), (8, ["session.login"]), (64, ["session.login"])):
        crowd = Crowd()
        for name in names:
            if memory:
                crowd.costly(memory)
            found = compare(crowd, CASES[name])
            about = f"{name}{f', Argon2id {memory} MiB' if memory else ''}"
            same = found.p > SURE
            failed |= not same
            figures = f"{found.known:10.1f} {found.unknown:10.1f} {found.t:7.2f} {found.p:8.4f}"
            print(f"{about:36} {figures}    {'alike' if same else 'DIFFERENT'}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
