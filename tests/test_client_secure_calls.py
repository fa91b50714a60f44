"""Calls of accounts that have secure chats: launch keys are bound to their security keys."""

from safeum_home.client.calling.directory import Bound
from safeum_home.client.calling.ending import CallEnd
from tests.sdk_calls import ACTIVE, Caller, CallingCase
from tests.secure_sdk_case import key_of


class SecureCallTests(CallingCase):
    def unlock(self, caller: Caller, version: int = 0) -> None:
        self.ann.do(caller.client.unlock_with(key_of(caller.account, version)))
        self.settle(3)

    def bound(self) -> Bound:
        """What says whose device Ben's is, in a call that Ann makes."""
        mine, _ = self.talk()
        self.assertIs(mine.state, ACTIVE, mine.wrong)
        bound = mine.bound
        mine.hang_up()
        self.settle()
        return bound

    def refused(self, wrong: str) -> None:
        """Ann calls Ben, and is not connected."""
        mine = self.ann.call(self.ben)
        self.ben.rang[-1].answer()
        self.settle()
        self.assertEqual((mine.why, mine.wrong), (CallEnd.TAMPERED, wrong))

    def test_unlocked(self) -> None:
        """Who has unlocked is called, also by who has not, and over other connections and nodes."""
        self.assertIs(self.bound(), Bound.NONE)
        self.unlock(self.ben)
        self.assertIs(self.bound(), Bound.IDENTITY)
        self.unlock(self.ann)
        self.assertIs(self.bound(), Bound.IDENTITY)
        for caller in (self.ann, self.ben):
            caller.drop()
            caller.back()
            self.settle(3)
        self.assertIs(self.bound(), Bound.IDENTITY)

    def test_verified(self) -> None:
        """Nobody can be in between, whatever the words are; with another key somebody may be."""
        for caller in (self.ann, self.ben):
            self.unlock(caller)
        assert self.ann.client.secure is not None and self.ben.client.secure is not None
        self.ann.do(self.ann.client.secure.start([self.ben.account]))
        self.ann.client.secure.verify(self.ben.account)
        self.assertIs(self.bound(), Bound.PINNED)
        self.ben.do(self.ben.client.lock())
        self.unlock(self.ben, 1)
        self.ben.do(self.ben.client.secure.replace_keys())
        self.settle(3)
        self.refused("another identity than the one that was pinned")

    def test_another_passphrase(self) -> None:
        """The keys of the new one bind as soon as they are in force."""
        self.unlock(self.ben)
        assert self.ben.client.secure is not None
        self.ben.do(self.ben.client.secure.change_key(key_of(self.ben.account, 1)))
        self.settle()
        self.assertIs(self.bound(), Bound.IDENTITY)

    def test_locked(self) -> None:
        """What was bound before stays so; who is not unlocked after that is nobody."""
        self.unlock(self.ben)
        self.ben.do(self.ben.client.lock())
        self.assertIs(self.bound(), Bound.IDENTITY)
        self.ben.drop()
        self.ben.back()
        self.settle(3)
        self.refused("launch keys that are not bound to the account's identity")
        self.unlock(self.ben)
        self.assertIs(self.bound(), Bound.IDENTITY)
