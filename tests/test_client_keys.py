"""Keys through the SDK, and what the terminal client shows where they have changed."""

import msgspec
from twisted.internet.defer import Deferred

from safeum_home.client.errors import RemoteProblem
from safeum_home.errors import Code
from safeum_home.protocol.commands import KeyHistory, KeyList, KeysPublished
from safeum_home.protocol.key_types import Identity, short_hash
from tests.keys_case import Pair
from tests.test_client_groups import GroupDeskCase
from tests.world_desk import WorldDesk

FIRST, SECOND = Pair(1), Pair(2)


class KeyDeskTests(GroupDeskCase):
    """Ann has chats with Ben and Cay; who do not know each other, but for the group that all are in."""

    def publish(self, who: WorldDesk, pair: Pair, replaces: Pair | None = None) -> "Deferred[KeysPublished]":
        identity = msgspec.convert(pair.identity(who.account), Identity)
        published = who.client.publish_keys(identity, replaces.hash if replaces else None)
        assert isinstance(published, Deferred)
        return published

    def change(self, who: WorldDesk) -> str:
        """Somebody's keys change; what is to be read of that, behind the name."""
        self.successResultOf(self.publish(who, FIRST))
        self.successResultOf(self.publish(who, SECOND, replaces=FIRST))
        self.world.settle()
        return f"has changed: {short_hash(FIRST.hash)} -> {short_hash(SECOND.hash)}"

    def test_sdk(self) -> None:
        """Published, asked for, and shown as a history; others are refused with their code."""
        self.successResultOf(self.publish(self.ben, FIRST))
        problem = self.failureResultOf(self.publish(self.ben, SECOND), RemoteProblem).value
        self.assertTrue(problem.of(Code.KEY_MISMATCH))
        self.assertTrue(str(problem.details.detail).startswith(FIRST.hash))
        asked, history = (
            self.ann.client.keys_of([self.ben.account]),
            self.ann.client.key_history(self.ben.account),
        )
        assert isinstance(asked, Deferred) and isinstance(history, Deferred)
        found: KeyList = self.successResultOf(asked)
        self.assertEqual([each.hash for each in found.keys], [FIRST.hash])
        shown: KeyHistory = self.successResultOf(history)
        self.assertEqual([entry.hash for entry in shown.entries], [FIRST.hash])
        launched = self.ben.client.launch_keys(SECOND.sign, SECOND.box, 1)
        asked = self.ann.client.keys_of([self.ben.account], launches=True)
        assert isinstance(launched, Deferred) and isinstance(asked, Deferred)
        self.successResultOf(launched)
        found = self.successResultOf(asked)
        self.assertEqual([launch.sign for launch in found.keys[0].launches], [SECOND.sign])

    def test_every_chat(self) -> None:
        """A change is shown in every chat with the account, between the messages, and in no other one."""
        self.group()
        self.ann.enter("/chat ben")
        line = f"⚠ The security key of Ben {self.change(self.ben)}"
        self.assertIn(line, self.ann.screen())
        self.assertIn(line, self.ann.enter("/chat walks"))
        self.assertNotIn("security key", self.ann.enter("/chat cay"))
        self.assertIn(line, self.ann.enter("/chat ben"))
        self.assertIn("⚠ The security key of ben (Ben) has changed", self.cay.screen())

    def test_chat_that_is_not_open(self) -> None:
        """Whoever looks at another chat is told as well."""
        self.ann.enter("/chat cay")
        self.assertIn(f"Ben {self.change(self.ben)}", self.ann.desk.banner)

    def test_strangers_to_a_group(self) -> None:
        """In a group that the account is not in nothing is shown."""
        self.ann.enter("/group Films")
        self.change(self.ben)
        self.assertNotIn("security key", self.ann.enter("/chat films"))

    def test_own(self) -> None:
        """One's own devices are told as well, in words of their own."""
        other = WorldDesk(self.world, "ben", known=True)
        line = f"⚠ Your security key {self.change(self.ben)}."
        for desk in (self.ben, other):
            self.assertIn(line, desk.screen())
