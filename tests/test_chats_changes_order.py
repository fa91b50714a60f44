"""Changes of messages that meet: on disk before anybody is told, and the same for all in the end."""

from typing import Any

from tests.changes_case import ChangeCase, text
from tests.world import Client


class OrderTests(ChangeCase):
    """Commits and failures, and commands that cross."""

    def ask(self, client: Client, method: str, **params: Any) -> int:
        return client.ask(method, **self.about(**params))

    def test_on_disk_before_anybody_is_told(self) -> None:
        """Until the commit there is no answer and no event; then the answer comes before the event."""
        database = self.world.database
        database.hold = True
        number = self.ask(self.alice, "message.edit", body=text("x"))
        self.assertIsNone(self.alice.answer(number))
        database.commit()
        self.assertIsNone(self.alice.answer(number))
        self.assertEqual(self.changed(self.bob), [])
        database.report()
        self.assertEqual(self.alice.answer(number), {})
        kinds = ["method" in frame for frame in self.alice.connection.written[-2:]]
        self.assertEqual(kinds, [False, True])
        self.assertEqual(len(self.changed(self.bob)), 1)

    def test_a_failure_changes_nothing(self) -> None:
        """What could not be committed is refused, and the message is what it was."""
        self.world.database.failing = True
        for method, more in (("edit", {"body": text("x")}), ("delete", {}), ("react", {"emoji": "👍"})):
            self.refused("storage_unavailable", self.alice, f"message.{method}", **self.about(**more))
        self.world.database.failing = False
        self.assertEqual(self.changed(self.bob), [])
        self.assertEqual(self.page(self.bob)[0]["body"], text("hi"))

    def test_an_edit_and_a_deletion_at_once(self) -> None:
        """The message is deleted, whichever came first: an edit brings nothing back."""
        tablet = self.world.login("alice")
        for first, second in ((self.alice, tablet), (tablet, self.alice)):
            message = self.alice.write(self.chat, "x")["id"]
            self.world.database.hold = True
            asked = [
                (first, first.ask("message.edit", **self.about(message, body=text("y")))),
                (second, second.ask("message.delete", **self.about(message))),
            ]
            if first is tablet:
                asked.reverse()
            self.world.database.hold = False
            self.world.database.release()
            outcomes = [client.answers.get(number) or client.answer(number) for client, number in asked]
            self.assertEqual(len([each for each in outcomes if each is not None]), 2)
            self.assertEqual(self.page(self.bob)[-1]["body"]["kind"], "deleted")
        self.world.database.hold = True
        message = self.sent
        deleting = self.ask(self.alice, "message.delete")
        editing = tablet.ask("message.edit", **self.about(message, body=text("y")))
        reacting = self.ask(self.bob, "message.react", emoji="👍")
        self.world.database.hold = False
        self.world.database.release()
        self.assertEqual(self.alice.answer(deleting), {})
        for client, number in ((tablet, editing), (self.bob, reacting)):
            client.take()
            self.assertEqual(client.answers[number]["error"]["data"]["code"], "message_gone")
        self.assertEqual(self.world.database.count("reactions"), 0)

    def test_an_edit_of_what_is_on_its_way(self) -> None:
        """A message and its change in one group of changes: the row is there when the change looks for it."""
        self.world.database.hold = True
        sending = self.alice.ask("chat.send", **self.alice.message(self.chat, "x"))
        position = self.world.vault.cursors.encode(self.world.database.next_position() - 1)
        editing = self.alice.ask("message.edit", **self.about(position, body=text("y")))
        self.world.database.hold = False
        self.world.database.release()
        self.assertEqual(self.alice.answer(sending)["id"], position)  # type: ignore[index]
        self.assertEqual(self.alice.answer(editing), {})
        self.assertEqual(self.page(self.bob)[-1]["body"], text("y"))

    def test_reactions_at_once(self) -> None:
        """None is lost, and each is counted once."""
        self.world.database.hold = True
        for client, emoji in ((self.alice, "👍"), (self.bob, "👍"), (self.bob, "🎉"), (self.alice, None)):
            self.ask(client, "message.react", emoji=emoji)
        self.world.database.hold = False
        self.world.database.release()
        self.assertEqual(self.page(self.bob)[0]["reactions"], [{"emoji": "🎉", "count": 1}])
        self.assertEqual(len(self.changed(self.alice)), 4)
