"""Keys of a node that is away when this one has just started: what others pass on of it is believed."""

import json

from twisted.trial.unittest import SynchronousTestCase

from federation.own_keys import VALID
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.node.kept_keys import KeptKeys
from safeum_home.protocol.federation.events import new_event, sign_event
from safeum_home.storage import peers
from tests.federated import Pair

HUB, AUTHOR, COPY = "a.example", "b.example", "c.example"
ALICE = AccountId(f"@{'a' * 26}:{AUTHOR}")


class KeptTests(SynchronousTestCase):
    """Three nodes: one of them passes on what accounts of another do."""

    def setUp(self) -> None:
        self.nodes = Pair(HUB, AUTHOR, COPY)
        self.copy = self.nodes[COPY]
        own = self.nodes[AUTHOR].federation.own.in_use
        event = new_event("test.said", ALICE, int(self.nodes.clock.seconds() * 1000), {})
        self.event = json.loads(sign_event(event, own.key_id, own.signer))

    def verified(self) -> Problem | None:
        """What is wrong with the event, as the copy has it from the hub."""
        came: list[object] = []
        self.copy.federation.verified(HUB, self.event).addBoth(came.append)
        self.nodes.until(lambda: bool(came))
        problem = getattr(came[0], "value", None)
        assert problem is None or isinstance(problem, Problem), came
        return problem

    def restarted(self) -> Problem | None:
        """The same after a restart, while the author's node is away."""
        self.nodes.away.add(AUTHOR)
        self.nodes.restart(COPY)
        return self.verified()

    def test_kept(self) -> None:
        """What was known before is known again."""
        self.assertIsNone(self.verified())
        self.assertIsNone(self.restarted())

    def test_never_known(self) -> None:
        """Of whom nothing was ever heard nothing is made up."""
        node = self.nodes[AUTHOR]
        self.copy.database.execute("DELETE FROM node_keys")
        problem = self.restarted()
        assert problem is not None and node.up
        self.assertIs(problem.code, Code.NODE_UNREACHABLE)

    def test_over(self) -> None:
        """It is good for no longer than it would have been."""
        self.assertIsNone(self.verified())
        self.nodes.away.add(AUTHOR)
        self.nodes.clock.advance(VALID / 1000 - 60)
        self.assertIsNone(self.restarted())
        self.nodes.clock.advance(60)
        for problem in (self.verified(), self.restarted()):
            assert problem is not None
            self.assertIs(problem.code, Code.NODE_UNREACHABLE)

    def test_asked_first(self) -> None:
        """Who is there is asked: what it had before counts for nothing."""
        self.assertIsNone(self.verified())
        self.nodes.restart(COPY)
        self.nodes.requests.clear()
        self.assertIsNone(self.verified())
        self.assertIn((COPY, AUTHOR, "GET", "/_safeum/key/v1"), self.nodes.requests)

    def test_refused(self) -> None:
        """An answer that makes no sense is not held against what was kept, nor kept."""
        self.assertIsNone(self.verified())
        before = self.kept()
        there = self.nodes[AUTHOR].federation.own
        self.patch(there, "document", lambda: b"{}")
        self.nodes.restart(COPY)
        self.assertIsNone(self.verified())
        self.assertEqual(self.kept(), before)

    def test_damaged(self) -> None:
        """A row that cannot be opened is as none, and the operator is told."""
        self.assertIsNone(self.verified())
        self.copy.database.execute("UPDATE node_keys SET sealed = zeroblob(100)")
        problem = self.restarted()
        assert problem is not None
        self.assertIs(problem.code, Code.NODE_UNREACHABLE)

    def test_swapped(self) -> None:
        """Nor does one node's row stand for another's."""
        self.assertIsNone(self.verified())
        rows = self.copy.federation.rows
        kept = KeptKeys(self.copy.database, rows)
        self.assertIsNotNone(self.successResultOf(kept.kept(AUTHOR)))
        self.copy.database.execute("UPDATE node_keys SET peer = ?", rows.blind(HUB))
        self.assertIsNone(self.successResultOf(kept.kept(HUB)))

    def test_stranger(self) -> None:
        """Nothing is kept of who asks by himself, be he verified or not."""
        self.nodes[HUB].say("hello", 1, COPY)
        self.nodes.settle()
        self.assertEqual(self.copy.values(), [1])
        self.assertEqual(self.kept(), [])

    def test_at_rest(self) -> None:
        """Neither name nor keys are in the clear; they are forgotten with the node."""
        self.assertIsNone(self.verified())
        public = self.nodes[AUTHOR].federation.own.in_use.signer.public_key
        self.assertEqual(len(self.kept()), 1)
        for _, sealed in self.kept():
            for secret in (AUTHOR.encode(), b"verify_keys", public):
                self.assertNotIn(secret, sealed)
        self.copy.database.transact(lambda c: peers.forget_idle(c, 10))
        self.assertEqual(self.kept(), [])

    def test_database_away(self) -> None:
        """Where it cannot be kept it is believed for now all the same."""
        self.copy.database.execute("DELETE FROM node_keys")
        self.nodes.restart(COPY)
        self.copy.database.failing = True
        self.assertIsNone(self.verified())
        self.copy.database.failing = False
        self.assertEqual(self.kept(), [])

    def kept(self) -> list[tuple[bytes, bytes]]:
        rows = self.copy.database.now(
            lambda c: c.exec_driver_sql("SELECT peer, sealed FROM node_keys ORDER BY peer").all()
        )
        return [(bytes(peer), bytes(sealed)) for peer, sealed in rows]
