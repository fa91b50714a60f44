"""What becomes of a message between a look at it and the transaction in which it is copied or answered."""

from unittest.mock import patch

from safeum_home import ids
from safeum_home.ids import AccountId, ChatId
from tests.group_case import GroupCase
from tests.world import Client, Refused


class ForwardMeanwhileTests(GroupCase):
    """Dave writes to Alice, and she copies it into her own chat."""

    def setUp(self) -> None:
        super().setUp()
        alice, dave = AccountId(self.alice.account), AccountId(self.dave.account)
        self.chat: str = ids.direct_chat_id(alice, dave)
        self.own = ids.direct_chat_id(alice, alice)
        self.alice.write(self.own, "mine")

    def forward(self, client: Client, own: str, chat: str, message: str) -> int:
        """Begun, and what it is a copy of was read."""
        self.world.database.hold_reads = True
        source = {"chat": chat, "message": message}
        number = client.ask("chat.send", chat=own, client_id="f", forward=source)
        self.world.database.hold_reads = False
        return number

    def end(self, client: Client, number: int) -> str:
        """Why it was refused."""
        self.world.database.answer_reads()
        self.world.settle()
        return str(self.assertRaises(Refused, client.answer, number).code)

    def test_erased(self) -> None:
        """What was erased, with a receipt, is not copied although its row is there still."""
        sent = self.dave.write(self.chat, "to be erased")["id"]
        number = self.forward(self.alice, self.own, self.chat, sent)
        with patch("safeum_home.accounts.closing.sweep", return_value=False):
            answer = self.dave.call("chat.history.set", chat=self.chat, enabled=False)
        self.assertIn("receipt", answer)
        self.assertEqual(self.end(self.alice, number), "message_gone")
        self.assertEqual(self.alice.history(self.own), ["mine"])

    def test_removed(self) -> None:
        """Who was removed from a group copies nothing out of it any more."""
        group = self.group(self.alice, self.bob)
        own = ids.direct_chat_id(AccountId(self.bob.account), AccountId(self.bob.account))
        self.bob.write(own, "mine")
        sent = self.alice.write(group, "for members")["id"]
        number = self.forward(self.bob, own, group, sent)
        self.alice.call("group.remove", chat=group, account=self.bob.account)
        self.assertEqual(self.end(self.bob, number), "not_found")
        self.assertEqual(self.bob.history(own), ["mine"])

    def test_edited(self) -> None:
        """What reads otherwise by now is to be asked for again; a reaction changes nothing of the copy."""
        sent = self.dave.write(self.chat, "first")["id"]
        number = self.forward(self.alice, self.own, self.chat, sent)
        self.dave.call("message.edit", chat=self.chat, message=sent, body={"kind": "text", "text": "second"})
        self.assertEqual(self.end(self.alice, number), "busy")
        number = self.forward(self.alice, self.own, self.chat, sent)
        self.dave.call("message.react", chat=self.chat, message=sent, emoji="✅")
        self.world.database.answer_reads()
        self.assertIn("id", self.alice.answer(number) or {})
        self.assertEqual(self.alice.history(self.own), ["mine", "second"])


class SentAgainMeanwhileTests(GroupCase):
    """The answer to what is sent again is read with the chat as it was loaded."""

    def test_other_key(self) -> None:
        """Where that has another key by now the node is busy; the next time it answers as the first time."""
        group = self.group(self.alice, self.bob)
        params = self.alice.message(group, "once")
        sent = self.alice.call("chat.send", **params)
        registry = self.world.domain.registry
        chat = registry.get(ChatId(group))
        assert chat is not None
        sound, chat.key = chat.key, chat.key.fresh()
        self.world.database.hold = True
        number = self.alice.ask("chat.send", **params)
        registry.forget()
        self.world.database.hold = False
        self.world.database.release()
        self.assertEqual(self.assertRaises(Refused, self.alice.answer, number).code, "busy")
        sound.wipe()
        self.assertEqual(self.alice.call("chat.send", **params), sent)
