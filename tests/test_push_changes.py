"""What changes while a device is about to be woken: for itself, and for others."""

from typing import Any

from safeum_home.ports.push import Woken
from tests.push_case import CALL, MESSAGE, WakingCase
from tests.world import Client

FOREVER = 2**53 - 1


class DoubtTests(WakingCase):
    """What is set while it is read who is to be woken holds up nobody but its own account."""

    def setUp(self) -> None:
        super().setUp()
        self.laptop = self.world.login("bob")
        self.carol, self.dave = self.world.register("carol"), self.world.register("dave")
        self.theirs = self.world.befriend(self.carol, self.dave)
        self.woken()  # the alert of that login
        self.sleep()

    def read(self) -> None:
        """It is being read who is to be woken; what is read from now on is read at once."""
        self.world.database.hold_reads = True
        self.write()
        self.world.clock.advance(0.01)
        self.world.database.hold_reads = False

    def set(self, client: Client, chat: str, **settings: Any) -> None:
        client.call("chat.settings.set", chat=chat, **settings)

    def answered(self) -> list[tuple[str, str]]:
        """The wakes that come of what was read, if nothing is read once more."""
        self.world.database.answer_reads()
        return self.pushes.take()

    def test_others(self) -> None:
        """Neither drafts of strangers, nor what they mute, nor where they are woken."""
        self.read()
        self.set(self.carol, self.theirs, draft={"text": "d"}, muted_until=FOREVER)
        self.can_be_woken(self.carol, "carol's")
        self.assertEqual(self.answered(), [MESSAGE])

    def test_draft(self) -> None:
        """Nor what one is writing oneself, on another device."""
        self.read()
        self.set(self.laptop, self.chat, draft={"text": "d"})
        self.assertEqual(self.answered(), [MESSAGE])

    def test_own(self) -> None:
        """Who mutes, or is woken elsewhere, is read once more, and he alone."""
        self.can_be_woken(self.dave, "dave's")
        self.carol.write(self.theirs, "to begin with")
        self.hold(self.dave)
        self.dave.drop()
        self.wait(5)
        self.pushes.take()
        self.world.database.hold_reads = True
        self.carol.ask("chat.send", **self.carol.message(self.theirs, "hi"))
        self.read()
        self.can_be_woken(self.laptop, "laptop")
        self.assertEqual(self.answered(), [("dave's", "msg")])
        self.assertEqual(self.woken(), [MESSAGE])


class TakenOverTests(WakingCase):
    """Somebody else registers where a device sleeps that is being woken."""

    def setUp(self) -> None:
        super().setUp()
        self.carol = self.world.register("carol")
        self.pushes.held = True
        self.write()

    def test_waits(self) -> None:
        """The wake that waits is called off: it would reach somebody who has nothing to do with it."""
        self.world.settle()
        [handed] = self.pushes.handed
        self.can_be_woken(self.carol, "bob's")
        self.assertTrue(handed.cancelled)

    def test_meanwhile(self) -> None:
        """The same while it is read where to."""
        self.world.database.hold_reads = True
        self.world.clock.advance(0.01)
        self.world.database.hold_reads = False
        self.can_be_woken(self.carol, "bob's")
        self.world.database.answer_reads()
        self.assertEqual(self.woken(), [])

    def test_other_device(self) -> None:
        """Others of the same account are woken as before."""
        tablet = self.world.login("bob")
        self.can_be_woken(tablet, "tablet")
        self.hold(tablet)
        tablet.drop()
        self.write()
        self.world.settle()
        self.can_be_woken(self.carol, "bob's")
        self.assertEqual([each.cancelled for each in self.pushes.handed if each.token == "tablet"], [False])


class DeadTokenTests(WakingCase):
    """A device has a token for calls alone, and its provider says that it is dead."""

    def setUp(self) -> None:
        super().setUp()
        self.can_be_woken(self.come(), "bob's", call_token="voip")
        self.sleep()
        self.pushes.held = True
        self.call()
        self.world.settle()
        self.pushes.held = False

    def die(self) -> None:
        [handed] = self.pushes.handed
        self.assertEqual((handed.address.call_token, handed.wake.value), ("voip", "call"))
        self.pushes.take()
        handed.become(Woken.DEAD)

    def test_call(self) -> None:
        """It is called by the other token at once, and gets its messages there as before."""
        self.die()
        self.world.settle()
        self.assertEqual([each.address.call_token for each in self.pushes.handed], [None])
        self.assertEqual(self.woken(), [CALL])
        self.wait(60)
        self.write()
        self.assertEqual(self.woken(), [MESSAGE])

    def test_taken_over(self) -> None:
        """Another device has said in this moment that it is called by it: that stays."""
        self.world.database.hold = True
        self.alice.ask("push.set", provider="apple", token="alice's", call_token="voip")
        self.world.database.commit()
        self.die()
        self.world.database.hold = False
        self.world.database.release()
        self.assertEqual(self.alice.call("push.get"), {"provider": "apple"})
        self.assertEqual(self.woken(), [])

    def test_both(self) -> None:
        """Where the other one is dead, too, the device is forgotten."""
        self.pushes.outcome = Woken.DEAD
        self.die()
        self.assertEqual(self.woken(), [CALL])
        self.assertEqual(self.world.database.count("pushes"), 0)
