"""People who call each other, at one node or at two, and what their devices are told of it."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.node import domain
from safeum_home.node.calls import make_calls
from tests.across_case import AcrossCase
from tests.world import Client, Refused, World


def call_id(name: object) -> str:
    """An id of a call. Those of numbers are in their order."""
    octets = name.to_bytes(16, "big") if isinstance(name, int) else sha256(str(name).encode()).digest()[:16]
    return urlsafe_b64encode(octets).decode().rstrip("=")


CALL, OTHER = call_id("call"), call_id("other")
FIRST, SECOND, THIRD = call_id(1), call_id(2), call_id(3)


class RecordedTimes:
    """`ports.calls.CallTimes` in memory: for account and call when it was begun, heard of last, and over."""

    def __init__(self) -> None:
        self.begins: dict[tuple[str, str], int] = {}
        self.lasts: dict[tuple[str, str], int] = {}
        self.ends: dict[tuple[str, str], int] = {}

    def begun(self, account: str, call: str, at: int) -> None:
        self.begins.setdefault((account, call), at)
        self.ends.pop((account, call), None)

    def alive(self, account: str, call: str, now: int) -> None:
        assert (account, call) in self.begins and (account, call) not in self.ends
        self.lasts[account, call] = now

    def over(self, account: str, call: str, until: int) -> None:
        assert (account, call) in self.begins and (account, call) not in self.ends
        self.ends[account, call] = until

    def seconds(self, client: Client, call: str = "") -> float | None:
        """How long it took; None where it was not answered, or goes on."""
        key = client.account, call or CALL
        return (self.ends[key] - self.begins[key]) / 1000 if key in self.ends else None


def hello(client: Client) -> str:
    return "hello_of_" + client.device


def told(client: Client) -> list[tuple[str, ...]]:
    """What a device was told of calls since the last time, each as a few words; devices by their ids."""
    found: list[tuple[str, ...]] = []
    for event in client.take():
        name, params = event["method"], event["params"]
        if name.startswith("call."):
            about = [params[each] for each in ("device", "reason", "data") if each in params]
            found.append((name.removeprefix("call."), *about))
    return found


def invite(client: Client, to: Client, call: str = CALL, **more: Any) -> float:
    """For how many seconds it rings."""
    about = {"call": call, "to": to.account, "media": "audio", "hello": hello(client)}
    return float(client.call("call.invite", **(about | more))["seconds"])


def ring(client: Client, call: str = CALL) -> None:
    client.call("call.ringing", call=call, hello=hello(client))


def answer(client: Client, call: str = CALL) -> None:
    client.call("call.answer", call=call)


def hang_up(client: Client, call: str = CALL) -> None:
    client.call("call.hangup", call=call)


def say(client: Client, to: Client, data: str, call: str = CALL) -> None:
    client.call("call.signal", call=call, device=to.device, data=data)


def alive(client: Client, other: Client, since: int, call: str = CALL) -> None:
    client.call("call.alive", call=call, account=other.account, since=since)


class Checks(SynchronousTestCase):
    """What all tests of calls look at."""

    times: RecordedTimes

    def record(self) -> None:
        """Before a node is made: it keeps its log here."""
        self.times = RecordedTimes()
        self.patch(domain, "make_calls", lambda means, _times: make_calls(means, self.times))

    def denied(self, code: str, client: Client, method: str, **params: Any) -> None:
        error: Refused = self.assertRaises(Refused, client.call, method, **params)
        self.assertEqual(error.code, code)

    def quiet(self, *clients: Client) -> None:
        """They are told nothing of calls."""
        for client in clients:
            self.assertEqual(told(client), [])

    def no_legs(self, world: World) -> None:
        """No call is left, and nothing that it held."""
        calls = world.domain.calls
        self.assertEqual((calls.legs.count, calls.legs._by_account, calls.legs._by_node), (0, {}, {}))
        busy: Any = world.services.busy
        self.assertEqual(busy._held, {})


class CallsCase(Checks):
    """Alice and Bob, who has a second device, are contacts; Carol is nobody's."""

    limits: dict[str, Any] = {}

    def setUp(self) -> None:
        self.record()
        self.world = World(**self.limits)
        self.alice, self.bob, self.carol = map(self.world.register, ("alice", "bob", "carol"))
        self.world.befriend(self.alice, self.bob)
        self.phone = self.world.login("bob")
        self.alice.take()

    def tearDown(self) -> None:
        self.world.clock.advance(120)
        self.no_legs(self.world)
        self.assertEqual(self.world.late, [])

    def ringing(self) -> None:
        """Alice calls, and both of Bob's devices ring."""
        invite(self.alice, self.bob)
        for device in (self.bob, self.phone):
            ring(device)
        self.forget_told()

    def active(self) -> None:
        """They speak: Bob with the first device."""
        self.ringing()
        answer(self.bob)
        self.forget_told()

    def forget_told(self) -> None:
        for client in (self.alice, self.bob, self.phone, self.carol):
            client.take()

    def advance(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @property
    def now(self) -> int:
        return int(self.world.clock.seconds() * 1000)


class CallsAcrossCase(Checks, AcrossCase):
    """The same of two nodes; `carry` brings what they say to each other."""

    def setUp(self) -> None:
        self.record()
        super().setUp()

    def carry(self, seconds: float = 0.5) -> None:
        """As long as it takes to be told something and to answer, at the least."""
        self.nodes.now(seconds)
