"""Calls over two nodes against a simple model: both sides agree, nobody is told twice, nothing is left."""

from collections.abc import Sequence
from typing import Any, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.calls.leg import Leg
from safeum_home.calls.stages import ANSWERED, OUTGOING, Stage
from safeum_home.ids import AccountId
from safeum_home.protocol.federation.calls import CALL, CALL_SIGNAL
from tests.across_case import A, B, befriend_across
from tests.calls_case import alive, answer, call_id, hang_up, hello, ring, say
from tests.nodes import Nodes, carry_now
from tests.world import Client, Refused

HOME = {"ann": A, "amy": A, "bob": B}
DEVICES = {"ann": 2, "amy": 1, "bob": 2}
WHO = st.sampled_from(sorted(HOME))
DEVICE, ONE_OF = st.integers(0, 4), st.integers(0, 20)
NODE = st.sampled_from([A, B])
ORDER = st.integers(0, 7)
HAPPENS = ["lose", "leave_or_come_back", "wait", "restart"]
LIVE = ("calls", "invited", "rings", "active")


class Device:
    """A client that believes what it is told, once, and in a sensible order."""

    def __init__(self, person: str, client: Client) -> None:
        self.person = person
        self.client = client
        self.connected = True
        self.calls: dict[str, str] = {}
        """How it is with each, as far as it knows: one of `LIVE`, or `over`."""
        self.others: dict[str, set[str]] = {}
        """Devices of the other that it may speak to."""
        self.heard: dict[tuple[str, str], int] = {}
        self.since: dict[str, int] = {}

    def arrive(self) -> set[str]:
        """Take what came; the calls of which it was told something."""
        told = set()
        for event in self.client.take():
            name, about = event["method"], event["params"]
            if not name.startswith("call."):
                continue
            call = about["call"]
            told.add(call)
            now = self.calls.get(call)
            assert now != "over", f"{self.person} is told {name} of what is over"
            if name == "call.invited":
                assert now in (None, "invited", "rings"), now
                self.calls[call] = "invited"  # also again: its node may have forgotten that it rings
                self.others[call] = {about["device"]}
            elif name == "call.ringing":
                assert now in ("calls", "active")
                self.others.setdefault(call, set()).add(about["device"])
            elif name == "call.answered":
                assert now in ("calls", "active"), now
                self.calls[call], self.others[call] = "active", {about["device"]}
            elif name == "call.signal":
                assert now in ("calls", "rings", "active"), now
                number = int(about["data"])
                assert about["device"] in self.others[call] or self.since
                assert number > self.heard.get((call, about["device"]), -1), "out of order"
                self.heard[call, about["device"]] = number
            else:
                assert now is not None
                self.calls[call] = "over"
        return told

    def live(self, *states: str) -> list[str]:
        return sorted(call for call, state in self.calls.items() if state in (states or LIVE))


class CallsMachine(RuleBasedStateMachine):
    """Ann and Amy are of one node, Bob of the other; all know each other."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes = Nodes(A, B)
        self.devices: list[Device] = []
        for name, node in HOME.items():
            world = self.nodes[node]
            self.devices.append(Device(name, world.register(name)))
            more = [world.login(name) for _ in range(DEVICES[name] - 1)]
            self.devices += [Device(name, client) for client in more]
        of = {device.person: device.client for device in self.devices}
        self.account = {name: AccountId(client.account) for name, client in of.items()}
        self.nodes[A].befriend(of["ann"], of["amy"])
        for name in ("ann", "amy"):
            befriend_across(of[name], of["bob"])
        for device in self.devices:
            device.client.take()
        self.between: dict[str, tuple[str, str]] = {}
        """Of each call the caller and the callee."""
        self.doubted: set[str] = set()
        """Calls of which something was lost, or that were not heard of for too long."""
        self.number = 0

    # --- what people do

    @rule(what=st.sampled_from(["ring", "answer", "answer", "speak", "decline", "hang_up"]), one=ONE_OF)
    def act(self, what: str, one: int) -> None:
        """Few rules: with many of them Hypothesis leaves out too often what a call needs."""
        getattr(self, what)(one)

    @rule(which=DEVICE, to=WHO, place=ORDER)
    def call(self, which: int, to: str, place: int) -> None:
        """Ids are in any order."""
        device = self.devices[which]
        if device.connected and device.person != to:
            self.number += 1
            call = call_id(place * 10**6 + self.number)
            self.between[call] = device.person, to
            if self._invite(device, call):
                device.calls[call] = "calls"
        self._arrive()

    def ring(self, one: int) -> None:
        """Whoever has not yet; some devices do at once."""
        self._ring(self.devices)

    def answer(self, one: int) -> None:
        """What rings can be answered."""
        for device, call in self._one(one, "rings"):
            try:
                answer(device.client, call)
            except Refused as refused:
                assert refused.code == "limit_reached", refused
                return
            device.calls[call] = "active"
        self._arrive()

    def decline(self, one: int) -> None:
        for device, call in self._one(one, "invited", "rings"):
            device.client.call("call.decline", call=call)
            device.calls[call] = "over"
        self._arrive()

    def hang_up(self, one: int) -> None:
        for device, call in self._one(one, *LIVE):
            hang_up(device.client, call)
            device.calls[call] = "over"
        self._arrive()

    def speak(self, one: int) -> None:
        for device, call in self._one(one, "calls", "rings", "active"):
            if device.calls[call] == "active" and self._leg(device.person, call) is None:
                return  # it was not heard of for too long
            for other in self.devices:
                if other.client.device in device.others.get(call, ()):
                    self.number += 1
                    say(device.client, other.client, str(self.number), call)
        self._arrive()

    def leave_or_come_back(self, device: Device) -> None:
        if device.connected:
            device.connected = False
            device.client.drop()
        else:
            self._come_back(device)

    def _come_back(self, device: Device) -> None:
        """It does what clients do then: says what goes on, and calls again where nobody has answered."""
        device.client.resume()
        device.connected = True
        device.client.world.clock.advance(0)
        told = device.arrive()
        for call in device.live("invited", "rings"):
            if call not in told:
                del device.calls[call]  # it is over; or its node has forgotten it, and may hear of it anew
        for call in device.live("calls"):
            if not self._invite(device, call):
                device.calls[call] = "over"
        self._say_alive(device)
        self._arrive()

    # --- what happens

    @rule(names=st.lists(NODE, min_size=1, max_size=6))
    def carry(self, names: list[str]) -> None:
        """What a node has to say reaches the other one."""
        for name in names:
            carry_now(self.nodes, name)
            self._arrive()

    @rule(name=NODE, happens=st.sampled_from(HAPPENS), number=ONE_OF)
    def something(self, name: str, happens: str, number: int) -> None:
        match happens:
            case "lose":
                self.lose(name)
            case "restart":
                self.restart(name)
            case "wait":
                self.wait([1, 1, 5, 14, 19][number % 5])
            case _:
                self.leave_or_come_back(self.devices[number % len(self.devices)])

    def lose(self, name: str) -> None:
        """It does not."""
        other = B if name == A else A
        peers = self.nodes.peers[name]
        for key in [key for key in peers.passing if key[1] == CALL]:
            del peers.passing[key]
        self.nodes[name].domain.calls.kinds[0].lost(other)
        self.doubted |= {call for call, pair in self.between.items() if HOME[pair[0]] != HOME[pair[1]]}
        self._arrive()

    def restart(self, name: str) -> None:
        """A node forgets all calls; its devices come back."""
        here = [device for device in self.devices if HOME[device.person] == name]
        for device in here:
            device.client.drop()
        self.nodes.peers[name].passing.clear()
        self.nodes.restart(name)
        self.doubted |= {
            call for call, pair in self.between.items() if name in (HOME[pair[0]], HOME[pair[1]])
        }
        for device in here:
            device.client, before = Client(self.nodes[name]), device.client
            device.client.account, device.client.token = before.account, before.token
            device.client.device = before.device
            # What it has declined may ring anew where that was not told.
            device.calls = {call: device.calls[call] for call in device.live()}
            if device.connected:
                self._come_back(device)
        self.nodes[B if name == A else A].domain.calls.kinds[0].back(name)
        self._arrive()

    def wait(self, seconds: float) -> None:
        for world in self.nodes.worlds.values():
            world.clock.advance(seconds)
        self._arrive()
        for device in self.devices:
            if device.connected:
                self._say_alive(device)
        self._arrive()

    @rule()
    def settle(self) -> None:
        """All is brought: now both sides agree."""
        kinds = CALL, CALL_SIGNAL
        while any(key[1] in kinds for peers in self.nodes.peers.values() for key in peers.passing):
            self.carry([A, B])
        for call, (caller, callee) in self.between.items():
            if call in self.doubted:
                continue
            mine, theirs = self._leg(caller, call), self._leg(callee, call)
            if mine is None or theirs is None:
                assert mine is theirs, (mine, theirs)
            elif mine.stage is Stage.ACTIVE:
                assert theirs.stage is Stage.ACTIVE
                assert (mine.device, mine.peer_device) == (theirs.peer_device, theirs.device)
            else:
                assert mine.stage in OUTGOING and theirs.stage is Stage.CALLED, (mine.stage, theirs.stage)
                assert mine.rings == theirs.rings
                assert not self._crosses(caller, callee, call), "both ring for each other"

    @invariant()
    def devices_know(self) -> None:
        """Who is connected knows how it is."""
        for device in self.devices:
            for call, state in device.calls.items() if device.connected else ():
                leg = self._leg(device.person, call)
                if leg is None:
                    assert state == "over" or (state == "active" and call in self.doubted), (state, call)
                elif state == "calls":
                    assert leg.stage in OUTGOING and leg.device == device.client.device
                elif state == "active":
                    assert leg.stage in ANSWERED and leg.device == device.client.device
                elif state != "over":
                    assert leg.stage is Stage.CALLED
                    assert state == "invited" or device.client.device in leg.rings
                elif leg.stage is not Stage.CALLED:
                    assert leg.device != device.client.device

    def teardown(self) -> None:
        """Everybody comes back, all is brought; and where nobody says anything any more nothing is left."""
        for device in self.devices:
            if not device.connected:
                self._come_back(device)
        self.settle()
        self.devices_know()
        for world in self.nodes.worlds.values():
            for _ in range(3):
                world.clock.advance(50)
        self.settle()
        for name, world in self.nodes.worlds.items():
            legs, busy = world.domain.calls.legs, cast(Any, world.services.busy)
            assert (legs.count, legs._by_account, legs._by_node, busy._held) == (0, {}, {}, {}), name
            assert world.late == []
            line: Any = world.domain.calls.kinds[0]._line  # type: ignore[attr-defined]
            assert not line._words and not line.bounds.octets and not line.signals.bounds.octets
        for device in self.devices:
            device.arrive()
            assert not device.live("calls", "rings", "invited"), (device.person, device.calls)

    # --- how it is

    def _leg(self, person: str, call: str) -> Leg | None:
        return self.nodes[HOME[person]].domain.calls.legs.find(self.account[person], call)

    def _crosses(self, caller: str, callee: str, call: str) -> bool:
        legs = self.nodes[HOME[callee]].domain.calls.legs.between(self.account[callee], self.account[caller])
        return any(leg.stage in OUTGOING and leg.call not in self.doubted for leg in legs)

    def _all(self, *states: str) -> list[tuple[Device, str]]:
        there = [device for device in self.devices if device.connected]
        return [(device, call) for device in there for call in device.live(*states)]

    def _one(self, one: int, *states: str) -> list[tuple[Device, str]]:
        """One call of a device that is connected, if there is any in one of these states."""
        found = self._all(*states)
        return [found[one % len(found)]] if found else []

    def _invite(self, device: Device, call: str) -> bool:
        to = self.account[self.between[call][1]]
        about = {"call": call, "to": to, "media": "audio", "hello": hello(device.client)}
        try:
            number = device.client.ask("call.invite", **about)
            device.calls.setdefault(call, "calls")
            device.client.answer(number)
        except Refused as refused:
            assert refused.code in ("limit_reached", "call_over"), refused
            device.calls[call] = "over"
            return False
        self._arrive()
        return False if device.calls[call] == "over" else device.calls[call] == "calls"

    def _say_alive(self, device: Device) -> None:
        for call in device.live("active"):
            caller, callee = self.between[call]
            other = callee if caller == device.person else caller
            client = next(each.client for each in self.devices if each.person == other)
            if self._leg(device.person, call) is None:
                self.doubted.add(call)
            try:
                alive(device.client, client, device.since.setdefault(call, 0), call)
            except Refused as refused:
                assert refused.code in ("call_over", "limit_reached"), refused
                device.calls[call] = "over"

    def _ring(self, devices: Sequence[Device]) -> None:
        for device in devices:
            for call in device.live("invited") if device.connected else ():
                ring(device.client, call)
                device.calls[call] = "rings"

    def _arrive(self) -> None:
        for device in self.devices:
            if device.connected:
                device.arrive()
        self._ring(self.devices[::2])
        for device in self.devices:
            for call in device.live("active"):
                if self._leg(device.person, call) is None:
                    self.doubted.add(call)


class ModelTests(SynchronousTestCase):
    """Whatever happens, in whatever order."""

    def test_calls(self) -> None:
        checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
        run_state_machine_as_test(
            CallsMachine,
            settings=settings(
                max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=checks
            ),
        )
