"""Groups whose members are at several nodes: one of them orders, the others keep copies."""

from typing import Any, ClassVar
from unittest.mock import patch

from twisted.internet.defer import fail

from safeum_home.errors import Code, Problem
from tests.groups_across_case import A, B, C, GroupsAcrossCase
from tests.world import PASSWORD, Client


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
        """A member of another node and all others see each other; messages come in their order."""
        chat = self.create(self.bob, self.amy)
        self.alice.write(chat, "before")
        self.come(self.bob, "group.accept", chat=chat)
        self.settle()
        events = [event["method"] for event in self.bob.take()]
        self.assertEqual(events[-3:], ["chat.updated", "group.member", "chat.message"])
        self.alice.write(chat, "one")
        self.come(self.amy, "group.accept", chat=chat)
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
        self.come(self.bob, "group.accept", chat=chat)
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
        self.come(self.carol, "group.accept", chat=chat)
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
        self.assertNotIn("carol@c.example", self.roster(self.bob, chat))


class GoingTests(GroupsAcrossCase):
    """Members of other nodes leave, are removed, and their accounts are closed."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.bob, self.carol, self.amy)

    def test_left(self) -> None:
        """Who leaves is told nothing more; with the last member of its node the copy is erased."""
        self.alice.write(self.chat, "hello")
        self.settle()
        self.assertGreater(self.events(B), 0)
        self.bob.call("group.leave", chat=self.chat)
        self.refused("not_found", self.bob, "chat.history", chat=self.chat)
        [told] = self.bob.take("group.member")
        self.assertEqual(told["params"]["member"]["state"], "left")
        self.alice.write(self.chat, "without bob")
        self.settle()
        self.nodes[B].settle(30)
        self.assertEqual(self.bob.take("group.member", "chat.updated"), [])
        self.assertEqual([m for m in self.bob.messages() if m["chat"] == self.chat], [])
        for table in ("roster", "members", "chats", "events", "erasing", "keys"):
            self.assertEqual(self.of_chat(B, table), 0, table)
        self.assertEqual(self.words(self.carol, self.chat)[-2:], ["left", "without bob"])
        self.assertEqual(self.rows(self.nodes[A], "group_nodes"), 1)

    def test_back(self) -> None:
        """Who comes back begins anew, and nothing is missing from then on."""
        self.alice.write(self.chat, "one")
        self.settle()
        self.bob.call("group.leave", chat=self.chat)
        self.settle()
        self.nodes[B].settle(30)
        self.alice.write(self.chat, "two")
        self.alice.call("group.invite", chat=self.chat, accounts=[self.bob.account])
        self.settle()
        self.come(self.bob, "group.accept", chat=self.chat)
        self.settle()
        self.alice.write(self.chat, "three")
        self.settle()
        self.assertEqual(self.words(self.bob, self.chat), ["joined", "three"])
        self.assertIn("bob@b.example", self.roster(self.carol, self.chat))

    def test_removed(self) -> None:
        """An admin removes somebody of another node, and takes an invitation there back."""
        self.alice.call("group.invite", chat=self.chat, accounts=[self.ben.account])
        self.settle()
        self.alice.call("group.remove", chat=self.chat, account=self.ben.account)
        self.alice.call("group.remove", chat=self.chat, account=self.carol.account)
        self.settle()
        states = [event["params"]["member"]["state"] for event in self.carol.take("group.member")]
        self.assertEqual(states[-1], "removed")
        self.refused("not_found", self.carol, "chat.history", chat=self.chat)
        self.assertEqual(self.ben.call("group.invitations")["invitations"], [])
        self.assertNotIn("carol@c.example", self.roster(self.bob, self.chat))
        self.refused("not_found", self.ben, "group.accept", chat=self.chat)

    def test_declined(self) -> None:
        """Nothing is left of a group at a node where nobody is in it."""
        other = self.create(self.bob, name="Other")
        self.bob.call("group.decline", chat=other)
        self.settle()
        self.assertEqual(self.of_chat(B, "chats", other), 0)
        self.assertEqual(self.of_chat(B, "roster", other), 0)
        self.assertEqual(self.roster(self.alice, other), {"alice@a.example": ("owner", "member")})

    def test_owner_leaves(self) -> None:
        """Somebody of another node follows the owner, and has its rights from there."""
        for client in (self.alice, self.amy):
            client.call("group.leave", chat=self.chat)
        self.settle()
        self.assertEqual(self.roster(self.carol, self.chat)["bob@b.example"], ("owner", "member"))
        self.bob.call("group.set", chat=self.chat, name="Bob's")
        self.bob.call("group.remove", chat=self.chat, account=self.carol.account)
        self.settle()
        self.assertEqual(self.info(self.bob, self.chat)["group"]["name"], "Bob's")
        self.assertEqual(list(self.roster(self.bob, self.chat)), ["bob@b.example"])
        self.bob.call("group.leave", chat=self.chat)
        self.settle()
        for name in (A, B, C):
            self.nodes[name].settle(30)
            self.assertEqual(self.of_chat(name, "events"), 0)
            self.assertEqual(self.of_chat(name, "chats"), 0)

    def test_hub_away(self) -> None:
        """One can leave all the same; reading goes on, and all else has to wait."""
        self.alice.write(self.chat, "hello")
        self.settle()
        self.nodes.away.add(A)
        self.assertEqual(self.words(self.bob, self.chat)[-1], "hello")
        self.assertEqual(len(self.roster(self.bob, self.chat)), 4)
        self.refused("node_unreachable", self.bob, "group.set", chat=self.chat, name="Nope")
        self.bob.call("group.leave", chat=self.chat)
        self.refused("not_found", self.bob, "chat.history", chat=self.chat)
        self.settle()
        self.nodes.away.clear()
        self.settle()
        self.assertNotIn("bob@b.example", self.roster(self.alice, self.chat))
        self.assertEqual(self.words(self.carol, self.chat)[-1], "left")

    def test_hub_refuses(self) -> None:
        """One can leave a group whose hub refuses this node, or fails at it."""
        peer = self.nodes.peers[B]
        for client, code in ((self.bob, Code.FEDERATION_REFUSED), (self.ben, Code.INTERNAL)):
            with self.subTest(code.code):
                chat = self.alice.call("group.create", client_id=code.code, name="Two")["chat"]["chat"]
                self.alice.call("group.invite", chat=chat, accounts=[client.account])
                self.settle()
                self.come(client, "group.accept", chat=chat)
                with patch.object(peer, "ask", lambda *_, code=code: fail(Problem(code))):
                    client.call("group.leave", chat=chat)
                self.refused("not_found", client, "chat.history", chat=chat)
                self.settle()
                self.assertNotIn(client.address, self.roster(self.alice, chat))

    def test_back_before_that_is_told(self) -> None:
        """What is told late of somebody that left does not throw out who has come back."""
        link = self.alice.call("group.link.reset", chat=self.chat)["link"]
        self.nodes.away.add(A)
        self.bob.call("group.leave", chat=self.chat)
        waiting = list(self.nodes.peers[B].waiting)
        self.nodes.peers[B].waiting.clear()
        self.nodes.away.clear()
        self.nodes[B].settle(30)
        self.alice.call("group.remove", chat=self.chat, account=self.carol.account)
        self.refused("not_permitted", self.carol, "group.join", link=link)
        self.come(self.bob, "group.join", link=link)
        self.settle()
        self.assertIn("bob@b.example", self.roster(self.alice, self.chat))
        self.nodes.peers[B].waiting += waiting
        self.settle()
        self.assertIn("bob@b.example", self.roster(self.alice, self.chat))

    def test_closed(self) -> None:
        """A closed account leaves its groups at other nodes, also where it knows nobody of the hub."""
        self.bob.call("contact.remove", account=self.alice.account)
        self.settle()
        self.bob.call("account.pin.set", password=PASSWORD, pin="284716")
        Client(self.nodes[B]).ask("account.block", username="bob", pin="284716")
        self.settle()
        self.nodes[B].settle(30)
        self.assertNotIn("bob@b.example", self.roster(self.alice, self.chat))
        self.assertEqual(len(self.roster(self.carol, self.chat)), 3)
        for table in ("roster", "members", "chats", "events"):
            self.assertEqual(self.of_chat(B, table), 0, table)
        self.assertEqual(self.rows(self.nodes[B], "erasing"), 0)
        self.assertEqual(self.rows(self.nodes[A], "group_nodes"), 1)

    def test_closed_at_the_hub(self) -> None:
        """So does one of the hub, in all copies."""
        self.amy.call("account.pin.set", password=PASSWORD, pin="284716")
        Client(self.nodes[A]).call("account.block", username="amy", pin="284716")
        self.settle()
        self.nodes[A].settle(30)
        self.settle()
        for client in (self.alice, self.bob, self.carol):
            self.assertEqual(len(self.roster(client, self.chat)), 3)
            self.assertEqual(self.words(client, self.chat)[-1], "left")


class OverTests(GroupsAcrossCase):
    """Groups that are no more."""

    def test_over(self) -> None:
        """Where a group is erased nobody is invited into it any more, at any node."""
        chat = self.create(self.bob)
        self.alice.call("group.leave", chat=chat)
        self.settle()
        [told] = self.bob.take("group.member")
        self.assertEqual(told["params"]["member"]["state"], "removed")
        self.assertEqual(self.bob.call("group.invitations")["invitations"], [])
        self.assertEqual(self.of_chat(B, "chats", chat), 0)


class BoundsTests(GroupsAcrossCase):
    limits: ClassVar[dict[str, Any]] = {"groups": 1}

    def test_groups(self) -> None:
        """An account is in no more groups than its own node allows, wherever they are."""
        own = self.bob.call("group.create", client_id="own", name="Own")["chat"]["chat"]
        chat = self.create(self.bob)
        self.refused("limit_reached", self.bob, "group.accept", chat=chat)
        self.assertEqual(self.roster(self.alice, chat)["bob@b.example"], ("member", "invited"))
        self.bob.call("group.leave", chat=own)
        self.come(self.bob, "group.accept", chat=chat)
        self.assertEqual(self.roster(self.alice, chat)["bob@b.example"], ("member", "member"))
