"""A node that shows a secure chat as something else: nothing of it is said in clear, and that is told."""

from collections.abc import Callable
from typing import Any

from safeum_home.client.errors import RemoteProblem
from safeum_home.client.unlocked.events import NotAsKept
from safeum_home.errors import Code
from safeum_home.protocol.message_types import Draft
from tests.secure_sdk_case import SecureDevice, SecureSdkCase

Change = Callable[[dict[str, Any]], None]


def plain(chat: dict[str, Any]) -> None:
    """As a group in clear."""
    chat["group"] = {**chat["group"], "secure": False, "pair": False, "name": "Walks"}


def reseeded(chat: dict[str, Any]) -> None:
    """The same, with a seed that fits."""
    plain(chat)
    chat["group"]["seed"] = chat["group"]["seed"].rpartition(".")[2]


def group(chat: dict[str, Any]) -> None:
    """As a secure chat of more than two."""
    chat["group"] = {**chat["group"], "pair": False}


class DowngradeCase(SecureSdkCase):
    """Ann has a secure chat with Ben."""

    def setUp(self) -> None:
        super().setUp()
        self.chat_id = self.start(self.ben)
        self.say(self.ben, self.chat_id, "hello")
        self.settle(15)

    def direct(self, chat: dict[str, Any]) -> None:
        """As the direct chat with Ben."""
        chat |= {"kind": "direct", "peer": self.ben.account, "group": None, "role": None}

    def shown(self, device: SecureDevice, change: Change) -> None:
        """From now on the node shows the chat so."""

        def bend(frame: dict[str, Any]) -> list[dict[str, Any]]:
            self._change(frame, change)
            return [frame]

        device.bend = bend

    def _change(self, value: Any, change: Change) -> None:
        if isinstance(value, dict):
            if value.get("chat") == self.chat_id and value.get("group"):
                change(value)
            for each in value.values():
                self._change(each, change)
        elif isinstance(value, list):
            for each in value:
                self._change(each, change)

    def locked(self, change: Change) -> SecureDevice:
        """Another device of Ann's, which has never had the passphrase, and is shown this."""
        tablet = self.device().login("ann")
        self.everybody.append(tablet)
        tablet.bent()
        self.shown(tablet, change)
        tablet.do(tablet.client.load())
        view = tablet.client.state.chat(self.chat_id)
        assert view is not None and (view.group is None or not view.group.secure)
        return tablet

    def all_refused(self, device: SecureDevice) -> None:
        """Whatever it would say in the chat in clear is refused, and does not leave the device."""
        client, message = device.client, "A" * 22
        left: list[bytes] = []
        self.patch(device.wire, "send", left.append)
        for call in (
            lambda: client.send(self.chat_id, "canary"),
            lambda: client.forward(self.chat_id, self.chat_id, message),
            lambda: client.edit(self.chat_id, message, "canary"),
            lambda: client.react(self.chat_id, message, "👍"),
            lambda: client.set_group(self.chat_id, name="canary"),
            lambda: client.send_file(self.chat_id, __file__),
            lambda: client.upload(self.chat_id, __file__),
        ):
            with self.assertRaises(RemoteProblem) as caught:
                device.do(call())
            self.assertTrue(caught.exception.of(Code.SECURE_ONLY))
        if client.secure is None:
            with self.assertRaises(RemoteProblem) as caught:
                device.do(client.set_chat(self.chat_id, draft=Draft("canary")))
            self.assertTrue(caught.exception.of(Code.SECURE_ONLY))
        self.assertEqual(left, [])

    def told(self, device: SecureDevice) -> list[NotAsKept]:
        return device.warnings(NotAsKept)


class LockedTests(DowngradeCase):
    """Without a passphrase, and without anything on a disk."""

    def test_plain(self) -> None:
        """The chat's id says that it is none."""
        self.all_refused(self.locked(plain))

    def test_another_seed(self) -> None:
        """Nor does one fit that says that it is."""
        self.all_refused(self.locked(reseeded))

    def test_direct(self) -> None:
        """It is not the id of a chat with Ben."""
        self.all_refused(self.locked(self.direct))

    def test_locked_again(self) -> None:
        """Which chats are secure is known on, as whatever they are shown then."""
        self.ann.lock()

        def notes(chat: dict[str, Any]) -> None:
            chat |= {"kind": "self", "peer": None, "group": None, "role": None}

        self.shown(self.ann, notes)
        self.ann.do(self.ann.client.load())
        self.assertTrue(self.ann.client.is_sealed(self.chat_id))
        self.all_refused(self.ann)

    def test_open_chats(self) -> None:
        """Of all others nothing is refused."""
        walks = self.ann.do(self.ann.client.create_group("Walks", [self.ben.account])).chat.chat
        self.ben.do(self.ben.client.accept_invitation(walks))
        self.settle()
        self.ann.do(self.ann.client.send(walks, "hello"))
        self.ann.do(self.ann.client.send(self.ann.client.state.contacts[self.ben.account].chat, "hello"))
        self.ann.do(self.ann.client.send(self.ann.client.notes or "", "a note"))
        self.assertFalse(self.ann.client.is_sealed(walks))


class UnlockedTests(DowngradeCase):
    """With the vault."""

    def again(self, change: Change) -> None:
        """Ann's program begins anew, and is shown that."""
        self.ann.lock()
        self.ann.heard.clear()
        self.shown(self.ann, change)
        self.ann.do(self.ann.client.load())
        bend = self.ann.bend
        self.ann.unlock()
        self.ann.bend = bend
        self.settle()

    def still(self) -> None:
        """It is what it was: Ben reads what Ann says, and the other way round."""
        self.say(self.ann, self.chat_id, "still sealed")
        self.say(self.ben, self.chat_id, "indeed")
        self.assertEqual(self.ben.said(self.chat_id)[-2:], ["still sealed", "indeed"])
        self.assertEqual(self.ann.said(self.chat_id)[-2:], ["still sealed", "indeed"])
        self.all_refused(self.ann)

    def test_plain(self) -> None:
        self.again(plain)
        self.assertEqual(self.told(self.ann), [NotAsKept("plain")])
        self.still()

    def test_direct(self) -> None:
        self.again(self.direct)
        self.assertEqual(self.told(self.ann), [NotAsKept("plain")])
        self.still()

    def test_group(self) -> None:
        self.again(group)
        self.assertEqual(self.told(self.ann), [NotAsKept("group")])
        self.still()

    def test_meanwhile(self) -> None:
        """Also while it is open; it is told once."""
        self.shown(self.ann, plain)
        for pinned in (True, False):
            item = self.chat(self.ben, self.chat_id).items.all[-1]
            act = self.ben.client.pin if pinned else self.ben.client.unpin
            self.ben.do(act(self.chat_id, item.id or ""))
            self.settle()
        self.assertEqual(self.told(self.ann), [NotAsKept("plain")])
        self.still()

    def test_partner(self) -> None:
        """Somebody else in the place of Ben: the vault has who it is, and nothing is sealed to that one."""
        self.ann.lock()
        self.ann.heard.clear()
        cay = {"account": self.cay.account, "address": "cay@home.example", "display_name": "Ben"}

        def bend(frame: dict[str, Any]) -> list[dict[str, Any]]:
            for each in (frame.get("result") or {}).get("members", []):
                each.update(cay if each["account"] == self.ben.account else {})
            return [frame]

        self.ann.bend = bend
        self.ann.unlock()
        self.settle()
        self.assertEqual(self.told(self.ann), [NotAsKept("partner", self.cay.account)])
        self.assertEqual(self.chat(self.ann, self.chat_id).peer, self.ben.account)
        self.still()

    def test_third(self) -> None:
        """A node that names a third one in a pair."""
        member = {
            "account": self.cay.account,
            "address": "cay@home.example",
            "display_name": "Cay",
            "role": "member",
            "state": "member",
        }

        def bend(frame: dict[str, Any]) -> list[dict[str, Any]]:
            if frame.get("method") != "chat.message":
                return [frame]
            told = {"cursor": frame["params"]["id"], "chat": self.chat_id, "member": member, "members": 3}
            return [frame, {"jsonrpc": "2.0", "method": "group.member", "params": told}]

        self.ann.bend = bend
        self.say(self.ben, self.chat_id, "and")
        self.assertEqual(self.told(self.ann), [NotAsKept("partner", self.cay.account)])
        self.still()

    def test_no_secure_chat(self) -> None:
        """A group in clear that is shown as a secure one is none: nothing is begun with it."""
        walks = self.ann.do(self.ann.client.create_group("Walks", [self.ben.account])).chat.chat
        self.chat_id, secure = walks, self.chat_id

        def sealed(chat: dict[str, Any]) -> None:
            chat["group"] = {**chat["group"], "secure": True}

        self.again(sealed)
        self.assertEqual(set(self.ann.secure.chats), {secure})
        with self.assertRaises(RemoteProblem) as caught:
            self.ann.do(self.ann.secure.enter(walks))
        self.assertTrue(caught.exception.of(Code.WRONG_STATE))
