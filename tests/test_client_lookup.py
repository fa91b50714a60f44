"""Which chat a name means at the terminal: names are chosen by their owners, and lead nobody astray."""

from safeum_home.client.slash.chat_lookup import NOTES, meant
from safeum_home.client.slash.commands import completions
from safeum_home.client.slash.slash import Mistake
from safeum_home.client.words.names import GROUP_MARK
from safeum_home.protocol.types import ChatSummary, ContactState, GroupInfo
from tests.client_desk import DeskTestCase
from tests.client_double import BOB, CHAT, OTHER

SHIPS = "!" + "g" * 26
FLEET = "!" + "h" * 26


def group(chat: str, name: str) -> ChatSummary:
    """A group in which nothing was written."""
    about = GroupInfo("home.test", name, "", None, False, 2)
    return ChatSummary(chat, "group", None, "", name, None, 0, None, None, None, group=about, role="member")


class LookupTests(DeskTestCase):
    """Ada knows Bob, and is in a group or two."""

    def be_in(self, *groups: ChatSummary) -> None:
        self.chats += groups
        self.begin()

    def which(self, text: str) -> str:
        """What was answered to a name that could mean several chats."""
        with self.assertRaises(Mistake) as caught:
            meant(self.desk, text)
        return str(caught.exception)

    def test_notes_are_ones_own(self) -> None:
        """Whoever is called so, or begins so: words for oneself go to nobody else."""
        self.be_in(group(SHIPS, "Notes"))
        for name in ("notesman", "Notes", "notes"):
            self.rename(name)
            self.assertEqual(meant(self.desk, "notes"), self.node.client.notes, name)
        self.assertEqual(meant(self.desk, f"{GROUP_MARK} notes"), SHIPS)
        self.assertEqual(meant(self.desk, "bob"), CHAT)
        self.assertIn("bob (notes)", self.sidebar())

    def test_all_of_a_name_before_the_beginning_of_another(self) -> None:
        """A person's name that begins as a group's is called is not the group's, nor the other way round."""
        self.be_in(group(SHIPS, "Big Ships"))
        self.rename("Big Ships captain Bob")
        self.assertEqual(meant(self.desk, "big  ships"), SHIPS)
        self.assertEqual(meant(self.desk, "big ships c"), CHAT)
        self.enter("/chat Big Ships")
        self.assertEqual(self.desk.current, SHIPS)
        self.rename("Big")
        self.assertEqual(meant(self.desk, "big"), CHAT)

    def test_a_person_and_a_group(self) -> None:
        """Of one name, or both beginning so: nobody guesses."""
        self.be_in(group(SHIPS, "Big Ships"))
        for name in ("Big Ships", "Big Boat"):
            self.rename(name)
            question = self.which("big ships" if name == "Big Ships" else "big")
            self.assertIn(f"Which one? bob@home.test, {GROUP_MARK} Big Ships", question)
            self.assertEqual(meant(self.desk, f"{GROUP_MARK} Big Ships"), SHIPS)
            self.assertEqual(meant(self.desk, "bob@home.test"), CHAT)

    def test_an_address_is_nobody_elses(self) -> None:
        """A group that is called as somebody's address takes nothing that was meant for them."""
        self.be_in(group(SHIPS, "bob@home.test"), group(FLEET, "bob"))
        self.assertEqual(meant(self.desk, "bob@home.test"), CHAT)
        self.assertIn("Which one?", self.which("bob"))
        self.assertEqual(meant(self.desk, f"{GROUP_MARK} bob@home.test"), SHIPS)
        self.assertEqual(meant(self.desk, f"{GROUP_MARK} bob"), FLEET)

    def test_two_groups(self) -> None:
        """As between a person and a group; oneself is none of them."""
        self.be_in(group(SHIPS, "Big Ships"), group(FLEET, "Big Fleet"), group(OTHER, "Ada"))
        self.assertIn(f"Which one? {GROUP_MARK} Big Ships, {GROUP_MARK} Big Fleet", self.which("big"))
        self.assertEqual(meant(self.desk, "big f"), FLEET)
        self.assertEqual(meant(self.desk, "ada"), OTHER)
        self.assertIn("no such group", self.which(f"{GROUP_MARK} Bob"))

    def test_completion(self) -> None:
        """Where a group shares its name it is offered with its mark, whatever of it was typed."""
        self.be_in(group(SHIPS, "Bob"), group(FLEET, "Big Fleet"))
        self.meet(ContactState.ACCEPTED, "Bob", BOB)
        for typed in ("/chat b", f"/chat {GROUP_MARK} b", "/forward 1 b"):
            offered = [choice.removeprefix("1 ") for choice, _ in completions(self.desk, typed)]
            self.assertIn(f"{GROUP_MARK} Bob", offered, typed)
        self.assertEqual([choice for choice, _ in completions(self.desk, "/chat big")], ["Big Fleet"])
        self.assertEqual([choice for choice, _ in completions(self.desk, "/chat not")], [NOTES])
