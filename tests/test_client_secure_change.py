"""Another passphrase through the SDK: who is told, what stays readable, and where it may end on the way."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from safeum_home.client.errors import RemoteProblem, local
from safeum_home.client.secure.events import KeysChanged
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.unlocked.events import KeysFollowed, KeysMismatch, VaultRefused
from safeum_home.client.unlocked.items import FORMER_KEYS, Fate
from safeum_home.errors import Code
from tests.secure_sdk_case import SecureDevice, SecureSdkCase, key_of


class ChangeCase(SecureSdkCase):
    """Ben takes another passphrase."""

    def setUp(self) -> None:
        super().setUp()
        self.pair = self.start(self.ben)
        self.group = self.start(self.ben, self.cay, group=True)
        for chat in (self.pair, self.group):
            self.say(self.ann, chat, "before")
            self.say(self.ben, chat, "I too")
        self.before = self.ben.secure.own.hash
        self.after = key_of(self.ben.account, 1).hash

    def change(self, version: int = 1) -> None:
        self.ben.do(self.ben.secure.change_key(key_of(self.ben.account, version)))
        self.settle()

    def changes(self, device: SecureDevice) -> list[tuple[bytes, bytes, bool]]:
        found = [each for each in device.warnings(KeysChanged) if each.account == self.ben.account]
        return [(each.before, each.after, each.vouched) for each in found]

    def kill(self, device: SecureDevice) -> None:
        """Its program ends, and nothing is written any more."""
        device.secure.close()
        device.client.lock()
        device.heard.clear()

    def told(self, device: SecureDevice, kind: type) -> list[Any]:
        return [each for each in device.heard if isinstance(each, kind)]


class ChangeTests(ChangeCase):
    def test_told_in_every_chat(self) -> None:
        """With both hashes; who was verified is so no more, and all go on, without alarms."""
        self.ann.secure.verify(self.ben.account)
        self.ben.secure.verify(self.ann.account)
        self.change()
        self.assertEqual(self.changes(self.ann), [(self.before, self.after, True)] * 2)
        self.assertEqual(self.changes(self.cay), [(self.before, self.after, True)])
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.CHANGED)
        self.assertIs(self.ben.secure.trust(self.ann.account), Trust.VERIFIED)
        self.assertEqual(self.told(self.ben, KeysFollowed)[-1], KeysFollowed(self.before, self.after, 0))
        for chat in (self.pair, self.group):
            self.say(self.ben, chat, "after")
            self.say(self.ann, chat, "I see")
            for device in (self.ann, self.ben):
                self.assertEqual(device.said(chat), ["before", "I too", "after", "I see"])
        self.assertEqual(self.ann.refused + self.ben.refused + self.cay.refused, [])
        self.assertEqual(self.ben.alarms, [])

    def test_entered_again(self) -> None:
        """With the new passphrase, from the vault: what was said last is read, what was verified is so."""
        self.ben.secure.verify(self.ann.account)
        self.change()
        self.say(self.ann, self.pair, "after")
        self.settle(15)
        self.kill(self.ben)
        self.ben.unlock(version=1)
        self.settle()
        self.assertEqual((self.told(self.ben, KeysMismatch), self.told(self.ben, VaultRefused)), ([], []))
        self.assertIs(self.ben.secure.trust(self.ann.account), Trust.VERIFIED)
        self.assertEqual(self.ben.said(self.pair)[-1], "after")
        self.assertEqual(self.ben.alarms, [])
        self.say(self.ben, self.pair, "here")
        self.assertEqual(self.ann.said(self.pair)[-1], "here")

    def test_twice(self) -> None:
        """Who was away while they changed twice is told of both as of one."""
        self.cay.drop()
        self.change()
        self.change(version=2)
        self.cay.back()
        self.settle(5)
        self.assertEqual(self.changes(self.cay)[-1][1:], (key_of(self.ben.account, 2).hash, True))
        self.say(self.ben, self.group, "after")
        self.say(self.cay, self.group, "I see")
        self.assertEqual(self.ben.said(self.group)[-2:], ["after", "I see"])

    def test_under_way(self) -> None:
        """What others had sealed for the keys before is read, for ten minutes."""
        self.ann.drop()
        item = self.chat(self.ann, self.pair).send("under way")
        self.change()
        self.ann.back()
        self.settle()
        self.assertIs(item.fate, Fate.SENT)
        self.assertEqual(self.ben.said(self.pair)[-1], "under way")
        [former] = self.ben.secure.former
        self.settle(610)
        self.assertEqual((former.wiped, self.ben.secure.former), (True, []))

    def test_offline(self) -> None:
        """It waits for a connection, at whichever step."""
        for lost in (0.0, 0.05):
            self.change(version=1 if not lost else 3)
            after = key_of(self.ben.account, 2 if not lost else 4)
            self.settle(15)
            if not lost:
                self.ben.drop()
            changing = Deferred.fromCoroutine(self.ben.secure._change_key(after))
            self.settle(lost)
            if lost:
                self.ben.drop()
            self.settle()
            self.ben.back()
            self.settle(10)
            self.successResultOf(changing)
            self.assertEqual((self.ben.secure.own.hash, self.ben.secure.untold), (after.hash, ()))
            self.assertEqual(self.changes(self.ann)[-1][1:], (after.hash, True))
        self.say(self.ben, self.group, "after all")
        self.assertEqual(self.cay.said(self.group)[-1], "after all")

    def test_answer_lost(self) -> None:
        """The directory has them, and its answer does not come: it is asked again."""

        def lose(frame: dict[str, Any]) -> list[dict[str, Any]]:
            return [] if "since" in (frame.get("result") or {}) else [frame]

        self.ben.bend = lose
        changing = Deferred.fromCoroutine(self.ben.secure._change_key(key_of(self.ben.account, 1)))
        self.settle(5)
        self.assertNoResult(changing)
        self.ben.bend = None
        self.ben.drop()
        self.ben.back()
        self.settle(10)
        self.successResultOf(changing)
        self.assertEqual(self.told(self.ben, KeysMismatch), [])
        self.assertEqual(self.changes(self.ann)[-1], (self.before, self.after, True))
        self.say(self.ben, self.pair, "after")
        self.assertEqual(self.ann.said(self.pair)[-1], "after")

    def test_refused(self) -> None:
        """The same keys, another account's, or some that were in force once: nothing changes."""
        changing = self.ben.secure.change_key(key_of(self.ben.account, 2))
        for _ in range(2):
            self.failureResultOf(self.ben.secure.change_key(key_of(self.ben.account, 3)), RemoteProblem)
        self.assertIsNotNone(self.ben.secure._changing)
        changing.cancel()  # type: ignore[attr-defined]
        self.failureResultOf(changing, CancelledError)
        for key in (key_of(self.ben.account), key_of(self.ann.account, 1)):
            with self.assertRaises(RemoteProblem):
                self.ben.do(self.ben.secure.change_key(key))
            self.assertTrue(key.wiped)
        self.change()
        with self.assertRaises(Refused) as caught:
            self.ben.do(self.ben.secure.change_key(key_of(self.ben.account)))
        self.assertIs(caught.exception.reason, Reason.OLD_KEYS)
        self.assertEqual(self.ben.secure.own.hash, self.after)

    def test_node_refuses(self) -> None:
        """All is as it was, the vault as well."""

        publish = self.ben.client.publish_keys
        self.settle(15)
        self.ben.secure._drop(self.pair)
        kept = self.ben.secure.left[self.pair]
        self.ben.client.publish_keys = _refuse  # type: ignore[method-assign,assignment]
        with self.assertRaises(RemoteProblem):
            self.ben.do(self.ben.secure.change_key(key_of(self.ben.account, 1)))
        self.assertEqual(self.ben.secure.own.hash, self.before)
        self.ben.client.publish_keys = publish  # type: ignore[method-assign]
        self.settle(15)
        self.assertEqual(self.ben.secure._vault.memory(self.pair), kept)
        self.kill(self.ben)
        self.ben.unlock()
        self.settle()
        self.assertEqual(self.told(self.ben, VaultRefused), [])
        self.say(self.ben, self.pair, "as ever")
        self.assertEqual((self.ann.said(self.pair)[-1], self.changes(self.ann)), ("as ever", []))


class InterruptedTests(ChangeCase):
    """It ends on the way, and whoever enters the new passphrase goes on."""

    def test_before_the_directory(self) -> None:
        """The vault is of the new one: the old one says so, the new one goes on."""
        self.ben.secure._put_in_force = _never  # type: ignore[method-assign,assignment]
        changing = Deferred.fromCoroutine(self.ben.secure._change_key(key_of(self.ben.account, 1)))
        self.settle(5)
        self.kill(self.ben)
        self.failureResultOf(changing, CancelledError)
        self.assertEqual(self.changes(self.ann), [])
        self.ben.unlock()
        self.assertEqual([each.reason for each in self.told(self.ben, VaultRefused)], [Reason.UNDECRYPTABLE])
        self.kill(self.ben)
        self.ben.unlock(version=1)
        self.settle()
        self.assertEqual((self.told(self.ben, KeysMismatch), self.told(self.ben, VaultRefused)), ([], []))
        self.assertEqual(self.changes(self.ann), [(self.before, self.after, True)] * 2)
        self.assertEqual(self.ben.secure.untold, ())
        self.say(self.ben, self.group, "after")
        self.assertEqual(self.cay.said(self.group)[-1], "after")

    def test_not_told_for_long(self) -> None:
        """A chat that cannot be told keeps the keys before, and the vault is written all the same."""
        tell, self.ben.secure._tell = self.ben.secure._tell, _never  # type: ignore[method-assign,assignment]
        self.change()
        self.settle(15)
        version = self.ben.secure.vault_version()
        self.settle(610)
        [former] = self.ben.secure.former
        self.ben.secure.verify(self.ann.account)
        self.settle(15)
        self.assertEqual((self.ben.secure.vault_version() > version, former.wiped), (True, False))
        self.ben.secure._tell = tell  # type: ignore[method-assign]
        self.ben.secure._telling.clear()
        for conversation in self.ben.secure.chats.values():
            self.ben.secure.owed(conversation)
        self.settle(10)
        self.assertEqual((self.ben.secure.untold, self.ben.secure.former, former.wiped), ((), [], True))

    def test_no_room(self) -> None:
        """A vault that does not fit ends it, and all is as it was."""
        put = self.ben.secure._vault._vault.put
        self.ben.secure._vault._vault.put = _too_large  # type: ignore[method-assign,assignment]
        changing = self.ben.secure.change_key(key_of(self.ben.account, 1))
        self.settle(10)
        self.assertIs(self.failureResultOf(changing, Refused).value.reason, Reason.TOO_LARGE)
        self.ben.secure._vault._vault.put = put  # type: ignore[method-assign]
        self.assertEqual(self.ben.secure.own.hash, self.before)
        self.ben.secure.verify(self.ann.account)
        self.settle(15)
        self.kill(self.ben)
        self.ben.unlock()
        self.assertEqual(self.told(self.ben, VaultRefused), [])
        self.assertIs(self.ben.secure.trust(self.ann.account), Trust.VERIFIED)

    def test_before_chats_are_told(self) -> None:
        """Those that were not are told when it is entered again, before anything else is said."""
        self.ben.secure._tell = _never  # type: ignore[method-assign,assignment]
        self.change()
        self.settle(15)
        self.assertEqual(set(self.ben.secure.untold), {self.pair, self.group})
        item = self.chat(self.ann, self.pair).send("to whom?")
        self.settle(30)
        self.assertIs(item.fate, Fate.WAITING)
        self.kill(self.ben)
        self.ben.unlock(version=1)
        self.chat(self.ben, self.pair).send("here")
        self.settle()
        self.assertEqual(
            [each for each in self.changes(self.ann) if each[2]], [(self.before, self.after, True)] * 2
        )
        self.assertEqual(self.ben.secure.untold, ())
        self.assertIs(item.fate, Fate.SENT)
        self.assertEqual(sorted(self.ben.said(self.pair)[-2:]), ["here", "to whom?"])
        self.assertEqual((self.ann.refused, self.ben.refused), ([], []))

    def test_old_passphrase(self) -> None:
        """Whoever enters that afterwards is told, and says nothing."""
        self.change()
        self.settle(15)
        self.kill(self.ben)
        self.ben.unlock()
        self.settle()
        self.assertEqual(len(self.told(self.ben, KeysMismatch)), 1)
        item = self.chat(self.ben, self.pair).send("nobody hears that")
        self.settle()
        self.assertEqual((item.fate, item.waits_for), (Fate.WAITING, (self.ben.account,)))
        self.assertEqual(self.ann.said(self.pair), ["before", "I too"])
        self.assertRaises(Refused, self.ben.do, self.ben.secure.replace_keys())


class DeviceTests(ChangeCase):
    """Another device of Ben's, with the keys before."""

    def test_other_device(self) -> None:
        """It is told that the passphrase is another one, and neither says nor signs anything."""
        tablet = self.device().login("ben")
        self.everybody.append(tablet)
        tablet.unlock()
        self.settle()
        self.change()
        self.assertEqual(len(self.told(tablet, KeysMismatch)), 1)
        item = self.chat(tablet, self.pair).send("nobody hears that")
        self.settle()
        self.assertIs(item.fate, Fate.WAITING)
        with self.assertRaises(Refused) as caught:
            tablet.do(self.chat(tablet, self.group).admit([self.ann.account]))
        self.assertIs(caught.exception.reason, Reason.OLD_KEYS)
        self.assertEqual(self.ann.refused, [])

    def test_both_change(self) -> None:
        """Two devices at the same moment: one of them does, and the other says that it has not."""
        tablet = self.device().login("ben")
        self.everybody.append(tablet)
        tablet.unlock()
        self.settle(15)
        done = [
            Deferred.fromCoroutine(each.secure._change_key(key_of(self.ben.account, version)))
            for version, each in ((1, self.ben), (2, tablet))
        ]
        self.settle(20)
        self.successResultOf(done[0])
        self.failureResultOf(done[1], Refused)
        self.assertEqual(self.changes(self.ann), [(self.before, self.after, True)] * 2)
        reasons = {each.reason for each in self.told(tablet, VaultRefused)}
        self.assertEqual(reasons, {Reason.UNDECRYPTABLE})
        self.assertEqual(len(self.told(tablet, KeysMismatch)), 1)
        self.say(self.ben, self.pair, "after")
        self.assertEqual(self.ann.said(self.pair)[-1], "after")


class ForgottenTests(ChangeCase):
    """The passphrase is lost, and others take its place without its word."""

    def test_history(self) -> None:
        """What was sealed for the keys before says so, and is no alarm; what is said then is read."""
        self.settle(15)
        self.kill(self.ben)
        self.ben.unlock(version=1)
        self.ben.do(self.ben.secure.replace_keys())
        self.settle(65)
        kinds = [getattr(item.payload, "kind", "") for item in self.chat(self.ben, self.pair).items.all]
        self.assertEqual(kinds, [FORMER_KEYS] * 2)
        self.assertEqual(self.ben.refused, [])
        self.ann.secure.accept_keys(self.ben.account)
        self.settle()
        self.say(self.ann, self.pair, "is it you?")
        self.assertEqual(self.ben.said(self.pair)[-1], "is it you?")

    def test_quiet(self) -> None:
        """What nobody reads stands for nothing that could not be read: neither others' nor one's own."""
        hash = self.say(self.ann, self.pair, "to be edited")
        self.chat(self.ann, self.pair).edit(hash, "edited")
        for device in (self.ann, self.ben):
            self.chat(device, self.pair).react(hash, "👍")
        self.settle(15)
        self.kill(self.ben)
        self.ben.unlock(version=1)
        self.ben.do(self.ben.secure.replace_keys())
        self.settle(65)
        kinds = [getattr(item.payload, "kind", "") for item in self.chat(self.ben, self.pair).items.all]
        self.assertEqual(kinds, [FORMER_KEYS] * 3)
        self.assertEqual(self.ben.refused, [])


async def _refuse(*_: object) -> None:
    raise local(Code.BAD_KEYS)


def _too_large(_: object) -> Any:
    raise Refused(Reason.TOO_LARGE)


async def _never(*_: object) -> Any:
    await Deferred()
