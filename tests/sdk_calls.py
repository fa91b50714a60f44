"""Clients of the SDK that call each other on a node in memory, over media links without media."""

from collections.abc import Callable
from typing import Any

from nacl.public import PrivateKey
from nacl.signing import SigningKey
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.calling.call import Call
from safeum_home.client.calling.call_state import CallState
from safeum_home.protocol.commands.calls import RelayCredentials, TurnCredentials
from safeum_home.protocol.key_types import Identity, identity_octets
from safeum_home.protocol.signing import encode_octets
from tests.calls_media import FakeNetwork, FakeSource
from tests.sdk_world import SdkDevice
from tests.world import World

ACTIVE, ENDED, RINGING = CallState.ACTIVE, CallState.ENDED, CallState.RINGING


class Caller(SdkDevice):
    """A device that takes calls; `rang` are those that came in. With `seed` its account has an identity."""

    def __init__(self, world: World, network: FakeNetwork, seed: int | None = None) -> None:
        super().__init__(world)
        self.identity = None if seed is None else SigningKey(seed.to_bytes(32, "big"))
        self.source = FakeSource(network)
        self.pins: dict[str, str] = {}
        self.rang: list[Call] = []
        self.seen: list[tuple[str, CallState]] = []

    @property
    def account(self) -> str:
        assert self.client.opened is not None
        return self.client.opened.account

    def sign(self, octets: bytes) -> bytes:
        assert self.identity is not None
        return bytes(self.identity.sign(octets).signature)

    def publish(self) -> None:
        """The account's identity, as a program does on each connection."""
        assert self.identity is not None
        sign = encode_octets(bytes(self.identity.verify_key))
        box = encode_octets(bytes(PrivateKey(bytes(self.identity)).public_key))
        at = int(self.client._milliseconds())
        signature = encode_octets(self.sign(identity_octets(self.account, sign, box, at)))
        self.do(self.client.publish_keys(Identity(sign, box, at, signature)))

    def take_calls(self, **options: Any) -> "Caller":
        """As a program does once it is logged in."""
        if self.identity is not None:
            self.publish()
            options["sign"] = self.sign
        self.client.take_calls(self.source, pins=self.pins.get, **options)
        self.client.on_call(self._rang)
        self._world.clock.pump([0.05] * 4)
        return self

    def _rang(self, call: Call) -> None:
        self.rang.append(call)

    def call(self, other: "Caller", *, video: bool = False) -> Call:
        """Call somebody, until it rings there."""
        call: Call = self.do(self.client.start_call(other.account, video))
        self._world.clock.pump([0.05] * 6)
        return call


class CallingCase(SynchronousTestCase):
    """Ann and Ben, who are contacts, have a device each."""

    def setUp(self) -> None:
        self.world = World()
        self.network = FakeNetwork()
        self.relay = RelayCredentials([], "", "", 0)
        self.asked = 0
        routes: Any = self.world.services.routes
        routes[TurnCredentials] = self._relay
        self.callers: list[Caller] = []
        self.ann = self.register("ann")
        self.ben = self.register("ben")
        self.ann.befriend(self.ben)
        for each in (self.ann, self.ben):
            each.take_calls()
        self.addCleanup(self._close)

    def _relay(self, _caller: object, _params: TurnCredentials) -> RelayCredentials:
        self.asked += 1
        return self.relay

    def _close(self) -> None:
        for each in self.callers:
            each.client.close()
        self.settle()
        self.assertEqual([link for link in self.network.links if not link.closed], [])

    def register(self, name: str, seed: int | None = None) -> Caller:
        caller = Caller(self.world, self.network, seed)
        self.callers.append(caller)
        caller.register(name)
        return caller

    def login(self, name: str) -> Caller:
        """Another device of somebody."""
        caller = Caller(self.world, self.network)
        self.callers.append(caller)
        caller.login(name)
        return caller.take_calls()

    def settle(self, seconds: float = 0.5) -> None:
        self.world.clock.pump([0.05] * int(seconds / 0.05))

    def talk(self, *, video: bool = False) -> tuple[Call, Call]:
        """Ann calls Ben, who answers: both ends of the call, which goes on."""
        mine = self.ann.call(self.ben, video=video)
        (theirs,) = (call for call in self.ben.rang if call.id == mine.id)
        theirs.answer()
        self.settle()
        self.assertEqual((mine.state, theirs.state), (ACTIVE, ACTIVE), (mine.wrong, theirs.wrong))
        return mine, theirs


def states(call: Call) -> list[CallState]:
    """The states that a call will be in from now on."""
    found: list[CallState] = []

    def seen(each: Call) -> None:
        if found[-1:] != [each.state]:
            found.append(each.state)

    listener: Callable[[Call], None] = seen
    call.listen(listener)
    return found
