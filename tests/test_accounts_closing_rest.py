"""What is done behind a closed account, in silence: while there is much of it, and where the node stops."""

from collections.abc import Callable
from unittest.mock import patch

from twisted.internet.defer import Deferred
from twisted.logger import LogLevel, capturedLogs

from safeum_home.accounts import closing
from safeum_home.errors import Code, Problem
from safeum_home.node.turning import LEAST_SECONDS
from tests.closing_case import OTHER, PIN, ClosingCase
from tests.world import LAPTOP, PASSWORD, Client


class SilentTests(ClosingCase):
    def test_much_is_swept_away(self) -> None:
        """What was closed with a PIN at a login cannot be opened soon after, and not after all the rest."""
        self.carol.call("account.pin.set", password=PASSWORD, pin=OTHER)
        for number in range(50):
            self.alice.write(self.chat, str(number))
        database, keyring = self.world.database, self.world.vault.keyring
        self.patch(closing, "SWEPT_AT_ONCE", 1)
        database.hold = True
        phone = Client(self.world)
        asked = phone.ask("account.block", username="alice", pin=PIN)
        while phone.answer(asked) is None:
            database.release()
        epoch = keyring.epoch
        Client(self.world).ask("session.login", username="carol", password=OTHER, device=LAPTOP)
        self.world.clock.advance(LEAST_SECONDS)
        while keyring.epoch == epoch:
            database.release()
        self.assertGreater(database.count("events"), 20)

    def _stops(self, bring: Callable[[Deferred[None]], object]) -> None:
        """The node stops while accounts leave their groups: nothing more is done, and nothing is wrong."""
        leaving: Deferred[None] = Deferred()
        ends = self.world.domain.closing
        with (
            patch.object(ends, "_leave_groups", lambda: leaving),
            patch.object(self.world.domain.turns, "if_due") as turns,
            capturedLogs() as events,
        ):
            ends.sweeping.ask()
            bring(leaving)
        turns.assert_not_called()
        self.assertEqual([event for event in events if event["log_level"] is not LogLevel.info], [])

    def test_stopped(self) -> None:
        self._stops(lambda leaving: self.world.domain.jobs.stop())

    def test_database_closed(self) -> None:
        self._stops(lambda leaving: leaving.errback(Problem(Code.SHUTTING_DOWN)))
