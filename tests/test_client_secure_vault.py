"""The vault through the SDK: what a program knows outlives it."""

from typing import Any

from safeum_home.client.secure.events import KeysChanged
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason
from safeum_home.client.unlocked import vault_store
from safeum_home.client.unlocked.events import VaultRefused
from safeum_home.protocol.signing import decode_octets, encode_octets
from tests.secure_sdk_case import SecureDevice, SecureSdkCase


class VaultTests(SecureSdkCase):
    """What a program knows outlives it, as long as the node keeps its vault."""

    def again(self, device: SecureDevice) -> None:
        """Its program ends, and begins anew."""
        self.settle(15)
        device.lock()
        device.heard.clear()
        device.unlock()
        self.settle()

    def test_verified(self) -> None:
        """Who was verified is so on another day; history is read again, without alarms."""
        chat = self.start(self.ben)
        self.say(self.ann, chat, "hello")
        self.say(self.ben, chat, "hello, too")
        self.ann.secure.verify(self.ben.account)
        self.again(self.ann)
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.VERIFIED)
        self.assertEqual(self.ann.said(chat), ["hello", "hello, too"])
        self.say(self.ann, chat, "again")
        self.say(self.ben, chat, "and again")
        self.assertEqual(self.ann.said(chat), ["hello", "hello, too", "again", "and again"])
        self.assertEqual(self.ann.alarms + self.ben.alarms, [])

    def test_changed_meanwhile(self) -> None:
        """Other keys than were kept are seen by who was not there when they changed."""
        chat = self.start(self.ben)
        self.say(self.ann, chat, "hello")
        before = self.ben.secure.own.hash
        self.settle(15)
        self.ann.lock()
        self.ann.heard.clear()
        self.ben.lock()
        self.ben.unlock(version=1)
        self.ben.do(self.ben.secure.replace_keys())
        self.ann.unlock()
        self.settle()
        [change] = self.ann.warnings(KeysChanged)
        self.assertEqual((change.before, change.after), (before, self.ben.secure.own.hash))

    def test_two_devices(self) -> None:
        """Both write it, and each learns what the other one has verified."""
        self.start(self.ben, self.cay)
        tablet = self.device().login("ann")
        self.everybody.append(tablet)
        tablet.unlock()
        self.settle()
        self.ann.secure.verify(self.ben.account)
        tablet.secure.verify(self.cay.account)
        self.settle(40)
        for device in (self.ann, tablet):
            for other in (self.ben, self.cay):
                self.assertIs(device.secure.trust(other.account), Trust.VERIFIED)
        self.assertEqual(self.ann.secure.vault_version(), tablet.secure.vault_version())

    def test_rolled_back(self) -> None:
        """An older one than this program has had is not taken, and that is told."""
        self.start(self.ben)
        self.settle(15)
        old = self.ann.do(vault_store.get(self.ann.client))
        self.ann.secure.verify(self.ben.account)
        self.settle(15)
        self.assertGreater(self.ann.secure.vault_version(), old.n)

        def bend(frame: dict[str, Any]) -> list[dict[str, Any]]:
            if {"n", "parts", "data"} <= set(frame.get("result") or {}):
                octets = decode_octets(old.data, len(old.data) * 3 // 4) or b""
                frame["result"] = {"n": old.n, "parts": 1, "data": encode_octets(octets)}
            return [frame]

        self.ann.bend = bend
        self.ann.secure.vault_newer(old.n + 5)
        self.settle()
        told = [each for each in self.ann.heard if isinstance(each, VaultRefused)]
        self.assertEqual(told, [VaultRefused(Reason.ROLLED_BACK, old.n)])
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.VERIFIED)

    def test_another_passphrase(self) -> None:
        """What it does not open is left as it is, until that passphrase is the account's."""
        self.start(self.ben)
        self.settle(15)
        version = self.ann.secure.vault_version()
        self.ann.lock()
        self.ann.unlock(version=1)
        told = [each for each in self.ann.heard if isinstance(each, VaultRefused)]
        self.assertEqual(told, [VaultRefused(Reason.UNDECRYPTABLE, version)])
        self.settle(15)
        self.assertEqual(self.ann.do(vault_store.get(self.ann.client)).n, version)
        self.ann.do(self.ann.secure.replace_keys())
        self.settle(15)
        self.assertEqual(self.ann.do(vault_store.get(self.ann.client)).n, version + 1)
