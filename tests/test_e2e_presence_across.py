"""Who is there, and who types, at two nodes that are processes of their own, over TLS."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.certificates import Authority
from tests.e2e.node_process import NodeProcess
from tests.e2e.people import resume, sign_up
from tests.e2e.wire import RawClient
from tests.test_e2e_people_across import standing


def state(client: RawClient, account: str) -> dict[str, Any]:
    """The next that is told of an account's presence."""
    while True:
        for change in client.event("presence.changed")["changes"]:
            if change["account"] == account:
                return dict(change)


class PresenceAcrossTests(SynchronousTestCase):
    def setUp(self) -> None:
        authority = Authority()
        self.a, self.b = NodeProcess(authority=authority), NodeProcess(authority=authority)
        for node in (self.a, self.b):
            self.addCleanup(node.close)
            node.start()

    def test_seen_and_heard(self) -> None:
        """They see each other come, type, hide and go, and again after a node was killed."""
        _, ada = sign_up(self.a, "ada")
        person, ben = sign_up(self.b, "ben")
        ada.call("contact.request", account=person.account, address=f"ben@{self.b.name}")
        asking = standing(ben, "incoming")["account"]
        ben.call("contact.accept", account=asking)
        chat = standing(ada, "accepted")["chat"]
        self.assertEqual(state(ada, person.account)["state"], "online")
        self.assertEqual(state(ben, asking)["state"], "online")
        ben.call("chat.typing", chat=chat)
        typing = ada.event("chat.typing")
        self.assertEqual((typing["account"], typing["active"]), (person.account, True))
        for hide, seen in ((True, "unknown"), (False, "online")):
            ben.call("account.privacy", hide_presence=hide)
            self.assertEqual(state(ada, person.account)["state"], seen)
        ben.close()
        gone = state(ada, person.account)
        self.assertEqual((gone["state"], gone["last_seen"] % 60_000), ("offline", 0))
        self.b.kill()
        self.b.start()
        ben = resume(self.b, person, person.cursor)
        self.assertEqual(state(ben, asking)["state"], "online")
        self.assertEqual(state(ada, person.account)["state"], "online")
        ada.close()
        self.assertEqual(state(ben, asking)["state"], "offline")
        ben.close()
