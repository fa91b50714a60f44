"""A node's push: from its configuration and its secrets to a provider, and what its operator sees of it."""

import argparse
import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.push_cli import PushCommands
from safeum_home.config import Config, ConfigError, parse
from safeum_home.errors import Code, Problem
from safeum_home.node.push import NodePushes, make_pushes
from safeum_home.node.push_operation import push_handlers
from safeum_home.node.startup import StartError
from safeum_home.ports.push import (
    Accepted,
    Gone,
    Offered,
    Outcome,
    PushAddress,
    PushBridge,
    PushContext,
    Refused,
    Temporary,
    Wake,
    Woken,
)
from tests.node_case import NodeCase
from tests.push import PushProvider

NODE = '[node]\nname = "home.example"\nstate_dir = "/nowhere"\n'
TWO = """
[[push.providers]]
name = "apple"
kind = "double"
settings = { key = "secret:apns-key", key_id = "ABC123DEFG" }
[[push.providers]]
name = "browsers"
kind = "double"
"""


class Kinds:
    """Bridges of kind `double`, which keep what they were handed."""

    def __init__(self) -> None:
        self.made: dict[str, PushProvider] = {}
        self.contexts: dict[str, PushContext] = {}
        self.settings: dict[str, Mapping[str, Any]] = {}
        self.failure: Exception | None = None

    def __call__(self, kind: str) -> PushBridge:
        if kind != "double":
            raise ConfigError(f"there is no kind {kind}")
        return self.make

    def make(self, context: PushContext, settings: Mapping[str, Any]) -> PushProvider:
        if self.failure is not None and self.made:
            raise self.failure
        self.contexts[context.name], self.settings[context.name] = context, settings
        self.made[context.name] = PushProvider(Accepted())
        return self.made[context.name]


class PushesCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.kinds = Kinds()

    def make(self, config: Config) -> NodePushes:
        def secret(name: str) -> bytes:
            return f"opened {name}".encode()

        def derived(name: str) -> bytes:
            return name.encode().ljust(32, b"\0")

        return make_pushes(config, Clock(), secret, derived, self.kinds)


class CompositionTests(PushesCase):
    def test_none(self) -> None:
        """Without a provider nobody is woken, nothing is offered, and there is nothing to tell."""
        pushes = self.make(parse(NODE))
        waking = pushes.sender.wake("apple", PushAddress("x"), Wake.MESSAGE)
        self.assertEqual(self.successResultOf(waking), Woken.GIVEN_UP)
        self.assertEqual((pushes.report(), list(pushes.sender.offered)), ([], []))

    def test_made(self) -> None:
        """Providers are made in order, with their settings and a context each."""
        pushes = self.make(parse(NODE + TWO))
        self.assertEqual(
            list(pushes.sender.offered), [Offered("apple", "double"), Offered("browsers", "double")]
        )
        settings = {"key": "secret:apns-key", "key_id": "ABC123DEFG"}
        self.assertEqual(self.kinds.settings, {"apple": settings, "browsers": {}})
        apple, browsers = self.kinds.contexts["apple"], self.kinds.contexts["browsers"]
        self.assertEqual((apple.node, apple.name), ("home.example", "apple"))
        self.assertEqual((apple.secret("secret:a"), apple.secret("a")), (b"opened a",) * 2)
        self.assertEqual((apple.derived()[:5], browsers.derived()[:8]), (b"apple", b"browsers"))
        self.successResultOf(pushes.sender.wake("browsers", PushAddress("x"), Wake.CALL))
        self.assertEqual(self.kinds.made["browsers"].asked, [("x", Wake.CALL, 30)])
        self.assertEqual(pushes.report(), ["apple: taking wakes", "browsers: taking wakes; taken 1"])
        self.successResultOf(pushes.stop())
        self.assertTrue(all(provider.stopped for provider in self.kinds.made.values()))

    def test_bad_settings(self) -> None:
        """The node does not open, says why, and leaves nothing open; what a bridge raises is not quoted."""
        for failure, said in (
            (ConfigError("settings of browsers: no contact"), "settings of browsers: no contact"),
            (ValueError("hunter2"), "push.providers: browsers cannot be made of its settings: ValueError"),
        ):
            self.kinds = Kinds()
            self.kinds.failure = failure
            error = self.assertRaises(StartError, self.make, parse(NODE + TWO))
            self.assertIn(said, str(error))
            self.assertNotIn("hunter2", str(error))
            self.assertTrue(self.kinds.made["apple"].stopped)

    def test_bad_kind(self) -> None:
        """The same for a kind that is not there."""
        text = NODE + TWO.replace('"double"\n', '"other"\n')
        self.assertIn("no kind other", str(self.assertRaises(StartError, self.make, parse(text))))


class OperatorTests(PushesCase):
    """`safeum-home push`, from the handlers of the socket to what is printed."""

    def setUp(self) -> None:
        super().setUp()
        self.pushes = self.make(parse(NODE + TWO))
        self.node = SimpleNamespace(pushes=self.pushes, domain=None, status="opening")
        self.apple = self.kinds.made["apple"]

    def run_command(self, name: str, json: bool = False) -> str:
        def ask(_arguments: Any, method: str, params: Any, result: type) -> Any:
            answer = push_handlers(cast(Any, self.node))[method].call(params)
            self.assertIsInstance(answer, result)
            return answer

        with redirect_stdout(io.StringIO()) as printed:
            code = getattr(PushCommands(cast(Any, ask)), name)(argparse.Namespace(json=json))
        self.assertEqual(code, 0)
        return printed.getvalue()

    def wake(self, outcome: Outcome | None, wake: Wake = Wake.MESSAGE) -> None:
        self.apple.outcome = outcome
        self.pushes.sender.wake("apple", PushAddress("hunter2"), wake)

    def test_status(self) -> None:
        """A line for each provider, its counts, and what troubled it last, in the bridge's words."""
        for outcome in (Accepted(), Accepted(), Gone("unregistered"), None, Temporary("throttled", 60.0)):
            self.wake(outcome)
        self.wake(None, Wake.CALL)
        self.assertEqual(
            self.run_command("status").splitlines(),
            [
                "apple            double     left alone for a while, asked again in 60 s; "
                "1 calls and 1 messages waiting, 1 under way",
                "  dead 1, taken 2, temporary 1",
                "  last trouble: throttled",
                "browsers         double     taking wakes; 0 calls and 0 messages waiting, 0 under way",
            ],
        )
        self.assertIn('"trouble":"throttled"', self.run_command("status", json=True))

    def test_metrics(self) -> None:
        """A program that others use reads them; every outcome is there from the start, and no address."""
        self.wake(Accepted())
        self.wake(Refused("the key is revoked", True))
        self.wake(None, Wake.CALL)
        text = self.run_command("metrics")
        found = {
            (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        self.assertEqual(found["safeum_push_wakes_total", "taken", "apple"], 1)
        self.assertEqual(found["safeum_push_wakes_total", "refused", "apple"], 1)
        self.assertEqual(found["safeum_push_wakes_total", "dead", "browsers"], 0)
        self.assertEqual(found["safeum_push_failures_total", "timed_out", "apple"], 0)
        self.assertEqual(found["safeum_push_waiting", "call", "apple"], 1)
        self.assertEqual(found["safeum_push_left_alone", "apple"], 1)
        self.assertEqual(found["safeum_push_under_way", "apple"], 0)
        self.assertNotIn("hunter2", text)

    def test_sealed(self) -> None:
        """While the node is not open there is nothing to ask about."""
        self.node.pushes = None
        for method in ("push.status", "push.metrics"):
            handler = push_handlers(cast(Any, self.node))[method]
            problem = self.assertRaises(Problem, handler.call, handler.params())
            self.assertEqual(problem.code, Code.SEALED)


class ProcessTests(NodeCase):
    """A node as a process."""

    def test_a_kind_that_is_not_there(self) -> None:
        """It ends at once with a line that says so, before it asks for any root secret."""
        with self.config.open("a") as config:
            config.write('[[push.providers]]\nname = "apple"\nkind = "smoke-signals"\n')
        node = self.start()
        self.assertEqual(node.wait(60), 1)
        self.assertIn("push.providers: there is no kind smoke-signals", self.log.read_text())
        self.assertNotIn("Traceback", self.log.read_text())

    def test_without_a_provider(self) -> None:
        """It serves, and says that there is none."""
        self.serve()
        self.assertRegex(self.operate("status", "--config", str(self.config)), r"(?m)^push +no provider$")
        self.assertEqual(self.operate("push", "--config", str(self.config)), "")
