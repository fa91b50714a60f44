"""People in a secure chat, each with programs of their own, and a node between them that a test can bend."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import TypeVar

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secret import Secret
from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure.chat import SecureChat, Step
from safeum_home.client.secure.envelope import Kind
from safeum_home.client.secure.events import (
    Event,
    Post,
    Received,
    Refusal,
    Told,
)
from safeum_home.client.secure.payloads import Payload, Text
from safeum_home.client.secure.people import People
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.unique_key import UniqueKey

CHAT = "!" + "e" * 26
OTHER_CHAT = "!" + "f" * 26
START = 1_800_000_000
"""Seconds."""
E = TypeVar("E")


def account(number: int) -> str:
    return "@" + "abcdefghijklmnopqrstuvwxyz"[number % 26] * 26 + f":n{number // 26}.example"


@cache
def unique_key(number: int, version: int = 0) -> UniqueKey:
    """Of one of the people; of no passphrase, which would take its time."""
    return UniqueKey(account(number), Secret.of(bytes([number, version]).ljust(32, b"k")))


class Program:
    """One of somebody's programs: what it has heard is in `events`, `posted` what it has said."""

    def __init__(self, number: int, clock: Clock, peer: int | None = None, version: int = 0) -> None:
        self.number = number
        self.key = unique_key(number, version)
        self.account = self.key.account
        self.people = People()
        self.clock = clock
        self.vault = 0
        self.peer = None if peer is None else account(peer)
        self.events: list[Event] = []
        self.posted: list[Post] = []
        self.open(CHAT)

    def open(self, chat: str) -> None:
        """Begin with the chat anew, without memory of it."""
        self.chat = SecureChat(chat, self.key, self.people, self.clock, self.peer, lambda: self.vault)

    def knows(self, *others: UniqueKey) -> "Program":
        for key in others:
            self.people.told(key.account, key.public, int(self.clock.seconds() * 1000))
        return self

    def done(self, step: Step) -> list[Post]:
        self.events += step.events
        self.posted += step.posts
        return step.posts

    def of(self, kind: type[E]) -> list[E]:
        return [each for each in self.events if isinstance(each, kind)]

    @property
    def texts(self) -> list[str]:
        """What it has received."""
        return [each.payload.text for each in self.of(Received) if isinstance(each.payload, Text)]

    @property
    def refused(self) -> list[Reason]:
        return [each.reason for each in self.of(Refusal)]


Bend = Callable[[Program, Told], Iterable[Told]]
"""What a node does with an envelope on its way to a program."""


def straight(_program: Program, told: Told) -> Iterable[Told]:
    return (told,)


class SecureCase(SynchronousTestCase):
    """`programs` are in the chat; what one says comes to all others, as `bend` has it."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.programs: list[Program] = []
        self.log: list[Told] = []
        """All that was posted: what the node has as history."""
        self.bend: Bend = straight

    def add(self, number: int, peer: int | None = None, version: int = 0) -> Program:
        """A program of somebody who knows the keys of all who are there, as they know its."""
        program = Program(number, self.clock, peer, version)
        for each in self.programs:
            each.knows(program.key)
            program.knows(each.key)
        self.programs.append(program)
        return program

    def pair(self) -> tuple[Program, Program]:
        return self.add(0, peer=1), self.add(1, peer=0)

    def group(self, size: int) -> list[Program]:
        """Whose first member has made it of all of them."""
        programs = [self.add(number) for number in range(size)]
        self.carry(programs[0], programs[0].chat.admit(each.account for each in programs[1:]))
        return programs

    def carry(self, sender: Program, step: Step) -> list[Told]:
        """What a step has to post comes to all others."""
        told = [self.tell(sender, post) for post in sender.done(step)]
        for each in told:
            if envelopes.read(each.data).head.kind is Kind.ROSTER:
                self.carry(sender, sender.chat.take(each))
            for program in self.programs:
                if program is not sender:
                    self.give(program, each)
        return told

    def tell(self, sender: Program, post: Post) -> Told:
        """A post as the node tells it."""
        told = Told(sender.account, f"m{len(self.log)}", post.data, post.quiet)
        self.log.append(told)
        return told

    def give(self, program: Program, told: Told) -> None:
        for each in self.bend(program, told):
            self.carry(program, program.chat.take(each))

    def say(self, sender: Program, what: str | Payload, reference: str = "r") -> list[Told]:
        payload = Text(what) if isinstance(what, str) else what
        return self.carry(sender, sender.chat.say(payload, reference))

    def tick(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for program in self.programs:
            self.carry(program, program.chat.tick())


MALLORY = 25


def kinds(told: list[Told]) -> list[Kind]:
    return [envelopes.read(each.data).head.kind for each in told]
