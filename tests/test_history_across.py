"""Disabling the history of a chat whose members are on two nodes: what is gone, told, confirmed, and when."""

from typing import Any

from safeum_home.ids import ChatId
from safeum_home.node.turning import LEAST_SECONDS
from tests.across_case import AcrossCase, B
from tests.world import Client


class HistoryCase(AcrossCase):
    """Alice and Bob, who have said something."""

    def setUp(self) -> None:
        super().setUp()
        self.write(self.alice, "before")
        self.write(self.bob, "before too")
        self.settle()
        self.alice.take()
        self.bob.take()

    def switch(self, client: Client, enabled: bool = False) -> dict[str, Any]:
        """The answer, which may have to wait for another turn of the keyring."""
        number = client.ask("chat.history.set", chat=self.chat, enabled=enabled)
        if (answer := client.answer(number)) is None:
            client.world.settle(2 * LEAST_SECONDS)
            answer = client.answer(number)
        assert answer is not None
        return answer

    def settle(self) -> None:
        """All is told, all keyrings were turned that are to be, and what comes of that is told."""
        for _ in range(3):
            super().settle()
            for world in self.nodes.worlds.values():
                world.settle(2 * LEAST_SECONDS)
        super().settle()

    def chat_of(self, client: Client) -> dict[str, Any]:
        [found] = [each for each in client.call("chat.list")["chats"] if each["chat"] == self.chat]
        return dict(found)

    def said(self, client: Client) -> list[str]:
        return client.history(self.chat)

    def told(self, client: Client) -> list[dict[str, Any]]:
        """What the device was told of the chat, in order."""
        return [dict(event["params"]["chat"]) for event in client.take("chat.updated")]

    def rows(self, world: Any, table: str = "events") -> Any:
        chat = world.vault.blinder.chat(ChatId(self.chat))
        query = f"SELECT count(*) FROM {table} WHERE chat = ?"
        return world.database.now(lambda c: c.exec_driver_sql(query, (chat,)).scalar_one())


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
            self.assertEqual(self.rows(client.world), 1, "the notice alone")
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
            self.assertEqual(self.rows(client.world, "spool"), 1, "the first notice alone")
