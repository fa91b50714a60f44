"""A hostile peer over real sockets, and two real nodes: what it costs is bounded, and the other goes on."""

import threading
import time

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.federation_wire import NodeRow, NodeRows
from tests.certificates import Authority
from tests.e2e import hostile_peer
from tests.e2e.hostile_peer import HostilePeer
from tests.test_e2e_federation import Node, until

MANNERS = (
    hostile_peer.silent,
    hostile_peer.endless,
    hostile_peer.dripping,
    hostile_peer.garbage,
    hostile_peer.lying,
    hostile_peer.rewinding,
    hostile_peer.hanging_up,
)
TEXTS = 100
MOST_REQUESTS = 40
"""That are made of a peer which cannot be told, while another one is told that much."""
MOST_TAKEN = 2 * 1024 * 1024
"""Octets of an answer without end, with what lies in buffers of sockets."""
MOST_GROWTH = 48 * 1024 * 1024
SELDOM = "asked_per_node = 20\nasked_per_node_burst = 100"
"""So that it is exceeded on any computer."""
STREAM = "E" * 21 + "A"


class HostilePeerTests(SynchronousTestCase):
    """The node a has something to tell b, and the hostile one."""

    def setUp(self) -> None:
        authority = Authority()
        self.a, self.b = Node(authority, SELDOM), Node(authority)
        for node in (self.a, self.b):
            self.addCleanup(node.close)
            node.start()
        self.peer = HostilePeer(authority)
        self.addCleanup(self.peer.close)
        self.told: list[str] = []

    def tell_b(self, name: str) -> None:
        """And all of it arrives, once, in its order."""
        texts = [f"{name}-{number}" for number in range(TEXTS)]
        self.a.say(self.b.name, *texts)
        self.told += texts
        until(lambda: len(self.b.arrived()) >= len(self.told))
        self.assertEqual(self.b.arrived(), self.told)

    def row(self) -> NodeRow:
        """What a knows of the hostile one."""
        rows = msgspec.json.decode(self.a.operate("nodes", "--json"), type=NodeRows).nodes
        return next(row for row in rows if row.name == self.peer.name)

    def test_told(self) -> None:
        """Whatever it answers: little is asked of it, and of b all goes on; when it is well, all is told."""
        self.tell_b("before")
        resident = self.a.resident()
        for manner in MANNERS:
            self.peer.manner = manner
            self.peer.asked.clear()
            self.a.say(self.peer.name, *(f"{manner.__name__}-{number}" for number in range(TEXTS)))
            self.tell_b(manner.__name__)
            self.assertLess(self.peer.asked.total(), MOST_REQUESTS, manner.__name__)
        self.assertGreater(self.row().waiting, 0)
        self.assertLess(self.peer.sent, MOST_TAKEN)
        self.assertLess(self.a.resident() - resident, MOST_GROWTH)
        # What hangs is given up after a while; whoever shows that he is there is told at once.
        self.peer.manner = hostile_peer.good
        connection = self.peer.connect(self.a.port)

        def is_told() -> bool:
            self.peer.ask(connection, self.a.name, "POST", "/_safeum/federation/v1/hello", b"{}")
            time.sleep(0.5)
            return self.row().waiting == 0

        until(is_told)
        connection.close()

    def test_floods(self) -> None:
        """It asks as fast as it can, by several connections: most is refused, and b tells and is told."""
        ended = threading.Event()
        statuses: list[int] = []

        def flood() -> None:
            connection = self.peer.connect(self.a.port)
            while not ended.is_set():
                path = f"/_safeum/federation/v1/transactions/{STREAM}/{len(statuses) + 1}"
                statuses.append(self.peer.ask(connection, self.a.name, "PUT", path, b'{"events":[]}')[0])
            connection.close()

        resident = self.a.resident()
        threads = [threading.Thread(target=flood, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: len(statuses) > 400)
            self.tell_b("meanwhile")
            self.b.say(self.a.name, "back")
            until(lambda: self.a.arrived() == ["back"])
        finally:
            ended.set()
            for thread in threads:
                thread.join(30)
        self.assertIn(429, statuses)
        self.assertLessEqual(set(statuses), {200, 409, 429, 503})
        self.assertLess(self.a.resident() - resident, MOST_GROWTH)

    def test_forgets_nothing(self) -> None:
        """Bodies that do not come, heads that do not end: others are heard, and they are cut off."""
        sockets = []
        for number in range(60):
            wire = self.a.connect()
            if number % 2:
                wire.send(b"PUT /_safeum/federation/v1/transactions/")
            else:
                wire.send(
                    b"POST /_safeum/federation/v1/hello HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n{"
                )
            sockets.append(wire)
        try:
            self.tell_b("meanwhile")
            self.b.say(self.a.name, "back")
            until(lambda: self.a.arrived() == ["back"])
            for wire in sockets:
                wire.drained()
        finally:
            for wire in sockets:
                wire.close()
