"""Calls at the terminal of accounts that have a security key: whether somebody may be in between."""

from safeum_home.client.calling.directory import ASK_AGAIN
from safeum_home.client.words.call_words import LOCKED
from tests.sdk_calls import ACTIVE, Caller
from tests.secure_sdk_case import key_of
from tests.test_client_call_desk import CallDeskCase


class SecureTests(CallDeskCase):
    """Ann calls Ben, or Ben calls Ann."""

    def unlock(self, who: Caller) -> None:
        who.do(who.client.unlock_with(key_of(who.account)))
        self.settle(3)

    def test_verified(self) -> None:
        """Nothing has to be compared with who was verified; who was not is said not to be."""
        for who in (self.ann, self.ben):
            self.unlock(who)
        assert self.ann.client.secure is not None and self.ben.client.secure is not None
        self.ann.do(self.ann.client.secure.start([self.ben.account]))
        self.ann.client.secure.verify(self.ben.account)
        self.said(self.ann)
        self.enter(self.ann, "/call ben")
        self.assertIn("call with ben: ringing", self.status(self.ann))  # it is not known yet who will answer
        self.enter(self.ben, "/answer")
        said = self.said(self.ann)
        self.assertIn("Nobody is in between: this is ben, whose security key you have verified.", said)
        self.assertFalse([each for each in said if each.startswith("Compare")])
        self.assertTrue([each for each in self.said(self.ben) if each.startswith("Compare with ann")])
        self.assertIn("call with ben (verified): 0:0", self.status(self.ann))
        self.assertNotIn("verified", self.status(self.ben))  # nothing is known of ann's keys there
        self.ben.do(self.ben.client.secure.accept(self.ann.client.state.chats[0].chat))
        self.settle()
        self.assertIn("call with ann (not verified): 0:0", self.status(self.ben))

    def test_locked(self) -> None:
        """Who would be taken for somebody else is told so, and not the other side; unlocked it goes on."""
        self.unlock(self.ben)
        self.ben.do(self.ben.client.lock())
        self.enter(self.ben, "/call ann")
        self.assertEqual(self.said(self.ben)[-1], LOCKED)
        self.enter(self.ann, "/call ben")
        self.enter(self.ben, "/answer")
        self.assertEqual(self.said(self.ben)[-1], LOCKED)
        self.unlock(self.ben)
        self.enter(self.ben, "/answer")
        (mine,) = self.ann.client.calls
        self.assertIs(mine.state, ACTIVE)

    def test_not_to_be_told(self) -> None:
        """It is said why where it cannot be told now who answers."""
        self.unlock(self.ben)
        directory = self.ann.client._takes_calls().means.directory
        directory._milliseconds = lambda: 0.0
        self.enter(self.ann, "/call ben")
        self.said(self.ann)
        self.enter(self.ben, "/answer")
        self.settle(ASK_AGAIN + 1)
        why = "launch keys that were bound at another time: this clock, or theirs, is wrong"
        self.assertEqual(self.said(self.ann)[-1], f"It could not be told whether that is ben: {why}.")
