"""Kinds of objects that nodes tell each other of: those that there are, and a node that is alone."""

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.node.alone import ALONE
from safeum_home.protocol.federation.questions import NAME_OF, QUESTIONS, FindAccount, FoundAccount
from tests.nodes import Nodes


class KindTests(SynchronousTestCase):
    def test_names(self) -> None:
        """Each kind and each question has one name; all questions are answered."""
        world = Nodes("a.example", "b.example")["a.example"]
        types = [kind.type for kind in world.domain.shared]
        self.assertEqual(len(types), len(set(types)))
        self.assertEqual(len(NAME_OF), len(QUESTIONS))

    def test_order(self) -> None:
        """What may be told behind what came later is nothing that stands in a chat."""
        world = Nodes("a.example", "b.example")["a.example"]
        patient = {kind.type for kind in world.domain.shared if getattr(kind, "may_wait", False)}
        self.assertEqual(patient, {"contact", "profile", "account.closed", "key.changed"})
        lasting = {kind.type for kind in world.domain.shared if getattr(kind, "lasting", False)}
        self.assertEqual(lasting, {"key.changed"})

    def test_alone(self) -> None:
        """A node without others reaches none."""
        self.assertFalse(ALONE.reaches("b.example"))
        asked = ALONE.ask("b.example", FindAccount("bob"), FoundAccount)
        self.assertEqual(self.failureResultOf(asked, Problem).value.code, Code.NODE_UNREACHABLE)
