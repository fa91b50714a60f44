"""Calls in numbers, and what an operator sees of them."""

from types import SimpleNamespace
from typing import Any

from safeum_home.admin.metrics import Metrics, written
from safeum_home.admin.wire import Params
from safeum_home.errors import Problem
from safeum_home.node.calls_operation import calls_handlers
from tests.calls_case import OTHER, CallsCase, answer, call_id, hang_up, invite, ring
from tests.telephone_case import TelephoneCase


class MetricsTests(CallsCase):
    def lines(self) -> list[str]:
        """Without what is zero."""
        node: Any = SimpleNamespace(domain=self.world.domain, database=self.world.database, carriers=None)
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


class TelephoneMetricsTests(TelephoneCase):
    def test_numbers(self) -> None:
        """Calls with the telephone network: how many go on, and what became of those before."""
        node: Any = SimpleNamespace(domain=self.world.domain, database=self.world.database, carriers=None)

        def lines() -> list[str]:
            metrics = calls_handlers(node)["calls.metrics"].call(Params())
            assert isinstance(metrics, Metrics)
            shown = written("calls", metrics)
            shown = [line for line in shown if "telephone" in line and line[0] != "#"]
            return [line for line in shown if not line.endswith(" 0")]

        self.assertEqual((lines(), self.world.domain.telephone.report()), ([], "none"))
        self.dialled().take()
        ringing = self.ring()
        self.assertEqual(
            lines(),
            [
                'safeum_calls_telephone{direction="out",state="active"} 1',
                'safeum_calls_telephone{direction="in",state="ringing"} 1',
            ],
        )
        self.assertEqual(self.world.domain.telephone.report(), "2 go on, 1 of them answered")
        ringing.end()
        self.world.database.failing = True
        self.hang_up(self.ann)
        self.assertEqual(
            lines(),
            [
                'safeum_calls_telephone_ended_total{direction="out",answered="yes",reason="hangup"} 1',
                'safeum_calls_telephone_ended_total{direction="in",answered="no",reason="hangup"} 1',
                "safeum_calls_telephone_unsettled 1",
            ],
        )
        self.assertEqual(self.world.domain.telephone.report(), "none, 1 wait for the database to be settled")
        self.world.database.failing = False
