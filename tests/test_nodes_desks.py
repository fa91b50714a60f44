"""Two people with the terminal client, each at a node of their own."""

from twisted.trial.unittest import SynchronousTestCase

from tests.nodes import Nodes
from tests.world_desk import WorldDesk

A, B = "a.example", "b.example"


class DeskTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.nodes = Nodes(A, B)
        self.ada = WorldDesk(self.nodes[A], "ada", "Ada")
        self.ben = WorldDesk(self.nodes[B], "ben", "Ben")

    def enter(self, who: WorldDesk, line: str) -> str:
        who.enter(line)
        self.nodes.settle()
        return who.screen()

    def test_two_people(self) -> None:
        """They find each other, ask, accept, and are called what they call themselves, with their nodes."""
        self.assertIn("Asked ben@b.example", self.enter(self.ada, "/add ben@b.example"))
        self.assertIn("ada@a.example", self.ben.sidebar())
        self.enter(self.ben, "/accept ada@a.example")
        for who, name in ((self.ada, "Ben (b.example)"), (self.ben, "Ada (a.example)")):
            self.assertIn(name, who.sidebar())
        self.assertIn("ben@b.example", self.enter(self.ada, "/contacts"))
        self.enter(self.ada, "/chat ben@b.example")
        self.assertIn("Ben (b.example)  ben@b.example", self.ada.header())
        self.enter(self.ben, "/remove ada@a.example")
        self.assertIn("not your contact any more", self.enter(self.ada, "/contacts"))

    def test_beside_messages(self) -> None:
        """Stands the name (else the login) alone, and no part of the node: the line above has that."""
        nameless = WorldDesk(self.nodes[B], "carl", "")
        for who, login in ((self.ben, "ben"), (nameless, "carl")):
            self.enter(self.ada, f"/add {login}@b.example")
            self.enter(who, "/accept ada@a.example")
            self.enter(who, "/chat ada@a.example")
            self.enter(who, f"I am {login}")
        self.assertRegex(self.enter(self.ada, "/chat ben@b.example"), r"\d\d:\d\d Ben I am ben")
        self.assertIn("Ben (b.example)  ben@b.example", self.ada.header())
        self.assertRegex(self.enter(self.ada, "/chat carl@b.example"), r"\d\d:\d\d carl I am carl")
        self.assertIn("carl@b.example", self.ada.header())

    def test_mistakes(self) -> None:
        """Who is not there, and a node that does not answer, are told apart in words."""
        self.assertIn("Nobody has the address bob@b.example.", self.enter(self.ada, "/add bob@b.example"))
        self.nodes.away.add(B)
        self.assertIn("does not answer now", self.enter(self.ada, "/add ben@b.example"))

    def test_the_same_login_here_and_there(self) -> None:
        """A login alone is that of one's own node; of the two each can be named."""
        here = WorldDesk(self.nodes[A], "ben", "Ben")
        for address in ("ben", "ben@b.example"):
            self.enter(self.ada, f"/add {address}")
        for who in (here, self.ben):
            self.enter(who, "/accept ada")
        shown = self.ada.sidebar()
        self.assertIn("ben (Ben)", shown)
        self.assertIn("ben@b.example (Ben)", shown)
        self.enter(self.ada, "/chat ben")
        self.assertIn("ben@a.example", self.ada.header())
        self.enter(self.ada, "/chat ben@b.example")
        self.assertIn("ben@b.example", self.ada.header())

    def test_members_of_a_group(self) -> None:
        """A login alone is enough for somebody of another node, unless somebody of one's own has it."""
        self.enter(self.ada, "/add ben@b.example")
        self.enter(self.ben, "/accept ada")
        self.enter(self.ada, "/group Walks")
        self.enter(self.ada, "/invite ben")
        self.enter(self.ben, "/accept walks")
        self.assertIn("an admin", self.enter(self.ada, "/role ben admin"))
        here = WorldDesk(self.nodes[A], "ben", "Ben")
        self.enter(self.ada, "/add ben@a.example")
        self.enter(here, "/accept ada")
        self.enter(self.ada, "/invite ben@a.example")
        self.enter(here, "/accept walks")
        self.enter(self.ada, "/role ben admin")
        for who in (here, self.ben):
            self.assertIn("you are an admin", self.enter(who, "/chat walks") and who.header())
        self.enter(self.ada, "/role ben member")
        self.assertNotIn("admin", here.header())
        self.assertIn("you are an admin", self.ben.header())
