"""Disabling the history of a chat whose members are on two nodes: what is gone, told, confirmed, and when."""

from tests.across_case import B
from tests.history_across_case import HistoryCase


class SwitchTests(HistoryCase):
    def test_off(self) -> None:
        """Erased at once here, then there; pending until the other node has signed that, for all devices."""
        answer = self.switch(self.alice)
        self.assertEqual((answer["history"], answer["pending"], answer["confirmed"]), (False, [B], []))
        self.assertEqual((self.said(self.alice), len(self.said(self.bob))), ([], 2))
        [told] = self.told(self.alice)
        self.assertEqual((told["history"], told["pending"]), (False, [B]))
        self.assertEqual(self.chat_of(self.alice)["pending"], [B])
        self.settle()
        for client in (self.alice, self.bob):
            self.assertEqual(self.said(client), [])
            self.assertEqual(self.rows_of(client.world), 1, "the notice alone")
            told = self.told(client)[-1]
            self.assertEqual((told["history"], told["pending"]), (False, []))
            [notice] = self.page(client)
            self.assertEqual(
                (notice["body"]["action"], notice["body"]["by"]), ("history_off", self.alice.account)
            )
        again = self.switch(self.alice)
        self.assertEqual(again["pending"], [])
        [receipt] = again["confirmed"]
        self.assertEqual(receipt["type"], "chat.erased")
        self.assertEqual((receipt["sender"], receipt["chat"]), (self.bob.account, self.chat))
        self.assertEqual(again["receipt"], answer["receipt"])
        asked = self.alice.call("chat.history.receipt", chat=self.chat)
        self.assertEqual(asked["confirmed"], [receipt])
        # The other side has one of each as well.
        [other] = self.bob.call("chat.history.receipt", chat=self.chat)["confirmed"]
        self.assertEqual(other["sender"], self.alice.account)

    def test_on(self) -> None:
        """An empty history begins, on both."""
        self.switch(self.alice)
        self.settle()
        self.assertEqual(self.switch(self.bob, True)["history"], True)
        self.write(self.bob, "kept")
        self.settle()
        self.write(self.alice, "kept too")
        self.settle()
        for client in (self.alice, self.bob):
            self.assertEqual(self.said(client), ["kept", "kept too"])
            self.assertTrue(self.chat_of(client)["history"])
            self.assertEqual(self.rows_of(client.world, "spool"), 1, "the first notice alone")
