"""A chat without history."""

from typing import Any

from safeum_home.storage import keys
from tests.erasure_case import ErasureCase
from tests.world import World


class FleetingCase(ErasureCase):
    def setUp(self) -> None:
        super().setUp()
        self.off()
        self.world.domain.fleeting.start()
        self.addCleanup(self._stop)
        for client in (self.alice, self.bob):
            self.acknowledge(client)
            client.take()
        self.gather()

    def _stop(self) -> None:
        self.world.domain.fleeting.stop()  # of the node that runs last

    def restart(self) -> World:
        """The node is killed, and started again."""
        self.world.domain.fleeting.stop()
        for client in (self.alice, self.bob):
            client.drop()
        world = World(self.world.database, self.world.vault)
        world.clock.advance(self.world.clock.seconds() - world.clock.seconds())
        for client in (self.alice, self.bob):
            client.world = world
        self.world = world
        world.domain.fleeting.start()
        return world

    def left(self) -> list[int]:
        """How many rows there are of messages: of the messages, of their keys, and of who waits."""
        wraps = self.world.database.now(self._wraps)
        return [self.rows("events"), wraps, self.rows("spool")]

    def _wraps(self, c: Any) -> int:
        places = c.exec_driver_sql("SELECT position FROM dedupe").scalars()
        return sum(
            keys.FLEETING.key(c, keys.message_owner(self.blind(), place)) is not None for place in places
        )
