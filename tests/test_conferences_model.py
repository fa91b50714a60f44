"""Whatever people do, and whichever nodes go away, start anew or lose what they were told: once all are there
again, all have the same conference, and nobody is in it who does not know of it.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.protocol.call_types import ALIVE_SECONDS
from tests.conference_case import call_id
from tests.conferences_across_case import ConferencesAcrossCase
from tests.groups_across_case import A, B, C
from tests.world import Client, Refused

WHO = st.integers(0, 4)
NODE = st.sampled_from((A, B, C))
SETTLED = 6 * ALIVE_SECONDS


@dataclass
class Device:
    """A client, by the rules of docs/calls.md alone: what it knows of who is in it."""

    client: Client
    chat: str
    connected: bool = True
    call: str | None = None
    hello: str = ""
    since: int = 0
    view: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    numbers: ClassVar[Any] = count(1)

    def start(self, call: str, hello: str, **more: Any) -> None:
        """Begin or join; with `since` go on."""
        try:
            params = {"call": call, "chat": self.chat, "media": "audio", "hello": hello, **more}
            joined = self.client.call("conference.start", **params)
        except Refused as refused:
            if refused.code != "node_unreachable":
                self.call = None
            return
        self.take()
        self.call, self.hello = joined["call"], hello
        self.view = {
            each["account"]: (each["device"], each["hello"], each["since"]) for each in joined["participants"]
        }
        self.since = self.view[self.client.account][2]

    def begin(self) -> None:
        if self.connected and self.call is None:
            self.start(call_id(), f"h{next(self.numbers)}")

    def leave(self) -> None:
        if self.connected and self.call is not None:
            self.client.call("call.hangup", call=self.call)
            self.call = None

    def alive(self) -> None:
        if not self.connected or self.call is None:
            return
        try:
            self.client.call("call.alive", call=self.call, since=self.since)
        except Refused as refused:
            assert refused.code == "not_found"
            self.start(self.call, self.hello, since=self.since)

    def drop(self) -> None:
        self.client.drop()
        self.connected = False

    def come(self) -> None:
        if not self.connected:
            self.client.take()
            self.client.resume()
            self.connected = True
            if self.call is not None:
                self.start(self.call, self.hello, since=self.since)

    def take(self) -> None:
        for event in self.client.take():
            self._take(event["method"], event["params"])

    def _take(self, method: str, about: dict[str, Any]) -> None:
        if self.call is None or about.get("call") != self.call:
            return
        if method == "call.ended":
            self.call = None
        elif method == "conference.joined":
            assert about["account"] != self.client.account
            self.view[about["account"]] = about["device"], about["hello"], about["since"]
        elif method == "conference.left" and self.view[about["account"]][0] == about["device"]:
            del self.view[about["account"]]


class Scene(ConferencesAcrossCase):
    """People, nodes and their group: it is used again where it was left as it was found."""

    def runTest(self) -> None:
        """It is no test."""


class ConferenceMachine(RuleBasedStateMachine):
    """Five people at three nodes."""

    scene: ClassVar[Scene | None] = None

    def __init__(self) -> None:
        super().__init__()
        scene, ConferenceMachine.scene = self.scene, None
        if scene is None:
            scene = Scene()
            scene.setUp()
        self.here = scene
        self.nodes, self.chat = scene.nodes, scene.chat
        self.devices = [Device(client, self.chat) for client in scene.everybody]
        for device in self.devices[:4]:
            device.begin()

    def tick(self, seconds: float) -> None:
        for _ in range(int(seconds / 5)):
            self.nodes.now(5)
            for device in self.devices:
                if device.connected:
                    device.take()
            if self.nodes[A].clock.seconds() % ALIVE_SECONDS < 5:
                for device in self.devices:
                    device.alive()

    @rule(who=WHO)
    def begin(self, who: int) -> None:
        self.devices[who].take()
        self.devices[who].begin()

    @rule()
    def all_come(self) -> None:
        for device in self.devices:
            device.take()
            device.come()
            device.begin()

    @rule(who=WHO)
    def leave(self, who: int) -> None:
        self.devices[who].take()
        self.devices[who].leave()

    @rule(who=WHO)
    def again(self, who: int) -> None:
        """The program was started anew: it joins with another hello."""
        device = self.devices[who]
        device.take()
        if device.connected and device.call is not None:
            device.start(device.call, f"h{next(Device.numbers)}")

    @rule(who=WHO)
    def go(self, who: int) -> None:
        if self.devices[who].connected:
            self.devices[who].take()
            self.devices[who].drop()

    @rule(who=WHO)
    def come(self, who: int) -> None:
        self.devices[who].come()

    @rule(seconds=st.sampled_from((5, 20, 70)))
    def wait(self, seconds: int) -> None:
        self.tick(seconds)

    @rule(node=NODE)
    def away(self, node: str) -> None:
        self.nodes.away.add(node)

    @rule(node=NODE)
    def back(self, node: str) -> None:
        self.nodes.away.discard(node)

    @rule(node=NODE)
    def lose(self, node: str) -> None:
        """What a node was about to tell is lost."""
        self.nodes.peers[node].passing = {}

    @rule(node=NODE)
    def restart(self, node: str) -> None:
        self.nodes.restart(node)
        for device in self.devices:
            if device.client.world is not self.nodes[device.client.account.partition(":")[2]]:
                device.take()
                device.connected = False
                device.client.world = self.nodes[node]
        for name, world in self.nodes.worlds.items():
            if name != node and not {name, node} & self.nodes.away:
                for kind in world.domain.expiring:
                    kind.back(node)

    def teardown(self) -> None:
        """All are there again, and say so."""
        self.nodes.away.clear()
        for device in self.devices:
            device.come()
        self.tick(SETTLED)
        inside = [device for device in self.devices if device.call is not None]
        hub = self.nodes[A].domain.conferences.hub
        state = self.devices[0].client.call("conference.get", chat=self.chat)
        people = sorted(device.client.account for device in inside)
        assert sorted(state["accounts"]) == people, "the hub has others than those who are in it"
        for device in inside:
            assert device.call == state["call"], "there are two of them"
            assert sorted(device.view) == people, "somebody does not know who is in it"
            assert device.view == inside[0].view, "they are not the same to all"
        for device in inside:
            device.leave()
        self.tick(70)
        for world in self.nodes.worlds.values():
            parts = world.domain.conferences
            assert not len(parts.here) and not len(parts.rings) and not parts.signals.waiting
        assert not len(hub)
        ConferenceMachine.scene = self.here


class ModelTests(SynchronousTestCase):
    def test_all_have_the_same(self) -> None:
        run_state_machine_as_test(
            ConferenceMachine,
            settings=settings(
                max_examples=25,
                stateful_step_count=25,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
