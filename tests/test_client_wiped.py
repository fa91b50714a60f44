"""Nothing of a chat that was erased is left in a client's memory: its whole object graph is searched."""

import gc
from collections.abc import Iterator
from types import CodeType, FrameType, FunctionType, ModuleType

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.desk import wiping
from safeum_home.client.words.names import GROUP_MARK
from safeum_home.protocol.commands import Sent
from tests.world import World
from tests.world_desk import WorldDesk, befriend

CANARY = "canary-5f1e"
_OTHERS = (ModuleType, type, CodeType, FrameType)


def holding(*roots: object, outside: tuple[object, ...]) -> Iterator[str]:
    """The strings and octets that hold the canary and are reached from `roots`, but through `outside`."""
    seen = {id(each) for each in outside}
    waiting: list[object] = list(roots)
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, _OTHERS):
            continue
        seen.add(id(one))
        if isinstance(one, str) and CANARY in one:
            yield one
        elif isinstance(one, bytes | bytearray) and CANARY.encode() in one:
            yield repr(one)
        elif isinstance(one, FunctionType):
            waiting += [cell.cell_contents for cell in one.__closure__ or ()]
        else:
            waiting += gc.get_referents(one)


class WipedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.ann = WorldDesk(self.world, "ann", "Ann")
        self.ben = WorldDesk(self.world, "ben", "Ben")
        befriend(self.ann, self.ben)

    def left(self, desk: WorldDesk) -> list[str]:
        """What is left at a desk; the node in the same process is behind the wire and the clock."""
        outside = (self.world, self.world.clock, self.world.clock.calls, desk.client._plug._wire, desk)
        return list(holding(desk.desk, desk.client.state, outside=outside))

    def fill(self, other: WorldDesk, name: str) -> None:
        """A chat with all that a client may hold of it, and some of it elsewhere on the screen."""
        for one, peer in ((self.ann, name), (other, name if name == "walks" else "ann")):
            one.enter(f"/chat {peer}")
        self.ann.enter(f"{CANARY} one")
        other.enter(f"/reply 1 {CANARY} answer")
        self.ann.enter(f"/edit 2 {CANARY} edited")
        self.ann.enter("/pin-message 2")
        for one in (self.ann, other):
            one.enter("/pinned")
            one.enter("/chat")
            one.enter(f"/search {CANARY}")
            one.enter("/notes")
            one.enter(f"/search {CANARY}")
            one.enter("/chat")
        self.ann.enter(f"/chat {name}")
        self.ann.desk.typed(f"{CANARY} begun")
        self.world.clock.pump([1.0] * 4)
        self.world.settle()
        self.assertNotEqual(self.left(self.ann), [])
        self.assertNotEqual(self.left(other), [])

    def test_history_off(self) -> None:
        """Messages, quotes, changes, pins, drafts, search results, and what was on the screen."""
        self.world.domain.fleeting.start()
        self.addCleanup(self.world.domain.fleeting.stop)
        self.fill(self.ben, "ben")
        self.ann.enter("/history off")
        self.ann.enter("yes")
        self.world.clock.pump([0.05] * 40)
        self.world.settle()
        self.assertEqual(self.left(self.ann), [])
        self.assertEqual(self.left(self.ben), [])
        self.assertNotIn(CANARY, self.ann.enter("/draft") + self.ann.screen())

    def test_leaving_a_group(self) -> None:
        """Whoever leaves, or is removed, holds nothing of it, its people among that."""
        self.ann.enter(f"/group Walks {CANARY}")
        self.ann.enter("/invite ben")
        self.ben.enter("/invitations")
        self.ben.enter("/accept walks")
        self.ann.enter("/chat walks")
        self.fill(self.ben, "walks")
        self.ann.enter("/kick ben")
        self.ann.enter("yes")
        self.world.settle()
        told = f"You were removed from {GROUP_MARK} Walks {CANARY}."
        self.assertEqual(self.left(self.ben), [told], "all that is left is of what")
        self.assertNotEqual(self.left(self.ann), [], "she is still in it")
        self.ann.enter("/leave")
        self.ann.enter("yes")
        self.world.settle()
        self.assertEqual(self.left(self.ann), [])

    def test_what_waited_to_be_sent(self) -> None:
        """A chat that is gone leaves nothing in the line of what is to be sent, on its way or not."""
        self.ann.enter("/chat ben")
        chat = self.ann.desk.current
        assert chat is not None
        answers: list[Deferred[Sent]] = []

        def send(*_: object, **__: object) -> "Deferred[Sent]":
            answers.append(Deferred())
            return answers[-1]

        self.patch(self.ann.client, "send", send)
        for number in range(3):
            self.ann.desk.write(f"{CANARY} {number}")
        self.assertEqual((len(answers), len(self.ann.desk.outbox.items)), (1, 3))
        wiping.wipe(self.ann.desk, chat)
        self.assertEqual(self.ann.desk.outbox.items, [])
        answers[0].callback(Sent("0" * 22, 0))
        self.assertEqual((len(answers), self.ann.desk.outbox.items), (1, []), "the others are not sent")
        self.assertEqual(self.left(self.ann), [])
