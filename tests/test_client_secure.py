"""Secure chats through the SDK, on real nodes in memory: what is said, and who can read it."""

import re
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from safeum_home.client.errors import RemoteProblem, local
from safeum_home.client.secure.events import Gone, KeysChanged, RosterChanged
from safeum_home.client.secure.passphrase import words
from safeum_home.client.secure.payloads import Text
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.directory import KeysUnavailable
from safeum_home.client.unlocked.events import KeysMismatch
from safeum_home.client.unlocked.items import Fate
from safeum_home.errors import Code
from tests.secure_sdk_case import SecureDevice, SecureSdkCase, key_of
from tests.world import World


class TalkTests(SecureSdkCase):
    def test_two(self) -> None:
        """Both read what the other says, in order, and nobody is warned of anything."""
        chat = self.start(self.ben)
        self.say(self.ann, chat, "hello")
        self.say(self.ben, chat, "how are you?")
        self.say(self.ann, chat, "well")
        for each in (self.ann, self.ben):
            self.assertEqual(each.said(chat), ["hello", "how are you?", "well"])
        fates = [item.fate for item in self.chat(self.ann, chat).items.all]
        self.assertEqual(fates, [Fate.SENT, Fate.RECEIVED, Fate.SENT])
        self.assertEqual(self.ben.alarms, [])
        self.assertEqual(self.ann.alarms, [])

    def test_the_node_reads_nothing(self) -> None:
        """What it keeps and hands out of it is sealed, and the chat has a name that says nothing."""
        chat = self.start(self.ben)
        self.say(self.ann, chat, "the meeting is at nine")
        page = self.ben.do(self.ben.client.history(chat))
        self.assertNotIn(b"meeting", msgspec.json.encode(page))
        view = self.ben.client.state.chat(chat)
        assert view is not None
        self.assertEqual(view.display_name, "Secure chat")

    def test_at_once(self) -> None:
        """Many things said at once come in their order: each goes when the one before is there."""
        chat = self.start(self.ben)
        texts = [str(number) for number in range(20)]
        for text in texts:
            self.chat(self.ann, chat).send(text)
        self.settle(10)
        self.assertEqual(self.ben.said(chat), texts)
        self.assertEqual(self.ben.alarms, [])

    def test_changes(self) -> None:
        """Answers, edits, reactions and deletions; nobody changes what somebody else has said."""
        chat = self.start(self.ben)
        hash, other = self.say(self.ann, chat, "helo"), self.say(self.ann, chat, "never mind")
        self.chat(self.ann, chat).edit(hash, "hello")
        self.chat(self.ben, chat).react(hash, "👍")
        self.chat(self.ben, chat).send("hello, too", reply=hash)
        self.chat(self.ann, chat).delete(other)
        self.settle()
        self.assertRaises(Refused, self.chat(self.ben, chat).edit, hash, "mine")
        for each in (self.ann, self.ben):
            first, second, third = self.chat(each, chat).items.all
            self.assertEqual((first.text, first.edited), ("hello", True))
            self.assertEqual(first.reactions, {self.ben.account: "👍"})
            self.assertTrue(second.deleted)
            assert isinstance(third.payload, Text)
            assert third.payload.reply is not None
            self.assertEqual(third.payload.reply.hash, hash)
        page = self.ben.do(self.ben.client.history(chat))
        self.assertIn("deleted", [each["body"]["kind"] for each in msgspec.to_builtins(page)["messages"]])

    def test_refused_by_the_node(self) -> None:
        """What a message that the node does not take had before it goes; what stood behind it goes yet."""
        chat = self.start(self.ben)
        first = self.say(self.ann, chat, "to be deleted")
        conversation, send = self.chat(self.ann, chat), self.ann.client.send_body
        refused: Deferred[Any] = Deferred()

        def refuse(*_: object) -> Any:
            self.ann.client.send_body = send  # type: ignore[method-assign]
            return refused

        self.ann.client.send_body = refuse  # type: ignore[method-assign,assignment]
        item = conversation.send("refused")
        conversation.react(first, "👍")
        conversation.delete(first)
        refused.errback(local(Code.NOT_FOUND))
        self.settle()
        self.assertIs(item.fate, Fate.REFUSED)
        self.assertEqual(self.ben.said(chat), [""])
        [shown] = self.chat(self.ben, chat).items.all
        self.assertEqual((shown.deleted, shown.reactions), (True, {self.ann.account: "👍"}))
        self.assertEqual((conversation._under_way, self.ben.alarms), ({}, []))

    def test_another_device(self) -> None:
        """One that comes later, and knows nothing, reads the past from the node's history and goes on."""
        chat = self.start(self.ben)
        hash = self.say(self.ann, chat, "before")
        self.say(self.ben, chat, "answer")
        self.chat(self.ann, chat).edit(hash, "edited")
        self.chat(self.ann, chat).delete(self.say(self.ann, chat, "deleted"))
        self.settle()
        tablet = self.device().login("ben")
        self.everybody.append(tablet)
        tablet.unlock()
        self.settle()
        self.assertEqual((tablet.said(chat), tablet.alarms), (["edited", "answer"], []))
        self.say(tablet, chat, "from the tablet")
        for each in (self.ann, self.ben):
            self.assertEqual(each.said(chat), ["edited", "answer", "", "from the tablet"])
        self.assertEqual(self.ben.alarms, [])

    def test_away(self) -> None:
        """What was said while a device was away comes to it; what it says meanwhile goes when it is back."""
        chat = self.start(self.ben)
        self.say(self.ann, chat, "one")
        self.ben.drop()
        self.say(self.ann, chat, "two")
        item = self.chat(self.ben, chat).send("three")
        self.assertIs(item.fate, Fate.SENDING)
        self.ben.back()
        self.settle()
        self.assertEqual(sorted(self.ben.said(chat)), ["one", "three", "two"])
        self.assertEqual(self.ann.said(chat), ["one", "two", "three"])
        self.assertEqual(self.ben.alarms, [])

    def test_nothing_in_clear(self) -> None:
        """The node takes none either."""
        chat = self.start(self.ben)
        with self.assertRaises(RemoteProblem) as caught:
            self.ann.do(self.ann.client.send(chat, "in clear"))
        self.assertTrue(caught.exception.of(Code.SECURE_ONLY))

    def test_before_it_is_accepted(self) -> None:
        """What was said to who is invited is read once that has accepted."""
        conversation = self.ann.do(self.ann.secure.start([self.ben.account]))
        self.say(self.ann, conversation.id, "come in")
        opened = self.ben.do(self.ben.secure.accept(conversation.id))
        self.assertEqual([item.text for item in opened.items.all], ["come in"])
        self.say(self.ben, conversation.id, "here I am")
        self.assertEqual(self.ann.said(conversation.id), ["come in", "here I am"])
        self.assertEqual(self.ann.alarms + self.ben.alarms, [])

    def test_closed(self) -> None:
        """Closing wipes the keys, and leaves no timer; then nothing is said and nothing is taken."""
        chat = self.start(self.ben)
        self.say(self.ann, chat, "hello")
        secure = self.ben.secure
        self.ben.lock()
        self.ben.lock()
        self.assertTrue(secure.closed)
        self.assertEqual((secure.chats, self.ben.client.secure), ({}, None))
        self.say(self.ann, chat, "nobody opens this")
        self.ben.unlock()
        self.settle()
        self.assertEqual(self.ben.said(chat), ["hello", "nobody opens this"])


class GroupTests(SecureSdkCase):
    def test_three(self) -> None:
        """All read all; who has come later reads what was said since."""
        chat = self.start(self.ben, group=True)
        self.say(self.ann, chat, "two of us")
        self.ann.do(self.ann.secure.invite(self.chat(self.ann, chat), [self.cay.account]))
        self.cay.do(self.cay.secure.accept(chat))
        self.settle()
        for device, text in ((self.cay, "here"), (self.ben, "welcome"), (self.ann, "three of us")):
            self.say(device, chat, text)
        self.assertEqual(self.cay.said(chat), ["here", "welcome", "three of us"])
        self.assertEqual(self.ben.said(chat), ["two of us", "here", "welcome", "three of us"])
        self.assertEqual(self.cay.alarms, [])
        changes = [each.change for each in self.ben.warnings(RosterChanged)]
        self.assertEqual(changes[-1].added, (self.cay.account,))
        accounts = {each.account for each in self.everybody}
        self.assertEqual([self.chat(each, chat).members for each in self.everybody], [accounts] * 3)

    def test_inviter_away(self) -> None:
        """Who comes while their inviter is away reads what others say to them, and speaks then."""
        chat = self.start(self.ben, group=True)
        self.ann.do(self.ann.secure.invite(self.chat(self.ann, chat), [self.cay.account]))
        self.settle()
        self.ann.drop()
        self.cay.do(self.cay.secure.accept(chat))
        waiting = self.chat(self.cay, chat).send("is anybody here?")
        self.settle()
        self.assertIs(waiting.fate, Fate.WAITING)
        self.say(self.ben, chat, "I am")
        self.settle()
        self.assertIs(waiting.fate, Fate.SENT)
        self.assertEqual(sorted(self.cay.said(chat)), ["I am", "is anybody here?"])
        self.assertEqual(self.ben.said(chat), ["I am", "is anybody here?"])

    def test_removed(self) -> None:
        """Who is removed cannot read what comes after, and the others are told by whom."""
        chat = self.start(self.ben, self.cay)
        self.say(self.ann, chat, "all")
        self.ann.do(self.ann.secure.remove(self.chat(self.ann, chat), self.cay.account))
        self.settle()
        self.assertNotIn(chat, self.cay.secure.chats)
        self.say(self.ben, chat, "without Cay")
        self.assertEqual(self.ann.said(chat), ["all", "without Cay"])
        self.assertIn((self.cay.account,), [each.change.removed for each in self.ben.warnings(RosterChanged)])
        self.assertEqual(self.chat(self.ben, chat).members, {self.ann.account, self.ben.account})

    def test_left(self) -> None:
        chat = self.start(self.ben, self.cay)
        self.cay.do(self.cay.secure.leave(self.chat(self.cay, chat)))
        self.settle()
        self.say(self.ann, chat, "two")
        self.assertEqual(self.ben.said(chat), ["two"])
        self.assertEqual(self.chat(self.ann, chat).members, {self.ann.account, self.ben.account})

    def test_removed_by_the_node(self) -> None:
        """Whom a node names no more nothing is sealed to, and that nobody has signed it is told."""
        chat = self.start(self.ben, self.cay)
        self.ann.do(self.ann.client.remove_from_group(chat, self.cay.account))
        self.settle()
        self.say(self.ann, chat, "two")
        self.assertEqual(self.ben.said(chat), ["two"])
        self.assertEqual(self.ben.warnings(Gone), [Gone((self.cay.account,))])


class KeyTests(SecureSdkCase):
    def test_published_after_each_connect(self) -> None:
        """The node has them at once, and again after a restart of its memory of keys."""
        [keys] = self.ann.do(self.ann.client.keys_of([self.ben.account])).keys
        self.assertIsNotNone(keys.identity)
        self.ben.drop()
        self.ben.back()
        self.assertEqual([each for each in self.ben.heard if isinstance(each, KeysMismatch)], [])

    def test_mismatch(self) -> None:
        """Another passphrase publishes nothing until its owner has said so; then all are told."""
        chat = self.start(self.ben)
        self.say(self.ann, chat, "hello")
        before = self.ben.secure.own.hash
        self.ben.lock()
        self.ben.unlock(version=1)
        [mismatch] = [each for each in self.ben.heard if isinstance(each, KeysMismatch)]
        self.assertEqual(self.ben.secure.keys.mismatch, mismatch)
        self.assertEqual(self.ann.warnings(KeysChanged), [])
        self.ben.do(self.ben.secure.replace_keys())
        self.settle()
        [change] = self.ann.warnings(KeysChanged)
        self.assertEqual((change.account, change.before, change.vouched), (self.ben.account, before, False))

    def test_changed_keys_wait(self) -> None:
        """Nothing is sealed to other keys until they are accepted; then what waited is said."""
        chat = self.start(self.ben)
        self.say(self.ann, chat, "hello")
        self.ben.lock()
        self.ben.unlock(version=1)
        self.ben.do(self.ben.secure.replace_keys())
        self.settle()
        item = self.chat(self.ann, chat).send("to whom?")
        self.settle()
        self.assertEqual((item.fate, item.waits_for), (Fate.WAITING, (self.ben.account,)))
        self.ann.secure.accept_keys(self.ben.account)
        self.settle()
        self.assertIs(item.fate, Fate.SENT)
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.CHANGED)

    def test_no_keys(self) -> None:
        """With somebody who has none no group is begun; in a chat of two what is said waits for them."""
        dan = self.device().register("dan")
        self.everybody.append(dan)
        self.ann.befriend(dan)
        with self.assertRaises(KeysUnavailable) as caught:
            self.ann.do(self.ann.secure.start([dan.account], group=True))
        self.assertEqual(caught.exception.accounts, (dan.account,))
        self.assertEqual(self.ann.secure.chats, {})
        conversation = self.ann.do(self.ann.secure.start([dan.account]))
        item = conversation.send("until you have some")
        self.assertEqual((item.fate, item.waits_for), (Fate.WAITING, (dan.account,)))
        dan.unlock()
        dan.do(dan.secure.accept(conversation.id))
        self.settle()
        self.assertIs(item.fate, Fate.SENT)
        self.assertEqual(dan.said(conversation.id), ["until you have some"])

    def test_forgotten(self) -> None:
        """What waits can be taken back."""
        dan = self.device().register("dan")
        self.everybody.append(dan)
        self.ann.befriend(dan)
        conversation = self.ann.do(self.ann.secure.start([dan.account]))
        item = conversation.send("never mind")
        self.assertTrue(conversation.forget(item))
        self.assertFalse(conversation.forget(item))
        dan.unlock()
        dan.do(dan.secure.accept(conversation.id))
        self.settle(90)
        self.assertEqual(dan.said(conversation.id), [])
        self.assertIs(item.fate, Fate.REFUSED)

    def test_another_account_s_key(self) -> None:
        """It is refused, and wiped."""
        self.ben.lock()
        key = key_of(self.ann.account)
        self.failureResultOf(self.ben.client.unlock_with(key), RemoteProblem)
        self.assertTrue(key.wiped)


class _AtOnce:
    """A pool of threads that has none."""

    def callInThreadWithCallback(self, told: Any, work: Any, *given: Any) -> None:
        told(True, work(*given))


class UnlockTests(SecureSdkCase):
    def test_passphrase(self) -> None:
        """The key follows from the account and the passphrase, in whatever form that is written."""
        self.ann.lock()
        passphrase = words()
        self.world.clock.getThreadPool = _AtOnce  # type: ignore[attr-defined]
        self.world.clock.callFromThread = lambda call, *given: call(*given)  # type: ignore[attr-defined]
        secure = self.ann.do(self.ann.client.unlock(f"  {passphrase} "))
        self.assertEqual(secure.own.hash, UniqueKey.of(self.ann.account, passphrase).hash)

    def test_weak(self) -> None:
        self.ann.lock()
        with self.assertRaises(Refused) as caught:
            UniqueKey.of(self.ann.account, "password1")
        self.assertIs(caught.exception.reason, Reason.WEAK_PASSPHRASE)

    def test_twice(self) -> None:
        """It is unlocked once; another key is wiped."""
        key = key_of(self.ann.account)
        self.failureResultOf(self.ann.client.unlock_with(key), RemoteProblem)
        self.assertTrue(key.wiped)
        self.assertFalse(self.ann.secure.closed)

    def test_before_login(self) -> None:
        """Whose key it would be is not known."""
        device = SecureDevice(World())
        self.failureResultOf(device.client.unlock("a passphrase"), RemoteProblem)


class GuideTests(SecureSdkCase):
    def test_examples(self) -> None:
        """What docs/client-guide.md shows of secure chats does what it says."""
        shown: dict[str, Any] = {}
        for block in guide_blocks("## Secure chats"):
            exec(block, shown)
        self.assertEqual(len(shown["new_passphrase"]().split()), 12)
        conversation = self.ann.do(shown["begin"](self.ann.client, "not asked for", self.ben.account))
        self.settle()
        self.ben.do(shown["join"](self.ben.client, conversation.id))
        self.settle()
        conversation.send("Now you have come.")
        self.settle()
        self.assertEqual(self.ben.said(conversation.id)[-1], "Now you have come.")
        self.ann.do(shown["use_vault"](self.ann.client, conversation.id))
        self.ann.do(shown["asked"](self.ann.client, True))
        number = self.ben.secure.safety_number(self.ann.account)
        self.assertFalse(shown["is_theirs"](self.ann.client, self.ben.account, "1" + number))
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.PINNED)
        self.assertTrue(shown["is_theirs"](self.ann.client, self.ben.account, number))
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.VERIFIED)
        self.world.clock.getThreadPool = _AtOnce  # type: ignore[attr-defined]
        self.world.clock.callFromThread = lambda call, *given: call(*given)  # type: ignore[attr-defined]
        before = self.ann.secure.own.hash
        self.assertFalse(self.ann.do(shown["another_passphrase"](self.ann.client, "password1")))
        self.assertTrue(self.ann.do(shown["another_passphrase"](self.ann.client, shown["new_passphrase"]())))
        self.settle()
        self.assertNotEqual(self.ann.secure.own.hash, before)
        self.assertEqual([each.before for each in self.ben.warnings(KeysChanged)], [before])


def guide_blocks(chapter: str) -> list[str]:
    """The programs in a chapter of the guide."""
    page = (Path(__file__).parent.parent / "docs" / "client-guide.md").read_text()
    text = page.partition(f"\n{chapter}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
