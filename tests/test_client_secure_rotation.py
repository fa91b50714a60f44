"""When another epoch begins, with whole clients: after 100 messages, a day, with other members or keys."""

from safeum_home.client.secure.epochs import KnownEpoch
from tests.secure_sdk_case import SecureDevice, SecureSdkCase

DAY = 24 * 60 * 60


class RotationTests(SecureSdkCase):
    """What all devices have of epochs, and that all is read."""

    def epochs(self, device: SecureDevice, chat: str) -> list[KnownEpoch]:
        return list(self.chat(device, chat)._chat._room.epochs._known.values())

    def members(self, device: SecureDevice, chat: str) -> list[set[str]]:
        """Those of each epoch."""
        return [set(each.hashes or ()) for each in self.epochs(device, chat)]

    def agree(self, chat: str, *devices: SecureDevice) -> set[bytes]:
        """All of them know the same epochs: their ids. Of several at once each has its own one first."""
        (first, *others) = ({each.id for each in self.epochs(device, chat)} for device in devices)
        for other in others:
            self.assertEqual(other, first)
        return first

    def test_messages(self) -> None:
        """It is the 101st message, whoever has said how many of them."""
        chat = self.start(self.ben)
        for number in range(99):
            self.say((self.ann, self.ben)[number % 2], chat, f"{number}")
        self.assertEqual(len(self.agree(chat, self.ann, self.ben)), 1)
        self.say(self.ben, chat, "99")
        self.assertEqual(len(self.agree(chat, self.ann, self.ben)), 1)
        self.say(self.ann, chat, "100")
        self.assertEqual(len(self.agree(chat, self.ann, self.ben)), 2)
        for device in (self.ann, self.ben):
            self.assertEqual(device.said(chat), [str(number) for number in range(101)])
            self.assertEqual(device.alarms, [])

    def test_day(self) -> None:
        """It is the next message a day later, of either."""
        chat = self.start(self.ben)
        self.say(self.ann, chat, "Today")
        self.world.clock.advance(DAY - 60)
        self.settle()
        self.say(self.ben, chat, "Still today")
        self.assertEqual(len(self.agree(chat, self.ann, self.ben)), 1)
        self.world.clock.advance(60)
        self.settle()
        self.say(self.ben, chat, "Tomorrow")
        self.assertEqual(len(self.agree(chat, self.ann, self.ben)), 2)
        self.assertEqual(self.ann.said(chat), ["Today", "Still today", "Tomorrow"])
        self.assertEqual((self.ann.alarms, self.ben.alarms), ([], []))

    def test_members(self) -> None:
        """Whoever was removed is in none any more, and whoever comes in none of those before."""
        chat = self.start(self.ben, group=True)
        self.say(self.ben, chat, "Two of us")
        self.ann.do(self.ann.secure.invite(self.chat(self.ann, chat), [self.cay.account]))
        self.cay.do(self.cay.secure.accept(chat))
        self.settle()
        self.say(self.cay, chat, "Three of us")
        self.ann.do(self.ann.secure.remove(self.chat(self.ann, chat), self.cay.account))
        self.settle()
        self.world.clock.advance(DAY)
        self.say(self.ben, chat, "Two of us again")
        two = {self.ann.account, self.ben.account}
        for device in (self.ann, self.ben):
            self.assertEqual(self.members(device, chat), [two, two | {self.cay.account}, two])
            self.assertEqual(device.said(chat), ["Two of us", "Three of us", "Two of us again"])
        self.agree(chat, self.ann, self.ben)

    def test_removed(self) -> None:
        """The next message after a removal is in another one, at once."""
        chat = self.start(self.ben, self.cay, group=True)
        self.say(self.cay, chat, "Three of us")
        self.ann.do(self.ann.secure.remove(self.chat(self.ann, chat), self.cay.account))
        self.settle()
        self.say(self.ben, chat, "Two of us")
        two = {self.ann.account, self.ben.account}
        for device in (self.ann, self.ben):
            self.assertEqual(self.members(device, chat), [two | {self.cay.account}, two])
        self.agree(chat, self.ann, self.ben)

    def test_keys(self) -> None:
        """With another passphrase that the other one has accepted: the next one is for its keys."""
        chat = self.start(self.ben)
        self.say(self.ann, chat, "Before")
        before = self.ben.secure.own.hash
        self.ben.do(self.ben.client.lock())
        self.ben.unlock(version=1)
        self.ben.do(self.ben.secure.replace_keys())
        self.settle()
        self.chat(self.ann, chat).send("After")
        self.settle()
        self.assertEqual(len(self.epochs(self.ann, chat)), 1)
        self.ann.secure.accept_keys(self.ben.account)
        self.settle()
        hashes = [dict(each.hashes or {})[self.ben.account] for each in self.epochs(self.ann, chat)]
        self.assertEqual(hashes, [before, self.ben.secure.own.hash])
        self.assertEqual(self.ben.said(chat)[-1], "After")
        self.say(self.ben, chat, "Yes")
        self.assertEqual(self.ann.said(chat), ["Before", "After", "Yes"])
        self.assertEqual(len(self.epochs(self.ann, chat)), 2)

    def test_at_once(self) -> None:
        """Several devices make one at the same time: all of these are good, and no more follow."""
        chat = self.start(self.ben)
        tablet = self.device().login("ann").unlock()
        self.everybody.append(tablet)
        self.settle(15)
        devices = (self.ann, tablet, self.ben)
        for device in devices:
            self.chat(device, chat).send("At once")
        self.settle()
        for device in devices:
            self.assertEqual(device.said(chat), ["At once"] * 3)
            self.assertEqual(device.alarms, [])
        first = self.agree(chat, *devices)
        self.assertEqual(len(first), 3)
        for device in devices:
            self.say(device, chat, "Later")
        self.assertEqual(self.agree(chat, *devices), first)
        for device in devices:
            self.assertEqual(device.said(chat), ["At once"] * 3 + ["Later"] * 3)
