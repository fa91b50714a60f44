"""Files in groups: whoever is a member now, and may see the message, may fetch it."""

from tests.file_case import FileCase
from tests.world import Client, Refused


class GroupFileTests(FileCase):
    """Alice has a group with Bob; Carol may come later."""

    def setUp(self) -> None:
        super().setUp()
        self.carol = self.world.register("carol")
        self.world.befriend(self.alice, self.carol)

    def group(self, **more: object) -> str:
        params = {"client_id": "g", "name": "Walks", "invite": [self.bob.account], **more}
        chat = str(self.alice.call("group.create", **params)["chat"]["chat"])
        self.bob.call("group.accept", chat=chat)
        self.bob.take()
        return chat

    def join(self, client: Client, chat: str) -> None:
        self.alice.call("group.invite", chat=chat, accounts=[client.account])
        client.call("group.accept", chat=chat)

    def send_into(self, chat: str, octets: bytes = b"12345") -> str:
        file = self.upload(octets, chat=chat)
        return str(self.send(self.body(file, len(octets)), chat=chat)["id"])

    def refused(self, client: Client, message: str, chat: str) -> str:
        return str(self.assertRaises(Refused, self.link, client, message, chat).code)

    def test_members(self) -> None:
        """Members fetch it, others do not; a member that is removed does so no more, with its old ticket."""
        chat = self.group()
        message = self.send_into(chat)
        link = self.link(self.bob, message, chat)
        self.assertEqual(self.fetch(link).body, b"12345")
        self.assertEqual(self.refused(self.carol, message, chat), "not_found")
        self.assertEqual(self.assertRaises(Refused, self.ticket, self.carol, chat=chat).code, "not_a_contact")
        self.alice.call("group.remove", chat=chat, account=self.bob.account)
        self.assertIn(self.fetch(link).code, ("not_found", "bad_ticket"))
        self.assertEqual(self.refused(self.bob, message, chat), "not_found")

    def test_from_joining_on(self) -> None:
        """Where what was before is hidden, so are its files: they are neither fetched nor forwarded."""
        chat = self.group()
        earlier = self.send_into(chat)
        [told] = [
            event for event in self.bob.take("chat.message") if event["params"]["body"]["kind"] == "file"
        ]
        self.join(self.carol, chat)
        later = self.send_into(chat, b"later")
        self.assertEqual(self.refused(self.carol, earlier, chat), "not_found")
        self.assertEqual(self.fetch(self.link(self.carol, later, chat)).body, b"later")
        other = self.world.befriend(self.carol, self.bob)
        error = self.assertRaises(Refused, self.send, told["params"]["body"], self.carol, other)
        self.assertEqual(error.code, "not_found")

    def test_from_the_start(self) -> None:
        """Where the owner says so, new members see all files."""
        chat = self.group(earlier=True)
        earlier = self.send_into(chat)
        self.join(self.carol, chat)
        self.assertEqual(self.fetch(self.link(self.carol, earlier, chat)).body, b"12345")

    def test_removed_while_uploading(self) -> None:
        """Who is no member any more cannot go on with an upload, nor send it."""
        chat = self.group()
        ticket, path = self.create(100, client=self.bob, chat=chat)
        self.patch_upload(ticket, path, 0, b"x" * 50)
        whole = self.upload(b"12345", client=self.bob, chat=chat)
        self.alice.call("group.remove", chat=chat, account=self.bob.account)
        self.assertIn(self.patch_upload(ticket, path, 50, b"x" * 50).code, ("not_found", "bad_ticket"))
        error = self.assertRaises(Refused, self.send, self.body(whole, 5), self.bob, chat)
        self.assertEqual(error.code, "not_a_contact")

    def test_everybody_left(self) -> None:
        """A group without members is erased, and so are its files."""
        chat = self.group()
        self.send_into(chat)
        self.create(100, chat=chat)
        self.bob.call("group.leave", chat=chat)
        self.alice.call("group.leave", chat=chat)
        self.world.settle(20)
        self.assertTidy()
