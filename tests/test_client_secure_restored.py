"""A vault that the node has no more as it was: from a backup, damaged, beside, of another passphrase."""

from collections.abc import Sequence

from safeum_home.client.secure import vault as vaults
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.vault_content import Content
from safeum_home.client.unlocked import vault_store
from safeum_home.client.unlocked.events import DraftChanged, VaultRefused
from safeum_home.client.unlocked.vault_store import Kept
from safeum_home.storage import vaults as rows
from safeum_home.storage.rows import VaultRow
from tests.secure_sdk_case import SecureDevice, SecureSdkCase, key_of

ALL = "SELECT account, part, version, parts, sealed FROM vaults"


class RestoredCase(SecureSdkCase):
    """Ann, with a telephone and a tablet, has verified Ben; then the node has a vault of before that."""

    def setUp(self) -> None:
        super().setUp()
        self.chat_id = self.start(self.ben)
        self.settle(15)
        old = self.rows()
        self.ann.secure.verify(self.ben.account)
        self.settle(1)
        [self.blind] = {each.account for each in set(old) - set(self.rows())}
        self.old = [each for each in old if each.account == self.blind]
        self.say(self.ann, self.chat_id, "verified")
        self.settle(15)
        self.before = self.ann.secure.vault_version()
        self.assertGreater(self.before, self.old[0].version)

    def rows(self) -> list[VaultRow]:
        """Of all accounts."""
        return [VaultRow(*each) for each in self.world.database.now(lambda c: c.exec_driver_sql(ALL).all())]

    def vault(self) -> list[VaultRow]:
        """Ann's, as the node has it."""
        return [each for each in self.rows() if each.account == self.blind]

    def restore(self, old: Sequence[VaultRow]) -> None:
        """The node is started with a backup."""
        self.world.database.transact(lambda c: rows.put(c, self.blind, list(old)))

    def told(self, device: SecureDevice) -> list[VaultRefused]:
        return [each for each in device.heard if isinstance(each, VaultRefused)]

    def tablet(self) -> SecureDevice:
        tablet = self.device().login("ann")
        self.everybody.append(tablet)
        return tablet.unlock()

    def is_verified(self, device: SecureDevice) -> bool:
        return device.secure.trust(self.ben.account) is Trust.VERIFIED


class RunningTests(RestoredCase):
    """Programs that were there before."""

    def test_replaced(self) -> None:
        """It is shown; nothing is written until its user says so; other devices take what is then."""
        tablet = self.tablet()
        self.settle(15)
        self.restore(self.old)
        self.ann.secure.drafts.set(self.chat_id, "begun")
        self.settle(30)
        refused = VaultRefused(Reason.ROLLED_BACK, self.old[0].version)
        self.assertEqual((self.told(self.ann), self.ann.secure.refused_vault), ([refused], refused))
        self.assertEqual(self.vault(), self.old)
        self.ann.do(self.ann.secure.replace_vault())
        self.settle(2)
        self.assertIsNone(self.ann.secure.refused_vault)
        self.assertEqual(self.ann.secure.vault_version(), tablet.secure.vault_version())
        self.assertGreater(self.ann.secure.vault_version(), self.before)
        self.assertEqual((self.told(tablet), self.is_verified(tablet)), ([], True))
        self.assertIsNotNone(tablet.secure.drafts.of(self.chat_id))

    def test_accepted(self) -> None:
        """What is known here stays, and what the older one has is known as well."""
        self.restore(self.old)
        self.ann.secure.drafts.set(self.chat_id, "begun")
        self.settle(30)
        self.ann.do(self.ann.secure.accept_vault())
        self.assertTrue(self.is_verified(self.ann))
        self.assertGreater(self.ann.secure.vault_version(), self.before)
        self.ann.lock()
        self.ann.heard.clear()
        self.ann.unlock()
        self.assertEqual((self.told(self.ann), self.is_verified(self.ann)), ([], True))

    def test_none_left(self) -> None:
        """So where the node has none at all."""
        self.restore([])
        self.ann.secure.drafts.set(self.chat_id, "begun")
        self.settle(30)
        self.assertEqual(self.told(self.ann), [VaultRefused(Reason.ROLLED_BACK, 0)])
        self.ann.do(self.ann.secure.accept_vault())
        self.assertGreater(self.ann.secure.vault_version(), self.before)
        self.assertTrue(self.is_verified(self.tablet()))

    def test_good_again(self) -> None:
        """Where the node has the right one again nobody has to be asked."""
        right = self.vault()
        self.restore(self.old)
        self.ann.secure.verify(self.ben.account)
        self.settle(2)
        self.assertIsNotNone(self.ann.secure.refused_vault)
        self.restore(right)
        self.ann.secure.vault_newer(self.before + 1)
        self.settle(2)
        self.assertIsNotNone(self.ann.secure.refused_vault)
        self.ann.do(self.ann.secure.replace_vault())
        self.assertIsNone(self.ann.secure.refused_vault)


class StartedTests(RestoredCase):
    """Programs that begin after the node was restored."""

    def test_seen(self) -> None:
        """This account's own messages say which there was: of before it started, too."""
        self.ann.lock()
        self.restore(self.old)
        self.ann.heard.clear()
        self.ann.unlock()
        self.settle(2)
        self.assertEqual(self.told(self.ann), [VaultRefused(Reason.ROLLED_BACK, self.old[0].version)])
        self.assertFalse(self.is_verified(self.ann))

    def test_accepted(self) -> None:
        """Once, and for all devices: the next one is beyond all that there were."""
        self.ann.lock()
        self.restore(self.old)
        self.ann.unlock()
        self.settle(2)
        self.ann.do(self.ann.secure.accept_vault())
        self.assertGreaterEqual(self.ann.secure.vault_version(), self.before)
        for device in (self.ann, self.tablet()):
            device.lock()
            device.heard.clear()
            device.unlock()
            self.settle(2)
            self.assertEqual(self.told(device), [])

    def test_other_device(self) -> None:
        """The device that has the newer one puts it: nothing was lost."""
        tablet = self.tablet()
        self.settle(15)
        self.ann.lock()
        self.restore(self.old)
        self.ann.unlock()
        self.settle(2)
        self.assertFalse(self.is_verified(self.ann))
        tablet.do(tablet.secure.replace_vault())
        self.settle(2)
        self.assertTrue(self.is_verified(self.ann))
        self.assertIsNone(self.ann.secure.refused_vault)

    def test_accepted_beside(self) -> None:
        """Where one device accepts the older one, that which has the newer is told, and both can be had."""
        tablet = self.tablet()
        self.settle(15)
        self.ann.lock()
        self.restore(self.old)
        self.ann.unlock()
        self.settle(2)
        self.ann.secure.drafts.set(self.chat_id, "begun")
        self.ann.do(self.ann.secure.accept_vault())
        self.settle(2)
        [refused] = self.told(tablet)
        self.assertIn(refused.reason, (Reason.FORKED, Reason.ROLLED_BACK))
        tablet.do(tablet.secure.accept_vault())
        self.settle(2)
        self.assertEqual((self.is_verified(self.ann), self.is_verified(tablet)), (True, True))
        for device in (self.ann, tablet):
            draft = device.secure.drafts.of(self.chat_id)
            self.assertEqual(draft and draft.text, "begun")
            self.assertIsNone(device.secure.refused_vault)

    def test_lie_of_a_node(self) -> None:
        """What a node says of newer ones is no alarm, and keeps nobody from writing."""
        told = {"jsonrpc": "2.0", "method": "vault.changed", "params": {"n": 2**53 - 1}}
        lies = [told] * 2
        self.ann.bend = lambda frame: [frame, *[lies.pop() for _ in lies[:1]]]
        self.ann.secure.drafts.set(self.chat_id, "begun")
        self.settle(30)
        self.assertEqual(lies, [])
        self.assertEqual(self.told(self.ann), [])
        self.assertGreater(self.ann.secure.vault_version(), self.before)


class UnreadTests(RestoredCase):
    """What cannot be read."""

    def damage(self) -> None:
        rotten = [each._replace(sealed=bytes(len(each.sealed))) for each in self.vault()]
        self.restore(rotten)

    def test_damaged(self) -> None:
        """It is told, and another one takes its place where its user says so."""
        self.damage()
        self.ann.lock()
        self.ann.heard.clear()
        self.ann.unlock()
        self.settle(30)
        self.assertEqual(self.told(self.ann), [VaultRefused(Reason.DAMAGED, 0)])
        self.ann.secure.verify(self.ben.account)
        self.ann.do(self.ann.secure.replace_vault())
        self.assertGreater(self.ann.secure.vault_version(), self.before)
        self.assertTrue(self.is_verified(self.tablet()))

    def test_no_vault(self) -> None:
        """Octets that no key of this account has made: they cannot be accepted."""
        self.ann.do(vault_store.put(self.ann.client, Kept(self.before + 1, "IQ" + "A" * 100), self.before))
        self.ann.lock()
        self.ann.heard.clear()
        self.ann.unlock()
        self.assertEqual(self.told(self.ann), [VaultRefused(Reason.UNDECRYPTABLE, self.before + 1)])
        with self.assertRaises(Refused) as caught:
            self.ann.do(self.ann.secure.accept_vault())
        self.assertIs(caught.exception.reason, Reason.UNDECRYPTABLE)
        self.assertIsNotNone(self.ann.secure.refused_vault)
        self.ann.do(self.ann.secure.replace_vault())
        self.assertEqual(self.ann.secure.vault_version(), self.before + 2)

    def test_overwritten_meanwhile(self) -> None:
        """Before one is replaced it is looked at again: it may be a good one by now."""
        tablet = self.tablet()
        self.settle(15)
        self.damage()
        self.ann.secure.vault_newer(self.before + 1)
        self.settle(1)
        self.ann.bend = lambda frame: [] if frame.get("method") == "vault.changed" else [frame]
        tablet.secure.drafts.set(self.chat_id, "the tablet's")
        tablet.do(tablet.secure.replace_vault())
        self.ann.do(self.ann.secure.replace_vault())
        draft = self.ann.secure.drafts.of(self.chat_id)
        self.assertEqual(draft and draft.text, "the tablet's")

    def test_too_large(self) -> None:
        """It is told once, and written as soon as it fits."""
        self.patch(vaults, "BUCKETS", (256,))
        for number in range(3):
            self.ann.secure.drafts.set(self.chat_id, f"begun {number}")
            self.settle(15)
        self.assertEqual(self.told(self.ann), [VaultRefused(Reason.TOO_LARGE, self.before)])
        self.patch(vaults, "BUCKETS", tuple(2**each for each in range(12, 21)))
        self.ann.secure.drafts.set(self.chat_id, "fits")
        self.settle(15)
        self.assertEqual(self.ann.secure.vault_version(), self.before + 1)

    def test_forked(self) -> None:
        """Another one of a version that was there is not taken; accepted, both are one."""
        own = key_of(self.ann.account)
        aside = vaults.seal(Content("A" * 43), self.before, own)
        tablet = self.tablet()
        self.settle(15)
        self.restore([])
        self.ann.do(vault_store.put(self.ann.client, Kept(self.before, aside), 0))
        self.ann.secure.vault_newer(self.before + 1)
        self.ann.secure.drafts.set(self.chat_id, "begun")
        self.settle(15)
        self.assertIn(self.told(self.ann)[0].reason, (Reason.FORKED, Reason.ROLLED_BACK))
        self.ann.do(self.ann.secure.accept_vault())
        self.assertTrue(self.is_verified(self.ann))
        self.assertEqual(
            [each for each in tablet.heard if isinstance(each, DraftChanged)][-1].chat, self.chat_id
        )
