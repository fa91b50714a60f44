"""Anything that may be typed at a desk with secure chats: it is answered, and nothing of it goes in clear."""

from safeum_home.client.slash.slash import SLASHES
from tests.secure_desk_case import SecureDeskCase
from tests.secure_file_case import LIMITS, NodeWeb
from tests.world import World

NEEDLE = "whispered"
ARGUMENTS = (
    "",
    "1",
    "²",
    "9" * 5000,
    "Ben",
    "🔒 Ben yes",
    f"1 {NEEDLE}",
    f"Ben {NEEDLE}",
    f"{NEEDLE}\u202e\x00\x1b[2J\ud800",
    NEEDLE * 40,
)
LAST = ("quit", "close-account", "sleep", "lock")
"""After these there is nobody to type anything, or it is another test."""

FOR_THE_NODE = {"group.create", "contact.find", "group.preview", "profile.set", "balance.topup"}
"""By these it is given what somebody types: it is not for a chat."""


class AnythingTests(SecureDeskCase):
    def new_world(self) -> World:
        return World(files=LIMITS)

    def setUp(self) -> None:
        super().setUp()
        web = NodeWeb(self.world)
        self.ann.client._web = lambda: web  # type: ignore[method-assign, assignment, return-value]
        self.pair()
        self.say(self.ann, "mine")
        self.say(self.ben, "yours")

    def enter_all(self) -> set[str]:
        """All commands with all arguments, never with a yes; the methods by which the node is given any."""
        ann = self.ann
        chat = ann.view(self.ben).chat
        for name in sorted(SLASHES.keys() - set(LAST)):
            for argument in ARGUMENTS:
                ann.desk.open(chat)
                ann.enter(f"/{name} {argument}")
                while ann.desk.questions.open:
                    ann.enter("")
            shown = ann.screen()
            for character in "\x00\x1b\u202e\ud800":
                self.assertNotIn(character, shown, name)
        self.settle()
        given = (each for each in ann.line.given if NEEDLE.encode() in each)
        return {each.partition(b'"method":"')[2].partition(b'"')[0].decode() for each in given}

    def test_unlocked(self) -> None:
        self.assertEqual(self.enter_all(), FOR_THE_NODE)
        self.assertIsNotNone(self.ann.client.secure)

    def test_locked(self) -> None:
        self.ann.enter("/lock")
        self.assertEqual(self.enter_all(), FOR_THE_NODE)
        self.assertIsNone(self.ann.client.secure)
