"""A node that opens while its database comes and goes."""

from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config import Config, NodeSection
from safeum_home.errors import Code, Problem
from safeum_home.jobs import AGAIN
from safeum_home.node import opening
from safeum_home.node.opening import make_ready
from safeum_home.sealing.memory import Arena, Level
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import Vault, open_vault
from safeum_home.storage.migrate import schema_of
from tests.instant_database import InstantDatabase


class OpeningTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.database = Clock(), InstantDatabase()
        self.vault = open_vault(generate(Arena(floor=Level.UNLOCKED)), None)
        self.made_good: list[Vault] = []
        self.patch(opening, "make_all_good", self._make_good)

    async def _make_good(self, database: InstantDatabase, vault: Vault) -> None:
        await database.transact(lambda c: self.made_good.append(vault))

    def _open(self, name: str) -> Any:
        config = Config(node=NodeSection(name, "/nowhere"))
        return Deferred.fromCoroutine(make_ready(self.clock, self.database, config, self.vault))

    def _every_other(self, name: str) -> None:
        """What is asked of the database by that method is refused each first time."""
        ask, tries = getattr(self.database, name), []

        def refused(fn: Any) -> Any:
            tries.append(fn)
            return fail(Problem(Code.STORAGE_UNAVAILABLE)) if len(tries) % 2 else ask(fn)

        self.patch(self.database, name, refused)

    def test_comes_and_goes(self) -> None:
        """Each step waits for it, and nothing is done twice; so it opens, and is not given up."""
        for method in ("transact", "read"):
            self._every_other(method)
        opened = self._open("home.example")
        for _ in range(3):
            self.assertNoResult(opened)
            self.clock.advance(AGAIN)
        self.assertEqual(self.successResultOf(opened), self.database.now(schema_of))
        self.assertEqual(self.made_good, [self.vault])
