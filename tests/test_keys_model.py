"""Keys over two nodes against a simple model: everybody hears of every change, and of nothing else."""

from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import AccountId
from safeum_home.protocol.federation.account_keys import KEY_CHANGED
from tests.across_case import A, B, befriend_across
from tests.keys_case import Pair, publish, query
from tests.nodes import Nodes
from tests.world import Client, Refused

HOME = {"ann": A, "amy": A, "bob": B, "bea": B}
PAIRS = [("ann", "amy"), ("ann", "bob"), ("ann", "bea"), ("amy", "bob")]
"""Who is in a chat with whom; each is in touch with somebody at the other node."""
KNOWS = {name: {b if a == name else a for a, b in PAIRS if name in (a, b)} for name in HOME}
WHO = st.sampled_from(sorted(HOME))
NODE = st.sampled_from([A, B])
_pairs = [Pair(number) for number in range(60)]


class Device:
    """A client that holds those to be swapped whose hash changes without its having been told."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.cursor = client.cursor
        self.connected = True
        self.pinned: dict[str, str] = {}
        self.heard: dict[str, list[tuple[str, str]]] = {}

    def arrive(self) -> None:
        for event in self.client.take():
            about = event["params"]
            self.cursor = about.get("cursor") or (
                about["id"] if event["method"] == "chat.message" else self.cursor
            )
            if event["method"] == "keys.changed":
                account, before, after = about["account"], about["before"], about["after"]
                told = self.heard.setdefault(account, [])
                pinned = self.pinned.get(account, before)
                # It may have been asked for before the first change was told.
                assert pinned == before or (pinned == after and not told), (pinned, before, after, told)
                assert before != after
                told.append((before, after))
                self.pinned[account] = after

    def ask(self, other: Client) -> dict[str, Any]:
        [found] = query(self.client, other)
        self.arrive()
        if "hash" in found:
            assert self.pinned.setdefault(other.account, found["hash"]) == found["hash"], "a swap unseen"
        if "identity" in found:
            assert found["identity"]["sign"] in [pair.sign for pair in _pairs if pair.hash == found["hash"]]
        return found


class KeysMachine(RuleBasedStateMachine):
    """Four people with two devices each."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes = Nodes(A, B)
        first = {name: self.nodes[home].register(name) for name, home in HOME.items()}
        for one, other in PAIRS:
            if HOME[one] == HOME[other]:
                self.nodes[A].befriend(first[one], first[other])
            else:
                befriend_across(first[one], first[other])
        self.devices = {
            name: [Device(client), Device(self.nodes[HOME[name]].login(name))]
            for name, client in first.items()
        }
        self.keys: dict[str, list[Pair]] = {name: [] for name in HOME}
        self.overtaken: set[tuple[str, str]] = set()
        """Nodes at which somebody has asked for keys before their change was told."""
        self._next = 0
        self.settle()

    def settle(self) -> None:
        self.nodes.settle()
        for device in self.everything():
            device.arrive()

    def everything(self) -> list[Device]:
        return [device for devices in self.devices.values() for device in devices]

    def on(self, name: str) -> Device:
        """A device that is connected, if need be from now on."""
        for device in self.devices[name]:
            if device.connected:
                return device
        return self.come(name, 0)

    def come(self, name: str, place: int) -> Device:
        device = self.devices[name][place]
        if not device.connected:
            device.client.world = self.nodes[HOME[name]]
            device.client.connect()
            device.client.opened(
                device.client.call("session.resume", token=device.client.token, since=device.cursor)
            )
            device.client.world.settle()
            device.connected = True
            device.arrive()
        return device

    def go(self, device: Device) -> None:
        if device.connected:
            device.arrive()
            device.client.drop()
            device.connected = False

    # --- what people do

    @rule(name=WHO)
    def publish(self, name: str) -> None:
        """The keys that are in force, or the first ones."""
        if not self.keys[name]:
            self.keys[name].append(self._new())
        publish(self.on(name).client, self.keys[name][-1])

    @rule(name=WHO, back=st.booleans())
    def change(self, name: str, back: bool) -> None:
        """Others, be it those of some time ago."""
        keys = self.keys[name]
        if keys:
            pair = keys[-2] if back and len(keys) > 1 else self._new()
            publish(self.on(name).client, pair, replaces=keys[-1].hash)
            keys.append(pair)

    @rule(name=WHO)
    def forge(self, name: str) -> None:
        """Others, by somebody who does not know which are in force."""
        if self.keys[name]:
            for replaces in (None, _pairs[-1].hash):
                try:
                    publish(self.on(name).client, _pairs[-2], replaces)
                except Refused as refused:
                    assert refused.code == "key_mismatch"
                else:
                    raise AssertionError("taken")

    @rule(name=WHO, other=WHO)
    def ask(self, name: str, other: str) -> None:
        there, owner = HOME[name], self.devices[other][0].client
        if HOME[other] != there and self._untold(other, there):
            self.overtaken.add((there, other))
        found = self.on(name).ask(owner)
        if other != name and other not in KNOWS[name]:
            assert found == {"account": owner.account}

    @rule(name=WHO, place=st.integers(0, 1))
    def leave(self, name: str, place: int) -> None:
        self.go(self.devices[name][place])

    @rule(name=WHO, place=st.integers(0, 1))
    def return_(self, name: str, place: int) -> None:
        self.come(name, place)

    # --- what becomes of nodes

    @rule(node=NODE)
    def part(self, node: str) -> None:
        self.nodes.away.add(node)

    @rule()
    def meet(self) -> None:
        self.nodes.away.clear()
        for peers in self.nodes.peers.values():
            peers.held.clear()
        self.settle()

    @rule(node=NODE)
    def hold(self, node: str) -> None:
        """It can be asked, and does not get through to the other one."""
        self.nodes.peers[node].held.update({A, B} - {node})

    @rule()
    def tell(self) -> None:
        self.settle()

    @rule()
    def wait(self) -> None:
        """Nothing that was answered is good any more."""
        for world in self.nodes.worlds.values():
            world.clock.advance(11)

    @rule(node=NODE)
    def restart(self, node: str) -> None:
        """All that was in memory is gone."""
        for name, devices in self.devices.items():
            if HOME[name] == node:
                for device in devices:
                    self.go(device)
        now = self.nodes[node].clock.seconds()
        self.nodes.restart(node)
        self.nodes[node].clock.advance(now - self.nodes[node].clock.seconds())

    # --- what comes of it

    def teardown(self) -> None:
        self.meet()
        for name in HOME:
            for place in (0, 1):
                self.come(name, place)
        self.settle()
        for owner, keys in self.keys.items():
            hashes = [pair.hash for pair in keys]
            changes = list(pairwise(hashes))
            account = self.devices[owner][0].client.account
            for name, devices in self.devices.items():
                for device in devices:
                    heard = device.heard.get(account, [])
                    if name != owner and name not in KNOWS[owner]:
                        assert heard == []
                    elif (HOME[name], owner) not in self.overtaken:
                        assert heard == changes, (name, owner, heard, changes)
                    elif changes:
                        # What was asked for in between may have been told as one change.
                        assert heard and heard[-1][1] == hashes[-1], (name, owner, heard, changes)
                        assert len(heard) <= len(changes), (name, owner, heard, changes)
                        assert [after for _, after in heard[:-1]] == [before for before, _ in heard[1:]]

    def _untold(self, owner: str, node: str) -> bool:
        account = AccountId(self.devices[owner][0].client.account)
        blind = self.nodes[HOME[owner]].vault.blinder.account(account)
        waiting = self.nodes.peers[HOME[owner]].waiting
        return any((row.type, row.node, row.pointer[:16]) == (KEY_CHANGED, node, blind) for row in waiting)

    def _new(self) -> Pair:
        self._next += 1
        return _pairs[self._next % 50]


class ModelTests(SynchronousTestCase):
    """Whatever happens, in whatever order."""

    def test_keys(self) -> None:
        checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
        run_state_machine_as_test(
            KeysMachine,
            settings=settings(
                max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=checks
            ),
        )
