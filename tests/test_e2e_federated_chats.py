"""Two people at two nodes, each a process of its own: they become contacts and talk, whatever is killed."""

import time
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.certificates import Authority
from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.e2e.people import history, resume, sign_up
from tests.e2e.wire import RawClient


class FederatedChatTests(SynchronousTestCase):
    """Ann is at one node, Ben at the other."""

    def setUp(self) -> None:
        authority = Authority()
        self.nodes = NodeProcess(authority=authority), NodeProcess(authority=authority)
        for node in self.nodes:
            self.addCleanup(node.close)
            node.start()
        self.ann, self.at_ann = sign_up(self.nodes[0], "ann")
        self.ben, self.at_ben = sign_up(self.nodes[1], "ben")
        self.at_ann.call("contact.request", account=self.ben.account, address=self.ben.address)
        self._state(self.at_ben, "incoming")
        self.at_ben.call("contact.accept", account=self.ann.account)
        self.chat: str = self._state(self.at_ann, "accepted")["chat"]

    def tearDown(self) -> None:
        self.at_ann.close()
        self.at_ben.close()

    def _state(self, client: RawClient, state: str) -> dict[str, Any]:
        while True:
            contact: dict[str, Any] = client.event("contact.changed")["contact"]
            if contact["state"] == state:
                return contact

    def _say(self, client: RawClient, text: str, **more: Any) -> str:
        body = {"kind": "text", "text": text}
        return str(client.call("chat.send", chat=self.chat, client_id=text, body=body, **more)["id"])

    def _heard(self, client: RawClient, sender: str) -> dict[str, Any]:
        while True:
            message = client.event("chat.message")
            if message["sender"] == sender and message["body"]["kind"] != "login_alert":
                return message

    def _seen(self, client: RawClient) -> list[tuple[str, str]]:
        """Who wrote what, those of each in their order."""
        page = history(client, self.chat)
        return sorted(
            ((m["sender"], m["body"].get("text", m["body"]["kind"])) for m in page), key=lambda each: each[0]
        )

    def _agree(self) -> None:
        """Both come to see the same."""
        deadline = time.monotonic() + PATIENCE
        while (seen := self._seen(self.at_ann)) != self._seen(self.at_ben):
            self.assertLess(time.monotonic(), deadline, "they never see the same")
            time.sleep(0.05)
        self.seen = seen

    def test_talk(self) -> None:
        """A text, an answer, a receipt, an edit, a reaction and a deletion."""
        first = self._say(self.at_ann, "hi")
        copy = self._heard(self.at_ben, self.ann.account)
        self.assertEqual(copy["origin"], first)
        self._say(self.at_ben, "ho", reply_to=copy["id"])
        answer = self._heard(self.at_ann, self.ben.account)
        self.assertEqual(answer["reply_to"], first)
        self.at_ben.call("chat.read", chat=self.chat, upto=copy["id"])
        while self.at_ann.event("chat.receipt")["read"] != first:
            pass
        about = {"chat": self.chat, "message": first}
        self.at_ann.call("message.edit", **about, body={"kind": "text", "text": "hello"})
        self.assertEqual(self.at_ben.event("chat.changed")["message"]["body"]["text"], "hello")
        self.at_ben.call("message.react", chat=self.chat, message=copy["id"], emoji="👍")
        while not (changed := self.at_ann.event("chat.changed")["message"]).get("reactions"):
            pass
        self.assertEqual((changed["id"], changed["reactions"]), (first, [{"emoji": "👍", "count": 1}]))
        self.at_ann.call("message.delete", **about)
        while (body := self.at_ben.event("chat.changed")["message"]["body"])["kind"] != "deleted":
            pass
        self.assertEqual(body["by"], self.ann.account)

    def test_killed(self) -> None:
        """Both write while now one node is killed, now the other: all is there, once, in each one's order."""
        for round in range(4):
            for number in range(50):
                self._say(self.at_ann, f"ann {round * 50 + number:03}")
                self._say(self.at_ben, f"ben {round * 50 + number:03}")
            victim = self.nodes[round % 2]
            victim.kill()
            (self.at_ann, self.at_ben)[round % 2].close()
            alive, name = ((self.at_ben, "ben"), (self.at_ann, "ann"))[round % 2]
            self._say(alive, f"{name} {round * 50 + 49:03} alone")
            victim.start()
            if round % 2:
                self.at_ben = resume(self.nodes[1], self.ben)
            else:
                self.at_ann = resume(self.nodes[0], self.ann)
        self._agree()
        for person in (self.ann, self.ben):
            said = [words for sender, words in self.seen if sender == person.account]
            self.assertEqual(len(said), 202)
            self.assertEqual(said, sorted(said))
