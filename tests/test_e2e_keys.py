"""Public keys over two nodes, each a process of its own, which are killed: no alarm without a cause."""

import time
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.certificates import Authority
from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.e2e.people import Person, another_device, resume, sign_up
from tests.e2e.wire import RawClient, Refused
from tests.keys_case import Pair

UNIQUE, OTHER = Pair(1), Pair(2)


class KilledTests(SynchronousTestCase):
    """Ann is at one node, Ben at the other, and so is Cay, who knows Ben as well."""

    def setUp(self) -> None:
        authority = Authority()
        self.nodes = NodeProcess(authority=authority), NodeProcess(authority=authority)
        for node in self.nodes:
            self.addCleanup(node.close)
            node.start()
        self.ann, self.at_ann = sign_up(self.nodes[0], "ann")
        self.ben, self.at_ben = sign_up(self.nodes[1], "ben")
        self.cay, self.at_cay = sign_up(self.nodes[1], "cay")
        for person, client in ((self.ann, self.at_ann), (self.cay, self.at_cay)):
            self.at_ben.call("contact.request", account=person.account, address=person.address)
            self._until(client, "incoming")
            client.call("contact.accept", account=self.ben.account)
            self._until(self.at_ben, "accepted")

    def tearDown(self) -> None:
        for client in (self.at_ann, self.at_ben, self.at_cay):
            client.close()

    def _until(self, client: RawClient, state: str) -> None:
        while client.event("contact.changed")["contact"]["state"] != state:
            pass

    def _publish(self, client: RawClient, pair: Pair, replaces: Pair | None = None) -> None:
        hash = None if replaces is None else replaces.hash
        client.call("keys.publish", identity=pair.identity(self.ben.account), replaces=hash)

    def _keys(self, client: RawClient) -> dict[str, Any]:
        found: dict[str, Any] = client.call("keys.query", accounts=[self.ben.account])["keys"][0]
        return found

    def _available(self, client: RawClient, pair: Pair) -> None:
        """Sooner or later the keys are there again."""
        deadline = time.monotonic() + PATIENCE
        while (found := self._keys(client)).get("unavailable"):
            self.assertLess(time.monotonic(), deadline, "they never come back")
            self.assertEqual(found.get("hash", pair.hash), pair.hash)
            time.sleep(0.5)
        self.assertEqual(found["identity"]["sign"], pair.sign)

    def _alarms(self, node: NodeProcess, person: Person) -> list[tuple[str, str]]:
        """What a device of somebody hears that was away since the beginning."""
        with resume(node, person, since=person.cursor) as client:
            told = []
            while (event := client.read())["method"] != "session.synced":
                if event["method"] == "keys.changed":
                    told.append((event["params"]["before"], event["params"]["after"]))
            return told

    def test_kill(self) -> None:
        """Publishing again after a kill alarms nobody; keys of somebody else do, everybody."""
        people = zip(self.nodes, (self.ann, self.cay), strict=True)
        away = {node: another_device(node, person) for node, person in people}
        self._publish(self.at_ben, UNIQUE)
        for client in (self.at_ann, self.at_cay):
            self.assertEqual(self._keys(client)["identity"]["sign"], UNIQUE.sign)
        for node in self.nodes:
            node.kill()
            node.start()
        for client in (self.at_ann, self.at_ben, self.at_cay):
            client.close()
        self.at_ann, self.at_cay = resume(self.nodes[0], self.ann), resume(self.nodes[1], self.cay)
        for client in (self.at_ann, self.at_cay):
            found = self._keys(client)
            self.assertEqual((found["hash"], found["unavailable"]), (UNIQUE.hash, True))
        self.at_ben = resume(self.nodes[1], self.ben)
        self._publish(self.at_ben, UNIQUE)
        for client in (self.at_ann, self.at_cay):
            self._available(client, UNIQUE)
        for node, device in away.items():
            self.assertEqual(self._alarms(node, device), [])
        # Somebody who has got hold of Ben's device, and not of his passphrase.
        refused = self.assertRaises(Refused, self._publish, self.at_ben, OTHER)
        self.assertEqual(refused.code, "key_mismatch")
        self._publish(self.at_ben, OTHER, replaces=UNIQUE)
        self.nodes[1].kill()
        self.nodes[1].start()
        self.assertEqual(self.at_ann.event("keys.changed")["after"], OTHER.hash)
        for node, device in away.items():
            self.assertEqual(self._alarms(node, device), [(UNIQUE.hash, OTHER.hash)])
