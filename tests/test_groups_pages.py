"""What a group says of itself, and its link."""

from base64 import b64decode, b64encode
from typing import Any

from tests.group_case import GroupCase
from tests.test_images import drawn, encoded, laden
from tests.world import Client

PNG = encoded(drawn("RGB"), "PNG")


class PageTests(GroupCase):
    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.alice, self.bob)

    def test_name_and_about(self) -> None:
        """Told to all with a notice; what is the same, or not given, is not told."""
        self.alice.call("group.set", chat=self.chat, name="Hikes", about="Far\nand wide")
        for client in (self.alice, self.bob):
            events = client.take()
            self.assertEqual(
                [event["method"] for event in events], ["chat.updated", "chat.message", "chat.message"]
            )
            group = events[0]["params"]["chat"]["group"]
            self.assertEqual((group["name"], group["about"], group["members"]), ("Hikes", "Far\nand wide", 2))
            self.assertEqual(
                events[1]["params"]["body"],
                {"kind": "notice", "action": "named", "by": self.alice.account, "text": "Hikes"},
            )
        self.alice.call("group.set", chat=self.chat, name="Hikes")
        self.alice.call("group.set", chat=self.chat)
        self.assertEqual(self.bob.take(), [])
        self.assertEqual(self.chats(self.bob)[self.chat]["display_name"], "Hikes")

    def test_name_for_those_who_are_invited(self) -> None:
        """They see what it is called now, live and when they come back; of the rest nothing is told."""
        self.alice.call("group.invite", chat=self.chat, accounts=[self.carol.account])
        tablet = self.world.login("carol")
        [invited] = self.carol.take("group.invited")
        self.carol.take()
        self.dave.take()
        since = self.world.cursor
        self.alice.call("group.set", chat=self.chat, name="Hikes")
        self.alice.call("group.set", chat=self.chat, about="Far and wide")
        named, described = self.carol.take()
        expected = {**invited["params"]["invitation"], "name": "Hikes"}
        self.assertEqual((named["method"], named["params"]["invitation"]), ("group.invited", expected))
        expected = {**expected, "about": "Far and wide"}
        self.assertEqual(described["params"]["invitation"], expected)
        self.assertEqual(self.carol.call("group.invitations")["invitations"], [expected])
        self.alice.call("group.set", chat=self.chat, earlier=True)
        self.alice.call("group.set", chat=self.chat, name="Hikes")
        self.assertEqual((self.carol.take(), self.dave.take("group.invited")), ([], []))
        tablet.take()
        [missed] = tablet.resume(since).take("group.invited", "chat.updated", "group.member")
        self.assertEqual(missed["params"]["invitation"], expected)
        tablet.resume(missed["params"]["cursor"])
        self.assertEqual(tablet.take("group.invited"), [])
        self.alice.call("group.remove", chat=self.chat, account=self.carol.account)
        self.carol.take()
        self.alice.call("group.set", chat=self.chat, name="Runs")
        self.assertEqual(self.carol.take(), [])

    def test_earlier_is_for_those_who_join_later(self) -> None:
        """Who joined before sees no more than before, and no less after it was taken back."""
        self.alice.call("group.invite", chat=self.chat, accounts=[self.carol.account, self.dave.account])
        self.alice.write(self.chat, "one")
        self.carol.call("group.accept", chat=self.chat)
        self.alice.call("group.set", chat=self.chat, earlier=True)
        self.dave.call("group.accept", chat=self.chat)
        self.alice.call("group.set", chat=self.chat, earlier=False)
        seen = [
            "one" in str(client.call("chat.history", chat=self.chat, limit=200))
            for client in (self.bob, self.carol, self.dave)
        ]
        self.assertEqual(seen, [True, False, True])

    def test_picture(self) -> None:
        """For members alone, without metadata; its id is in what the group is."""
        params = {"chat": self.chat, "type": "image/png"}
        laden_png = b64encode(laden(drawn("RGB"), "PNG")).decode()
        avatar = self.alice.call("group.avatar.set", **params, data=laden_png)["avatar"]
        [event] = self.bob.take("chat.updated")
        self.assertEqual(event["params"]["chat"]["group"]["avatar"], avatar)
        found = self.bob.call("group.avatar.get", chat=self.chat, avatar=avatar)
        self.assertEqual(b64decode(found["data"]), PNG)
        self.refused("not_found", self.carol, "group.avatar.get", chat=self.chat, avatar=avatar)
        self.alice.call("group.invite", chat=self.chat, accounts=[self.carol.account])
        self.refused("not_found", self.carol, "group.avatar.get", chat=self.chat, avatar=avatar)
        self.refused("invalid_image", self.alice, "group.avatar.set", **params, data="AAAA")
        self.alice.call("group.avatar.remove", chat=self.chat)
        [event] = self.bob.take("chat.updated")
        self.assertIsNone(event["params"]["chat"]["group"]["avatar"])
        self.refused("not_found", self.bob, "group.avatar.get", chat=self.chat, avatar=avatar)
        self.assertEqual(self.world.database.count("avatars"), 0)

    def test_readers(self) -> None:
        """Who has read a message, and nobody is told of it unasked."""
        self.alice.call("group.invite", chat=self.chat, accounts=[self.carol.account])
        self.carol.call("group.accept", chat=self.chat)
        sent = self.alice.write(self.chat, "read this")["id"]
        for client in (self.alice, self.bob, self.carol):
            client.take()
        asked = {"chat": self.chat, "upto": sent}
        self.assertEqual(self.alice.call("group.readers", **asked)["readers"], [])
        self.bob.call("chat.read", **asked)
        self.assertEqual(self.alice.call("group.readers", **asked)["readers"], [self.bob.account])
        self.carol.call("chat.read", **asked)
        found, after = [], None
        for _ in range(2):
            page = self.alice.call("group.readers", **asked, limit=1, after=after)
            found += page["readers"]
            after = page["next"]
        self.assertEqual((set(found), after), ({self.bob.account, self.carol.account}, None))
        self.assertEqual(self.alice.take("chat.receipt"), [])
        self.refused("not_found", self.dave, "group.readers", **asked)
        self.refused("not_found", self.alice, "group.readers", chat=self.chat, upto=self.world.cursor)

    def test_some_members(self) -> None:
        """Those who were in the group are told of by name; strangers are not."""
        self.bob.call("group.leave", chat=self.chat)
        asked = [self.bob.account, self.carol.account, self.alice.account]
        found = self.alice.call("group.members", chat=self.chat, accounts=asked)["members"]
        self.assertEqual(
            {one["account"]: one["state"] for one in found},
            {self.bob.account: "left", self.alice.account: "member"},
        )


class LinkTests(GroupCase):
    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.alice, self.bob, name="Walks", about="On Sundays")
        self.link = self.alice.call("group.link.reset", chat=self.chat)["link"]

    def join(self, client: Client, link: str | None = None) -> dict[str, Any]:
        return client.call("group.join", link=link or self.link)

    def test_joining(self) -> None:
        """Who has the link needs no contact in the group, and sees what it is of before."""
        self.assertRegex(self.link, r"^https://home\.example/group#[a-z2-7]{26}$")
        self.assertEqual(self.alice.call("group.link", chat=self.chat)["link"], self.link)
        self.assertEqual(
            self.eve.call("group.preview", link=self.link),
            {"chat": self.chat, "name": "Walks", "about": "On Sundays", "members": 2, "member": False},
        )
        self.assertEqual(self.bob.take(), [])
        self.assertEqual(self.join(self.eve), {"chat": self.chat})
        self.assertEqual(self.join(self.eve), {"chat": self.chat})
        [notice] = self.bob.take("chat.message")
        body = {"kind": "notice", "action": "joined", "who": self.eve.account}
        self.assertEqual(notice["params"]["body"], body)
        self.assertTrue(self.eve.call("group.preview", link=self.link)["member"])
        code = self.link.partition("#")[2]
        self.assertEqual(self.join(self.carol, code), {"chat": self.chat})

    def test_a_link_of_another_node(self) -> None:
        """It is no link of this node's, though its code may be one; how it is written does not matter."""
        code = self.link.partition("#")[2]
        for place in ("https://other.example", "https://other:1", "https://home.example:1", "other.example"):
            for method in ("group.preview", "group.join"):
                self.refused("node_unreachable", self.eve, method, link=f"{place}/group#{code}")
        for link in (f"#{code}", f" HTTPS://Home.Example:443/group#{code} ", f"home.example/group#{code}"):
            self.assertEqual(self.eve.call("group.preview", link=link)["name"], "Walks")

    def test_an_old_link(self) -> None:
        """One that was replaced, revoked, or never was: they look the same."""
        new = self.alice.call("group.link.reset", chat=self.chat)["link"]
        self.assertNotEqual(new, self.link)
        answers = [self.refused("not_found", self.eve, "group.join", link=self.link)]
        self.alice.call("group.link.revoke", chat=self.chat)
        self.assertIsNone(self.alice.call("group.link", chat=self.chat)["link"])
        for link in (new, "nonsense", "#"):
            for method in ("group.join", "group.preview"):
                answers.append(self.refused("not_found", self.eve, method, link=link))
        self.assertEqual(answers, [answers[0]] * len(answers))
        self.assertEqual(self.world.database.count("group_links"), 0)

    def test_who_was_removed(self) -> None:
        """Comes back by an invitation alone; who left comes back by the link."""
        self.bob.call("group.leave", chat=self.chat)
        self.join(self.bob)
        self.alice.call("group.remove", chat=self.chat, account=self.bob.account)
        self.refused("not_permitted", self.bob, "group.join", link=self.link)
        self.alice.call("group.invite", chat=self.chat, accounts=[self.bob.account])
        self.join(self.bob)
        self.assertEqual(self.roster(self.bob, self.chat)["bob"], ("member", "member"))

    def test_at_rest(self) -> None:
        """The code is kept sealed, and a row that was pointed elsewhere opens nothing."""
        other = self.group(self.alice, name="Other")
        self.world.database.execute("UPDATE group_links SET chat = ?", self.blind_chat(other))
        self.refused("not_found", self.eve, "group.join", link=self.link)
        self.refused("not_found", self.eve, "group.preview", link=self.link)
