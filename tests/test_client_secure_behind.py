"""Secure chats of a program that was told less than there was: its node has forgotten where it was."""

from typing import Any

from safeum_home.client.events import Link, LinkChanged
from safeum_home.client.secure.events import Gap
from safeum_home.client.unlocked import exchange
from tests.secure_sdk_case import SecureDevice, SecureSdkCase


class BehindTests(SecureSdkCase):
    """Ben is away, and his node does not know his cursor when he is back."""

    def setUp(self) -> None:
        super().setUp()
        self.chat_id = self.start(self.ben, self.cay, group=True)
        self.say(self.ann, self.chat_id, "before")
        self.say(self.ben, self.chat_id, "mine")
        self.ben.drop()

    def back(self) -> None:
        """What has come meanwhile is not told."""
        self.ben.client._inbox.cursor = "A" * 22
        self.ben.back()
        self.settle()
        self.assertIn(LinkChanged(Link.ONLINE, reset=True), self.ben.heard)

    def texts(self, count: int) -> list[str]:
        texts = [f"meanwhile {number}" for number in range(count)]
        for text in texts:
            self.say(self.ann, self.chat_id, text)
        return texts

    def test_missed(self) -> None:
        """It is read from history, in its order, and nobody is warned of anything."""
        self.patch(exchange, "PAGE", 3)
        texts = self.texts(8)
        self.back()
        self.assertEqual(self.ben.said(self.chat_id), ["before", "mine", *texts])
        self.say(self.ben, self.chat_id, "here")
        self.say(self.ann, self.chat_id, "welcome")
        for each in (self.ann, self.ben, self.cay):
            self.assertEqual(each.said(self.chat_id), ["before", "mine", *texts, "here", "welcome"])
            self.assertEqual(each.alarms, [])

    def test_nothing(self) -> None:
        self.back()
        self.assertEqual((self.ben.said(self.chat_id), self.ben.alarms), (["before", "mine"], []))

    def test_much(self) -> None:
        """More than is read: it is told how much is missing."""
        self.patch(exchange, "PAGE", 2)
        self.patch(exchange, "MOST_MISSED", 2)
        self.texts(6)
        self.back()
        self.assertEqual(self.ben.warnings(Gap), [Gap(self.ann.account, 2)])

    def test_members(self) -> None:
        """Who has gone meanwhile is in it no more."""
        self.ann.do(self.ann.secure.remove(self.chat(self.ann, self.chat_id), self.cay.account))
        self.back()
        self.assertEqual(self.chat(self.ben, self.chat_id).members, {self.ann.account, self.ben.account})
        self.say(self.ben, self.chat_id, "for two")
        self.assertEqual(self.ann.said(self.chat_id)[-1], "for two")
        self.assertNotIn(self.chat_id, self.cay.secure.chats)

    def test_lost_again(self) -> None:
        """Where the connection is lost meanwhile it is read with the next one."""
        texts = self.texts(2)
        self.ben.client._inbox.cursor = "A" * 22
        lost = self.loses_history(self.ben)
        self.ben.back()
        self.settle()
        self.assertTrue(lost)
        self.ben.back()
        self.settle()
        self.assertEqual(self.ben.said(self.chat_id), ["before", "mine", *texts])
        self.assertEqual(self.ben.alarms, [])

    def loses_history(self, device: SecureDevice) -> list[bool]:
        """The connection is lost when it is asked for for the first time."""
        lost: list[bool] = []
        straight: Any = device.client.history

        def history(*arguments: Any) -> Any:
            if not lost:
                lost.append(True)
                answer = straight(*arguments)
                device.drop()
                return answer
            return straight(*arguments)

        self.patch(device.client, "history", history)
        return lost
