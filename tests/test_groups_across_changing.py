"""What members of other nodes do to a group is done at its hub, and seen by all."""

from base64 import b64encode
from typing import Any

from tests.groups_across_case import A, B, GroupsAcrossCase
from tests.test_images import drawn, encoded
from tests.world import Client


class ChangingTests(GroupsAcrossCase):
    """What members of other nodes do to a group is done at its hub, and seen by all."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.bob, self.carol, self.amy)

    def test_roles(self) -> None:
        """A role counts wherever its bearer is; what it does not allow is refused with the same code."""
        self.refused("not_permitted", self.bob, "group.set", chat=self.chat, name="Mine")
        self.alice.call("group.role", chat=self.chat, account=self.bob.account, role="admin")
        self.settle()
        self.assertEqual(self.info(self.bob, self.chat)["role"], "admin")
        self.bob.call("group.set", chat=self.chat, name="Hikes", about="Up")
        self.settle()
        for client in (self.alice, self.bob, self.carol):
            group = self.info(client, self.chat)["group"]
            self.assertEqual((group["name"], group["about"]), ("Hikes", "Up"))
            self.assertEqual(self.words(client, self.chat)[-3:], ["admin", "Hikes", "described"])
            [event] = client.take("chat.updated")[-1:]
            self.assertEqual(event["params"]["chat"]["group"]["name"], "Hikes")
        self.refused("not_permitted", self.bob, "group.remove", chat=self.chat, account=self.alice.account)
        self.alice.call("group.role", chat=self.chat, account=self.bob.account, role="owner")
        self.settle()
        self.assertEqual(self.roster(self.carol, self.chat)["bob@b.example"], ("owner", "member"))
        self.assertEqual(self.roster(self.carol, self.chat)["alice@a.example"], ("admin", "member"))
        self.bob.call("group.remove", chat=self.chat, account=self.amy.account)
        self.settle()
        self.refused("not_found", self.amy, "chat.history", chat=self.chat)
        self.refused("wrong_member_state", self.bob, "group.remove", chat=self.chat, account=self.amy.account)

    def test_link(self) -> None:
        """A link leads to its own node, whoever follows it; and nobody comes in who did not ask to."""
        self.alice.call("group.role", chat=self.chat, account=self.bob.account, role="admin")
        link = self.bob.call("group.link.reset", chat=self.chat)["link"]
        self.assertTrue(link.startswith(f"https://{A}/group#"))
        self.assertEqual(self.alice.call("group.link", chat=self.chat)["link"], link)
        previewed = self.ben.call("group.preview", link=link)
        self.assertEqual((previewed["name"], previewed["members"], previewed["member"]), ("Walks", 4, False))
        self.assertEqual(self.come(self.ben, "group.join", link=link)["chat"], self.chat)
        self.settle()
        self.alice.write(self.chat, "hello")
        self.settle()
        self.assertEqual(self.words(self.ben, self.chat), ["joined", "hello"])
        self.assertTrue(self.ben.call("group.preview", link=link)["member"])
        self.bob.call("group.link.revoke", chat=self.chat)
        self.refused("not_found", self.ben, "group.preview", link=link)
        self.refused("federation_refused", self.ben, "group.join", link="https://d.example/group#abc")

    def test_picture(self) -> None:
        """It is kept by the hub, and fetched from there."""
        self.alice.call("group.role", chat=self.chat, account=self.bob.account, role="admin")
        picture = {"type": "image/png", "data": b64encode(encoded(drawn("RGB"), "PNG")).decode()}
        avatar = self.bob.call("group.avatar.set", chat=self.chat, **picture)["avatar"]
        self.settle()
        self.assertEqual(self.info(self.carol, self.chat)["group"]["avatar"], avatar)
        got = self.carol.call("group.avatar.get", chat=self.chat, avatar=avatar)
        self.assertEqual(got, self.alice.call("group.avatar.get", chat=self.chat, avatar=avatar))
        picture["data"] = "AAAA"
        self.refused("invalid_image", self.bob, "group.avatar.set", chat=self.chat, **picture)
        self.bob.call("group.avatar.remove", chat=self.chat)
        self.settle()
        self.assertIsNone(self.info(self.carol, self.chat)["group"]["avatar"])

    def test_named_anew(self) -> None:
        """Who is invited sees what the group is called now."""
        other = self.create(self.bob, name="Other")
        self.bob.take()
        self.alice.call("group.set", chat=other, name="Another")
        self.settle()
        [event] = self.bob.take("group.invited")
        self.assertEqual(event["params"]["invitation"]["name"], "Another")

    def test_changed(self) -> None:
        """What is edited or deleted at the hub is so in all copies."""
        first, second = (self.alice.write(self.chat, words)["id"] for words in ("one", "two"))
        self.settle()
        body = {"kind": "text", "text": "first"}
        self.alice.call("message.edit", chat=self.chat, message=first, body=body)
        self.alice.call("message.delete", chat=self.chat, message=second)
        self.settle()
        self.assertEqual(self.words(self.bob, self.chat)[-2:], ["first", "deleted"])
        self.assertEqual(self.shown(self.bob, self.chat)[-2:], self.shown(self.alice, self.chat)[-2:])

    def test_readers(self) -> None:
        """Who has read is known at the hub, of all nodes, and asked for from all."""
        self.alice.write(self.chat, "one")
        number = self.bob.ask("chat.send", **self.bob.message(self.chat, "two"))
        self.settle()
        self.assertIsNotNone(self.bob.answer(number))
        first, second = (self.page(self.carol)[place]["id"] for place in (-2, -1))
        self.assertEqual(self.readers(self.carol, first), set())
        self.carol.call("chat.read", chat=self.chat, upto=first)
        self.settle()
        self.assertEqual(self.readers(self.carol, first), {"carol"})
        self.assertEqual(self.readers(self.carol, second), set())
        for client in (self.alice, self.carol):
            client.call("chat.read", chat=self.chat, upto=self.page(client)[-1]["id"])
        self.settle()
        for client in (self.alice, self.bob, self.carol):
            self.assertEqual(self.readers(client, self.page(client)[-1]["id"]), {"alice", "carol"})
            others = [e["params"]["account"] for e in client.take("chat.receipt")]
            self.assertEqual(set(others) - {client.account}, set())

    def page(self, client: Client) -> list[Any]:
        return list(client.call("chat.history", chat=self.chat)["messages"])

    def readers(self, client: Client, upto: str) -> set[str]:
        found = client.call("group.readers", chat=self.chat, upto=upto)["readers"]
        return {name for name in ("alice", "amy", "bob", "carol") if getattr(self, name).account in found}

    def test_called(self) -> None:
        """Who is called something else is called so at all nodes, also by who is no contact."""
        self.bob.call("profile.set", profile={"display_name": "Robert"})
        self.amy.call("profile.set", profile={"display_name": "Amelia"})
        self.settle()
        for client in (self.alice, self.amy, self.bob, self.carol):
            names = self.names(client)
            self.assertEqual((names["bob@b.example"], names["amy@a.example"]), ("Robert", "Amelia"))
        [*_, event] = self.carol.take("group.member")
        self.assertEqual(event["params"]["member"]["state"], "member")
        self.alice.call("group.role", chat=self.chat, account=self.bob.account, role="admin")
        self.settle()
        self.assertEqual(self.names(self.carol)["bob@b.example"], "Robert")
        self.assertEqual(self.words(self.carol, self.chat)[-1], "admin")
        self.assertEqual(self.roster(self.carol, self.chat), self.roster(self.alice, self.chat))

    def names(self, client: Client) -> dict[str, str]:
        page = client.call("group.members", chat=self.chat, limit=50)["members"]
        return {each["address"]: each["display_name"] for each in page}

    def test_answers(self) -> None:
        """An answer names what it answers, in each copy by the id that it has there."""
        first = self.alice.write(self.chat, "one")["id"]
        self.amy.call("chat.send", **self.amy.message(self.chat, "two"), reply_to=first)
        self.settle()
        page = self.carol.call("chat.history", chat=self.chat)["messages"]
        self.assertEqual(page[-1]["reply_to"], page[-2]["id"])

    def test_away(self) -> None:
        """A node that was away is told what is so now, in the order of the hub, and so is a device."""
        cursor, token = self.bob.cursor, self.bob.token
        self.nodes.away.add(B)
        for number in range(3):
            self.alice.write(self.chat, f"word {number}")
            self.alice.call("group.set", chat=self.chat, name=f"Name {number}")
        self.alice.call("group.remove", chat=self.chat, account=self.carol.account)
        self.settle()
        self.nodes.away.clear()
        self.settle()
        shown = self.shown(self.bob, self.chat)
        self.assertEqual(shown, self.shown(self.alice, self.chat)[-len(shown) :])
        live = [event for event in self.bob.take() if event["params"].get("chat") == self.chat]
        self.assertTrue(live)
        self.assertEqual(self.bob.token, token)
        again = self.bob.resume(cursor)
        told = [event for event in again.take("chat.message") if event["params"]["chat"] == self.chat]
        self.assertEqual(
            [event["params"]["id"] for event in told][-6:],
            [event["params"]["id"] for event in live if event["method"] == "chat.message"][-6:],
        )
