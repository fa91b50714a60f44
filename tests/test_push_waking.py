"""When a device that sleeps is woken: for what, and how often."""

from safeum_home.ports.push import Woken
from tests.push_case import DAY, MESSAGE, MINUTE, WakingCase


class ReasonTests(WakingCase):
    """What a device is woken for."""

    def test_message(self) -> None:
        self.write()
        self.assertEqual(self.woken(), [MESSAGE])

    def test_connected(self) -> None:
        """Not a device that is connected, nor one that was never to be woken."""
        self.come()
        self.write()
        self.bob.write(self.chat, "there")
        self.assertEqual(self.woken(), [])

    def test_each_device(self) -> None:
        """Each device that sleeps is woken, whichever others are connected."""
        tablet = self.world.login("bob")
        self.assertEqual(self.woken(), [MESSAGE])  # the alert of that login
        self.can_be_woken(tablet, "tablet")
        self.write()
        self.assertEqual(self.woken(), [])
        self.hold(tablet)
        tablet.drop()
        self.sleep()
        self.write()
        self.assertEqual(sorted(self.woken()), [MESSAGE, ("tablet", "msg")])

    def test_own(self) -> None:
        """What one does on another device is no news."""
        laptop = self.world.login("bob")
        self.sleep()
        laptop.write(self.chat, "mine")
        laptop.call("profile.set", profile={"display_name": "Bob", "status": ""})
        carol = self.world.register("carol")
        laptop.call("contact.request", account=carol.account, address=carol.address)
        carol.call("contact.request", account=self.alice.account, address=self.alice.address)
        self.assertEqual(self.woken(), [])

    def test_contacts(self) -> None:
        """Somebody asks, or accepts; not that somebody is gone."""
        carol, dave = self.world.register("carol"), self.world.register("dave")
        carol.call("contact.request", account=self.bob.account, address=self.bob.address)
        self.assertEqual(self.woken(), [MESSAGE])
        self.come().call("contact.accept", account=carol.account)
        self.bob.call("contact.request", account=dave.account, address=dave.address)
        self.world.settle()
        self.come().drop()
        self.assertEqual(self.woken(), [])
        dave.call("contact.accept", account=self.bob.account)
        self.assertEqual(self.woken(), [MESSAGE])
        self.come().drop()
        carol.call("contact.remove", account=self.bob.account)
        self.assertEqual(self.woken(), [])

    def test_group(self) -> None:
        """An invitation wakes, and what members write; not the notice of who came, nor another name."""
        made = self.alice.call("group.create", client_id="g", name="G", invite=[self.bob.account])
        self.assertEqual(self.woken(), [MESSAGE])
        group = made["chat"]["chat"]
        self.come().drop()
        self.alice.call("group.set", chat=group, name="Another")
        self.assertEqual(self.woken(), [])
        self.come().call("group.accept", chat=group)
        self.come().drop()
        self.alice.call("group.set", chat=group, name="Yet another")
        self.assertEqual(self.woken(), [])
        self.alice.write(group, "hello")
        self.assertEqual(self.woken(), [MESSAGE])

    def test_no_reasons(self) -> None:
        """Typing, receipts, reactions, edits, pins and profiles let people sleep."""
        sent = self.alice.write(self.chat, "hi")["id"]
        self.come()
        mine = self.bob.write(self.chat, "there")["id"]
        self.sleep()
        self.alice.notify("chat.typing", chat=self.chat)
        self.alice.call("chat.read", chat=self.chat, upto=mine)
        self.alice.call("message.react", chat=self.chat, message=mine, emoji="👍")
        self.alice.call("message.edit", chat=self.chat, message=sent, body={"kind": "text", "text": "ho"})
        self.alice.call("chat.pin", chat=self.chat, message=sent)
        self.alice.call("profile.set", profile={"display_name": "Alice", "status": ""})
        self.alice.call("message.delete", chat=self.chat, message=sent)
        self.assertEqual(self.woken(), [])

    def test_fleeting(self) -> None:
        """A message of a chat without history wakes as any other."""
        self.alice.call("chat.history.set", chat=self.chat, enabled=False)
        self.sleep()
        self.write()
        self.assertEqual(self.woken(), [MESSAGE])


class MutedTests(WakingCase):
    """Who has muted a chat is not woken for it."""

    def setUp(self) -> None:
        super().setUp()
        self.laptop = self.world.login("bob")
        self.sleep()

    def mute(self, until: int | None) -> None:
        self.laptop.call("chat.settings.set", chat=self.chat, muted_until=until)

    def test_muted(self) -> None:
        """Not until it is muted no more: by its owner, or because the time is over."""
        self.mute(2**53 - 1)
        for text in ("1", "2"):
            self.write(text)
            self.assertEqual(self.woken(), [])
        self.mute(None)
        self.write("3")
        self.assertEqual(self.woken(), [MESSAGE])
        self.come().drop()
        self.mute(int(self.world.clock.seconds() + MINUTE) * 1000)
        self.write("4")
        self.assertEqual(self.woken(), [])
        self.wait(2 * MINUTE)
        self.write("5")
        self.assertEqual(self.woken(), [MESSAGE])

    def test_mentioned(self) -> None:
        """Unless it is he who is mentioned."""
        self.mute(2**53 - 1)
        self.write("1")
        self.write("for me", mentions=[self.alice.account])
        self.assertEqual(self.woken(), [])
        self.write("for you", mentions=[self.bob.account])
        self.assertEqual(self.woken(), [MESSAGE])

    def test_other_chat(self) -> None:
        """Another chat wakes all the same, also in the same moment."""
        carol = self.world.register("carol")
        chat = self.world.befriend(carol, self.laptop)
        carol.write(chat, "to begin with")
        self.assertEqual(self.woken(), [MESSAGE])
        self.sleep()
        self.mute(2**53 - 1)
        self.world.database.hold_reads = True
        self.write("muted")
        carol.write(chat, "not muted")
        self.world.settle()
        self.world.database.answer_reads()
        self.world.database.hold_reads = False
        self.assertEqual(self.woken(), [MESSAGE])

    def test_meanwhile(self) -> None:
        """What was read before a chat was muted no more is not gone by."""
        self.mute(2**53 - 1)
        self.world.database.hold_reads = True
        self.write("1")
        self.world.clock.advance(0.01)
        self.world.database.hold_reads = False
        self.mute(None)
        self.world.database.answer_reads()
        self.assertEqual(self.woken(), [MESSAGE])


class OnceTests(WakingCase):
    """A device is woken once."""

    def test_until_it_comes(self) -> None:
        for text in ("1", "2", "3"):
            self.write(text)
        self.assertEqual(self.woken(), [MESSAGE])
        self.come().drop()
        self.wait(5)
        self.assertEqual(self.woken(), [])
        self.write("4")
        self.assertEqual(self.woken(), [MESSAGE])

    def test_many_at_once(self) -> None:
        """News of a moment are one wake, and so are those that come while it is looked where to."""
        self.world.database.hold_reads = True
        for text in "1", "2":
            self.write(text)
        self.world.settle()
        self.write("3")
        self.world.database.answer_reads()
        self.world.database.hold_reads = False
        self.assertEqual(self.woken(), [MESSAGE])

    def test_came_meanwhile(self) -> None:
        """Who comes while it is looked where to is not woken."""
        self.world.database.hold_reads = True
        self.write()
        self.world.clock.advance(0.01)
        self.world.database.hold_reads = False
        self.come()
        self.world.database.answer_reads()
        self.assertEqual(self.woken(), [])

    def test_taken_back(self) -> None:
        """A wake that is not handed over when its device comes is taken back."""
        self.pushes.held = True
        self.write()
        self.world.settle()
        [handed] = self.pushes.handed
        self.come()
        self.assertTrue(handed.cancelled)

    def test_revoked(self) -> None:
        """So is that of a device that is revoked; others are waited for."""
        tablet = self.world.login("bob")
        self.can_be_woken(tablet, "tablet")
        self.sleep()
        self.pushes.held = True
        self.write()
        self.world.settle()
        self.hold(tablet)
        tablet.drop()
        self.write()
        self.world.settle()
        laptop = self.world.login("bob")
        laptop.call("device.revoke", device=tablet.device)
        cancelled = [(each.token, each.cancelled) for each in self.pushes.handed]
        self.assertEqual(cancelled, [("bob's", False), ("tablet", True)])

    def test_revoked_meanwhile(self) -> None:
        """Nor is it woken where that happens while it is looked where to."""
        laptop = self.world.login("bob")
        self.sleep()
        self.world.database.hold_reads = True
        self.write()
        self.world.clock.advance(0.01)
        self.world.database.hold_reads = False
        laptop.call("device.revoke", device=self.bob.device)
        self.world.database.answer_reads()
        self.assertEqual(self.woken(), [])

    def test_expired(self) -> None:
        """A wake is good for a day; then the next message wakes again, or what has come since."""
        self.write("1")
        self.assertEqual(self.woken(), [MESSAGE])
        self.wait(DAY - MINUTE)
        self.assertEqual(self.woken(), [])
        self.wait(2 * MINUTE)
        self.assertEqual(self.woken(), [])
        self.write("2")
        self.assertEqual(self.woken(), [MESSAGE])
        self.write("3")
        self.assertEqual(self.woken(), [])
        self.wait(DAY + MINUTE)
        self.assertEqual(self.woken(), [MESSAGE])
        self.wait(2 * DAY)
        self.assertEqual(self.woken(), [])

    def test_given_up(self) -> None:
        """Where it was given up it is tried again, with new messages or without, after a minute, then two ...

        It is not tried with each message: whoever refuses would be asked as often as somebody writes.
        """
        self.pushes.outcome = Woken.GIVEN_UP
        self.write("1")
        self.assertEqual(self.woken(), [MESSAGE])
        for minutes in 1, 2, 4, 8, 16, 32, 60, 60:
            self.write("more")
            self.wait(minutes * MINUTE - 10)
            self.assertEqual(self.woken(), [], minutes)
            self.wait(20)
            self.assertEqual(self.woken(), [MESSAGE], minutes)
        self.pushes.outcome = Woken.TAKEN
        self.wait(60 * MINUTE)
        self.assertEqual(self.woken(), [MESSAGE])

    def test_given_up_before(self) -> None:
        """A device that has connected since is tried at once, as one that never was refused."""
        self.pushes.outcome = Woken.GIVEN_UP
        for _ in range(3):
            self.write("1")
            self.assertEqual(self.woken(), [MESSAGE])
            self.wait(MINUTE + 10)
            self.assertEqual(self.woken(), [MESSAGE])
            self.sleep()

    def test_read_elsewhere(self) -> None:
        """What was read on another device is nothing to be woken for, an hour or a day later."""
        laptop = self.world.login("bob")
        for outcome, late in ((Woken.GIVEN_UP, MINUTE + 10), (Woken.TAKEN, DAY + MINUTE)):
            self.sleep()
            self.pushes.outcome = outcome
            self.write("1")
            self.write("2")
            self.assertEqual(self.woken(), [MESSAGE])
            laptop.call("chat.read", chat=self.chat, upto=laptop.messages()[-1]["id"])
            self.wait(late)
            self.assertEqual(self.woken(), [])
            self.write("3")
            self.assertEqual(self.woken(), [MESSAGE])

    def test_read_while_it_waits(self) -> None:
        """A wake that its provider has not taken is taken back, unless there is more by then."""
        laptop = self.world.login("bob")
        self.sleep()
        self.pushes.held = True
        self.write("1")
        self.write("2")
        self.world.settle()
        [handed] = self.pushes.handed
        first, second = laptop.messages()
        laptop.call("chat.read", chat=self.chat, upto=first["id"])
        self.assertFalse(handed.cancelled)
        self.world.database.hold_reads = True
        laptop.ask("chat.read", chat=self.chat, upto=second["id"])
        self.world.database.answer_reads()
        self.world.database.hold_reads = False
        self.write("3")
        self.world.database.answer_reads()
        self.assertFalse(handed.cancelled)
        laptop.call("chat.read", chat=self.chat, upto=laptop.messages()[-1]["id"])
        self.assertTrue(handed.cancelled)
        self.pushes.take()
        self.write("4")
        self.assertEqual(self.woken(), [MESSAGE])

    def test_dead(self) -> None:
        """A dead address is forgotten, and its device hears that when it comes."""
        self.pushes.outcome = Woken.DEAD
        self.write("1")
        self.assertEqual(self.woken(), [MESSAGE])
        self.write("2")
        self.assertEqual(self.woken(), [])
        self.assertEqual(self.world.database.count("pushes"), 0)
        self.assertIsNone(self.come().call("push.get")["provider"])

    def test_removed(self) -> None:
        """Who does not want to be woken any more is not."""
        self.come().call("push.remove")
        self.bob.drop()
        self.write()
        self.assertEqual(self.woken(), [])

    def test_set_later(self) -> None:
        """Who was known not to be woken is, once it says where."""
        self.alice.drop()
        self.come().write(self.chat, "1")
        self.assertEqual(self.woken(), [])
        self.alice.resume(self.alice.cursor)
        self.can_be_woken(self.alice, "alice's")
        self.alice.drop()
        self.bob.write(self.chat, "2")
        self.assertEqual(self.woken(), [("alice's", "msg")])
