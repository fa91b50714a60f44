"""What a message of 200 octets costs in a group of 50, each side, amortised: the bench prints it.

Processor time of everything from the text to the envelope and back, epochs included: one in 100 messages. In
both languages, and of it Ed25519 alone: the middle of rounds of 100 messages each.
"""

import json
import subprocess
from collections.abc import Iterator
from itertools import repeat
from statistics import median
from time import process_time
from typing import Any, NamedTuple, TypeVar

from twisted.internet.task import Clock

from safeum_home.client.secure.events import Post, Received, Told
from safeum_home.client.secure.payloads import Text
from safeum_home.protocol.federation.signed import is_signed_by
from tests.secure_case import START, Program, account, unique_key
from tests.secure_javascript import WEB, install

SIZE = 50
EPOCH = 100
"""Messages in an epoch."""
TEXT = "x" * 200
OCTETS = bytes(600)
"""About what an envelope of such a message has."""
T = TypeVar("T")


class Cost(NamedTuple):
    """Microseconds for each message: to say it, to take it, and what Ed25519 alone is of both."""

    say: float
    take: float
    sign: float
    verify: float
    received: int
    epochs: int


def programs() -> tuple[Program, Program]:
    """Two of the members, each of whom knows all of them."""
    clock = Clock()
    clock.advance(START)
    keys = [unique_key(number) for number in range(SIZE)]
    alice, bob = (
        Program(number, clock).knows(*(key for key in keys if key is not keys[number])) for number in (0, 1)
    )
    (post,) = alice.chat.admit(account(number) for number in range(SIZE)).posts
    for each in (alice, bob):
        each.chat.take(told(alice, post))
    return alice, bob


def told(sender: Program, post: Post) -> Told:
    return Told(sender.account, post.data[-40:], post.data, post.quiet)


def _spent(work: Iterator[T]) -> tuple[list[T], float]:
    """What it comes to, and the microseconds that it has taken, for each message."""
    begun = process_time()
    made = list(work)
    return made, (process_time() - begun) / EPOCH * 1e6


def in_python(rounds: int) -> Cost:
    """Of as many rounds."""
    alice, bob = programs()
    took: list[tuple[float, ...]] = []
    received = epochs = 0
    for _ in range(rounds):
        steps, say = _spent(alice.chat.say(Text(TEXT), "r") for _ in range(EPOCH))
        envelopes = [told(alice, post) for step in steps for post in step.posts]
        heard, take = _spent(map(bob.chat.take, envelopes))
        signatures, sign = _spent(map(alice.key.signing.sign, repeat(OCTETS, EPOCH)))
        _, verify = _spent(is_signed_by(alice.key.public.sign, OCTETS, each) for each in signatures)
        took.append((say, take, sign, verify))
        received += sum(isinstance(event, Received) for step in heard for event in step.events)
        epochs += len(envelopes) - EPOCH
    say, take, sign, verify = map(median, zip(*took, strict=True))
    return Cost(say, take, sign, verify, received, epochs)


def in_javascript(rounds: int) -> Cost:
    """The same: tests/web/timing.mjs."""
    command = [install(), str(WEB / "timing.mjs"), str(rounds)]
    printed: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return Cost(**printed)
