"""A secure group against a simple model, while a node delivers when it likes, and loses and repeats things.

Whatever happens: nobody receives what was not said, or not by that one, or to others, or was received
already; and whoever has been sent all has all, and the same roster. What was lost is told.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import epoch as epochs
from safeum_home.client.secure import message, roster
from safeum_home.client.secure.chat import Step
from safeum_home.client.secure.envelope import NONE, Envelope, Kind
from safeum_home.client.secure.events import Gap, KeysChanged, Missing, Received, Refusal, Told, Waiting
from safeum_home.client.secure.payloads import Text
from safeum_home.client.secure.refused import Reason, Refused
from tests.secure_case import CHAT, START, Program, account, unique_key

PEOPLE = 4
PROGRAMS = (0, 0, 1, 1, 2, 3)
"""Whose they are."""
WHICH = st.integers(0, len(PROGRAMS) - 1)
WHO = st.integers(0, PEOPLE - 1)
HARMLESS = {Reason.EXCLUDED, Reason.FORMER_KEYS, Reason.ROSTER_FORKED, Reason.NOT_A_MEMBER}
"""Of who has been sent all: what is for others, or keys of before, and what somebody has said too late."""


class Life:
    """One of the programs, over all its starts."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.at = 0
        """So many of the log it has been told, or are lost."""
        self.past: list[Told] = []
        self.received: list[str] = []
        self.expected: set[str] = set()
        self.lost: set[tuple[bytes, int]] = set()
        """Streams and numbers, since it has started."""
        self.since = 0
        """When it was started last, in milliseconds: how what had begun before has begun it cannot know."""
        self.shaken = False
        """It has missed something, or was out in between: what it has is not what others have."""


class GroupMachine(RuleBasedStateMachine):
    """Four people, of whom two have two programs."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.clock.advance(START)
        self.versions = [0] * PEOPLE
        self.log: list[tuple[Told, frozenset[str]]] = []
        """With whom the node tells."""
        self.texts: dict[str, tuple[str, frozenset[str]]] = {}
        """Who has said them, and to whom."""
        self.rosters: dict[bytes, dict[str, bytes]] = {}
        self.head, self.made, self.members = NONE, 0, frozenset[str]()
        self.epochs: dict[bytes, frozenset[str]] = {}
        self.passed = 0
        self.lives = [Life(self._open(number)) for number in PROGRAMS]
        self._step(self.lives[0], self.lives[0].program.chat.admit(account(each) for each in range(PEOPLE)))
        self._settle()

    def _open(self, number: int) -> Program:
        program = Program(number, self.clock, version=self.versions[number])
        return program.knows(
            *(unique_key(each, self.versions[each]) for each in range(PEOPLE) if each != number)
        )

    # --- the node

    def _step(self, life: Life, step: Step) -> None:
        """What a program posts goes into the log."""
        program = life.program
        for event in step.events:
            if isinstance(event, Received) and not event.past:
                self._received(life, event)
        for post in program.done(step):
            told = Told(program.account, f"m{len(self.log)}", post.data, post.quiet)
            envelope = envelopes.read(post.data)
            before = self.members
            self._look(envelope, program)
            self.log.append((told, before | self.members))

    def _look(self, envelope: Envelope, sender: Program) -> None:
        """What the model learns of an envelope."""
        if envelope.head.kind is Kind.EPOCH:
            self.epochs[envelope.hash] = frozenset(epochs.read(envelope).members)
            assert self.epochs[envelope.hash] == frozenset(sender.chat.members)
        elif envelope.head.kind is Kind.MESSAGE:
            assert self.epochs[message.read(envelope).epoch] == frozenset(sender.chat.members)
        elif envelope.head.kind is Kind.ROSTER:
            said = roster.read(envelope)
            # Who had not heard of what is in force may follow on one that was refused by all others: a whole
            # list that was signed later needs none of those between.
            further = said.previous not in (NONE, *self.rosters) and said.at >= self.made
            if said.previous == self.head or (further and sender.account in self.members):
                struck = self.rosters.get(said.previous, {}).keys() - self.members
                if sender.account in self.members or not self.members:
                    self.head, self.made = envelope.hash, said.at
                    self.members = frozenset(said.members.keys() - struck)
                    self.rosters[self.head] = dict(said.members)
            elif sender.account in self.members:
                self.members -= self.rosters.get(said.previous, {}).keys() - said.members.keys()
            for life in self.lives if hasattr(self, "lives") else ():
                life.shaken |= life.program.account not in self.members

    def _received(self, life: Life, event: Received) -> None:
        assert isinstance(event.payload, Text)
        text = event.payload.text
        sender, audience = self.texts[text]
        assert sender == event.sender, "somebody else has said it"
        assert life.program.account in audience, "it was said to others"
        assert text not in life.received, "it was received already"
        life.received.append(text)

    def _deliver(self, life: Life, lose: bool = False) -> bool:
        """The next one of the log; False where there is none."""
        while life.at < len(self.log):
            told, accounts = self.log[life.at]
            life.at += 1
            posted = {each.data for each in life.program.posted}
            kind = envelopes.read(told.data).head.kind
            if life.program.account not in accounts or (told.data in posted and kind is not Kind.ROSTER):
                continue
            if lose and told.data not in posted:
                head = envelopes.read(told.data).head
                life.lost.add((head.stream, head.number))
                life.shaken = True
                return True
            life.past.append(told)
            self._step(life, life.program.chat.take(told))
            return True
        return False

    def _settle(self) -> None:
        while sum(self._deliver(life) for life in self.lives):
            pass

    # --- what happens

    @rule(which=WHICH)
    def say(self, which: int) -> None:
        """Somebody says something, to all who are members as it knows them."""
        life = self.lives[which]
        text = f"text {len(self.texts)}"
        audience = frozenset(life.program.chat.members)
        self.texts[text] = life.program.account, audience
        try:
            step = life.program.chat.say(Text(text), text)
        except Refused as refused:
            assert refused.reason is Reason.NOT_A_MEMBER
            return
        if any(isinstance(each, Waiting) for each in step.events):
            life.program.chat.forget(text)
            return
        self._step(life, step)
        for other in self.lives:
            if not life.shaken and other is not life and other.program.account in audience & self.members:
                other.expected.add(text)

    @rule(which=WHICH, count=st.integers(1, 9))
    def deliver(self, which: int, count: int) -> None:
        """Some of what waits for a program comes."""
        for _ in range(count):
            self._deliver(self.lives[which])

    @rule(which=WHICH)
    def lose(self, which: int) -> None:
        """The next one for a program does not come."""
        self._deliver(self.lives[which], lose=True)

    @rule(which=WHICH, at=st.integers(0, 1000))
    def repeat(self, which: int, at: int) -> None:
        """One that has come comes again, as something new."""
        life = self.lives[which]
        if life.past:
            told = life.past[at % len(life.past)]
            before = len(life.received)
            self._step(life, life.program.chat.take(Told(told.sender, "again", told.data, told.quiet)))
            assert len(life.received) == before

    @rule(which=WHICH, who=WHO)
    def forge(self, which: int, who: int) -> None:
        """The node says something in somebody's name."""
        forged = Program(who, self.clock, version=9).knows(unique_key(5))
        forged.open(CHAT)
        step = forged.chat.admit([account(5)])
        told = Told(account(who), "forged", step.posts[0].data, True)
        answer = self.lives[which].program.chat.take(told)
        assert [each.reason for each in answer.events] == [Reason.BAD_SIGNATURE]  # type: ignore[union-attr]

    @rule(which=WHICH, who=WHO, add=st.booleans())
    def change(self, which: int, who: int, add: bool) -> None:
        """A member adds, or removes, one."""
        life = self.lives[which]
        chat, other = life.program.chat, account(who)
        if life.program.account not in chat.members or (other in chat.members) is add:
            return
        try:
            self._step(life, chat.admit([other]) if add else chat.dismiss([other]))
        except Refused as refused:
            assert refused.reason in (Reason.TOO_MANY, Reason.NO_KEYS)

    @rule(which=WHICH, keeps=st.booleans())
    def restart(self, which: int, keeps: bool) -> None:
        """A program begins anew, with the vault and the history, or the latter alone."""
        life = self.lives[which]
        before = life.program
        if before.chat._taker.own_rosters:
            return
        self.clock.advance(1)
        after = self._open(before.number)
        after.people = before.people
        after.open(CHAT)
        after.posted = before.posted
        if keeps:
            after.chat.restore(before.chat.memory())
        life.program = after
        life.lost.clear()
        life.since = int(self.clock.seconds() * 1000)
        after.done(after.chat.past(life.past))
        # What it has said itself is in the history, too; that it waits for is not in memory any more.
        life.shaken = life.shaken or not keeps

    @rule(who=WHO)
    def change_key(self, who: int) -> None:
        """Somebody takes another unique key, on all programs."""
        self._settle()
        lives = [life for life in self.lives if life.program.number == who]
        if account(who) not in self.members or any(life.shaken for life in self.lives):
            return
        if self.versions[who] >= 5:  # so many former ones are kept that all of the past can be read
            return
        self.versions[who] += 1
        key = unique_key(who, self.versions[who])
        self._step(lives[0], lives[0].program.chat.succeed(key))
        for life in lives:
            before = life.program
            life.at = len(self.log)
            after = self._open(who)
            after.people = before.people
            after.open(CHAT)
            life.program = after
            after.done(after.chat.past([told for told, accounts in self.log if account(who) in accounts]))
            life.past = []
        self._settle()
        for life in self.lives:
            if life not in lives:
                assert life.program.of(KeysChanged)[-1].after == key.hash
            self._same_rosters()

    @rule(seconds=st.integers(1, 60))
    def wait(self, seconds: int) -> None:
        """Time passes, as long as what was under way is taken."""
        if self.passed + seconds < 500:
            self.passed += seconds
            self.clock.advance(seconds)

    @rule()
    def settle(self) -> None:
        """All comes, and a day passes."""
        self._settle()
        self._check()
        self.clock.advance(24 * 60 * 60)
        self.passed = 0

    # --- what has to be so

    def _same_rosters(self) -> None:
        rosters = {
            tuple(sorted(life.program.chat.members))
            for life in self.lives
            if not life.shaken and life.program.account in self.members
        }
        assert rosters <= {tuple(sorted(self.members))}, (rosters, self.members)

    def _check(self) -> None:
        self._same_rosters()
        for life in self.lives:
            program = life.program
            if not life.shaken:
                assert life.expected <= set(life.received), life.expected - set(life.received)
                refused = {each.reason for each in program.of(Refusal) if each.id != "again"}
                shaken = any(
                    other.shaken for other in self.lives
                )  # who lacks a roster says things to who is out
                assert refused <= HARMLESS | ({Reason.STALE_EPOCH} if shaken else set()), refused
                assert program.of(Gap) + program.of(Missing) == []
            heads = [envelopes.read(each.data).head for each in life.past]
            come = [(head.stream, head.number) for head in heads]
            lost = {each for each in life.lost if int.from_bytes(each[0][:8], "big") >= life.since}
            later = [each for each in come for stream, at in lost if each[0] == stream and each[1] > at]
            if later:
                assert program.of(Gap), (life.lost, later, program.events, self.clock.seconds())

    def teardown(self) -> None:
        self._settle()
        self._check()


class ModelTests(SynchronousTestCase):
    """Whatever happens, in whatever order."""

    def test_group(self) -> None:
        checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
        run_state_machine_as_test(
            GroupMachine,
            settings=settings(
                max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=checks
            ),
        )
