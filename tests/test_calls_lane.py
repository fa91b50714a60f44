"""Some say much to a node: what becomes of everybody else's calls with that node."""

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from msgspec import to_builtins
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater

from federation import now_telling
from federation.counts import Counts
from federation.now_telling import NowTelling
from safeum_home.calls import queue
from safeum_home.calls.across import LIVES, LineElsewhere, Waiting
from safeum_home.calls.queue import Queue, Room
from safeum_home.ids import AccountId
from safeum_home.node.alone import Alone
from safeum_home.protocol.call_types import MOST_SIGNAL, Ended, Media
from safeum_home.protocol.federation.calls import CALL as KIND
from safeum_home.protocol.federation.calls import Answer, End, Invite, Ringing, Said, Spoken
from safeum_home.protocol.federation.events import new_event
from safeum_home.protocol.federation.now import now_in
from tests.across_case import _meet
from tests.calls_case import Checks, call_id, told
from tests.world import Client, World, world_clock

A, B = "a.example", "b.example"


class _Key:
    key_id = "ed25519:1"
    signer = None


class _Own:
    in_use = _Key


class _Peers(Alone):
    """Only what passes gets to others."""

    now: NowTelling

    def reaches(self, node: str) -> bool:
        return node == B

    def tell_now(self, node: str, type: str, subject: Any) -> bool:
        return self.now.tell(node, type, subject)


class _Foreign:
    """An account at B, and the device that it calls with."""

    def __init__(self, name: str) -> None:
        self.account = "@" + name.ljust(26, "a") + ":" + B
        self.address = name + "@" + B
        self.device = ("D" + name).ljust(17, "a")


class LaneTests(Checks):
    """A node and the real way out of it, but for the octets: each request takes `away` seconds."""

    away = 0.15
    limits: ClassVar[dict[str, Any]] = {
        "call_signals": 10.0,
        "call_signals_burst": 200,
        "call_signal_octets_per_account": 16_384.0,
        "call_signal_octets_per_account_burst": 262_144,
        "commands_per_second": 100.0,
        "commands_burst": 1_000,
    }

    def setUp(self) -> None:
        self.record()
        self.begun: dict[str, float] = {}
        self.delays: list[float] = []
        self.peers: Any = _Peers()
        self.clock = world_clock()
        self.world = World(node=A, peers=self.peers, clock=self.clock, **self.limits)
        kinds = {kind.type: kind for kind in self.world.domain.expiring}
        self.kind = kinds[KIND]
        self.patch(now_telling, "sign_event", lambda event, *_: msgspec.json.encode(event.content))
        in_thread: Any = lambda work: succeed(work())  # noqa: E731
        own: Any = _Own
        self.peers.now = NowTelling(
            self.clock, lambda: kinds, own, in_thread, self.request, lambda node: False, Counts()
        )
        self.alice, self.bob = self.world.register("alice"), _Foreign("bob")
        _meet(self.world, self.alice, self.bob)  # type: ignore[arg-type]

    def request(self, node: str, method: str, path: str, body: bytes, most: int) -> Any:
        for call in [call for call in self.begun if call.encode() in body and b'"invite"' in body]:
            self.delays.append(self.clock.seconds() - self.begun.pop(call))
        assert now_in(body)
        answer: Any = type("Answer", (), {"status": 200})
        return deferLater(self.clock, self.away, lambda: answer)

    def says(self, sender: _Foreign, word: Any) -> None:
        done: list[Any] = []
        event = new_event(KIND, AccountId(sender.account), self.now, to_builtins(Spoken(word)))
        Deferred.fromCoroutine(self.kind.apply(B, event)).addBoth(done.append)
        self.assertEqual(done, [None])

    @property
    def now(self) -> int:
        return int(self.clock.seconds() * 1000)

    def active(self, who: Client, other: _Foreign, call: str) -> None:
        who.call("call.invite", call=call, to=other.account, media="audio", hello="h")
        self.says(other, Ringing(call, who.account, other.device, "h"))
        self.says(other, Answer(call, who.account, other.device))

    def floods(self, accounts: int, size: int) -> Callable[[int], None]:
        """Each in two calls with somebody at B; they say something so many times."""
        calls = []
        for number in range(accounts):
            client, other = self.world.register(f"evil{number}"), _Foreign("mate" + "abcdefgh"[number])
            _meet(self.world, client, other)  # type: ignore[arg-type]
            for each in (1, 2):
                self.active(client, other, call_id((number, each)))
                calls.append((client, other, call_id((number, each))))

        def flood(times: int) -> None:
            for client, other, call in calls:
                for _ in range(times):
                    client.ask("call.signal", call=call, device=other.device, data="x" * size)

        return flood

    def bystander(self, flood: Callable[[int], None], each_second: int) -> None:
        """Alice calls somebody at B every ten seconds, and hangs up before it is answered."""
        self.clock.advance(1)
        flood(190)
        for second in range(60):
            call = call_id(second - second % 10)
            if second % 10 == 0:
                about = {"to": self.bob.account, "media": "audio", "hello": "h"}
                self.alice.call("call.invite", call=call, **about)
                self.begun[call] = self.clock.seconds()
                self.says(self.bob, Ringing(call, self.alice.account, self.bob.device, "h"))
            flood(each_second)
            for _ in range(10):
                self.clock.advance(0.1)
            self.assertEqual([each for each in told(self.alice) if each[0] == "ended"], [])
            if second % 10 == 9:
                self.alice.call("call.hangup", call=call)
        self.assertEqual(len(self.delays), 6)
        self.assertLess(max(self.delays), 0.5)

    def test_large_ones(self) -> None:
        """Of one account: all that it may say at once, in signals as long as there are."""
        self.bystander(self.floods(1, MOST_SIGNAL), 10)

    def test_small_ones(self) -> None:
        """Of a character each, by as many as the node does not take all of."""
        self.bystander(self.floods(6, 1), 10)

    def test_with_more_than_may_be_said(self) -> None:
        """Also where nobody were held back: signals take turns, and stand behind all else."""
        for name in ("call_signals", "call_signal_octets_per_account"):
            self.world.domain.calls.rates[name].change(1e9, 1e9)
        self.bystander(self.floods(2, MOST_SIGNAL), 10)

    def test_one_that_is_missed(self) -> None:
        """What could not be told in time ends its own call, and says so to the other's node."""
        other, carl = self.world.register("amy"), _Foreign("carl")
        _meet(self.world, other, carl)  # type: ignore[arg-type]
        for client, to, call in ((self.alice, self.bob, "one"), (other, carl, "two")):
            about = {"to": to.account, "media": "audio", "hello": "h"}
            client.call("call.invite", call=call_id(call), **about)
        self.clock.advance(1)
        for client, to, call in ((self.alice, self.bob, "one"), (other, carl, "two")):
            self.says(to, Ringing(call_id(call), client.account, to.device, "h"))
        self.alice.take()
        other.take()
        line: Any = self.kind
        invitation = Invite(call_id("one"), self.bob.account, self.alice.device, Media.AUDIO, "h")
        said: list[Any] = []

        def tell(node: str, type: str, subject: Any) -> bool:
            said.append(subject.word)
            return True

        self.patch(line._line, "_tell", tell)
        self.kind.missed(B, [Waiting(AccountId(self.alice.account), invitation, 0.0)])
        self.assertEqual((told(self.alice), told(other)), ([("ended", "unreachable")], []))
        self.assertEqual(said, [End(call_id("one"), self.bob.account, Ended.UNREACHABLE)])
        end = End(call_id("two"), carl.account, Ended.HANGUP)
        self.kind.missed(B, [Waiting(AccountId(other.account), end, 0.0)])
        self.quiet(other)


class RoomTests(Checks):
    def test_slow_nodes(self) -> None:
        """Who speaks with many nodes that take nothing leaves room for invitations to others, and signals."""
        now = [0.0]
        line = LineElsewhere(lambda: now[0], lambda *_: True)
        for second in range(60):
            now[0] = float(second)
            for node in range(9):
                for number in range(40):
                    sender, to = AccountId(f"@e{node}{number}:{A}"), f"@mate:n{node}.example"
                    for _ in range(20):
                        line.say(sender, Said("c" * 22, to, "D", "E", "x" * MOST_SIGNAL))
            alice = AccountId(f"@alice:{A}")
            self.assertTrue(line.say(alice, Invite("i" * 22, "@bob:b.example", "D", Media.AUDIO, "h")))
            if second % 10 == 9:
                said = Said("i" * 22, "@bob:b.example", "D", "E", "x" * MOST_SIGNAL)
                self.assertTrue(line.say(alice, said))
        self.assertLess(line.signals.bounds.octets, 64 * 1024 * 1024)

    def test_turns(self) -> None:
        """Who says little does not wait for who says much; each in order, those first who have waited."""
        self.patch(queue, "AT_ONCE", 30)
        now, told = [0.0], list[AccountId]()
        waiting = self.queue(lambda: now[0], told)
        a, b, c = (AccountId(f"@{name}:a.example") for name in "abc")
        self.assertEqual([waiting.add(B, a, f"a{number}", 10) for number in range(11)], [True] * 10 + [False])
        for sender in (b, c):
            for number in range(2):
                waiting.add(B, sender, f"{sender[1]}{number}", 10)
        told.clear()
        self.assertEqual((waiting.take(B, [a, b, c]), told), (["a0", "b0", "c0"], [a, b, c]))
        self.patch(queue, "AT_ONCE", 20)
        told.clear()
        self.assertEqual((waiting.take(B, [a, b, c]), told), (["a1", "b1"], [c, a]))
        now[0] = LIVES
        self.assertEqual(waiting.take(B, [c, a]), [])
        self.assertEqual((waiting.bounds.octets, waiting._waiting), (0, {}))

    def queue(self, seconds: Callable[[], float], told: list[AccountId], tells: bool = True) -> Queue[str]:
        def tell(node: str, sender: AccountId) -> bool:
            told.append(sender)
            return tells

        return Queue(seconds, LIVES, Room(1_000, 500, 100), tell)

    def test_dropped(self) -> None:
        """Nothing is left of what is lost, or will not be told."""
        waiting = self.queue(lambda: 0.0, [])
        a, b = AccountId("@a:a.example"), AccountId("@b:a.example")
        for sender in (a, b):
            waiting.add(B, sender, "x", 10)
            waiting.add("c.example", sender, "x", 10)
        waiting.drop(B, [a])
        self.assertEqual(waiting.take(B, [a, b]), ["x"])
        waiting.drop("c.example")
        self.assertEqual((waiting.bounds.octets, waiting._waiting), (0, {}))
        waiting = self.queue(lambda: 0.0, [], tells=False)
        self.assertFalse(waiting.add(B, a, "x", 10))
        self.assertEqual((waiting.bounds.octets, waiting._waiting), (0, {}))
