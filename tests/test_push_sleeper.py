"""Devices that sleep, against a model: events, connections, outcomes and time in any order."""

from os import environ

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import AccountId
from safeum_home.ports import Published, Waking
from safeum_home.ports.push import Wake, Woken
from safeum_home.protocol import frames
from safeum_home.push.sweep import START_SECONDS
from tests.push_case import Handed, RecordedPushes
from tests.world import World

RINGS = frames.text_frame(b'{"jsonrpc":"2.0","method":"it.rings","params":{}}')
MESSAGE_SECONDS, CALL_SECONDS = 86_400.0, 30.0
EXAMPLES = int(environ.get("PUSH_EXAMPLES", "40"))
OUTCOMES = [Woken.TAKEN] * 3 + [Woken.GIVEN_UP] * 3 + [Woken.DEAD]
SLACK = 3.0
"""Seconds within which something is done: rounds, and looking after who left."""


class SleepingDevice(RuleBasedStateMachine):
    """One device of Bob's: what is under way to wake it, and what it must be woken for."""

    def __init__(self) -> None:
        super().__init__()
        self.pushes = RecordedPushes()
        self.pushes.held = True
        self.world = World(pushes=self.pushes)
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.chat = self.world.befriend(self.alice, self.bob)
        self.laptop = self.world.login("bob")
        self.bob.call("push.set", provider="apple", token="t0")
        self.tokens = 0
        self.alice.write(self.chat, "to begin with")
        self.connected, self.wakeable, self.muted = True, True, False
        self.messages = self.held = self.told = 0
        """Messages that wake: how many there were, and up to which it holds, or was woken for, them."""
        self.refused = 0
        """How many wakes for messages were given up in a row."""
        self.rests: dict[Wake, float] = {}
        """Until when it is let alone, as its last wake was given up."""
        self.upto: dict[int, int] = {}
        self.in_force: dict[Wake, float] = {}
        """Until when a wake that was taken is in force."""
        self.leave(takes_all=True)

    def pass_time(self, seconds: float) -> None:
        self.world.clock.advance(seconds)
        self.world.clock.pump([0.1] * int(SLACK * 10))
        self.note()

    def hold(self) -> None:
        self.bob.call("session.ack", cursor=self.world.cursor)
        self.held = self.messages

    def note(self) -> None:
        """What is under way was handed in when there were so many messages."""
        for each in self.pushes.handed:
            self.upto.setdefault(id(each), self.messages)

    def under_way(self, wake: Wake) -> list[Handed]:
        return [each for each in self.pushes.handed if each.wake is wake and not each.done.called]

    @property
    def forced(self) -> set[Wake]:
        """Wakes that are in force, or were until a moment ago: rounds are a tenth of a second apart."""
        return {wake for wake, at in self.in_force.items() if at + 0.5 > self.world.clock.seconds()}

    @property
    def resting(self) -> bool:
        """Whether a wake was given up, and it is not, or was not until a moment ago, time for another."""
        return any(until + SLACK > self.world.clock.seconds() for until in self.rests.values())

    # --- what happens

    @rule(mentioning=st.booleans())
    def message(self, mentioning: bool) -> None:
        more = {"mentions": [self.bob.account]} if mentioning else {}
        self.alice.call("chat.send", **self.alice.message(self.chat, "hi"), **more)
        if mentioning or not self.muted:
            self.messages += 1
        self.pass_time(0)

    @rule()
    def own_message(self) -> None:
        self.laptop.write(self.chat, "mine")
        self.pass_time(0)

    @rule()
    def call(self) -> None:
        event = Published(RINGS, wake=Waking(Wake.CALL))
        self.world.services.bus.publish(AccountId(self.bob.account), event)
        self.pass_time(0)

    @rule()
    def mute(self) -> None:
        """Only where nothing waits: whether that wakes depends on when it is looked at."""
        if self.messages == self.held:
            self.muted = not self.muted
            until = 2**53 - 1 if self.muted else None
            self.laptop.call("chat.settings.set", chat=self.chat, muted_until=until)

    @precondition(lambda self: not self.connected)
    @rule(takes_all=st.booleans())
    def come(self, takes_all: bool) -> None:
        waiting = [each for each in self.pushes.handed if not each.done.called]
        self.bob.resume(self.bob.cursor)
        assert all(each.cancelled for each in waiting)
        self.connected, self.in_force, self.rests, self.refused = True, {}, {}, 0
        self.pass_time(0)
        if takes_all:
            self.hold()

    @precondition(lambda self: self.connected)
    @rule(takes_all=st.booleans())
    def leave(self, takes_all: bool) -> None:
        if takes_all:
            self.hold()
            self.bob.cursor = self.world.cursor
        self.bob.drop()
        self.connected = False
        self.told = self.held
        self.pass_time(0)

    @precondition(lambda self: self.connected)
    @rule(wakeable=st.sampled_from([True, True, True, False]))
    def register(self, wakeable: bool) -> None:
        self.wakeable, self.rests, self.refused = wakeable, {}, 0
        if wakeable:
            self.tokens += 1
            self.bob.call("push.set", provider="apple", token=f"t{self.tokens}")
        else:
            self.bob.call("push.remove")

    @precondition(lambda self: any(self.under_way(wake) for wake in Wake))
    @rule(first=st.sampled_from(Wake), woken=st.sampled_from(OUTCOMES))
    def outcome(self, first: Wake, woken: Woken) -> None:
        """Of what is under way of one class."""
        [wake, *_] = [wake for wake in (first, *Wake) if self.under_way(wake)]
        for each in self.under_way(wake):
            now = self.world.clock.seconds()
            upto = self.upto.get(id(each), self.messages)
            each.become(woken)
            if woken is Woken.DEAD:
                self.wakeable, self.in_force, self.rests, self.refused = False, {}, {}, 0
            elif woken is Woken.TAKEN:
                if wake is Wake.MESSAGE:
                    self.told = max(self.told, upto)
                self.in_force[wake] = now + (CALL_SECONDS if wake is Wake.CALL else MESSAGE_SECONDS)
                self.refused = 0
            else:
                rest = CALL_SECONDS if wake is Wake.CALL else min(60.0 * 2**self.refused, 3600.0)
                self.rests[wake] = now + rest
                self.refused += wake is Wake.MESSAGE
            self.pass_time(0)

    @rule(seconds=st.sampled_from([1.0, CALL_SECONDS + 1, 3600.0, MESSAGE_SECONDS + 1]))
    def wait(self, seconds: float) -> None:
        self.pass_time(seconds)

    @rule()
    def forgotten(self) -> None:
        """What is in memory is forgotten, and what waits is looked at anew: some of it is done twice."""
        self.world.domain.forget()
        self.in_force, self.rests, self.refused = {}, {}, 0
        self.world.clock.advance(START_SECONDS)
        self.pass_time(0)

    # --- what holds

    @invariant()
    def never_two(self) -> None:
        for wake in Wake:
            in_force = self.in_force.get(wake, 0.0) > self.world.clock.seconds()
            assert len(self.under_way(wake)) + in_force <= 1, wake

    @invariant()
    def never_without_reason(self) -> None:
        if self.connected or not self.wakeable:
            assert not any(self.under_way(wake) for wake in Wake)

    @invariant()
    def never_none(self) -> None:
        """Where something waits and the device sleeps, a wake is under way or in force."""
        waits = self.messages > max(self.held, self.told)
        if waits and self.wakeable and not self.connected and not self.resting:
            assert self.forced or any(self.under_way(wake) for wake in Wake)

    @invariant()
    def never_while_resting(self) -> None:
        """Who refuses is not asked with each message."""
        now = self.world.clock.seconds()
        for wake, until in self.rests.items():
            assert until <= now or not self.under_way(wake), wake

    @invariant()
    def right_place(self) -> None:
        assert all(each.token == f"t{self.tokens}" for wake in Wake for each in self.under_way(wake))


class SleeperTests(SynchronousTestCase):
    def test_model(self) -> None:
        """Never two wakes of a class, none without reason, and never none where something waits."""
        few = settings(max_examples=EXAMPLES, stateful_step_count=25, deadline=None)
        run_state_machine_as_test(SleepingDevice, settings=few)
