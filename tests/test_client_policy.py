"""The policy at somebody's desk: shown, agreed to, and changed while the client runs."""

from tests.client_desk import DeskTestCase
from tests.client_double import opened


class PolicyTests(DeskTestCase):
    """`/policy` and `/agree`."""

    def setUp(self) -> None:
        super().setUp()
        self.text = "It keeps messages.\n\nAnd \x1b[2J nothing else."
        self.node.answers["policy.get"] = lambda params: {"version": "2", "text": self.text}
        self.node.answers["policy.accept"] = lambda params: {}
        self.wire.answers |= self.node.answers

    def come_back(self, policy: str | None) -> None:
        """The connection goes and comes back; the node has this to say of its policy."""
        self.node.answers["session.resume"] = lambda params: opened(0, None) | {"policy": policy}
        self.wire.drop()
        self.node.clock.advance(60)
        self.wire = self.node.wire

    def test_shown(self) -> None:
        """Whole, and harmless to the terminal."""
        self.enter("/policy")
        self.assertIn("The policy of home.test, version 2:", self.body())
        self.assertIn("And \N{REPLACEMENT CHARACTER}[2J nothing else.", self.body())
        self.assertNotIn("/agree", self.body())
        self.enter("/agree")
        self.assertIn("You have agreed to the policy of this node already.", self.body())
        self.assertEqual(self.params("policy.accept"), [])

    def test_changed(self) -> None:
        """It is told once, has to be shown before it can be agreed to, and is then no more asked about."""
        self.come_back("2")
        self.assertIn("The policy of this node has changed: /policy shows it", self.body())
        self.enter("/agree")
        self.assertIn("Read it first", self.body())
        self.enter("/policy")
        self.assertIn("/agree does.", self.body())
        self.enter("/agree")
        self.assertEqual(self.params("policy.accept"), [{"version": "2"}])
        self.assertIn("You have agreed to the policy of version 2.", self.body())
        self.assertIsNone(self.desk.state.policy)

    def test_told_once(self) -> None:
        """Each time the connection comes back would be too often; another version is told again."""
        for version, times in (("2", 1), ("2", 1), (None, 1), ("3", 2)):
            self.come_back(version)
            told = [notice for notice in self.desk.notices if "has changed" in notice.text]
            self.assertEqual(len(told), times)
