"""Who sees whom, against a simple model: whatever people do, each client's view comes to be as it should."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.state.presence_view import PresenceView
from safeum_home.protocol.events import EVENTS
from safeum_home.protocol.presence import PresenceState
from tests.world import Client, World

NAMES = ("anna", "beno", "cyra")
WHO = st.sampled_from(NAMES)
PLACE = st.integers(0, 1)
PAIR = st.sampled_from([("anna", "beno"), ("anna", "cyra"), ("beno", "cyra")])


@dataclass
class Device:
    """A client as it really is, its view, and what the model has of it."""

    client: Client
    view: PresenceView = field(default_factory=PresenceView)
    connected: bool = True
    put_away: bool = False
    idle: bool = False

    def arrive(self) -> None:
        for event in self.client.take():
            if event["method"] in ("presence.changed", "privacy.changed", "contact.changed"):
                self.view.take(msgspec.convert(event["params"], EVENTS[event["method"]].type))


class PresenceMachine(RuleBasedStateMachine):
    """Three people with two devices each."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        first = {name: self.world.register(name) for name in NAMES}
        self.ids = {name: client.account for name, client in first.items()}
        self.devices = {
            name: [Device(client), Device(self.world.login(name))] for name, client in first.items()
        }
        self.hidden: set[str] = set()
        self.contacts: set[tuple[str, str]] = set()
        self.blocked: set[tuple[str, str]] = set()
        self.seen: set[str] = set()
        self.settle()

    def settle(self, seconds: float = 8.0) -> None:
        self.world.clock.pump([0.5] * int(seconds * 2))
        for device in self.everything():
            device.arrive()

    def everything(self) -> list[Device]:
        return [device for devices in self.devices.values() for device in devices]

    def on(self, name: str) -> Device | None:
        return next((device for device in self.devices[name] if device.connected), None)

    def ask(self, name: str, method: str, **params: Any) -> bool:
        device = self.on(name)
        if device is None:
            return False
        device.client.call(method, **params)
        device.idle = False
        return True

    # --- what people do

    @rule(name=WHO, place=PLACE)
    def go(self, name: str, place: int) -> None:
        device = self.devices[name][place]
        if device.connected:
            device.client.drop()
            device.connected = False

    @rule(name=WHO, place=PLACE)
    def come(self, name: str, place: int) -> None:
        device = self.devices[name][place]
        if not device.connected:
            device.client.take()
            device.view.begin()
            device.client.resume()
            device.connected, device.put_away, device.idle = True, False, False

    @rule(name=WHO, place=PLACE, active=st.booleans())
    def use(self, name: str, place: int, active: bool) -> None:
        device = self.devices[name][place]
        if device.connected:
            if not active:
                device.view.clear()
            device.client.call("presence.set", active=active)
            if not active:
                device.arrive()
                device.view.clear()
            device.put_away, device.idle = not active, False

    @rule(name=WHO, hide=st.booleans())
    def hide(self, name: str, hide: bool) -> None:
        if self.ask(name, "account.privacy", hide_presence=hide):
            (self.hidden.add if hide else self.hidden.discard)(name)

    @rule(pair=PAIR)
    def befriend(self, pair: tuple[str, str]) -> None:
        first, second = pair
        if pair in self.contacts or pair in self.blocked or not (self.on(first) and self.on(second)):
            return
        address = f"{second}@home.example"
        self.ask(first, "contact.request", account=self.ids[second], address=address)
        self.ask(second, "contact.accept", account=self.ids[first])
        self.contacts.add(pair)

    @rule(pair=PAIR, turned=st.booleans(), method=st.sampled_from(["contact.accept", "contact.request"]))
    def befriend_again(self, pair: tuple[str, str], turned: bool, method: str) -> None:
        """A command that was sent before, whose answer was lost."""
        one, other = reversed(pair) if turned else pair
        if pair in self.contacts:
            more = {"address": f"{other}@home.example"} if method == "contact.request" else {}
            self.ask(one, method, account=self.ids[other], **more)

    @rule(pair=PAIR, turned=st.booleans())
    def part(self, pair: tuple[str, str], turned: bool) -> None:
        one, other = reversed(pair) if turned else pair
        if pair in self.contacts and self.ask(one, "contact.remove", account=self.ids[other]):
            self.contacts.discard(pair)

    @rule(pair=PAIR)
    def block(self, pair: tuple[str, str]) -> None:
        one, other = pair
        if pair not in self.blocked and self.ask(one, "contact.block", account=self.ids[other]):
            self.contacts.discard(pair)
            self.blocked.add(pair)

    @precondition(lambda self: self.blocked)
    @rule()
    def unblock(self) -> None:
        pair = min(self.blocked)
        if self.ask(pair[0], "contact.unblock", account=self.ids[pair[1]]):
            self.blocked.discard(pair)

    @rule()
    def nobody_does_anything(self) -> None:
        self.settle(200.0)
        for device in self.everything():
            device.idle = True

    @rule()
    def restart(self) -> None:
        """Everybody is thrown out, and nothing is remembered of those who do not come back."""
        database, vault = self.world.database, self.world.vault
        for device in self.everything():
            if device.connected:
                device.client.drop()
        now = self.world.clock.seconds()
        self.world = World(database, vault)
        self.world.clock.advance(max(0.0, now - self.world.clock.seconds()))
        self.seen.clear()
        for device in self.everything():
            device.client.take()
            device.client.world = self.world
            device.view.begin()
            if device.connected:
                device.client.connect()
                device.client.opened(device.client.call("session.resume", token=device.client.token))
                device.put_away = device.idle = False

    # --- what they see

    def is_with(self, name: str) -> PresenceState:
        here = [device for device in self.devices[name] if device.connected]
        if name in self.hidden:
            return PresenceState.UNKNOWN
        if any(not device.put_away and not device.idle for device in here):
            return PresenceState.ONLINE
        if here:
            return PresenceState.AWAY
        return PresenceState.OFFLINE if name in self.seen else PresenceState.UNKNOWN

    @invariant()
    def views_are_right(self) -> None:
        if not hasattr(self, "seen"):
            return
        self.settle()
        for name, devices in self.devices.items():
            if any(device.connected for device in devices):
                # Where it leaves from now on it is remembered, unless it hides.
                (self.seen.discard if name in self.hidden else self.seen.add)(name)
            elif name in self.hidden:
                self.seen.discard(name)
        for name in NAMES:
            for device in self.devices[name]:
                if not device.connected or device.put_away:
                    continue
                for other in set(NAMES) - {name}:
                    sees = tuple(sorted((name, other))) in self.contacts and name not in self.hidden
                    wanted = self.is_with(other) if sees else PresenceState.UNKNOWN
                    got = device.view.of(self.ids[other]).state
                    assert got is wanted, (name, other, got, wanted)
                    answer = self.asked(device, other)
                    assert answer == wanted.value, (name, other, answer, wanted)

    def asked(self, device: Device, other: str) -> str:
        """What `presence.get` says, which is no use; whoever is in use goes on being it."""
        if not device.idle:
            device.client.call("device.list")
        answer = device.client.call("presence.get", accounts=[self.ids[other]])
        return str(answer["presences"][0]["state"])

    def is_shown(self, device: Device, other: str) -> str:
        return device.view.of(self.ids[other]).state.value

    def teardown(self) -> None:
        assert self.world.late == []


class ModelTests(SynchronousTestCase):
    def test_views(self) -> None:
        """Under any order of coming, going, hiding, parting and restarts."""
        run_state_machine_as_test(
            PresenceMachine,
            settings=settings(
                max_examples=60,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
