"""The policy at somebody's desk: shown, agreed to, and changed while the client runs."""

from typing import Any

from safeum_home.errors import Code, Problem
from tests.client_desk import DeskTestCase
from tests.client_double import opened


class PolicyTests(DeskTestCase):
    """`/policy` and `/agree`."""

    at_login: str | None = None

    def begin(self) -> None:
        self.text = "It keeps messages.\n\nAnd \x1b[2J nothing else."
        self.version = "2"
        self.node.answers["policy.get"] = lambda params: {"version": self.version, "text": self.text}
        self.node.answers["policy.accept"] = self.accept
        self.node.answers["session.login"] = lambda params: opened() | {"policy": self.at_login}
        super().begin()

    def accept(self, params: dict[str, Any]) -> Any:
        return {} if params["version"] == self.version else Problem(Code.CONSENT_NEEDED, self.version)

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

    def test_agreed_already(self) -> None:
        """Is told to the node all the same, which alone knows; it has to be shown for nothing."""
        self.enter("/agree")
        self.assertEqual(self.params("policy.accept"), [{"version": "2"}])
        self.assertIn("You have agreed to the policy of version 2.", self.body())

    def test_changed(self) -> None:
        """It is told once, has to be shown before it can be agreed to, and is then no more asked about."""
        self.version = "3"
        self.come_back("3")
        self.assertIn("The policy of this node has changed: /policy shows it", self.body())
        self.enter("/agree")
        self.assertIn("It keeps messages.", self.body())
        self.assertIn("You have not agreed to this version yet: /agree does.", self.body())
        self.assertEqual(self.params("policy.accept"), [])
        self.enter("/agree")
        self.assertEqual(self.params("policy.accept"), [{"version": "3"}])
        self.assertIn("You have agreed to the policy of version 3.", self.body())
        self.assertIsNone(self.desk.state.policy)
        self.enter("/policy")
        self.assertNotIn("/agree", self.body())

    def test_put_into_place_while_connected(self) -> None:
        """The node tells nobody who is connected: what was agreed to is compared with what is shown."""
        self.version = "3"
        self.enter("/policy")
        self.assertIn("You have not agreed to this version yet: /agree does.", self.body())
        self.version = "4"
        self.enter("/agree")
        self.assertIn("The policy has changed since it was shown here", " ".join(self.body().split()))
        self.enter("/policy")
        self.enter("/agree")
        self.assertEqual(self.params("policy.accept"), [{"version": "3"}, {"version": "4"}])
        self.assertIn("You have agreed to the policy of version 4.", self.body())

    def test_asked_about_at_the_login(self) -> None:
        """And not agreed to: another version since then is not agreed to either."""
        self.at_login = "2"
        self.setUp()
        self.assertEqual(self.desk.state.policy, "2")
        self.version = "3"
        self.enter("/policy")
        self.assertIn("You have not agreed to this version yet: /agree does.", self.body())

    def test_told_once(self) -> None:
        """Each time the connection comes back would be too often; another version is told again."""
        for version, times in (("2", 1), ("2", 1), (None, 1), ("3", 2)):
            self.come_back(version)
            told = [notice for notice in self.desk.notices if "has changed" in notice.text]
            self.assertEqual(len(told), times)
