"""What changes while a device is about to be woken: for itself, and for others."""

from typing import Any

from tests.push_case import MESSAGE, WakingCase
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
