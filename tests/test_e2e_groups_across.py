"""A group whose members are at three nodes, each a process of its own: invited, talking, killed, and left."""

import time
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.certificates import Authority
from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.e2e.people import history, resume, sign_up
from tests.e2e.relay import until
from tests.e2e.wire import RawClient


class AcrossCase(SynchronousTestCase):
    """Ann has a group at her node; Ben and Cat are at two others."""

    def setUp(self) -> None:
        authority = Authority()
        self.nodes = [NodeProcess(authority=authority) for _ in range(3)]
        for node in self.nodes:
            self.addCleanup(node.close)
            node.start()
        self.people = []
        self.clients: list[RawClient] = []
        for node, name in zip(self.nodes, ("ann", "ben", "cat"), strict=True):
            person, client = sign_up(node, name)
            self.people.append(person)
            self.clients.append(client)
        ann = self.clients[0]
        for other, client in zip(self.people[1:], self.clients[1:], strict=True):
            ann.call("contact.request", account=other.account, address=other.address)
            self._state(client, "incoming")
            client.call("contact.accept", account=self.people[0].account)
            self._state(ann, "accepted")
        invited = [person.account for person in self.people[1:]]
        made = ann.call("group.create", client_id="1", name="Walks", invite=invited)
        self.assertEqual(made["refused"], [])
        self.chat: str = made["chat"]["chat"]
        for client in self.clients[1:]:
            self.assertEqual(client.event("group.invited")["invitation"]["chat"], self.chat)
            client.call("group.accept", chat=self.chat)
            while client.event("chat.updated")["chat"]["chat"] != self.chat:
                pass

    def tearDown(self) -> None:
        for client in self.clients:
            client.close()

    def _state(self, client: RawClient, state: str) -> None:
        while client.event("contact.changed")["contact"]["state"] != state:
            pass

    def _say(self, client: RawClient, text: str) -> None:
        body = {"kind": "text", "text": text}
        client.call("chat.send", chat=self.chat, client_id=text, body=body)

    def _seen(self, client: RawClient) -> list[Any]:
        """The messages, without what differs from node to node."""
        page = history(client, self.chat)
        return [(None if m["body"]["kind"] == "notice" else m["sender"], m["at"], m["body"]) for m in page]

    def _agree(self, *clients: RawClient, members: int) -> None:
        """All come to see the same, and so many members."""
        deadline = time.monotonic() + PATIENCE
        while True:
            seen = [self._seen(client) for client in clients]
            shortest = min(map(len, seen))
            counts = {len(client.call("group.members", chat=self.chat)["members"]) for client in clients}
            if shortest and len({str(each[-shortest:]) for each in seen}) == 1 and counts == {members}:
                return
            self.assertLess(time.monotonic(), deadline, "they never see the same")
            time.sleep(0.05)


class GroupAcrossTests(AcrossCase):
    """What becomes of the group."""

    def test_life(self) -> None:
        """Through kills of the hub and of a member's node; then all but one leave."""
        ann, ben, cat = self.clients
        self._say(ann, "hello")
        self._agree(ann, ben, cat, members=3)
        ann.call("group.role", chat=self.chat, account=self.people[1].account, role="admin")
        for number in range(50):
            self._say(ann, f"word {number}")
            if number == 20:
                self.nodes[1].kill()
                ben.close()
            if number == 30:
                self.nodes[0].kill()
                ann.close()
                self.nodes[0].start()
                ann = self.clients[0] = resume(self.nodes[0], self.people[0])
        self.nodes[1].start()
        ben = self.clients[1] = resume(self.nodes[1], self.people[1])
        self._agree(ann, ben, cat, members=3)
        said = ["hello", *(f"word {number}" for number in range(50))]
        for client in (ann, ben, cat):
            texts = [body["text"] for _, _, body in self._seen(client) if body["kind"] == "text"]
            self.assertEqual(texts, said)
        ben.call("group.set", chat=self.chat, name="Hikes")
        while cat.event("chat.updated")["chat"]["group"]["name"] != "Hikes":
            pass
        self._agree(ann, ben, cat, members=3)
        cat.call("group.leave", chat=self.chat)
        self._agree(ann, ben, members=2)
        ann.call("group.leave", chat=self.chat)
        self._agree(ben, members=1)
        # Who has left is told before whose the group is now.
        until(lambda: self._members(ben) == [(self.people[1].account, "owner")])

    def _members(self, client: RawClient) -> list[tuple[str, str]]:
        found = client.call("group.members", chat=self.chat)["members"]
        return [(entry["account"], entry["role"]) for entry in found]


class PostTests(AcrossCase):
    """What is written into it from everywhere."""

    def test_posts(self) -> None:
        """Everybody writes while nodes are killed: the order is one, and nothing is lost, or there twice."""
        ann, ben, cat = self.clients
        for number in range(10):
            for client, name in ((ann, "ann"), (ben, "ben"), (cat, "cat")):
                self._say(client, f"{name} {number}")
        self._agree(ann, ben, cat, members=3)
        self.assertEqual(len(self._texts(cat)), 30)
        self.nodes[0].kill()
        ann.close()
        for number in range(10, 15):
            for client, name in ((ben, "ben"), (cat, "cat")):
                body = {"kind": "text", "text": f"{name} {number}"}
                sent = client.call("chat.send", chat=self.chat, client_id=f"{name} {number}", body=body)
                self.assertTrue(sent["waiting"], number)
        waiting = ben.call("chat.history", chat=self.chat)["waiting"]
        self.assertEqual([m["body"]["text"] for m in waiting], [f"ben {n}" for n in range(10, 15)])
        self.nodes[1].kill()  # what waits is on disk
        ben.close()
        self.nodes[1].start()
        ben = self.clients[1] = resume(self.nodes[1], self.people[1])
        self.nodes[0].start()
        ann = self.clients[0] = resume(self.nodes[0], self.people[0])
        self._until(lambda: len(self._texts(ann)) == 40 and len(self._texts(cat)) == 40)
        self._agree(ann, ben, cat, members=3)
        for name, most in (("ann", 10), ("ben", 15), ("cat", 15)):
            mine = [words for words in self._texts(cat) if words.startswith(name)]
            self.assertEqual(mine, [f"{name} {number}" for number in range(most)])
        self.assertNotIn("waiting", ben.call("chat.history", chat=self.chat))
        self._changes(ben, cat)
        self._agree(ann, ben, cat, members=3)

    def _changes(self, ben: RawClient, cat: RawClient) -> None:
        """An edit, a reaction and a deletion, each from a node that does not order the group."""
        page = {m["body"].get("text"): m["id"] for m in history(ben, self.chat)}
        edited = {"kind": "text", "text": "edited"}
        about = {"chat": self.chat, "message": page["ben 3"]}
        self.assertEqual(ben.call("message.edit", **about, body=edited), {})
        self.assertEqual(ben.call("message.delete", chat=self.chat, message=page["ben 4"]), {})
        self._until(lambda: "edited" in self._texts(cat) and "ben 4" not in self._texts(cat))
        [theirs] = [m["id"] for m in history(cat, self.chat) if m["body"].get("text") == "edited"]
        self.assertEqual(cat.call("message.react", chat=self.chat, message=theirs, emoji="👍"), {})
        self._until(lambda: any("reactions" in m for m in history(ben, self.chat)))

    def _texts(self, client: RawClient) -> list[str]:
        return [m["body"]["text"] for m in history(client, self.chat) if m["body"]["kind"] == "text"]

    def _until(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not happened():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
