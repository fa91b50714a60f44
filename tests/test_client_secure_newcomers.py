"""Who comes into a secure group, or comes again: vouched for, sealed to, and alarmed by nothing of before."""

from typing import Any

from twisted.internet.defer import fail

from safeum_home.client.errors import local
from safeum_home.client.unlocked.items import Fate
from safeum_home.errors import Code
from tests.secure_sdk_case import SecureSdkCase, key_of


class NewcomerTests(SecureSdkCase):
    def test_removed_and_invited_again(self) -> None:
        """What was said while somebody was out is not missed."""
        chat = self.start(self.ben, self.cay, group=True)
        self.say(self.cay, chat, "before")
        conversation = self.chat(self.ann, chat)
        self.ann.do(self.ann.secure.remove(conversation, self.ben.account))
        self.settle()
        for each in (self.cay, self.cay, self.ann):
            self.say(each, chat, "without Ben")
        self.ann.do(self.ann.secure.invite(conversation, [self.ben.account]))
        self.settle()
        self.ben.do(self.ben.secure.accept(chat))
        self.settle()
        for each in (self.cay, self.ann):
            self.say(each, chat, "with Ben")
        self.settle(120)
        self.assertEqual(self.ben.said(chat)[-2:], ["with Ben"] * 2)
        self.assertEqual([each.alarms for each in self.everybody], [[]] * 3)

    def test_another_passphrase_before(self) -> None:
        """Who had another passphrase before the two met has changed nothing, in none of their chats."""
        self.start(self.cay)
        self.cay.do(self.cay.secure.change_key(key_of(self.cay.account, 1)))
        self.settle()
        self.ann.heard.clear()
        pair = self.ben.do(self.ben.secure.start([self.cay.account])).id
        self.cay.do(self.cay.secure.accept(pair))
        group = self.start(self.ben, self.cay, group=True)
        for chat in (pair, group):
            self.settle()
            self.say(self.cay, chat, "hello")
        self.settle(120)
        self.assertEqual((self.ben.said(pair), self.ben.said(group)), (["hello"], ["hello"]))
        self.assertEqual(self.ben.alarms, [])

    def test_left_meanwhile(self) -> None:
        """Who leaves just as somebody comes is named by the node for a moment yet: that is no stranger."""
        pair = self.ben.do(self.ben.secure.start([self.cay.account])).id
        self.cay.do(self.cay.secure.accept(pair))
        chat = self.start(self.cay, group=True)
        self.ann.do(self.ann.secure.invite(self.chat(self.ann, chat), [self.ben.account]))
        self.settle()
        for each in (self.ann, self.cay):
            self.chat(each, chat)._was_refused = True  # so the list that Ben takes is that without Cay
        self.ben.do(self.ben.secure.accept(chat))
        self.cay.do(self.cay.secure.leave(self.chat(self.cay, chat)))
        self.settle(120)
        self.say(self.ann, chat, "without Cay")
        self.assertEqual(self.ben.said(chat), ["without Cay"])
        self.assertEqual([each.alarms for each in self.everybody], [[]] * 3)

    def test_others_spoke_before(self) -> None:
        """What others have seen before somebody came is not missed."""
        chat = self.start(self.ben, group=True)
        self.say(self.ben, chat, "before")
        self.ann.do(self.ann.secure.invite(self.chat(self.ann, chat), [self.cay.account]))
        self.settle()
        self.cay.do(self.cay.secure.accept(chat))
        self.settle()
        self.say(self.ann, chat, "with Cay")
        self.settle(120)
        self.assertEqual(self.cay.said(chat), ["with Cay"])
        self.assertEqual(self.cay.alarms, [])

    def test_roster_refused(self) -> None:
        """Where a node does not take it that is tried again in a while; what is to be said waits for it."""
        chat = self.start(self.ben, group=True)
        conversation, straight = self.chat(self.ann, chat), self.ann.client.send_body
        posted: list[object] = []

        def refuse(*arguments: object) -> Any:
            posted.append(arguments)
            return fail(local(Code.LIMIT_REACHED))

        self.ann.do(self.ann.secure.invite(conversation, [self.cay.account]))
        self.settle()
        self.ann.client.send_body = refuse  # type: ignore[method-assign,assignment]
        self.cay.do(self.cay.secure.accept(chat))
        item = conversation.send("to all")
        self.settle(50)
        self.assertIs(item.fate, Fate.WAITING)
        self.assertIn(len(posted), range(2, 5))
        self.ann.client.send_body = straight  # type: ignore[method-assign]
        self.settle(30)
        self.assertIs(item.fate, Fate.SENT)
        self.assertEqual(self.cay.said(chat), ["to all"])
        self.assertEqual(self.ann.alarms + self.ben.alarms, [])
