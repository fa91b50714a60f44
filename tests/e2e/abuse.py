"""A node to be abused: at the end it is as large as before, and those who behave have noticed nothing."""

import atexit
import itertools

from twisted.trial.unittest import SynchronousTestCase

from tests.e2e.chatter import Chatter
from tests.e2e.node_process import NodeProcess
from tests.e2e.people import Person, sign_up

MOST_GROWTH = 64 << 20
"""Octets of memory that no test may make the node larger by."""
STANDSTILL = 10.0
"""Seconds that a message of those who behave may take at worst: only a standstill is looked for."""
AUTHENTICATION_SECONDS = 5.0

_numbers = itertools.count(1)
_node: NodeProcess | None = None


def _shared_node() -> NodeProcess:
    """One node for all abuse, ended with the process: what adds up from test to test adds up here."""
    global _node
    if _node is None:
        _node = NodeProcess(limits={"authentication_seconds": AUTHENTICATION_SECONDS})
        atexit.register(_node.close)
        _node.start()
    return _node


class AbuseTestCase(SynchronousTestCase):
    """Each test has a `node`, a `person` with an account on it, and a pair that chats in the background."""

    def setUp(self) -> None:
        self.node = _shared_node()
        self.person = self.sign_up()
        self.chatter = Chatter(self.node, f"quiet{next(_numbers)}")
        self._logged = len(self.node.logged())
        self._resident = self.node.resident()
        self.chatter.start()

    def tearDown(self) -> None:
        self.chatter.stop()
        self.assertGreater(self.chatter.messages, 0)
        self.assertLess(self.chatter.slowest, STANDSTILL)
        grown = self.node.resident() - self._resident
        self.assertLess(grown, MOST_GROWTH)
        self.assertEqual(self.node.logged()[self._logged :], "", "a client can fill the log")
        print(
            f"\n    {self.chatter.messages} quiet messages, at worst {self.chatter.slowest * 1000:.0f} ms; "
            f"{grown / 1e6:+.1f} MB",
            end=" ",
        )

    def sign_up(self) -> Person:
        person, client = sign_up(self.node, f"somebody{next(_numbers)}")
        client.close()
        return person
