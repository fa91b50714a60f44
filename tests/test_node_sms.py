"""A node's text messages: from its configuration and its secrets to a provider."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from safeum_home.config import Config, ConfigError, parse
from safeum_home.errors import Code, Problem
from safeum_home.node.sms import make_texts
from safeum_home.node.startup import StartError
from safeum_home.node.terminal_sms import SECTION, TerminalSms, terminal_bridge
from safeum_home.ports.sms import Accepted, SmsBridge, SmsContext, SmsState
from tests.node_case import NodeCase
from tests.sms import HOST, NUMBER, TEXT, Provider, logged

NODE = '[node]\nname = "home.example"\nstate_dir = "/nowhere"\n'
TWO = """
[[sms.providers]]
name = "first"
kind = "double"
settings = { password = "secret:first" }
[[sms.providers]]
name = "second"
kind = "double"
"""


class Kinds:
    """Bridges of kind `double`, which keep what they were handed."""

    def __init__(self) -> None:
        self.made: dict[str, Provider] = {}
        self.contexts: dict[str, SmsContext] = {}
        self.settings: dict[str, Mapping[str, Any]] = {}
        self.failure: Exception | None = None

    def __call__(self, kind: str) -> SmsBridge:
        if kind != "double":
            raise ConfigError(f"there is no kind {kind}")
        return self.make

    def make(self, context: SmsContext, settings: Mapping[str, Any]) -> Provider:
        if self.failure is not None and self.made:
            raise self.failure
        self.contexts[context.name], self.settings[context.name] = context, settings
        self.made[context.name] = Provider(Accepted("x"))
        return self.made[context.name]


class CompositionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.kinds = Kinds()
        self.asked: list[str] = []

    def secret(self, name: str) -> bytes:
        self.asked.append(name)
        return b"value"

    def make(self, config: Config) -> Any:
        return make_texts(config, Clock(), self.secret, self.kinds)

    def test_none(self) -> None:
        """Without a provider nothing is sent, and there is nothing to tell."""
        texts = self.make(parse(NODE))
        problem = self.failureResultOf(texts.sender.send(NUMBER, TEXT, HOST), Problem).value
        self.assertEqual(problem.code, Code.SMS_UNAVAILABLE)
        self.assertEqual((texts.report(), texts.callbacks), ([], {}))

    def test_in_order(self) -> None:
        """Providers are made in order, with their settings and a context each; reports get back."""
        texts = self.make(parse(NODE + TWO))
        self.successResultOf(texts.sender.send(NUMBER, TEXT, HOST))
        self.assertEqual(self.kinds.made["first"].sent, [(NUMBER, TEXT)])
        self.assertEqual(self.kinds.settings, {"first": {"password": "secret:first"}, "second": {}})
        context = self.kinds.contexts["first"]
        self.assertEqual((context.secret("secret:first"), context.secret("first")), (b"value", b"value"))
        self.assertEqual(self.asked, ["first", "first"])
        context.reports.report("first", "x", SmsState.DELIVERED)
        self.assertEqual(
            texts.report(),
            [
                "first: taking messages; delivered 1, taken 1",
                "second: taking messages",
                "today: 1 of 2000 messages, 0.10 of 200.00",
            ],
        )
        self.successResultOf(texts.stop())
        self.assertTrue(self.kinds.made["second"].stopped)

    def test_callbacks(self) -> None:
        """A provider that has reports come to it is told where, and its resource is handed on."""
        resource = Resource()
        make = self.kinds.make

        def with_callback(context: SmsContext, settings: Mapping[str, Any]) -> Provider:
            provider = make(context, settings)
            if context.name == "second":
                provider.callback = resource  # type: ignore[attr-defined]
            return provider

        self.kinds.make = with_callback  # type: ignore[method-assign]
        texts = self.make(parse(NODE + TWO))
        self.assertEqual(texts.callbacks, {"/v1/sms/second": resource})
        self.assertEqual(self.kinds.contexts["second"].callback_url, "https://home.example/v1/sms/second")

    def test_bad_settings(self) -> None:
        """The node does not open, says why, and leaves nothing open; what a bridge raises is not quoted."""
        for failure, said in (
            (ConfigError("settings of second: no colour"), "settings of second: no colour"),
            (ValueError("hunter2"), "second cannot be made of its settings: ValueError"),
        ):
            self.kinds = Kinds()
            self.kinds.failure = failure
            error = self.assertRaises(StartError, self.make, parse(NODE + TWO))
            self.assertIn(said, str(error))
            self.assertNotIn("hunter2", str(error))
            self.assertTrue(self.kinds.made["first"].stopped)

    def test_bad_kind(self) -> None:
        """The same for a kind that is not there."""
        text = NODE + TWO.replace('"double"\n', '"other"\n')
        self.assertIn("no kind other", str(self.assertRaises(StartError, self.make, parse(text))))


class TerminalTests(SynchronousTestCase):
    def test_shown_and_not_logged(self) -> None:
        """`make run` shows a message on its terminal; no log has it."""
        events = logged(self)
        terminal = StringIO()
        self.successResultOf(TerminalSms(terminal).send(NUMBER, TEXT))
        self.assertIn(TEXT, terminal.getvalue())
        self.assertIn(NUMBER, terminal.getvalue())
        self.assertNotIn("482913", str(events))

    def test_its_section(self) -> None:
        """The configuration of `make run` is made of it, and of nothing else."""
        config = Config(node=parse(NODE).node, sms=SECTION)
        texts = make_texts(config, Clock(), lambda name: b"", terminal_bridge)
        self.assertEqual(texts.report()[0], "terminal: taking messages")
        self.assertRaises(ConfigError, terminal_bridge, "smpp")


class ProcessTests(NodeCase):
    """A node as a process."""

    def test_a_kind_that_is_not_there(self) -> None:
        """It ends at once with a line that says so, before it asks for any root secret."""
        with self.config.open("a") as config:
            config.write('[[sms.providers]]\nname = "main"\nkind = "terminal"\n')
        node = self.start()
        self.assertEqual(node.wait(60), 1)
        self.assertIn("there is no kind terminal", self.log.read_text())
        self.assertNotIn("Traceback", self.log.read_text())

    def test_bad_settings(self) -> None:
        """It ends at once and says which setting it is, before it asks for any root secret."""
        with self.config.open("a") as config:
            config.write('[[sms.providers]]\nname = "main"\nkind = "smpp"\nsettings = { window = 1 }\n')
        node = self.start()
        self.assertEqual(node.wait(60), 1)
        self.assertIn("settings of main", self.log.read_text())
        self.assertNotIn("Traceback", self.log.read_text())

    def test_settings_that_show_when_it_opens(self) -> None:
        """It opens as far as it can, and says which setting it is."""
        settings = 'endpoint = "nowhere:1", system_id = "home", password = "secret:main"'
        with self.config.open("a") as config:
            config.write(f'[[sms.providers]]\nname = "main"\nkind = "smpp"\nsettings = {{ {settings} }}\n')
        self.start_unsealed()
        self.until((503, "failed"))
        self.assertIn("settings of main", self.log.read_text())
        self.assertNotIn("Traceback", self.log.read_text())
