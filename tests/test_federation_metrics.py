"""Other nodes in numbers: what is counted, and how it is written."""

import argparse
import io
from contextlib import redirect_stdout
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from federation.counts import Counts
from safeum_home.admin.federation_cli import FederationCommands
from safeum_home.admin.metrics import Metrics
from safeum_home.errors import Code
from safeum_home.outgoing.http import Answer
from tests.federated import Node, Pair, refuse


class MetricTests(SynchronousTestCase):
    """a.example, b.example and c.example."""

    def setUp(self) -> None:
        self.pair = Pair("a.example", "b.example", "c.example")
        self.a, self.b = self.pair["a.example"], self.pair["b.example"]

    def numbers(self, node: Node) -> dict[str, int]:
        """What a node counts: each sample that is not 0."""
        found = {}
        for metric in self.successResultOf(node.federation.metrics()):
            for sample in metric.samples:
                labels = "".join(f" {value}" for value in sample.labels.values())
                if sample.value:
                    found[metric.name + labels] = sample.value
        return found

    def test_told(self) -> None:
        """What was told, and refused, at both ends."""
        self.b.kinds[0].applying = lambda event: (
            refuse(Code.NOT_A_CONTACT)(event) if event.id == "x" else None
        )
        self.pair.away.add("b.example")
        self.a.say("0", 0, "b.example")
        self.pair.settle(0.1)
        self.a.say("x", 1, "b.example")
        self.a.say("2", 2, "b.example")
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        told = self.numbers(self.a)
        failed = told.pop("transactions_sent failed")
        self.assertGreater(failed, 0)
        expected = {
            "nodes idle": 1,
            "transactions_sent delivered": 2,
            "events_sent": 3,
            "events_refused_there not_a_contact": 1,
        }
        self.assertEqual(told, expected)
        heard = self.numbers(self.b)
        heard = {name: heard[name] for name in heard if "nodes" not in name}
        expected = {
            "transactions_received applied": 2,
            "events_received": 3,
            "events_refused_here not_a_contact": 1,
        }
        self.assertEqual(heard, expected)

    def test_states(self) -> None:
        """How it is with nodes, and how much waits for those that can be told and those that cannot."""
        self.b.kinds[2].applying = refuse(Code.BUSY)
        self.pair.away.add("c.example")
        self.a.say("1", 1)
        self.a.say("2", 2, kind="test.patient")
        self.pair.settle(1)
        found = self.numbers(self.a)
        self.assertEqual((found["nodes idle"], found["nodes backing_off"], found["nodes_failing"]), (1, 1, 1))
        self.assertEqual((found["waiting well"], found["waiting failing"], found["held_back"]), (1, 2, 1))
        self.assertEqual(found["events_refused_there busy"], 1)
        self.pair.away.clear()
        self.pair.mute.add("c.example")
        self.pair.until(lambda: "nodes sending" in self.numbers(self.a), 600)

    def test_outcomes(self) -> None:
        """What else comes of transactions, at either end."""
        said = b'{"type":"about:blank","title":"","status":400,"code":"%b"}'
        for code, outcome in (
            (b"stale_stream", "begun_anew"),
            (b"too_large", "split"),
            (b"sealed", "failed"),
        ):
            self.pair.answers["b.example"] = Answer(400, said % code)
            self.a.say(outcome, 1, "b.example")
            self.pair.settle()
            self.assertIn(f"transactions_sent {outcome}", self.numbers(self.a))
            self.pair.answers.clear()
            self.pair.until(lambda: not self.a.waiting)
        self.a.database.execute("UPDATE peers SET stream = zeroblob(16), sent = 77")
        self.a.say("9", 9, "b.example")
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.numbers(self.b)["transactions_received sequence_gap"], 1)
        self.assertEqual(self.numbers(self.b)["requests_turned_away sequence_gap"], 1)
        self.a.database.failing = True
        self.a.federation.wake(["b.example"])
        self.pair.settle()
        self.assertGreater(self.numbers(self.a)["transactions_sent hindered"], 0)

    def test_bounded(self) -> None:
        """What others make up is one more code."""
        counts = Counts()
        counts.sent(3, ["made_up", "x" * 64, "not_a_contact"])
        self.assertEqual(counts.numbers["events_refused_there", "other"], 2)
        self.assertEqual(len(counts.numbers), 4)

    def test_written(self) -> None:
        """A program that others use reads the text, and no node's name is in it."""
        self.a.say("1", 1)
        self.pair.settle()
        answer = Metrics(self.successResultOf(self.a.federation.metrics()))
        asked: list[str] = []

        def node(_arguments: Any, method: str, *_: Any) -> Any:
            asked.append(method)
            return answer

        command = FederationCommands(node)
        with redirect_stdout(io.StringIO()) as out:
            command.metrics(argparse.Namespace(json=False))
        self.assertEqual(asked, ["federation.metrics"])
        self.assertNotIn("b.example", out.getvalue())
        families = {family.name: family for family in text_string_to_metric_families(out.getvalue())}
        self.assertEqual(len(families), len(answer.metrics))
        sent = families["safeum_federation_transactions_sent"]
        self.assertEqual((sent.type, sent.samples[0].labels), ("counter", {"outcome": "delivered"}))
        self.assertEqual(sent.samples[0].value, 2)
        self.assertEqual(families["safeum_federation_nodes"].type, "gauge")
        self.assertEqual(families["safeum_federation_nodes"].samples[0].value, 2)
