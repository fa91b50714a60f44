"""Files in groups across nodes: had from the node of their author, by whoever may see the message."""

import os
from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.protocol.federation.files import FetchFile
from tests.across_case import befriend_across
from tests.file_case import OCTETS, Answer
from tests.files_across_case import short
from tests.files_groups_case import FilesGroupsCase
from tests.groups_across_case import A, B, C
from tests.nodes import MemoryBody
from tests.world import Refused


class FetchingTests(FilesGroupsCase):
    def test_everybody(self) -> None:
        """From the hub and from elsewhere: all have it, each node fetches it once, from the author's."""
        for author in (self.alice, self.bob):
            octets = os.urandom(200_000)
            self.post(author, octets, caption="look")
            self.nodes.fetched.clear()
            for client in self.everybody:
                message = self.last(client)
                self.assertEqual((message["sender"], message["body"]["caption"]), (author.account, "look"))
                self.assertEqual(self.fetch(client, message["id"]).body, octets)
            self.assertEqual(len(self.nodes.fetched), 2)
            home = author.account.partition(":")[2]
            self.assertEqual(
                {asked.reader.partition(":")[2] for asked in self.nodes.fetched}, {A, B, C} - {home}
            )
        files = {self.last(client)["body"]["file"] for client in (self.alice, self.bob, self.carol)}
        self.assertEqual(len(files), 3)

    def test_away(self) -> None:
        """While the author's node is away it is not to be had anew; the hub is not needed."""
        octets = os.urandom(200_000)
        self.post(self.bob, octets)
        self.nodes.away.add(A)
        self.assertEqual(self.fetch(self.carol, self.last(self.carol)["id"]).body, octets)
        self.nodes.away = {B}
        answer = self.fetch(self.amy, self.last(self.amy)["id"])
        self.assertEqual((answer.status, answer.code), (502, "node_unreachable"))
        self.assertEqual(self.fetch(self.carol, self.last(self.carol)["id"]).body, octets)
        self.nodes.away.clear()
        self.assertEqual(self.fetch(self.amy, self.last(self.amy)["id"]).body, octets)

    def test_goes_on(self) -> None:
        """What came before it broke is kept, over a restart too; another one asks for the rest alone."""
        octets = os.urandom(500_000)
        self.post(self.carol, octets)
        self.nodes.bodies = short(300_000)
        self.fetch(self.bob, self.last(self.bob)["id"])
        self.nodes.restart(B)
        self.bob, self.ben = self.back(self.bob), self.back(self.ben)
        self.nodes.bodies = MemoryBody
        self.assertEqual(self.fetch(self.ben, self.last(self.ben)["id"]).body, octets)
        *before, last = [(each.reader, each.offset > 0) for each in self.nodes.fetched]
        self.assertEqual(before[0], (self.bob.account, False))
        self.assertEqual(last, (self.ben.account, True))

    def test_readers(self) -> None:
        """Who began to fetch it is removed, which his node has not heard: another one asks for himself."""
        octets = os.urandom(300_000)
        self.post(self.alice, octets)
        message = self.last(self.ben)["id"]
        self.hold(B)
        self.come(self.alice, "group.remove", chat=self.chat, account=self.bob.account)
        peers, waiting = self.nodes.peers[B], list[Any]()
        fetch = peers.fetch

        def slowly(node: str, file: FetchFile) -> Any:
            asked: Deferred[None] = Deferred()
            waiting.append(asked)
            return asked.addCallback(lambda _: fetch(node, file))

        self.patch(peers, "fetch", slowly)
        connections = [self.begun(client, message) for client in (self.bob, self.ben)]
        while waiting:
            waiting.pop().callback(None)
        answers = [Answer(connection.sent()) for connection in connections]
        self.assertEqual((answers[0].code, answers[1].body), ("not_found", octets))
        self.assertEqual([each.reader for each in self.nodes.fetched], [self.bob.account, self.ben.account])
        self.assertEqual(len(self.nodes[B].domain.files.copies), 0)
        self.assertEqual(self.nodes[B].domain.files.means.slots.total, 0)
        self.release()

    def test_caption(self) -> None:
        """It is edited from elsewhere; the file is the same everywhere."""
        octets = b"octets"
        self.post(self.bob, octets, caption="one")
        before = {client.account: self.last(client)["body"]["file"] for client in self.everybody}
        body = {"kind": "text", "text": "two"}
        self.come(self.bob, "message.edit", chat=self.chat, message=self.last(self.bob)["id"], body=body)
        mine = self.last(self.bob)
        self.assertEqual(mine["body"]["caption"], "two")
        whole = {**mine["body"], "caption": "three"}
        self.come(self.bob, "message.edit", chat=self.chat, message=mine["id"], body=whole)
        for client in self.everybody:
            message = self.last(client)
            self.assertEqual(message["body"]["caption"], "three")
            self.assertEqual(message["body"]["file"], before[client.account])
            self.assertEqual(self.fetch(client, message["id"]).body, octets)

    def test_disk(self) -> None:
        """Tables and the store of a copy show nothing of a file."""
        self.post(self.bob, b"find me" * 9)
        self.fetch(self.carol, self.last(self.carol)["id"])
        kept = b"".join(bytes(each) for each in self.nodes[C].store.written.values())
        tables = ("files", "fetched", "blobs", "events")
        rows = str([self.table(C, table) for table in tables]).encode()
        for told in (b"find me", B.encode(), b"notes.txt", self.bob.account.encode()):
            self.assertNotIn(told, kept)
            self.assertNotIn(told, rows)


class RightsTests(FilesGroupsCase):
    """Whom the author's node gives it to."""

    def test_no_member(self) -> None:
        """Nobody who is none has it, nor a node in the name of another one's account."""
        octets = b"octets"
        for sender, origin in ((self.alice, A), (self.bob, B)):
            self.post(sender, octets)
            asked = self.ask(C, origin, self.carol, octets, sender)
            self.assertTrue(self.lent(origin, C, asked))
            self.assertFalse(self.lent(origin, "d.example", asked))
            dan = self.nodes[C].register(f"dan{origin[0]}")
            name, file = asked.message, asked.file
            for reader, node in ((dan, C), (self.carol, B), (self.bob, C), (self.alice, C)):
                wrong = FetchFile(self.chat, name, reader.account, file, len(octets), OCTETS)
                self.assertFalse(self.lent(origin, node, wrong), (origin, reader.account))
            more = FetchFile(self.chat, name, self.carol.account, file, len(octets) + 1, OCTETS)
            self.assertFalse(self.lent(origin, C, more))

    def test_not_from_others(self) -> None:
        """Neither the hub nor another copy passes on what somebody else's account has sent."""
        octets = b"octets"
        self.post(self.bob, octets)
        for other, reader, node in ((A, self.carol, C), (C, self.alice, A)):
            there = self.alice if other == A else self.carol
            self.fetch(there, self.last(there)["id"])
            for name in (self.last(there)["id"], self.last(there)["origin"], self.last(self.bob)["id"]):
                file = self.last(there)["body"]["file"]
                asked = FetchFile(self.chat, name, reader.account, file, len(octets), OCTETS)
                self.assertFalse(self.lent(other, node, asked))
        self.come(self.bob, "group.leave", chat=self.chat)  # what he has sent is none of the hub's either
        file, name = self.last(self.alice)["body"]["file"], self.last(self.alice)["id"]
        asked = FetchFile(self.chat, name, self.carol.account, file, len(octets), OCTETS)
        self.assertFalse(self.lent(A, C, asked))

    def test_removed(self) -> None:
        """Carol is removed: both nodes refuse hers, as soon as they are told."""
        octets = b"octets"
        questions = []
        for sender, origin in ((self.alice, A), (self.bob, B)):
            self.post(sender, octets)
            questions.append((origin, self.ask(C, origin, self.carol, octets, sender)))
        for origin, asked in questions:
            self.assertTrue(self.lent(origin, C, asked))
        self.come(self.alice, "group.remove", chat=self.chat, account=self.carol.account)
        for origin, asked in questions:
            self.assertFalse(self.lent(origin, C, asked), origin)
        self.tidy(self.carol)
        self.assertEqual(dict(self.nodes[C].store.written), {})
        self.assertRaises(Refused, self.link, self.carol, questions[0][1].message)

    def test_came_later(self) -> None:
        """Dan comes later, and does not see what was written before: nor has he its file from any node."""
        octets = b"octets"
        dan = self.nodes[C].register("dan")
        self.befriend(self.alice, dan)
        questions = []
        for sender, origin in ((self.alice, A), (self.bob, B)):
            self.post(sender, octets)
            asked = self.ask(C, origin, self.carol, octets, sender)
            parts = (asked.chat, asked.message, dan.account, asked.file, asked.size, asked.type)
            questions.append((origin, FetchFile(*parts)))
        self.come(self.alice, "group.invite", chat=self.chat, accounts=[dan.account])
        self.come(dan, "group.accept", chat=self.chat)
        for origin, asked in questions:
            self.assertFalse(self.lent(origin, C, asked), origin)
        for sender in (self.alice, self.bob):
            self.post(sender, octets)
            self.assertEqual(self.fetch(dan, self.last(dan)["id"]).body, octets)

    def test_came_later_and_sees(self) -> None:
        """In a group that shows what was there before, he has it, and a node that comes later as well."""
        octets = os.urandom(100_000)
        chat = self.chat = self.group(self.bob, name="Open", earlier=True)
        self.post(self.bob, octets)
        self.post(self.alice, octets)
        for newcomer in (self.carol, self.ben):
            self.come(self.alice, "group.invite", chat=chat, accounts=[newcomer.account])
            self.come(newcomer, "group.accept", chat=chat)
            page = newcomer.call("chat.history", chat=chat, limit=200)["messages"]
            sent = [m["id"] for m in page if m["body"]["kind"] == "file"]
            self.assertEqual(len(sent), 2)
            for message in sent:
                self.assertEqual(self.fetch(newcomer, message).body, octets)

    def test_left_and_back(self) -> None:
        """Who left, and came again, has nothing of before."""
        octets = b"octets"
        self.post(self.bob, octets)
        asked = self.ask(C, B, self.carol, octets, self.bob)
        self.come(self.carol, "group.leave", chat=self.chat)
        self.assertFalse(self.lent(B, C, asked))
        self.come(self.alice, "group.invite", chat=self.chat, accounts=[self.carol.account])
        self.come(self.carol, "group.accept", chat=self.chat)
        self.assertFalse(self.lent(B, C, asked))


class ForwardingTests(FilesGroupsCase):
    def test_out(self) -> None:
        """Bob passes it on to somebody of another node, who has it through Bob's, as Bob may have it."""
        dan = self.nodes[C].register("dan")
        other = befriend_across(self.bob, dan)
        octets = os.urandom(100_000)
        self.post(self.alice, octets)
        self.copied(self.bob, self.last(self.bob)["id"], other, self.chat)
        [copy] = dan.call("chat.history", chat=other)["messages"]
        self.assertEqual(self.fetch(dan, copy["id"], other).body, octets)
        self.assertEqual([each.reader for each in self.nodes.fetched], [dan.account, self.bob.account])

    def test_into(self) -> None:
        """Bob passes into the group what he has from elsewhere; all have it from his node."""
        octets = os.urandom(100_000)
        other = self.nodes[B].befriend(self.bob, self.ben)
        sent = self.send(self.ben, self.body(self.upload(self.ben, other, octets), octets), other)
        answer = self.copied(self.bob, sent, self.chat, other)
        self.assertEqual(answer["id"], self.last(self.bob)["id"])
        for client in self.everybody:
            self.assertEqual(self.fetch(client, self.last(client)["id"]).body, octets)

    def test_within(self) -> None:
        """Bob sends once more what Alice has sent: it is a message of his, and outlives hers."""
        octets = os.urandom(100_000)
        self.post(self.alice, octets)
        first = self.last(self.alice)["id"]
        self.copied(self.bob, self.last(self.bob)["id"], self.chat, self.chat)
        self.assertEqual(self.fetch(self.carol, self.last(self.carol)["id"]).body, octets)
        self.come(self.alice, "message.delete", chat=self.chat, message=first)
        for client in self.everybody:
            self.assertEqual(self.fetch(client, self.last(client)["id"]).body, octets)

    def test_not_seen(self) -> None:
        """Somebody who is not in the group cannot send it by its id."""
        self.post(self.alice, b"octets")
        body = self.last(self.bob)["body"]
        dan = self.nodes[B].register("dan")
        other = self.nodes[B].befriend(self.bob, dan)
        refused = self.assertRaises(Refused, self.send, dan, body, other)
        self.assertEqual(refused.code, "not_found")
