"""Disabling the history of a chat: what is gone, who is told, and what lives until it was delivered."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.node.turning import LEAST_SECONDS
from tests.world import Client, World


class SwitchTests(SynchronousTestCase):
    """Alice and Bob, who have said something."""

    def setUp(self) -> None:
        self.world = World()
        self.alice, self.bob = map(self.world.register, ("alice", "bob"))
        self.chat = self.world.befriend(self.alice, self.bob)
        self.alice.write(self.chat, "before")
        self.bob.write(self.chat, "before too")
        self.world.settle()
        self.alice.take(), self.bob.take()

    def off(self, client: Client, chat: str | None = None) -> dict[str, Any]:
        return client.call("chat.history.set", chat=chat or self.chat, enabled=False)

    def test_nothing_is_left(self) -> None:
        """For neither side, on no device; and both are told at once."""
        answer = self.off(self.alice)
        self.assertIs(answer["history"], False)
        for client in (self.alice, self.bob, self.world.login("alice"), self.world.login("bob")):
            self.assertEqual(client.history(self.chat), [])
        for client in (self.alice, self.bob):
            [told] = client.take("chat.updated")
            info = told["params"]["chat"]
            self.assertEqual((info["chat"], info["history"]), (self.chat, False))
            self.assertEqual(info["erased"], told["params"]["cursor"])
            self.assertEqual(answer["receipt"]["erased"], info["erased"])
        self.world.settle(LEAST_SECONDS)
