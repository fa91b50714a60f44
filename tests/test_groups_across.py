"""Groups whose members are at several nodes: one of them orders, the others keep copies."""

from tests.groups_across_case import A, B, C, GroupsAcrossCase


class ComingTests(GroupsAcrossCase):
    """Invitations go to other nodes, and what they lead to comes back."""

    def test_invited(self) -> None:
        """Who is invited sees by whom into what, and nothing of what is written."""
        chat = self.create(self.bob, about="On Sundays")
        self.alice.write(chat, "secret")
        self.settle()
        [event] = self.bob.take("group.invited")
        told = event["params"]["invitation"]
        self.assertEqual(
            (told["chat"], told["name"], told["about"], told["by"], told["address"], told["members"]),
            (chat, "Walks", "On Sundays", self.alice.account, self.alice.address, 1),
        )
        [listed] = self.bob.call("group.invitations")["invitations"]
        self.assertEqual(listed["chat"], chat)
        self.refused("not_found", self.bob, "chat.history", chat=chat)

    def test_accepted(self) -> None:
        """A member of another node and all others see each other; messages and notices come in their order."""
        chat = self.create(self.bob, self.amy)
        self.alice.write(chat, "before")
        self.bob.call("group.accept", chat=chat)
        self.settle()
        events = [event["method"] for event in self.bob.take()]
        self.assertEqual(events[-3:], ["chat.updated", "group.member", "chat.message"])
        self.alice.write(chat, "one")
        self.amy.call("group.accept", chat=chat)
        self.amy.write(chat, "two")
        self.settle()
        self.assertEqual(self.words(self.bob, chat), ["joined", "one", "joined", "two"])
        self.assertEqual(self.shown(self.bob, chat), self.shown(self.alice, chat)[-4:])
        people = {
            "alice@a.example": ("owner", "member"),
            "amy@a.example": ("member", "member"),
            "bob@b.example": ("member", "member"),
        }
        for client in (self.alice, self.amy, self.bob):
            self.assertEqual(self.roster(client, chat), people)
        self.assertEqual(self.info(self.bob, chat)["group"]["members"], 3)
        self.assertEqual(self.info(self.bob, chat)["group"]["hub"], A)
        self.assertEqual(self.info(self.bob, chat)["unread"], 2)
        self.assertEqual(self.rows(self.nodes[B], "agreements"), 0)

    def test_earlier(self) -> None:
        """Who sees what was before is told all of it, in its order, and none of it live."""
        chat = self.create(self.bob, earlier=True)
        said = [f"word {number}" for number in range(5)]
        for each in said:
            self.alice.write(chat, each)
        self.settle()
        self.bob.take()
        self.bob.call("group.accept", chat=chat)
        self.settle()
        self.assertEqual(len(self.bob.take("chat.message")), 1)
        self.alice.write(chat, "now")
        self.settle()
        self.assertEqual(self.words(self.bob, chat), ["created", *said, "joined", "now"])
        self.assertEqual(self.shown(self.bob, chat), self.shown(self.alice, chat))
        self.assertEqual(self.info(self.bob, chat)["unread"], 1)

    def test_third_node(self) -> None:
        """An admin of another node invites somebody of a third one, whom the hub does not know."""
        self.befriend(self.bob, self.carol)
        chat = self.group(self.bob)
        self.alice.call("group.role", chat=chat, account=self.bob.account, role="admin")
        self.settle()
        self.bob.call("group.invite", chat=chat, accounts=[self.carol.account])
        self.settle()
        [event] = self.carol.take("group.invited")
        self.assertEqual(event["params"]["invitation"]["by"], self.bob.account)
        self.carol.call("group.accept", chat=chat)
        self.settle()
        self.alice.write(chat, "hello")
        self.settle()
        for client in (self.alice, self.bob, self.carol):
            self.assertEqual(self.words(client, chat)[-2:], ["joined", "hello"])
            self.assertEqual(self.roster(client, chat)["carol@c.example"], ("member", "member"))
        self.assertEqual(self.roster(self.carol, chat)["bob@b.example"], ("admin", "member"))

    def test_stranger(self) -> None:
        """A hub cannot invite whom it likes: the one who is invited knows its contacts."""
        chat = self.group(self.bob)
        self.alice.call("group.role", chat=chat, account=self.bob.account, role="admin")
        self.settle()
        self.bob.call("group.invite", chat=chat, accounts=[self.carol.account])
        self.settle()
        self.expected = ["not_a_contact"]
        self.assertEqual(self.carol.take("group.invited"), [])
        self.assertEqual(self.rows(self.nodes[C], "roster"), 0)
        self.nodes.give_up(A, C)
