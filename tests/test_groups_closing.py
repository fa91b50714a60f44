"""An account that is closed with its PIN leaves its groups, which go on without it."""

from tests.group_case import GroupCase
from tests.world import PASSWORD, Client, World

PIN = "284716"


class ClosingTests(GroupCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.chat = self.group(self.alice, self.bob, self.carol)
        self.alice.write(self.chat, "from alice")
        self.world.settle()
        for client in (self.alice, self.bob, self.carol):
            client.take()

    def close(self) -> None:
        Client(self.world, "198.51.100.1").call("account.block", username="alice", pin=PIN)
        self.world.settle(5)

    def test_the_group_goes_on(self) -> None:
        """Its messages stay, ownership passes on, the others are told; the account is its id alone."""
        self.close()
        events = self.bob.take("group.member", "chat.message")
        entry = events[0]["params"]
        self.assertEqual(
            entry["member"],
            {
                "account": self.alice.account,
                "address": self.alice.account,
                "display_name": "",
                "role": "member",
                "state": "left",
            },
        )
        self.assertEqual(entry["members"], 2)
        actions = [event["params"]["body"]["action"] for event in events if event["method"] == "chat.message"]
        self.assertEqual(actions, ["left", "owner"])
        owners = [one for one, (role, _) in self.roster(self.bob, self.chat).items() if role == "owner"]
        self.assertEqual(owners, ["bob"])
        self.assertIn("from alice", str(self.carol.call("chat.history", chat=self.chat)))
        self.bob.write(self.chat, "we go on")
        self.assertEqual(len(self.carol.messages()), 1)
        self.bob.call("group.set", chat=self.chat, name="Without")
        self.assertEqual(self.world.database.count("erasing"), 0)

    def test_away(self) -> None:
        """Devices that were away learn the same."""
        cursor = self.world.cursor
        self.carol.drop()
        self.close()
        live = self.bob.take("group.member", "chat.message")
        self.assertEqual(self.carol.resume(cursor).take("group.member", "chat.message"), live)

    def test_alone(self) -> None:
        """A group that nobody is left in is erased with it, and an invitation is over."""
        chat = self.create(self.alice, self.dave, name="alone")
        self.dave.take()
        self.close()
        [event] = self.dave.take("group.member")
        self.assertEqual((event["params"]["chat"], event["params"]["member"]["state"]), (chat, "removed"))
        for table in ("chats", "events", "roster"):
            self.assertEqual(self.rows(table, chat), 0, table)
        self.assertEqual(self.rows("chats", self.chat), 1)

    def test_invitations_of_the_closed(self) -> None:
        """An invitation that it had is over, and one that it gave still holds."""
        other = self.create(self.bob, self.alice, name="other")
        self.alice.call("group.invite", chat=self.chat, accounts=[self.dave.account])
        self.close()
        self.assertEqual(set(self.roster(self.bob, other)), {"bob"})
        self.dave.call("group.accept", chat=self.chat)
        self.assertEqual(self.roster(self.dave, self.chat)["dave"], ("member", "member"))

    def test_a_crash_in_between(self) -> None:
        """The account is closed, and the node dies before it has left its groups: the next does that."""
        database = self.world.database

        async def dies() -> None:
            raise RuntimeError

        self.patch(self.world.domain.closing, "_leave_groups", dies)
        self.close()
        self.assertGreater(database.count("erasing"), 0)
        self.world = World(database, self.world.vault)
        for client in (self.bob, self.carol):
            client.world = self.world
            client.resume()
            client.take()
        self.assertEqual(set(self.roster(self.bob, self.chat)), {"bob", "carol"})
        self.bob.write(self.chat, "still here")
        self.world.domain.forget()
        self.world.settle(5)
        self.assertEqual(self.roster(self.bob, self.chat)["bob"][0], "owner")
        self.assertEqual(database.count("erasing"), 0)
