"""Drafts of two devices of one account: what is begun on one is not lost by what is written on the other."""

from tests.test_client_groups import GroupDeskCase
from tests.world_desk import WorldDesk


class TwoDeviceTests(GroupDeskCase):
    """Ann sits at two desks, and has the chat with Ben open at both."""

    def setUp(self) -> None:
        super().setUp()
        self.other = WorldDesk(self.world, "ann", known=True)
        self.lines: dict[WorldDesk, str] = {}
        for one in (self.ann, self.other):
            self.sit(one)
            one.enter("/chat ben")
        self.ann.enter("hello")

    def sit(self, one: WorldDesk) -> None:
        """What is offered when a chat is opened stands in the line."""

        def opened(draft: str) -> None:
            self.lines[one] = draft
            if one.desk.current is not None:
                one.desk.drafts.take(one.desk.current)

        one.desk.opened = opened

    def third(self) -> WorldDesk:
        """One more device."""
        third = WorldDesk(self.world, "ann", known=True)
        self.sit(third)
        return third

    def type(self, one: WorldDesk, text: str, rest: float = 3) -> None:
        """Key by key, and then nothing for some seconds."""
        for end in range(1, len(text) + 1):
            one.desk.typed(text[:end])
        self.rest(rest)

    def rest(self, seconds: float = 3) -> None:
        self.world.clock.advance(seconds)
        self.world.settle()

    def send(self, one: WorldDesk, text: str) -> None:
        self.type(one, text, 0)
        one.enter(text)
        self.rest()

    def back(self, one: WorldDesk) -> str:
        """What stands in the line after leaving the chat and coming back."""
        one.enter("/chat")
        one.enter("/chat ben")
        return self.lines[one]

    def test_another_device_sends(self) -> None:
        """Quickly or slowly, what it sends is not what was begun here."""
        for rest in (0, 3):
            self.type(self.other, "independent words")
            self.type(self.ann, "hello from one", rest)
            self.ann.enter("hello from one")
            self.rest()
            self.assertEqual(self.back(self.other), "independent words")
            self.assertEqual(self.back(self.ann), "independent words", "it is offered there, too")
            self.other.enter("independent words")
            self.rest()
            self.assertEqual((self.back(self.ann), self.back(self.other)), ("", ""))

    def test_both_write(self) -> None:
        """Each finds its own words; what was begun first is on the node."""
        self.type(self.ann, "from one")
        self.type(self.other, "from the other")
        self.assertEqual((self.back(self.ann), self.back(self.other)), ("from one", "from the other"))
        self.assertEqual(self.back(self.third()), "from one")
        self.ann.enter("from one")
        self.rest()
        self.assertEqual(self.back(self.other), "from the other")
        self.assertEqual(self.back(self.ann), "from the other", "the node has room for it now")

    def test_at_the_same_moment(self) -> None:
        """Where both are kept, the first one stays where it stands."""
        for one, text in ((self.ann, "from one"), (self.other, "from the other")):
            self.type(one, text, 0)
        self.rest()
        found = (self.back(self.ann), self.back(self.other))
        self.assertEqual(found, ("from one", "from the other"))

    def test_going_on_elsewhere(self) -> None:
        """A draft that was taken over is changed, sent and dropped there: it is over here, too."""
        self.type(self.ann, "begun")
        self.assertEqual(self.back(self.other), "begun")
        self.type(self.other, "begun and more")
        self.assertEqual(self.back(self.ann), "begun and more")
        self.other.enter("begun and more")
        self.rest()
        self.assertEqual((self.back(self.ann), self.back(self.other)), ("", ""))

    def test_kept_by_command(self) -> None:
        """`/draft` is of the device that gives it: what is sent there is what it was for."""
        self.ann.enter("/draft dear")
        self.rest()
        self.send(self.ann, "dear Ben")
        self.assertEqual(self.back(self.ann), "")
