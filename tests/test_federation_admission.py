"""Which nodes a node has to do with."""

from twisted.trial.unittest import SynchronousTestCase

from federation.admission import Admission
from safeum_home.config import FederationSection


class AdmissionTests(SynchronousTestCase):
    def check(self, section: FederationSection, allowed: str, refused: str) -> None:
        admission = Admission(section)
        for node in allowed.split():
            self.assertTrue(admission.allows(node), node)
        for node in refused.split():
            self.assertFalse(admission.allows(node), node)

    def test_modes(self) -> None:
        """All, those that are named, none."""
        self.check(FederationSection(), "home.example a.b.example:8448", "")
        self.check(FederationSection(mode="closed"), "", "home.example")
        self.check(FederationSection(mode="off", allow=["home.example"]), "", "home.example")

    def test_allowed(self) -> None:
        """A name is that node; at another port there is another one. Below a domain is not the domain."""
        section = FederationSection(mode="closed", allow=["home.example", "*.friends.example"])
        self.check(
            section,
            "home.example a.friends.example a.b.friends.example a.friends.example:8448",
            "home.example:8448 friends.example badfriends.example home.example.org x.home.example *.friends",
        )

    def test_denied(self) -> None:
        """At every port, and although it is allowed."""
        section = FederationSection(allow=["*.example"], deny=["home.example", "*.bad.example", "b.org:8448"])
        self.check(
            section,
            "other.example bad.example b.org b.org:8449",
            "home.example home.example:8448 a.bad.example a.bad.example:1 b.org:8448",
        )
