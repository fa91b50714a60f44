"""Devices that sleep, and push providers that a test looks into."""

from dataclasses import dataclass, field, replace
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Published, Waking
from safeum_home.ports.push import Accepted, Offered, Outcome, PushAddress, Wake, Woken
from tests.world import Client, World

REFUSED_TOKEN = "refused"
MINUTE, DAY = 60.0, 86_400.0
MESSAGE, CALL = ("bob's", "msg"), ("bob's", "call")


@dataclass(eq=False)
class Handed:
    """A wake that was handed over, until a test says what became of it."""

    provider: str
    address: PushAddress
    wake: Wake
    done: "Deferred[Woken]" = field(default_factory=Deferred)
    cancelled: bool = False

    @property
    def token(self) -> str:
        return self.address.token

    def become(self, woken: Woken = Woken.TAKEN) -> None:
        self.done.callback(woken)


class RecordedPushes:
    """`ports.push.Pushes` that keeps what was handed in; what is not `held` is `outcome` at once."""

    def __init__(self, *names: str) -> None:
        self.offered = [Offered(name, "apns") for name in names or ("apple",)]
        self.offered.append(Offered("web", "webpush", "BKey"))
        self.troubled: set[str] = set()
        """Providers that can wake nobody."""
        self.handed: list[Handed] = []
        self.tested: list[tuple[str, str]] = []
        self.held = False
        self.outcome = Woken.TAKEN
        self.answer: Outcome | Deferred[Outcome] = Accepted()

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.offered]

    def can_wake(self, provider: str) -> bool:
        return provider in self.names and provider not in self.troubled

    def check(self, provider: str, address: PushAddress) -> PushAddress:
        if provider not in self.names:
            raise Problem(Code.PUSH_UNAVAILABLE)
        if address.token == REFUSED_TOKEN:
            raise Problem(Code.PUSH_ADDRESS_REFUSED)
        call = address.call_token and address.call_token.lower()
        return replace(address, token=address.token.lower(), call_token=call)

    def wake(self, provider: str, address: PushAddress, wake: Wake) -> "Deferred[Woken]":
        handed = Handed(provider, address, wake)

        def cancel(done: "Deferred[Woken]") -> None:
            handed.cancelled = True
            done.callback(Woken.GIVEN_UP)

        handed.done = Deferred(cancel)
        self.handed.append(handed)
        if not self.held:
            handed.become(self.outcome)
        return handed.done

    def test(self, provider: str, address: PushAddress) -> "Deferred[Outcome]":
        self.tested.append((provider, address.token))
        return self.answer if isinstance(self.answer, Deferred) else succeed(self.answer)

    def take(self) -> list[tuple[str, str]]:
        """Token and class of each wake since the last time."""
        handed, self.handed = self.handed, []
        return [(each.token, each.wake.value) for each in handed]


class PushCase(SynchronousTestCase):
    """Alice and Bob are contacts; Bob's device can be woken at `bob's`."""

    def setUp(self) -> None:
        self.pushes = RecordedPushes()
        self.world = World(pushes=self.pushes)
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.chat = self.world.befriend(self.alice, self.bob)
        self.can_be_woken(self.bob, "bob's")

    def can_be_woken(self, client: Client, token: str, **more: Any) -> None:
        client.call("push.set", provider="apple", token=token, **more)

    def woken(self) -> list[tuple[str, str]]:
        """The wakes that were handed over since the last time."""
        self.world.settle()
        return self.pushes.take()


class WakingCase(PushCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice.write(self.chat, "to begin with")
        self.sleep()

    def sleep(self) -> None:
        """Bob's device takes all that there is, and goes."""
        self.come().drop()
        self.wait(5)
        self.assertEqual(self.pushes.take(), [])

    def wait(self, seconds: float) -> None:
        self.world.clock.pump([0.1] * 20)
        self.world.clock.advance(max(0.0, seconds - 2))
        self.world.clock.pump([0.1] * 5)

    def write(self, text: str = "hi", **more: Any) -> None:
        self.alice.call("chat.send", **self.alice.message(self.chat, text), **more)
        self.alice.take()

    def call(self) -> None:
        """A call, as far as waking goes."""
        event = Published(b"", wake=Waking(Wake.CALL))
        self.world.services.bus.publish(AccountId(self.bob.account), event)

    def come(self, client: Client | None = None) -> Client:
        """The device connects, and takes all that it missed."""
        client = client or self.bob
        client.resume(client.cursor)
        self.world.settle()
        self.hold(client)
        return client

    def hold(self, client: Client) -> None:
        """The device has all that there is, and says so."""
        client.cursor = self.world.cursor
        client.call("session.ack", cursor=client.cursor)
