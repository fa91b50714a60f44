"""What was stored and reported as failed: the node reads it anew."""

from typing import Any

from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.registration import Mode
from safeum_home.errors import Code, Problem
from tests.world import World


class ForgetTests(SynchronousTestCase):
    def test_registration(self) -> None:
        """How registration was set is in force once it is found, not only at the next start."""
        world = World()
        registration, transact = world.domain.control.registration, world.database.transact

        def stored_and_refused(fn: Any) -> Any:
            transact(fn)
            return fail(Problem(Code.STORAGE_UNAVAILABLE, retry_after=2.0))

        self.patch(world.database, "transact", stored_and_refused)
        self.failureResultOf(registration.set(Mode.CLOSED), Problem)
        self.patch(world.database, "transact", transact)
        self.assertIs(registration.mode, Mode.OPEN)
        world.domain.forget()
        self.assertIs(registration.mode, Mode.CLOSED)
