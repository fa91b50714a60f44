"""When the keyring is turned, and who shares a turn."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.node.turning import LEAST_SECONDS, RETRY_SECONDS, Turns
from safeum_home.sealing.memory import Arena, Level
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import open_vault
from tests.instant_database import InstantDatabase


class TurnsTests(SynchronousTestCase):
    """Turns one at a time, in memory; each step waits for the test."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.database = InstantDatabase()
        self.vault = open_vault(generate(Arena(floor=Level.UNLOCKED)), None)
        self.steps: list[tuple[Any, Deferred[Any]]] = []
        self.turns = Turns(self.clock, self.database, self.vault.keyring, self._in_thread)

    def _in_thread(self, call: Any) -> "Deferred[Any]":
        done: Deferred[Any] = Deferred()
        self.steps.append((call, done))
        return done

    def step(self, error: Exception | None = None) -> None:
        """The next thing that a thread does: beginning or finishing a turn."""
        call, done = self.steps.pop(0)
        if error is None:
            done.callback(call())
        else:
            done.errback(error)

    def test_shared(self) -> None:
        """Those who come while a turn is under way share the one after it, which begins a while later."""
        first = self.turns.turned()
        self.step()
        later = [self.turns.turned(), self.turns.turned()]
        self.step()
        self.successResultOf(first)
        self.assertEqual(self.turns.epoch, 2)
        self.clock.advance(LEAST_SECONDS / 2)
        later.append(self.turns.turned())
        self.assertEqual((self.turns.epoch, self.steps), (2, []))
        self.clock.advance(LEAST_SECONDS / 2)
        for waiting in later:
            self.assertNoResult(waiting)
        self.step()
        self.step()
        for waiting in later:
            self.successResultOf(waiting)
        self.assertEqual((self.turns.epoch, self.steps), (3, []))
        self.clock.advance(LEAST_SECONDS)
        again = self.turns.turned()
        self.step()
        self.step()
        self.successResultOf(again)

    def test_many(self) -> None:
        """However many come, there is no more than one turn in ten seconds, and nobody waits for longer."""
        waiting: list[Deferred[None]] = []
        for second in range(60):
            waiting.append(self.turns.turned())
            while self.steps:
                self.step()
            self.assertEqual(self.turns.epoch, 2 + second // int(LEAST_SECONDS))
            self.clock.advance(1)
            for early in waiting[: -int(LEAST_SECONDS)]:
                self.successResultOf(early)

    def test_a_clock_that_is_set_back(self) -> None:
        """Nobody waits for longer because of it."""
        self.clock.advance(1_700_000_000)
        self.turns.turned()
        self.step()
        self.step()
        self.clock.rightNow -= 86400
        waiting = self.turns.turned()
        self.assertEqual(self.steps, [])
        self.clock.advance(LEAST_SECONDS)
        self.step()
        self.step()
        self.successResultOf(waiting)

    def test_failing(self) -> None:
        """Whatever fails is tried again, from where it was, until the turn is complete."""
        waiting = self.turns.turned()
        self.step(OSError("the disk is full"))
        self.clock.advance(RETRY_SECONDS)
        self.database.failing = True
        self.step()
        self.database.failing = False
        self.clock.advance(RETRY_SECONDS)
        self.step(OSError("the disk is full"))
        self.assertNoResult(waiting)
        self.assertTrue(self.vault.keyring.pending_turn)
        self.clock.advance(RETRY_SECONDS)
        while self.steps:
            self.step()
        self.successResultOf(waiting)
        self.assertFalse(self.vault.keyring.pending_turn)

    def test_stopped_in_a_turn(self) -> None:
        """The turn under way is carried out, no other begins, and who waits for one is told."""
        first = self.turns.turned()
        self.step()
        second = self.turns.turned()
        stopped = self.turns.stop()
        self.assertNoResult(stopped)
        self.step()
        self.successResultOf(stopped)
        self.successResultOf(first)
        self.assertIs(self.failureResultOf(second, Problem).value.code, Code.SHUTTING_DOWN)
        self.assertEqual(self.steps, [])
        late = self.turns.turned()
        self.assertIs(self.failureResultOf(late, Problem).value.code, Code.SHUTTING_DOWN)

    def test_stopped_in_a_pause(self) -> None:
        """There is nothing to wait for then."""
        waiting = self.turns.turned()
        self.step(OSError("the disk is full"))
        self.successResultOf(self.turns.stop())
        self.assertIs(self.failureResultOf(waiting, Problem).value.code, Code.SHUTTING_DOWN)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopped_between_turns(self) -> None:
        """Who waits for the next turn is told at once."""
        self.turns.turned()
        self.step()
        self.step()
        waiting = self.turns.turned()
        self.successResultOf(self.turns.stop())
        self.assertIs(self.failureResultOf(waiting, Problem).value.code, Code.SHUTTING_DOWN)
        self.assertEqual((self.clock.getDelayedCalls(), self.steps), ([], []))

    def test_stopped_at_rest(self) -> None:
        self.successResultOf(self.turns.stop())
