"""What becomes of files: sent, sent again, forwarded, deleted, erased."""

import os
from typing import Any

from safeum_home.chats.files.sending import drop
from safeum_home.storage import erasure, files
from tests.file_case import FileCase
from tests.world import Client, Refused


class SendingTests(FileCase):
    """Files in messages."""

    def code(self, body: dict[str, Any], client: Client | None = None, chat: str | None = None) -> str:
        return str(self.assertRaises(Refused, self.send, body, client, chat).code)

    def test_body(self) -> None:
        """All that a client says of a file comes through, and is in the history."""
        more = {"caption": "look", "preview": "AAAA", "width": 3, "height": 4, "duration": 5}
        message = self.sent(b"12345", **more)
        [told] = self.bob.take("chat.message")
        body = told["params"]["body"]
        self.assertEqual({name: body[name] for name in more}, more)
        [kept] = self.bob.call("chat.history", chat=self.chat)["messages"]
        self.assertEqual((kept["id"], kept["body"]), (message["id"], body))

    def test_bad_bodies(self) -> None:
        """Names that are paths, and what is too long, never get into a message."""
        file = self.upload(b"12345")
        for bad in (
            {"name": "../x"},
            {"name": ".."},
            {"name": "a\\b"},
            {"name": "a\nb"},
            {"name": "a\x00"},
            {"name": ""},
            {"name": "x" * 256},
            {"type": "text"},
            {"size": -1},
            {"preview": "A" * 12_000},
            {"width": 0},
            {"file": "../../etc/passwd"},
            {"more": 1},
        ):
            self.assertEqual(self.code(self.body(file, 5) | bad), "invalid_params", bad)
        self.send(self.body(file, 5))

    def test_sent_again(self) -> None:
        """The same `client_id` gets the same answer, and stores nothing twice, also when the file is gone."""
        file = self.upload(b"12345")
        params = {"chat": self.chat, "client_id": "one", "body": self.body(file, 5)}
        first = self.alice.call("chat.send", **params)
        self.assertEqual(self.alice.call("chat.send", **params), first)
        self.assertEqual(self.world.database.count("files"), 1)
        position = self.world.vault.cursors.decode(first["id"])
        blind = self.world.vault.blinder.chat(self.chat)  # type: ignore[arg-type]
        self.transact(lambda c: drop(c, blind, [position]))
        self.assertEqual(self.alice.call("chat.send", **params), first)
        self.assertTidy()

    def test_reused(self) -> None:
        """Its owner may send a file again; it is one blob all the same."""
        file = self.upload(b"12345")
        messages = [self.send(self.body(file, 5)) for _ in range(2)]
        for message in messages:
            self.assertEqual(self.fetch(self.link(self.bob, message["id"])).body, b"12345")
        self.assertTidy(blobs=1)
        self.assertEqual(self.alice.call("file.quota")["quota"]["used"], 5)

    def test_forwarded(self) -> None:
        """A file goes to another chat without its octets, and stays there when the first message is gone."""
        carol = self.world.register("carol")
        other = self.world.befriend(self.bob, carol)
        octets = os.urandom(100_000)
        first = self.sent(octets)
        [told] = self.bob.take("chat.message")
        written = dict(self.store.written)
        forwarded = self.send(told["params"]["body"], self.bob, other)
        self.assertEqual(self.store.written, written)
        self.assertEqual(self.fetch(self.link(carol, forwarded["id"], other)).body, octets)
        self.assertRaises(Refused, self.link, carol, first["id"])
        self.drop(self.chat, first["id"])
        self.assertRaises(Refused, self.link, self.bob, first["id"])
        self.assertTidy(blobs=1)
        self.assertEqual(self.fetch(self.link(carol, forwarded["id"], other)).body, octets)
        self.drop(other, forwarded["id"])
        self.assertTidy()

    def test_copied_by_the_node(self) -> None:
        """A message with a file is forwarded by its place, as any other, and says that it was."""
        carol = self.world.register("carol")
        other = self.world.befriend(self.bob, carol)
        first = self.sent(b"12345", caption="look")
        carol.take()
        asked = {"chat": other, "client_id": "f", "forward": {"chat": self.chat, "message": first["id"]}}
        copy = self.bob.call("chat.send", **asked)
        self.assertEqual(self.bob.call("chat.send", **asked), copy)
        [told] = carol.take("chat.message")
        self.assertEqual(told["params"]["body"]["caption"], "look")
        self.assertIn("forwarded", told["params"])
        self.assertEqual(self.fetch(self.link(carol, copy["id"], other)).body, b"12345")
        self.assertTidy(blobs=1)

    def test_deleted(self) -> None:
        """Whoever deletes a message for all deletes its file; a copy elsewhere stays."""
        carol = self.world.register("carol")
        other = self.world.befriend(self.bob, carol)
        first = self.sent(b"12345")
        forward = {"chat": self.chat, "message": first["id"]}
        copy = self.bob.call("chat.send", chat=other, client_id="f", forward=forward)
        link = self.link(self.bob, first["id"])
        self.alice.call("message.delete", chat=self.chat, message=first["id"])
        self.assertEqual(self.fetch(link).code, "not_found")
        self.assertRaises(Refused, self.link, self.bob, first["id"])
        self.assertTidy(blobs=1)
        self.bob.call("message.delete", chat=other, message=copy["id"])
        self.assertTidy()
        self.assertEqual(self.alice.call("file.quota")["quota"]["used"], 0)

    def test_quota(self) -> None:
        """What others have forwarded counts for its owner while that one has it, and for them afterwards."""
        carol = self.world.register("carol")
        other = self.world.befriend(self.bob, carol)
        third = self.world.befriend(self.alice, carol)
        file = self.upload(b"x" * 1000)
        messages = [self.send(self.body(file, 1000), chat=chat)["id"] for chat in (self.chat, third)]
        copy = self.send(self.body(file, 1000), self.bob, other)["id"]

        def used() -> tuple[int, ...]:
            clients = (self.alice, self.bob, carol)
            return tuple(client.call("file.quota")["quota"]["used"] for client in clients)

        self.assertEqual(used(), (1000, 0, 0))
        self.alice.call("message.delete", chat=self.chat, message=messages[0])
        self.assertEqual(used(), (1000, 0, 0))
        self.alice.call("message.delete", chat=third, message=messages[1])
        self.assertEqual(used(), (0, 1000, 0))
        self.assertTidy(blobs=1)
        self.bob.call("message.delete", chat=other, message=copy)
        self.assertEqual(used(), (0, 0, 0))
        self.assertTidy()

    def test_edited(self) -> None:
        """What is said of a file can be changed, and nothing else of it."""
        file = self.upload(b"12345")
        message = self.send(self.body(file, 5, caption="look"))
        better = self.body(file, 5, caption="see")
        self.alice.call("message.edit", chat=self.chat, message=message["id"], body=better)
        [told] = self.bob.call("chat.history", chat=self.chat)["messages"]
        self.assertEqual(told["body"]["caption"], "see")
        for words, kept in (({"kind": "text", "text": "hear"}, "hear"), (self.body(file, 5), None)):
            self.alice.call("message.edit", chat=self.chat, message=message["id"], body=words)
            [told] = self.bob.call("chat.history", chat=self.chat)["messages"]
            self.assertEqual((told["body"]["kind"], told["body"].get("caption")), ("file", kept))
            self.assertEqual(told["body"], self.body(file, 5) | ({} if kept is None else {"caption": kept}))
        for wrong in (better | {"name": "other"}, better | {"size": 6}, {"kind": "poll", "text": "no"}):
            error = self.assertRaises(
                Refused, self.alice.call, "message.edit", chat=self.chat, message=message["id"], body=wrong
            )
            self.assertEqual(error.code, "not_editable")
        self.assertEqual(self.fetch(self.link(self.bob, message["id"])).body, b"12345")

    def test_answer(self) -> None:
        """A file can answer a message."""
        text = self.bob.write(self.chat, "send it")
        body = self.body(self.upload(b"12345"), 5)
        params = {"chat": self.chat, "client_id": "r", "body": body, "reply_to": text["id"]}
        sent = self.alice.call("chat.send", **params)
        self.assertEqual(self.alice.call("chat.send", **params), sent)
        self.assertEqual(self.fetch(self.link(self.bob, sent["id"])).body, b"12345")

    def test_lying_forward(self) -> None:
        """Whoever forwards can say nothing else of a file than what it is."""
        carol = self.world.register("carol")
        other = self.world.befriend(self.bob, carol)
        file = self.upload(b"12345")
        self.send(self.body(file, 5))
        self.assertEqual(self.code(self.body(file, 6), self.bob, other), "file_mismatch")
        self.assertEqual(self.code(self.body(file, 5, "text/html"), self.bob, other), "file_mismatch")

    def test_support(self) -> None:
        """Support takes no files, and nor does the node's own chat."""
        support = self.world.domain.registry.support_chat(self.alice.account)  # type: ignore[arg-type]
        file = self.upload(b"12345")
        self.assertEqual(self.code(self.body(file, 5), chat=support), "invalid_params")
        self.assertEqual(self.assertRaises(Refused, self.ticket, chat=support).code, "invalid_params")
        system = self.world.domain.registry.system_chat(self.alice.account)  # type: ignore[arg-type]
        self.assertEqual(self.code(self.body(file, 5), chat=system), "not_a_contact")

    def test_own_chat(self) -> None:
        """One may keep files for oneself, and move them on from there."""
        own = self.world.domain.registry.self_chat(self.alice.account)  # type: ignore[arg-type]
        file = self.upload(b"12345", chat=own)
        self.send(self.body(file, 5), chat=own)
        moved = self.send(self.body(file, 5))
        self.assertEqual(self.fetch(self.link(self.bob, moved["id"])).body, b"12345")

    def test_after_the_contact(self) -> None:
        """A chat in which nothing can be written takes no file, and keeps those that are there."""
        message = self.sent(b"12345")
        file = self.upload(b"67890")
        self.bob.call("contact.remove", account=self.alice.account)
        self.assertEqual(self.code(self.body(file, 5)), "not_a_contact")
        self.assertEqual(self.fetch(self.link(self.bob, message["id"])).body, b"12345")

    def test_erased_upto(self) -> None:
        """All up to a message goes with what is being uploaded; what comes after it stays."""
        first, second = self.sent(b"1"), self.sent(b"2")
        self.create(100)
        position = self.world.vault.cursors.decode(first["id"])
        blind = self.world.vault.blinder.chat(self.chat)  # type: ignore[arg-type]
        self.transact(lambda c: erasure.erase_past(c, blind, position, 1))
        self.assertRaises(Refused, self.link, self.bob, first["id"])
        while self.transact(lambda c: erasure.sweep(c, 10, 0)):
            pass
        self.assertEqual(self.fetch(self.link(self.bob, second["id"])).body, b"2")
        self.assertTidy(blobs=1)
        self.transact(lambda c: files.drop_chat(c, blind))
        self.assertTidy()

    def transact(self, fn: Any) -> Any:
        return self.successResultOf(self.world.database.transact(fn))

    def drop(self, chat: str, message: str) -> None:
        position = self.world.vault.cursors.decode(message)
        self.transact(lambda c: drop(c, self.world.vault.blinder.chat(chat), [position]))  # type: ignore[arg-type]
