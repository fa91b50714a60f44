"""What becomes of a copy when nobody is left in the group at its node."""

from typing import Any

from safeum_home.ids import ChatId
from tests.groups_across_case import B, C, GroupsAcrossCase


class LastOneTests(GroupsAcrossCase):
    """What becomes of a copy when nobody is left in the group at its node."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.bob, self.carol)
        self.dora = self.nodes[C].register("dora")
        self.link = self.alice.call("group.link.reset", chat=self.chat)["link"]
        self.alice.write(self.chat, "one")
        self.settle()
        self.bob.take()

    def test_at_once(self) -> None:
        """Who comes back at once has a copy that begins anew, before the other one is swept away."""
        self.alice.call("group.set", chat=self.chat, earlier=True)
        for round in range(3):
            self.bob.call("group.leave", chat=self.chat)
            self.alice.write(self.chat, f"round {round}")
            self.come(self.bob, "group.join", link=self.link)
            self.assertEqual(self.shown(self.bob, self.chat), self.shown(self.alice, self.chat))
        self.nodes[B].settle(30)
        self.assertEqual(self.shown(self.bob, self.chat), self.shown(self.alice, self.chat))
        self.assertEqual(self.of_chat(B, "erasing"), 0)

    def test_invited_still(self) -> None:
        """For who is invited there is a copy that says no more than that."""
        self.alice.call("group.invite", chat=self.chat, accounts=[self.ben.account])
        self.settle()
        before = self.key(B)
        self.bob.call("group.leave", chat=self.chat)
        self.alice.call("group.remove", chat=self.chat, account=self.carol.account)
        self.settle()
        self.nodes[B].settle(30)
        self.assertNotEqual(self.key(B), before)
        self.assertEqual((self.events(B), self.of_chat(B, "members"), self.of_chat(B, "roster")), (0, 0, 1))
        [invitation] = self.ben.call("group.invitations")["invitations"]
        self.assertEqual(invitation["name"], "Walks")
        self.come(self.ben, "group.accept", chat=self.chat)
        self.assertEqual(self.roster(self.ben, self.chat), self.roster(self.alice, self.chat))
        self.assertEqual(self.words(self.ben, self.chat), ["joined"])

    def test_out_and_in(self) -> None:
        """Who was removed, and is in again, while its node was away begins anew; its devices know that."""
        self.hold(B)
        self.alice.call("group.remove", chat=self.chat, account=self.bob.account)
        self.alice.write(self.chat, "not for bob")
        self.come(self.dora, "group.join", link=self.link)
        self.alice.call("group.remove", chat=self.chat, account=self.carol.account)
        self.alice.call("group.invite", chat=self.chat, accounts=[self.bob.account])
        cursor = self.bob.cursor
        self.release()
        told = [event["params"] for event in self.bob.take("group.member")]
        self.assertEqual([each["member"]["state"] for each in told], ["left"])
        self.assertEqual(self.events(B), 0)
        self.hold(B)
        number = self.bob.ask("group.accept", chat=self.chat)
        self.alice.write(self.chat, "for bob")
        self.release()
        self.assertIsNotNone(self.bob.answer(number))
        self.assertEqual(self.words(self.bob, self.chat), ["joined", "for bob"])
        self.assertEqual(self.roster(self.bob, self.chat), self.roster(self.alice, self.chat))
        self.bob.take()
        again = [event["params"] for event in self.bob.resume(cursor).take("group.member")]
        states = [each["member"]["state"] for each in again if each["member"]["account"] == self.bob.account]
        self.assertEqual(states, ["left", "member"])

    def test_other_life(self) -> None:
        """So it is where nothing of its being none was told at all."""
        self.hold(B)
        self.alice.call("group.remove", chat=self.chat, account=self.bob.account)
        self.alice.write(self.chat, "not for bob")
        self.come(self.dora, "group.join", link=self.link)
        self.alice.call("group.invite", chat=self.chat, accounts=[self.bob.account])
        # His node asks as if it had been told of the invitation.
        number = self.bob.ask("group.accept", chat=self.chat)
        self.alice.write(self.chat, "for bob")
        self.release()
        self.assertIsNotNone(self.bob.answer(number))
        self.assertEqual(self.words(self.bob, self.chat), ["joined", "for bob"])
        self.assertEqual(self.roster(self.bob, self.chat), self.roster(self.alice, self.chat))

    def key(self, node: str) -> Any:
        world = self.nodes[node]
        blind = world.vault.blinder.chat(ChatId(self.chat))
        query = "SELECT wrapped FROM keys WHERE owner = ?"
        return world.database.now(lambda c: c.exec_driver_sql(query, (blind,)).scalar_one())
