"""Disabling the history of a group: what stays, what goes, and messages that wait for all of its members."""

from safeum_home.chats.fleeting import GATHER_SECONDS, LOOK_SECONDS
from safeum_home.node.turning import LEAST_SECONDS
from tests.group_case import GroupCase
from tests.test_accounts_avatars import PNG, params
from tests.world import Client, texts


class GroupErasureTests(GroupCase):
    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.alice, self.bob, self.carol)
        self.alice.write(self.chat, "before")
        self.world.domain.fleeting.start()
        self.addCleanup(self.world.domain.fleeting.stop)

    def off(self) -> None:
        number = self.alice.ask("chat.history.set", chat=self.chat, enabled=False)
        self.world.settle(2 * LEAST_SECONDS)
        answer = self.alice.answer(number)
        assert answer is not None and answer["receipt"]["chat"] == self.chat

    def acknowledge(self, *clients: Client) -> None:
        for client in clients:
            client.call("session.ack", cursor=self.world.cursor)
        self.world.settle(2 * GATHER_SECONDS)

    def test_who_may(self) -> None:
        """The owner alone; everybody in it sees the state and may have the receipt, others nothing."""
        self.alice.call("group.role", chat=self.chat, account=self.bob.account, role="admin")
        for client, code in (
            (self.bob, "not_permitted"),
            (self.carol, "not_permitted"),
            (self.dave, "not_found"),
        ):
            self.refused(code, client, "chat.history.set", chat=self.chat, enabled=False)
        self.off()
        self.refused("not_permitted", self.bob, "chat.history.set", chat=self.chat, enabled=True)
        for client in (self.bob, self.carol):
            self.assertEqual(
                client.call("chat.history.receipt", chat=self.chat)["receipt"]["chat"], self.chat
            )
        self.refused("not_found", self.dave, "chat.history.receipt", chat=self.chat)

    def test_newcomers_after_it(self) -> None:
        """Nobody who comes later, or again, reads what was written while there was no history."""
        chat = self.chat = self.group(self.alice, self.bob, name="open", earlier=True)
        self.off()
        self.bob.drop()
        self.alice.write(chat, "for bob alone")
        self.alice.call("chat.history.set", chat=chat, enabled=True)
        self.alice.write(chat, "for all")
        for newcomer in (self.carol, self.dave):
            self.alice.call("group.invite", chat=chat, accounts=[newcomer.account])
            newcomer.call("group.accept", chat=chat)
            self.assertEqual(newcomer.history(chat), ["for all"])
        self.carol.call("group.leave", chat=chat)
        self.alice.call("group.invite", chat=chat, accounts=[self.carol.account])
        self.carol.call("group.accept", chat=chat)
        self.assertEqual(self.carol.history(chat), ["for all"])

    def test_what_stays(self) -> None:
        """The group itself: its members, invitations, name, link and picture, under another key."""
        self.alice.call("group.avatar.set", chat=self.chat, **params(PNG))
        link = self.alice.call("group.link.reset", chat=self.chat)["link"]
        self.alice.call("group.invite", chat=self.chat, accounts=[self.dave.account])
        before = self.roster(self.bob, self.chat)
        shown = self.chats(self.bob)[self.chat]["group"]
        self.off()
        self.assertEqual(self.roster(self.bob, self.chat), before)
        self.assertEqual(self.chats(self.bob)[self.chat]["group"], shown)
        got = self.bob.call("group.avatar.get", chat=self.chat, avatar=shown["avatar"])
        self.assertEqual(got["data"], params(PNG)["data"])
        self.assertEqual(self.alice.call("group.link", chat=self.chat)["link"], link)
        self.dave.call("group.accept", chat=self.chat)
        self.eve.call("group.join", link=link)
        self.assertEqual(len(self.roster(self.alice, self.chat)), 5)
        for client in (self.bob, self.dave, self.eve):
            self.assertEqual(client.history(self.chat), [])
        self.dave.write(self.chat, "hello")
        self.assertEqual(texts(self.eve.messages()), ["hello"])

    def test_told(self) -> None:
        """Members are told of the state, and by whom."""
        self.off()
        for client in (self.bob, self.carol):
            events = client.take("chat.updated", "chat.message")
            self.assertEqual([event["method"] for event in events][-2:], ["chat.updated", "chat.message"])
            body = events[-1]["params"]["body"]
            self.assertEqual((body["action"], body["by"]), ("history_off", self.alice.account))

    def test_until_all_hold_it(self) -> None:
        """Messages and notices go with the last device of the last member that holds them."""
        self.off()
        self.acknowledge(self.alice, self.bob, self.carol)
        self.assertEqual(self.rows("events", self.chat), 0)
        self.alice.write(self.chat, "for both")
        self.acknowledge(self.bob)
        self.assertEqual(self.rows("events", self.chat), 1)
        self.acknowledge(self.carol)
        self.assertEqual(self.rows("events", self.chat), 0)
        self.alice.call("group.set", chat=self.chat, name="Runs")
        self.assertEqual(self.rows("spool", self.chat), 1)
        self.acknowledge(self.alice, self.bob, self.carol)
        self.assertEqual(self.rows("spool", self.chat), 0)

    def test_a_member_that_leaves(self) -> None:
        """It is not waited for any more."""
        self.off()
        self.alice.write(self.chat, "for both")
        self.acknowledge(self.alice, self.bob)
        self.carol.call("group.leave", chat=self.chat)
        self.acknowledge(self.alice, self.bob)
        self.world.settle(LOOK_SECONDS)
        self.assertEqual(self.rows("events", self.chat), 0)

    def test_changes_meanwhile(self) -> None:
        """A group that is changed while its history is switched has both."""
        self.world.database.hold = True
        named = self.alice.ask("group.set", chat=self.chat, name="Runs")
        asked = self.alice.ask("chat.history.set", chat=self.chat, enabled=False)
        again = self.alice.ask("group.set", chat=self.chat, about="On Sundays")
        self.world.database.hold = False
        while self.world.database.held:
            self.world.database.release()
            self.world.database.answer_reads()
        self.world.settle(LEAST_SECONDS)
        for number in (named, asked, again):
            self.assertIsNotNone(self.alice.answer(number))
        found = self.chats(self.bob)[self.chat]
        self.assertEqual((found["group"]["name"], found["group"]["about"]), ("Runs", "On Sundays"))
        self.assertIs(found["history"], False)
        self.alice.write(self.chat, "goes on")
        self.assertEqual(self.bob.history(self.chat), ["goes on"])

    def test_joining_later(self) -> None:
        """Also where who joins sees what was before: neither what was erased, nor what waits for others."""
        self.alice.call("group.set", chat=self.chat, earlier=True)
        self.off()
        self.alice.write(self.chat, "waits")
        self.alice.call("group.invite", chat=self.chat, accounts=[self.dave.account])
        self.dave.call("group.accept", chat=self.chat)
        self.assertEqual(self.dave.history(self.chat), [])
        self.assertEqual(self.bob.history(self.chat), ["waits"])
        self.dave.take()
        self.dave.drop()
        self.acknowledge(self.alice, self.bob, self.carol)
        self.assertEqual(self.rows("events", self.chat), 1, "the notice that he joined waits for him")
        self.alice.write(self.chat, "for all")
        self.dave.resume()
        self.assertEqual(self.dave.history(self.chat), ["for all"])
