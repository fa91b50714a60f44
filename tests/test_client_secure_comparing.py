"""Comparing keys through the SDK."""

from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.unlocked.events import CompareChanged
from tests.secure_sdk_case import SecureSdkCase


class VerifyingTests(SecureSdkCase):
    def test_number_and_picture(self) -> None:
        """Both see the same number; scanning verifies."""
        self.start(self.ben)
        number = self.ann.secure.safety_number(self.ben.account)
        self.assertEqual(number, self.ben.secure.safety_number(self.ann.account))
        self.assertEqual(len(number.replace(" ", "")), 60)
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.PINNED)
        said = self.ben.secure.scan_text(self.ann.account)
        self.assertTrue(self.ann.secure.scanned(self.ben.account, said))
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.VERIFIED)
        self.assertIs(self.ann.secure.trust(self.cay.account), Trust.UNKNOWN)
        with self.assertRaises(Refused) as caught:
            self.ann.secure.scanned(self.ben.account, "https://example.com")
        self.assertIs(caught.exception.reason, Reason.MALFORMED)

    def test_emoji(self) -> None:
        """Both see the same emoji; they are verified once both have said so."""
        chat = self.start(self.ben)
        ann, ben = self.chat(self.ann, chat), self.chat(self.ben, chat)
        ann.comparisons.begin(self.ben.account)
        self.settle()
        ben.comparisons.agree(self.ann.account)
        self.settle()
        shown = [
            [each.words for each in device.heard if isinstance(each, CompareChanged) and each.words]
            for device in (self.ann, self.ben)
        ]
        self.assertEqual(shown[0], shown[1])
        self.assertEqual(len(shown[0]), 1)
        ann.comparisons.judge(self.ben.account, True)
        self.settle()
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.PINNED)
        ben.comparisons.judge(self.ann.account, True)
        self.settle()
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.VERIFIED)
        self.assertIs(self.ben.secure.trust(self.ann.account), Trust.VERIFIED)
        self.assertEqual(ann.items.all, [])
