"""Whether another node can be told anything, as its operator asks."""

import argparse
import io
from contextlib import redirect_stdout
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.federation_cli import FederationCommands
from safeum_home.admin.federation_wire import Checked, CheckParams
from safeum_home.admin.terminal import NOT_YET, OK
from safeum_home.outgoing.http import Answer
from tests.federated import Pair


class CheckTests(SynchronousTestCase):
    """a.example asks of b.example."""

    def check(self, pair: Pair) -> str:
        done = pair["a.example"].federation.check("b.example")
        pair.settle()
        return self.successResultOf(done)

    def test_well(self) -> None:
        """Nothing has to have been told before, and nothing is noted by it."""
        pair = Pair()
        self.assertEqual(self.check(pair), "")
        self.assertEqual(pair["a.example"].waiting, 0)
        self.assertIn(("b.example", "a.example", "GET", "/_safeum/key/v1"), pair.requests)

    def test_kept_out(self) -> None:
        """By the lists of the other one."""
        pair = Pair(deny=["a.example"])
        self.assertEqual(self.check(pair), "federation_refused")

    def test_away(self) -> None:
        """As the way there says it."""
        pair = Pair()
        pair.away.add("b.example")
        self.assertNotIn(self.check(pair), ("", "federation_refused"))

    def test_something_else_there(self) -> None:
        """What is no node is told from one."""
        pair = Pair()
        for answer in (Answer(200, b"<html>"), Answer(200, b"[]"), Answer(404, b""), Answer(503, b"{}")):
            pair.answers["b.example"] = answer
            self.assertEqual(self.check(pair), "the answer makes no sense", answer)

    def test_shown(self) -> None:
        """In a line, and by the exit code."""
        for error, code, words in (
            ("", OK, "b.example answers"),
            ("TLS failed", NOT_YET, "b.example cannot be told: TLS failed"),
        ):
            asked: list[Any] = []

            def node(_: Any, method: str, params: Any, __: Any, error: str = error) -> Any:
                asked.append((method, params))  # noqa: B023
                return Checked("b.example", error)

            with redirect_stdout(io.StringIO()) as out:
                done = FederationCommands(node).check(argparse.Namespace(json=False, name="B.example"))
            self.assertEqual((done, asked), (code, [("federation.check", CheckParams("B.example"))]))
            self.assertIn(words, out.getvalue())

    def test_name(self) -> None:
        """A name is bounded before anything is done with it."""
        with self.assertRaises(msgspec.ValidationError):
            msgspec.convert({"node": "b" * 256}, CheckParams)
