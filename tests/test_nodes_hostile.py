"""What a node cannot make another believe of people."""

from typing import Any

from twisted.internet.defer import Deferred, succeed

from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation.questions import FindAccount, FoundAccount
from tests.nodes import Nodes
from tests.nodes_case import A, B, TwoNodes, state
from tests.sync_support import sign_up
from tests.world import contact


class HostileTests(TwoNodes):
    """What a node cannot make another believe."""

    def test_other_accounts(self) -> None:
        """It speaks for its own accounts alone."""
        said = {"peer": self.alice.account, "state": "requested", "asked": 1, "address": "bob@b.example"}
        self.assertEqual(self.says("contact", self.bob.account, said, "c.example"), "wrong_sender_node")
        self.assertEqual(
            self.says("profile", self.bob.account, {"address": "x@b.example"}, "c.example"),
            "wrong_sender_node",
        )

    def test_malformed(self) -> None:
        """Addresses of other nodes, numbers, others' ids, and what is out of bounds are refused."""
        said: dict[str, Any] = {"peer": self.alice.account, "state": "requested", "asked": 1}
        others = f"@{'b' * 26}:b.example"
        for address in ("bob@c.example", "+4915112345678@b.example", others, "bob@B example", "", None):
            self.assertEqual(
                self.says("contact", self.bob.account, {**said, "address": address}),
                "malformed_event",
                address,
            )
        wrongs: tuple[dict[str, Any], ...] = (
            {"asked": 0},
            {"asked": -1},
            {"asked": 2**53},
            {"state": "blocked"},
            {"more": 1},
            {"of": "1"},
        )
        for wrong in wrongs:
            content = {**said, "address": "bob@b.example", **wrong}
            self.assertEqual(self.says("contact", self.bob.account, content), "malformed_event", wrong)
        profiles: tuple[dict[str, Any], ...] = (
            {"display_name": "x" * 65},
            {"avatar": "x"},
            {"fields": [{}]},
            {"safenum": ""},
        )
        for shown in profiles:
            self.assertEqual(
                self.says("profile", self.bob.account, {"address": "bob@b.example", **shown}),
                "malformed_event",
                shown,
            )
        self.assertEqual(self.nodes[A].database.count("contacts"), 0)

    def test_without_being_asked(self) -> None:
        """Nobody is in contact with whom he has not asked or accepted, whatever the other node says.

        Who says that he has accepted what was never asked has asked himself.
        """
        said: dict[str, Any] = {"peer": self.alice.account, "address": "bob@b.example"}
        for more in ({"of": 1}, {}):
            content = {"state": "accepted", "asked": 1, **more}
            self.assertIsNone(self.says("contact", self.bob.account, {**said, **content}))
            self.assertEqual(state(self.alice, self.bob), "incoming")
        self.assertEqual(self.nodes.peers[A].waiting, [])
        carol = self.nodes[B].register("carol")
        self.alice.call("contact.request", account=carol.account, address="carol@b.example")
        said = {"peer": self.alice.account, "address": "carol@b.example"}
        for more in ({"of": 1}, {}):
            content = {"state": "accepted", "asked": 2, **more}
            self.assertIsNone(self.says("contact", carol.account, {**said, **content}))
            self.assertEqual(state(self.alice, carol), "requested")

    def test_profiles_of_strangers(self) -> None:
        """What a stranger shows is not kept."""
        self.assertEqual(
            self.says("profile", self.bob.account, {"address": "bob@b.example"}), "not_a_contact"
        )
        self.assertEqual(self.nodes[A].database.count("profiles"), 0)

    def test_found_elsewhere(self) -> None:
        """A node that is asked for a login cannot name an account of another one."""
        found = FoundAccount(f"@{'b' * 26}:c.example")
        self.patch(self.nodes.peers[A], "ask", lambda *_: succeed(found))
        self.refused("node_unreachable", self.alice, "contact.find", address="bob@b.example")

    def test_floods(self) -> None:
        """A node that asks too much waits; what others ask is answered."""
        nodes = Nodes(
            A,
            B,
            finds_per_node=0.01,
            finds_per_node_burst=2,
            contact_requests_per_node=0.01,
            contact_requests_per_node_burst=1,
        )
        alice = nodes[A].register("alice")
        answer = nodes[A].domain.answers[FindAccount]
        codes = []
        for node in (B, B, B, "c.example"):
            done = Deferred.fromCoroutine(answer(node, FindAccount("nobody")))  # type: ignore[arg-type,var-annotated]
            codes.append(self.failureResultOf(done).value.code)
        self.assertEqual(codes, [Code.NOT_FOUND, Code.NOT_FOUND, Code.RATE_LIMITED, Code.NOT_FOUND])
        self.nodes, self.alice = nodes, alice
        told = []
        for place in range(2):
            sender = f"@{'ab'[place] * 26}:b.example"
            said = {"peer": alice.account, "state": "requested", "asked": 1, "address": sender}
            told.append(self.says("contact", sender, said))
        self.assertEqual(told, [None, "busy"])

    def test_numbers(self) -> None:
        """A number is never asked for at another node, never answered, and never told."""
        asked: list[Any] = []
        number = "+491711234567"
        carol = sign_up(self.nodes[B], number)
        answer = self.nodes[B].domain.answers[FindAccount]
        done: Deferred[Any] = Deferred.fromCoroutine(answer(A, FindAccount(number)))  # type: ignore[arg-type]
        self.assertIs(self.failureResultOf(done, Problem).value.code, Code.NOT_FOUND)
        carol.call("contact.request", account=self.alice.account, address="alice@a.example")
        self.nodes.settle()
        self.alice.call("contact.accept", account=carol.account)
        self.nodes.settle()
        self.assertEqual(contact(self.alice, carol)["address"], carol.account)
        self.assertEqual(self.alice.call("profile.get", account=carol.account)["address"], carol.account)
        self.patch(self.nodes.peers[A], "ask", lambda *args: asked.append(args))
        self.refused("not_found", self.alice, "contact.find", address=f"{number}@b.example")
        self.assertEqual(asked, [])
