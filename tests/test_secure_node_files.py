"""Files of secure chats: octets that a message has beside what is sealed, at the nodes of all members."""

import os
from typing import Any, ClassVar

from tests.file_case import OCTETS
from tests.files_across_case import SECTION, FileHands
from tests.groups_across_case import A, B, C, GroupsAcrossCase
from tests.test_secure_node import SECURE, sealed
from tests.world import Client, Refused


class SecureFileTests(FileHands, GroupsAcrossCase):
    limits: ClassVar[dict[str, Any]] = {"files": SECTION}

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.bob, self.carol, **SECURE)

    def post(self, client: Client, octets: bytes, **more: Any) -> dict[str, Any]:
        """A message with a file; the answer."""
        file = {"file": self.upload(client, self.chat, octets), "size": len(octets), **more}
        return self.come(client, "chat.send", **self.about(client), body=sealed(file=file))

    def about(self, client: Client) -> dict[str, Any]:
        return {"chat": self.chat, "client_id": f"{client.device}{next(client._ids)}"}

    def last(self, client: Client) -> dict[str, Any]:
        return dict(client.call("chat.history", chat=self.chat, limit=10)["messages"][-1])

    def test_fetched(self) -> None:
        """Members at all nodes have it, each by the id that it has there, and nobody else."""
        for author in (self.alice, self.bob):
            octets = os.urandom(1000)
            self.post(author, octets)
            self.settle()
            ids = set()
            for client in (self.alice, self.bob, self.carol):
                message = self.last(client)
                ids.add(message["body"]["file"]["file"])
                self.assertEqual(message["body"]["file"]["size"], 1000)
                self.assertEqual(self.fetch(client, message["id"]).body, octets)
            self.assertEqual(len(ids), 3)
            error = self.assertRaises(Refused, self.link, self.ben, self.last(self.bob)["id"])
            self.assertEqual(error.code, "not_found")

    def test_hub_away(self) -> None:
        """It waits with its message, and has the place of that then."""
        octets = os.urandom(1000)
        file = {"file": self.upload(self.bob, self.chat, octets), "size": 1000}
        self.nodes.peers[B].held.add(A)
        self.bob.ask("chat.send", **self.about(self.bob), body=sealed(file=file))
        self.settle()
        self.nodes.peers[B].held.clear()
        self.settle()
        for client in (self.bob, self.carol):
            self.assertEqual(self.fetch(client, self.last(client)["id"]).body, octets)

    def test_deleted(self) -> None:
        """With its message it is gone, at all nodes."""
        self.post(self.bob, os.urandom(1000))
        self.settle()
        self.assertEqual([self.of_chat(node, "files") for node in (A, B, C)], [1, 1, 1])
        about = {"chat": self.chat, "message": self.last(self.bob)["id"]}
        self.come(self.bob, "message.delete", **about)
        self.settle()
        for node in (A, B, C):
            self.assertEqual(self.of_chat(node, "files"), 0)

    def test_refused(self) -> None:
        """Files of others, of another size, or that say what they are; and a body `file`."""
        octets = os.urandom(1000)
        uploaded = self.upload(self.alice, self.chat, octets)
        typed = self.upload(self.alice, self.chat, octets, "image/png")
        theirs = self.upload(self.bob, self.chat, octets)
        for file, size, code in (
            (theirs, 1000, "not_found"),
            (uploaded, 999, "file_mismatch"),
            (typed, 1000, "file_mismatch"),
        ):
            body = sealed(file={"file": file, "size": size})
            self.refused(code, self.alice, "chat.send", **self.about(self.alice), body=body)
        body = {"kind": "file", "file": uploaded, "size": 1000, "type": OCTETS, "name": "divorce.pdf"}
        self.refused("secure_only", self.alice, "chat.send", **self.about(self.alice), body=body)
        named = sealed(file={"file": uploaded, "size": 1000, "name": "divorce.pdf"})
        self.refused("invalid_params", self.alice, "chat.send", **self.about(self.alice), body=named)
