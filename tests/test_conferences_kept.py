"""What a node keeps of conferences, shows of them in numbers, and whom it wakes for them."""

from types import SimpleNamespace
from typing import Any

from safeum_home.admin.metrics import Metrics, written
from safeum_home.admin.wire import Params
from safeum_home.node.calls_operation import calls_handlers
from tests.conference_case import join, start
from tests.conferences_case import ConferenceCase
from tests.push_case import CALL, WakingCase


class KeptTests(ConferenceCase):
    """What a node keeps of conferences, and shows of them in numbers."""

    def test_the_log(self) -> None:
        """When one was in it, and for how long: as of a call between two."""
        call = self.start(self.alice)
        self.pass_alive(20, (self.alice, call))
        join(self.bob, self.chat, call)
        self.pass_alive(40, (self.alice, call), (self.bob, call))
        for each in (self.bob, self.alice):
            each.call("call.hangup", call=call)
        self.world.settle()
        logged = [each.call("call.log")["calls"] for each in (self.alice, self.bob, self.carol)]
        self.assertEqual([[one["seconds"] for one in each] for each in logged], [[60], [40], []])

    def test_who_says_nothing_any_more(self) -> None:
        """In the log it was there for as long as it was heard of."""
        call = self.start(self.alice)
        self.pass_alive(20, (self.alice, call))
        self.world.clock.pump([1.0] * 100)
        [logged] = self.alice.call("call.log")["calls"]
        self.assertLessEqual(logged["seconds"], 20)

    def test_numbers(self) -> None:
        self.start(self.alice, self.bob)
        node: Any = SimpleNamespace(domain=self.world.domain, database=self.world.database, carriers=None)
        metrics = calls_handlers(node)["calls.metrics"].call(Params())
        assert isinstance(metrics, Metrics)
        shown = [line for line in written("calls", metrics) if line.startswith("safeum_calls_conf")]
        self.assertEqual(
            shown,
            [
                "safeum_calls_conferences 1",
                "safeum_calls_conference_devices 2",
                "safeum_calls_conferences_begun_total 1",
            ],
        )


class WakingTests(WakingCase):
    """Bob's device sleeps."""

    def setUp(self) -> None:
        super().setUp()
        self.come()
        made = self.alice.call("group.create", client_id="g", name="Walks", invite=[self.bob.account])
        self.group: str = made["chat"]["chat"]
        self.bob.call("group.accept", chat=self.group)
        self.world.settle()
        self.sleep()

    def begin(self) -> str:
        return str(start(self.alice, self.group)["call"])

    def end(self, call: str) -> None:
        self.alice.call("call.hangup", call=call)

    def test_woken(self) -> None:
        self.begin()
        self.assertEqual(self.woken(), [CALL])

    def test_over_at_once(self) -> None:
        """Nobody is woken for what is over."""
        self.end(self.begin())
        self.assertEqual(self.woken(), [])

    def test_muted(self) -> None:
        """Who has muted the group is not woken for its conferences; a call between two still wakes."""
        self.come()
        self.bob.call("chat.settings.set", chat=self.group, muted_until=2**50)
        self.sleep()
        for _ in range(2):  # it is looked up, and known then
            call = self.begin()
            self.assertEqual(self.woken(), [])
            self.end(call)
        self.call()
        self.assertEqual(self.woken(), [CALL])
