"""Drafts and settings in the vault, and what is written of it before it is too late."""

from typing import Any

from safeum_home.client.errors import RemoteProblem
from safeum_home.client.events import Link, LinkChanged
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.vault_content import Draft
from safeum_home.client.unlocked.events import DraftChanged, SettingChanged
from safeum_home.errors import Code
from safeum_home.protocol.message_types import Draft as PlainDraft
from tests.secure_sdk_case import SecureDevice, SecureSdkCase


class KeptCase(SecureSdkCase):
    """Ann has a telephone and a tablet, and a secure chat with Ben."""

    def setUp(self) -> None:
        super().setUp()
        self.chat_id = self.start(self.ben)
        self.tablet = self.device().login("ann")
        self.everybody.append(self.tablet)
        self.tablet.unlock()
        self.settle(15)

    def told(self, device: SecureDevice, kind: type[Any]) -> list[Any]:
        return [each for each in device.heard if isinstance(each, kind)]

    def reason(self, call: Any, *arguments: Any) -> Reason:
        reason: Reason = self.assertRaises(Refused, call, *arguments).reason
        return reason


class DraftTests(KeptCase):
    def test_other_device(self) -> None:
        """What was begun on one device is there on the other, and gone where it was sent."""
        hash = self.say(self.ben, self.chat_id, "a question")
        self.ann.secure.drafts.set(self.chat_id, "an ans", hash)
        self.settle(15)
        self.assertEqual(self.ann.secure.drafts.of(self.chat_id), self.tablet.secure.drafts.of(self.chat_id))
        [told] = self.told(self.tablet, DraftChanged)
        self.assertEqual((told.chat, told.draft.text, told.draft.reply), (self.chat_id, "an ans", hash))
        self.tablet.secure.drafts.drop(self.chat_id)
        self.settle(15)
        self.assertIsNone(self.ann.secure.drafts.of(self.chat_id))
        self.assertEqual(self.told(self.ann, DraftChanged), [DraftChanged(self.chat_id, None)])

    def test_again(self) -> None:
        """It outlives the program, and that it was dropped does, too."""
        self.ann.secure.drafts.set(self.chat_id, "begun")
        self.ann.lock()
        self.ann.unlock()
        draft = self.ann.secure.drafts.of(self.chat_id)
        self.assertEqual(draft and draft.text, "begun")
        self.ann.secure.drafts.drop(self.chat_id)
        self.ann.lock()
        self.ann.unlock()
        self.assertIsNone(self.ann.secure.drafts.of(self.chat_id))

    def test_later_one(self) -> None:
        """Of two that were begun apart the later one stays, though one of the clocks is behind."""
        self.ann.drop()
        self.ann.secure.drafts.set(self.chat_id, "the telephone's")
        self.settle(5)
        self.tablet.secure.drafts.set(self.chat_id, "the tablet's")
        self.settle(15)
        self.ann.back()
        self.settle(40)
        for device in (self.ann, self.tablet):
            draft = device.secure.drafts.of(self.chat_id)
            self.assertEqual(draft and draft.text, "the tablet's")
        ahead = Draft(int(self.world.clock.seconds() * 1000) + 10**9, "of a clock that is ahead")
        self.ann.secure.drafts.kept[self.chat_id] = ahead
        self.ann.secure.drafts.set(self.chat_id, "after that")
        self.assertGreater(self.ann.secure.drafts.kept[self.chat_id].at, ahead.at)

    def test_bounds(self) -> None:
        """Four thousand characters, and text that there is."""
        drafts = self.ann.secure.drafts
        drafts.set(self.chat_id, "ä" * 4096)
        self.assertIs(self.reason(drafts.set, self.chat_id, "x" * 4097), Reason.TOO_LARGE)
        self.assertIs(self.reason(drafts.set, self.chat_id, "\ud800"), Reason.MALFORMED)
        self.assertIs(self.reason(drafts.set, self.chat_id, "x", "no hash"), Reason.MALFORMED)
        drafts.kept = {f"!{number}": Draft(1, "x") for number in range(2000)}
        self.assertIs(self.reason(drafts.set, self.chat_id, "one more"), Reason.TOO_MANY)

    def test_as_plain_ones(self) -> None:
        """The command for drafts of other chats leads to the vault: nothing of it comes to the node."""
        hash = self.say(self.ben, self.chat_id, "a question")
        item = self.chat(self.ann, self.chat_id).items.by_hash(hash)
        assert item is not None
        plain = PlainDraft("half a canary", item.id)
        answer = self.ann.do(self.ann.client.set_chat(self.chat_id, draft=plain, pinned=True))
        self.assertEqual((answer.settings.draft, answer.settings.pinned is None), (plain, False))
        self.assertEqual(self.ann.secure.draft_of(self.chat_id), plain)
        kept = self.ann.secure.drafts.of(self.chat_id)
        self.assertEqual((kept and kept.text, kept and kept.reply), ("half a canary", hash))
        self.settle(15)
        self.assertEqual(self.tablet.secure.draft_of(self.chat_id), plain)
        answer = self.ann.do(self.ann.client.set_chat(self.chat_id, draft=None))
        self.assertIsNone(answer.settings.draft)
        self.assertIsNone(self.ann.secure.draft_of(self.chat_id))

    def test_locked(self) -> None:
        """While it is locked it is kept nowhere."""
        self.ann.lock()
        with self.assertRaises(RemoteProblem) as caught:
            self.ann.do(self.ann.client.set_chat(self.chat_id, draft=PlainDraft("half a canary")))
        self.assertTrue(caught.exception.of(Code.SECURE_ONLY))
        self.assertNotIn("node", str(caught.exception))
        self.assertIn("locked", str(caught.exception))

    def test_no_secure_chat(self) -> None:
        """Other chats' drafts are the node's, and only those that are open have one."""
        plain = self.ann.client.state.contacts[self.cay.account].chat
        self.ann.do(self.ann.client.set_chat(plain, draft=PlainDraft("for Cay")))
        self.assertIsNone(self.ann.secure.drafts.of(plain))
        self.assertIs(self.reason(self.ann.secure.keep_draft, plain, None), Reason.NOT_A_MEMBER)


class SettingTests(KeptCase):
    def test_other_device(self) -> None:
        """All kinds of values, on both devices; what was dropped is dropped there."""
        values: dict[str, bool | int | str] = {
            "home.theme": "dark",
            "home.size": -3,
            "home.sound": False,
            "home.one": 1,
        }
        for name, value in values.items():
            self.ann.secure.settings.set(name, value)
        self.settle(15)
        self.assertEqual(self.tablet.secure.settings.all(), values)
        told = self.told(self.tablet, SettingChanged)
        self.assertEqual(told, [SettingChanged(*each) for each in sorted(values.items())])
        self.tablet.secure.settings.set("home.theme", None)
        self.tablet.secure.settings.set("home.one", True)
        self.settle(15)
        told = sorted(self.told(self.ann, SettingChanged), key=lambda each: each.name)
        self.assertEqual(told, [SettingChanged("home.one", True), SettingChanged("home.theme", None)])
        self.assertIs(self.ann.secure.settings.get("home.one"), True)

    def test_bounds(self) -> None:
        """So many, so long, and of these kinds; what is there already can be set anew, and dropped."""
        settings = self.ann.secure.settings
        bad: Any = (("", 1), ("x", 2**53), ("x", 1.5), ("x", "\ud800"), ("x", b"x"), ("\udfff", 1))
        for name, value in bad:
            self.assertIs(self.reason(settings.set, name, value), Reason.MALFORMED)
        long: Any = (("x" * 65, 1), ("x", "x" * 1025))
        for name, value in long:
            self.assertIs(self.reason(settings.set, name, value), Reason.TOO_LARGE)
        for number in range(256):
            settings.set(f"s{number:03}", "x" * 250)
        self.assertIs(self.reason(settings.set, "one more", 1), Reason.TOO_MANY)
        self.assertIs(self.reason(settings.set, "s000", "ä" * 1024), Reason.TOO_LARGE)
        settings.set("s000", None)
        settings.set("one more", 1)
        for number in range(1, 256):
            settings.set(f"s{number:03}", None)
        for number in range(255):
            settings.set(f"t{number}", 1)
        self.assertIs(self.reason(settings.set, "too many traces", 1), Reason.TOO_MANY)


class WritingTests(KeptCase):
    """When the vault is written."""

    def test_at_once(self) -> None:
        """What must not be lost does not wait: the program may be killed."""
        before = self.ann.secure.vault_version()
        self.ann.secure.drafts.set(self.chat_id, "this can wait")
        self.settle(1)
        self.assertEqual(self.ann.secure.vault_version(), before)
        self.ann.secure.verify(self.ben.account)
        self.settle(1)
        self.assertEqual(self.ann.secure.vault_version(), before + 1)
        self.assertIs(self.tablet.secure.trust(self.ben.account), Trust.VERIFIED)

    def test_a_roster(self) -> None:
        """One of one's own is in it at once."""
        group = self.start(self.ben, group=True)
        self.settle(15)
        before = self.ann.secure.vault_version()
        self.ann.do(self.ann.secure.invite(self.chat(self.ann, group), [self.cay.account]))
        self.settle(1)
        self.assertGreater(self.ann.secure.vault_version(), before)

    def test_saved(self) -> None:
        """A program can have it written when it likes."""
        self.ann.secure.drafts.set(self.chat_id, "begun")
        self.ann.do(self.ann.secure.save())
        self.settle(1)
        self.assertIsNotNone(self.tablet.secure.drafts.of(self.chat_id))

    def test_closed(self) -> None:
        """Before it is closed, in whichever way."""
        for number, close in enumerate(("lock", "close", "logout")):
            device = self.device().login("ann").unlock()
            self.everybody.append(device)
            self.settle(15)
            secure = device.secure
            device.secure.drafts.set(self.chat_id, f"the last {number}")
            device.do(getattr(device.client, close)())
            self.assertTrue(secure.closed)
            self.settle(1)
            draft = self.ann.secure.drafts.of(self.chat_id)
            self.assertEqual(draft and draft.text, f"the last {number}")

    def test_asleep(self) -> None:
        """Before it sleeps: it would wake a moment later."""
        self.ann.secure.drafts.set(self.chat_id, "begun")
        self.ann.do(self.ann.client.sleep())
        self.settle(15)
        self.assertEqual(self.ann.heard[-1], LinkChanged(Link.ASLEEP))
        draft = self.tablet.secure.drafts.of(self.chat_id)
        self.assertEqual(draft and draft.text, "begun")

    def test_no_answer(self) -> None:
        """A node that says nothing is waited for for five seconds; nothing can be said meanwhile."""
        secure = self.ann.secure
        self.ann.bend = lambda frame: []
        secure.drafts.set(self.chat_id, "never")
        done: list[None] = []
        self.ann.client.lock().addCallback(done.append)
        self.ann.client.lock().addCallback(done.append)
        self.settle(4)
        self.assertEqual((done, secure.closed, self.ann.client.secure), ([], False, None))
        self.settle(2)
        self.assertEqual((done, secure.closed), ([None, None], True))
        self.assertEqual(secure.drafts.kept, {})

    def test_away(self) -> None:
        """Without a connection it is wiped at once."""
        secure = self.ann.secure
        secure.drafts.set(self.chat_id, "never")
        self.ann.drop()
        self.ann.client.lock()
        self.assertTrue(secure.closed)

    def test_lost_meanwhile(self) -> None:
        """Where the session ends while it is written it is wiped at once."""
        secure = self.ann.secure
        self.ann.bend = lambda frame: []
        secure.drafts.set(self.chat_id, "never")
        self.ann.client.lock()
        self.assertFalse(secure.closed)
        self.ann.client.ended("for good", 4010)
        self.assertTrue(secure.closed)

    def test_unlocked_meanwhile(self) -> None:
        """Who enters the passphrase at once waits for that."""
        self.ann.secure.drafts.set(self.chat_id, "begun")
        self.ann.client.lock()
        self.ann.unlock()
        draft = self.ann.secure.drafts.of(self.chat_id)
        self.assertEqual(draft and draft.text, "begun")
