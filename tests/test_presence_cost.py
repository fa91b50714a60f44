"""What presence costs at the most: frames are counted, not timed, and what is held is bounded."""

from collections.abc import Callable, Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Acquaintance, Published
from safeum_home.presence.loading import BATCH, PAUSE_SECONDS
from safeum_home.presence.peers import Peers
from safeum_home.presence.presence import WhoIsThere
from safeum_home.presence.telling import FRAMES_AT_ONCE, GATHER, SETTLE
from safeum_home.protocol import MAX_FRAME
from safeum_home.protocol.commands import PresenceGet, PresenceSet
from safeum_home.protocol.presence import MOST_PRESENCES, NOTHING_HIDDEN, PresenceState, Privacy
from safeum_home.rounds import EVERY, Rounds
from tests.storage import blind


def account(number: int) -> AccountId:
    """One whose id is as long as they get."""
    return AccountId(f"@{number:026d}:" + "n" * 255)


class Blinder:
    """`ports.Blinder`, as far as presence asks."""

    def account(self, account: AccountId) -> bytes:
        return blind(account[11:27])


class Listener:
    """`ports.Subscriber`, and the caller of its commands."""

    host = "192.0.2.1"

    def __init__(self, number: int) -> None:
        self.account = account(number)
        self.device = DeviceId(f"D{number:016d}")
        self.keeps_up = True
        self.held = 0
        self.used_at = 0.0
        self.on_use: Callable[[], None] | None = None
        self.woken = self.asleep = False
        self.frames: list[bytes] = []

    def deliver(self, event: Published) -> None:
        assert event.position == 0 and len(event.frame) <= MAX_FRAME
        self.frames.append(event.frame)

    def replaced(self) -> None: ...
    def revoked(self) -> None: ...
    def account_closed(self) -> None: ...

    @property
    def told(self) -> int:
        """Of how many changes it was told."""
        events = [msgspec.json.decode(frame[frame.index(b'{"json') :]) for frame in self.frames]
        return sum(len(event["params"].get("changes", ())) for event in events)


class Everybody:
    """`ports.Acquaintances` of those of whom each has accepted the `contacts` around him."""

    def __init__(self, people: int, contacts: int) -> None:
        self._blinder = Blinder()
        self._people = people
        self.contacts = contacts
        self.privacy = NOTHING_HIDDEN
        self.reads: list[int] = []
        self.held: list[Deferred[None]] | None = None
        """Where it is a list, what was read is answered when the Deferreds in it fire."""

    def of(self, accounts: Sequence[AccountId]) -> "Deferred[list[Acquaintance | None]]":
        self.reads.append(len(accounts))
        found: list[Acquaintance | None] = [
            Acquaintance(self._peers(int(each[1:27])), self.privacy) for each in accounts
        ]
        if self.held is None:
            return succeed(found)
        self.held.append(Deferred())
        return self.held[-1].addCallback(lambda _: found)

    def _peers(self, number: int) -> bytes:
        half = self.contacts // 2
        around = [(number + step) % self._people for step in range(-half, half + 1) if step]
        return b"".join(self._blinder.account(account(each)) for each in around)


class CostCase(SynchronousTestCase):
    def begin(self, people: int, contacts: int, remembered: int = 1000) -> None:
        self.clock = Clock()
        self.source = Everybody(people, contacts)
        self.presence = WhoIsThere(self.clock, Blinder(), self.source, remembered)  # type: ignore[arg-type]
        self.addCleanup(self.presence.stop)
        self.people = [Listener(number) for number in range(people)]

    def come(self, *listeners: Listener) -> None:
        for listener in listeners:
            listener.used_at = self.clock.seconds()
            self.presence.came(listener.account, listener)

    def wait(self, seconds: float) -> None:
        self.clock.pump([EVERY] * round(seconds / EVERY))

    def frames(self) -> int:
        return sum(len(listener.frames) for listener in self.people)


class StormTests(CostCase):
    def test_all_at_once(self) -> None:
        """400 accounts of 40 contacts come back together: 16,000 changes, one frame for each account."""
        self.begin(400, 40)
        self.come(*self.people)
        self.wait(SETTLE + GATHER + 2)
        self.assertEqual(sum(listener.told for listener in self.people), 400 * 40)
        self.assertEqual([len(listener.frames) for listener in self.people], [1] * 400)

    def test_one_round(self) -> None:
        """However much there is to tell, one round tells so much and no more."""
        self.begin(400, 40)
        self.come(*self.people)
        most, before = 0, 0
        for _ in range(round((SETTLE + GATHER + 2) / EVERY)):
            self.clock.advance(EVERY)
            most, before = max(most, self.frames() - before), self.frames()
        self.assertLessEqual(most, 2 * FRAMES_AT_ONCE)
        self.assertEqual(before, 400)

    def test_over_a_minute(self) -> None:
        """Who come one after the other cost each other a frame a second at the most."""
        self.begin(300, 40)
        for number in range(0, 300, 5):
            self.come(*self.people[number : number + 5])
            self.wait(1)
        self.wait(10)
        self.assertGreaterEqual(min(listener.told for listener in self.people), 40)
        self.assertLessEqual(max(len(listener.frames) for listener in self.people), 20)

    def test_reads(self) -> None:
        """Contacts are read in batches, one read at a time, once for each account."""
        self.begin(120, 4)
        self.source.held = []
        self.come(*self.people)
        while self.source.held:
            self.assertEqual(len(self.source.held), 1)
            self.source.held.pop().callback(None)
            self.clock.advance(PAUSE_SECONDS)
        self.assertEqual(self.source.reads, [1, BATCH, BATCH, 19])

    def test_changes_while_contacts_are_read(self) -> None:
        """What was read before a contact was removed, or something hidden, is read again."""
        self.begin(2, 2)
        one, other = self.people
        self.come(other)
        self.source.held = []
        self.come(one)
        self.source.contacts = 0
        self.presence.related(one.account, other.account, False)
        self.source.held.pop().callback(None)
        self.assertEqual((len(self.source.held), self.source.reads), (1, [1, 1, 1]))
        self.presence.privacy_changed(one.account, Privacy(hide_presence=True))
        self.source.privacy = Privacy(hide_presence=True)
        self.source.held.pop().callback(None)
        self.source.held.pop().callback(None)
        self.wait(5)
        self.assertEqual((one.told, other.told), (0, 0))
        self.assertFalse(self.presence.tells_typing(account(5)))

    def test_gone_while_contacts_are_read(self) -> None:
        """Who asks and goes before that is answered leaves nothing behind."""
        self.begin(2, 2)
        one = self.people[0]
        self.source.held = []
        self.come(one)
        asked = self.presence.get(one, PresenceGet([account(1)]))
        self.assertNoResult(asked)
        self.presence.left(one.account, one)
        [unknown] = self.successResultOf(asked).presences
        self.assertEqual(unknown.state, PresenceState.UNKNOWN)
        self.source.held.pop().callback(None)
        self.wait(5)
        self.assertEqual((len(self.presence), self.clock.getDelayedCalls()), (0, []))

    def test_many_contacts(self) -> None:
        """Somebody who knows very many is told in frames that hold no more than fits."""
        self.begin(1001, 1000)
        self.come(*self.people[1:])
        self.wait(60)
        self.come(self.people[0])
        self.wait(2)
        told = self.people[0]
        self.assertEqual((told.told, len(told.frames)), (1000, -(-1000 // MOST_PRESENCES)))


class FloodTests(CostCase):
    def test_flapping(self) -> None:
        """A client that says a thousand times whether it is in use costs a contact nothing, or one frame."""
        self.begin(2, 2)
        flood, other = self.people
        self.come(flood, other)
        self.wait(5)
        other.frames.clear()
        for number in range(1001):
            self.presence.set(flood, PresenceSet(number % 2 == 1))
        self.wait(5)
        self.assertEqual(other.told, 1)
        self.assertEqual(len(other.frames), 1)
        for number in range(1000):
            self.presence.set(flood, PresenceSet(number % 2 == 0))
        self.wait(5)
        self.assertEqual(len(other.frames), 1)

    def test_slow_flapping(self) -> None:
        """As fast as it can be told: a frame for each time that it has settled."""
        self.begin(2, 2)
        flood, other = self.people
        self.come(flood, other)
        self.wait(5)
        other.frames.clear()
        for number in range(600):
            self.presence.set(flood, PresenceSet(number % 2 == 1))
            self.wait(0.1)
        self.assertLessEqual(len(other.frames), 60 / SETTLE)

    def test_slow_reader(self) -> None:
        """What is not read is not written, nor queued: what is told then is how it is then."""
        self.begin(11, 10)
        self.come(*self.people)
        self.wait(5)
        slow, others = self.people[0], self.people[1:]
        slow.frames.clear()
        slow.keeps_up = False
        for active in (False, True) * 10:
            for each in others:
                self.presence.set(each, PresenceSet(active))
            self.wait(4)
        self.assertEqual(slow.frames, [])
        slow.keeps_up = True
        self.wait(2)
        self.assertEqual((len(slow.frames), slow.told), (1, 10))

    def test_memory(self) -> None:
        """Of those who have left a bounded number is remembered, the last ones."""
        self.begin(200, 10, remembered=50)
        for start in range(0, 200, 20):
            group = self.people[start : start + 20]
            self.come(*group)
            self.wait(5)
            for listener in group:
                self.presence.left(listener.account, listener)
            self.wait(5)
        self.assertEqual(len(self.presence), 50)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_is_left(self) -> None:
        """When the node stops nothing is done any more."""
        self.begin(20, 10)
        self.come(*self.people)
        self.presence.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        for listener in self.people:
            self.presence.left(listener.account, listener)
        self.clock.advance(60)
        self.assertEqual((self.frames(), self.clock.getDelayedCalls()), (0, []))


class RoundTests(SynchronousTestCase):
    def test_the_clock_is_set_back(self) -> None:
        """Nothing waits for longer than its delay because of that."""
        clock = Clock()
        clock.advance(1_000_000)
        done: list[str] = []
        rounds = Rounds(clock)
        queue = rounds.queue(2.0, 10, done.append)
        queue.add("one", clock.seconds())
        clock.rightNow -= 500_000
        queue.round(clock.seconds())
        queue.add("two", clock.seconds())
        clock.rightNow += 2.5
        queue.round(clock.seconds())
        self.assertIn("two", [*done, *queue._due])
        self.assertLessEqual(queue.next_at(clock.seconds()) or 0.0, clock.seconds() + 2.0)

    def test_one_that_fails(self) -> None:
        """What fails for one is done for the others."""
        clock = Clock()
        done: list[str] = []

        def do(item: str) -> None:
            if item == "bad":
                raise ValueError(item)
            done.append(item)

        queue = Rounds(clock).queue(1.0, 10, do)
        for item in ("bad", "good", "good"):
            queue.add(item, 0.0)
        clock.advance(1.0)
        self.assertEqual(done, ["good"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)


class PeersTests(SynchronousTestCase):
    @given(st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from(b"ab"), min_size=16, max_size=16))))
    def test_as_a_set(self, steps: list[tuple[bool, list[int]]]) -> None:
        """It is a set, whatever lies across two of them."""
        peers, model = Peers(), set[bytes]()
        for add, octets in steps:
            each = bytes(octets)
            (peers.add if add else peers.discard)(each)
            (model.add if add else model.discard)(each)
            self.assertEqual((set(peers), len(peers)), (model, len(model)))
            self.assertEqual((each in peers, each[1:] + b"a" in peers), (add, each[1:] + b"a" in model))

    def test_across(self) -> None:
        """What is no member is not found between two that are."""
        first, second = b"a" * 8 + b"b" * 8, b"a" * 8 + b"c" * 8
        peers = Peers(first + second)
        across = first[8:] + second[:8]
        self.assertNotIn(across, peers)
        peers.discard(across)
        self.assertEqual(list(peers), [first, second])
