"""Calls in numbers, and what an operator sees of them."""

from types import SimpleNamespace
from typing import Any

from safeum_home.admin.metrics import Metrics, written
from safeum_home.admin.wire import Params
from safeum_home.errors import Problem
from safeum_home.node.calls_operation import calls_handlers
from tests.calls_case import OTHER, CallsCase, answer, call_id, hang_up, invite, ring


class MetricsTests(CallsCase):
    def lines(self) -> list[str]:
        """Without what is zero."""
        node: Any = SimpleNamespace(domain=self.world.domain, carriers=None)
        metrics = calls_handlers(node)["calls.metrics"].call(Params())
        assert isinstance(metrics, Metrics)
        shown = written("calls", metrics)
        return [line for line in shown if not line.startswith("#") and not line.endswith(" 0")]

    def test_numbers(self) -> None:
        """What goes on, and what became of calls; nobody is named."""
        self.assertEqual(self.lines(), [])
        self.active()
        invite(self.alice, self.bob, OTHER)
        ring(self.bob, OTHER)
        self.assertEqual(
            self.lines(),
            [
                'safeum_calls_halves{state="ringing"} 2',
                'safeum_calls_halves{state="active"} 2',
                'safeum_calls_begun_total{by="this"} 2',
                'safeum_calls_begun_total{by="other"} 2',
                "safeum_calls_answered_total 2",
            ],
        )
        answer(self.bob, OTHER)
        hang_up(self.alice)
        hang_up(self.bob, OTHER)
        invite(self.alice, self.bob, call_id("third"))
        self.bob.call("call.decline", call=call_id("third"))
        self.assertEqual(
            self.lines()[-2:],
            [
                'safeum_calls_ended_total{answered="no",reason="declined"} 2',
                'safeum_calls_ended_total{answered="yes",reason="hangup"} 4',
            ],
        )

    def test_sealed(self) -> None:
        node: Any = SimpleNamespace(domain=None, status="sealed")
        problem = self.assertRaises(Problem, calls_handlers(node)["calls.metrics"].call, Params())
        self.assertEqual(problem.code.code, "sealed")
