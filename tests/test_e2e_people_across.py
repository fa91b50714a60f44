"""Two people at two nodes that are processes of their own, over TLS, with one of them killed in between."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.certificates import Authority
from tests.e2e.node_process import NodeProcess
from tests.e2e.people import resume, sign_up
from tests.e2e.wire import RawClient


def standing(client: RawClient, state: str) -> dict[str, Any]:
    """The contact, once its state is this."""
    while True:
        contact: dict[str, Any] = client.event("contact.changed")["contact"]
        if contact["state"] == state:
            return contact


class AcrossTests(SynchronousTestCase):
    def setUp(self) -> None:
        authority = Authority()
        self.a, self.b = NodeProcess(authority=authority), NodeProcess(authority=authority)
        for node in (self.a, self.b):
            self.addCleanup(node.close)
            node.start()

    def test_found_asked_written(self) -> None:
        """They find each other, agree while one node was killed, write, part, and one closes the account."""
        _, ada = sign_up(self.a, "ada")
        person, ben = sign_up(self.b, "ben")
        address = f"ben@{self.b.name}"
        found = ada.call("contact.find", address=address)
        self.assertEqual(found, {"account": person.account, "address": address})
        ben.call("profile.set", profile={"display_name": "Ben"})
        ben.close()
        self.b.kill()
        ada.call("contact.request", account=person.account, address=address)
        self.b.start()
        ben = resume(self.b, person, person.cursor)
        asking = standing(ben, "incoming")
        self.assertEqual(asking["address"], f"ada@{self.a.name}")
        ben.call("contact.accept", account=asking["account"])
        chat = standing(ada, "accepted")["chat"]
        self.assertEqual(ada.event("profile.changed")["profile"]["display_name"], "Ben")
        for one, other, text in ((ada, ben, "hello"), (ben, ada, "hello you")):
            body = {"kind": "text", "text": text}
            one.call("chat.send", chat=chat, client_id=text, body=body)
            self.assertEqual(other.event("chat.message")["body"], body)
        ben.call("account.pin.set", password="correct horse battery staple", pin="284716")
        ben.call("session.block", pin="284716")
        self.assertEqual(standing(ada, "closed")["chat"], chat)
        ada.close()
