"""Desks of the terminal client at a node in memory, whose secure chats are unlocked in no time."""

from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.screen import render
from safeum_home.client.screen.blocks import text_of
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.slash.secure_lookup import pair_with
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.unlocked.conversation import Conversation
from tests.secure_sdk_case import key_of
from tests.world import World
from tests.world_desk import WorldDesk, befriend

PASSPHRASE = "the very first of all passphrases"
OTHER = "quite another one of all passphrases"


def quick(account: str, text: str, _known: str | None) -> UniqueKey:
    """A key that follows from a passphrase, without its price."""
    return key_of(account, [PASSPHRASE, OTHER].index(text) if text in (PASSPHRASE, OTHER) else 7)


class SecureWorldDesk(WorldDesk):
    """Somebody whose unique key takes no time, and all that rang."""

    def __init__(self, world: World, username: str, display_name: str = "", known: bool = False) -> None:
        super().__init__(world, username, display_name, known)
        self.bells = 0
        self.desk.bell = self._ring
        self.desk.secure.stretch = quick
        self.desk.secure.in_thread = lambda work: succeed(work())

    def _ring(self) -> None:
        self.bells += 1

    def unlock(self, text: str = PASSPHRASE) -> "SecureWorldDesk":
        """For the first time, or again."""
        self.enter("/unlock")
        self.enter(text)
        if self.desk.questions.open:
            self.enter(text)
        assert self.client.secure is not None, self.screen()
        return self

    def status(self) -> str:
        return text_of([render.status(self.desk, 100)]).strip()

    def reading(self) -> str:
        """The text that is read in place of a chat."""
        return "\n".join(notice.text for notice in self.desk.reading)

    def view(self, other: "SecureWorldDesk") -> ChatView:
        """The secure chat with somebody."""
        found = pair_with(self.desk, other.account)
        assert found is not None
        return found

    def within(self, other: "SecureWorldDesk") -> Conversation:
        assert self.client.secure is not None
        return self.client.secure.chats[self.view(other).chat]


class SecureDeskCase(SynchronousTestCase):
    """Ann and Ben are contacts, and have unlocked; Cay is one of both, and has not."""

    def setUp(self) -> None:
        self.world = self.new_world()
        names = (("ann", "Ann"), ("ben", "Ben"), ("cay", "Cay"))
        self.ann, self.ben, self.cay = (SecureWorldDesk(self.world, *name) for name in names)
        befriend(self.ann, self.ben)
        befriend(self.ann, self.cay)
        befriend(self.ben, self.cay)
        self.ann.unlock()
        self.ben.unlock()

    def new_world(self) -> World:
        return World()

    def tearDown(self) -> None:
        for each in (self.ann, self.ben, self.cay):
            each.client.close()

    def settle(self, seconds: float = 2.0) -> None:
        self.world.clock.pump([0.05] * int(seconds / 0.05))
        self.world.settle()

    def pair(self) -> None:
        """Ann and Ben are in a secure chat, and look at it."""
        self.ann.enter("/secure Ben")
        self.settle()
        self.ben.enter("/accept Ann")
        self.settle()

    def say(self, who: SecureWorldDesk, line: str) -> None:
        who.enter(line)
        self.settle()
