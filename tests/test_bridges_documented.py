"""docs/sms-over-http.md says what the code does, and its examples are taken."""

import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from bridges.sms import twilio, vonage
from bridges.sms.kannel import KannelSettings
from bridges.sms.twilio import TwilioSettings
from bridges.sms.vonage import VonageSettings
from safeum_home.config import parse
from safeum_home.gateway.tls import ServerTls, self_signed
from safeum_home.node.edge import Edge
from safeum_home.ports.sms import SmsContext
from safeum_home.protocol.http import SMS_REPORTS_PATH
from tests.sms_case import Reports

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "sms-over-http.md").read_text()
URL = "https://node.example/v1/sms/main"


def example(kind: str) -> dict[str, Any]:
    """The settings in the section of a kind."""
    text = PAGE.partition(f"## {kind.capitalize()}\n")[2].partition("```toml\n")[2].partition("```")[0]
    settings: dict[str, Any] = tomllib.loads(text)["settings"]
    return settings


class DocumentTests(SynchronousTestCase):
    def test_examples(self) -> None:
        """Each kind is found by its name and made from its example, without connecting anywhere."""
        found = {point.name: point for point in entry_points(group="safeum_home.sms")}
        for kind in ("twilio", "vonage", "kannel"):
            reactor = MemoryReactorClock()
            context = SmsContext("main", reactor, lambda _: b"secret", URL, Reports())
            provider = found[kind].load()(context, example(kind))
            self.assertIsNotNone(provider.callback)
            self.assertEqual(reactor.tcpClients, [])
            self.successResultOf(provider.stop())
            self.assertEqual(reactor.getDelayedCalls(), [])

    def test_settings(self) -> None:
        """The table has every setting, and no other."""
        table = PAGE.partition("| setting |")[2].partition("\n\n")[0]
        documented = re.findall(r"^\| `(\w+)` \|", table, re.M)
        kinds = (TwilioSettings, VonageSettings, KannelSettings)
        self.assertEqual(set(documented), {name for kind in kinds for name in kind.__struct_fields__})
        self.assertEqual(len(documented), len(set(documented)))
        self.assertIn("(8)", table)
        self.assertEqual(KannelSettings(url="", sender="", user="", key="").seconds, 8)

    def test_codes(self) -> None:
        """Every number that decides is named, at what it decides."""
        for marker, of_twilio, of_vonage in (
            ("| a number that is none", twilio.NUMBER_REFUSED, vonage.NUMBER_REFUSED),
            ("| the account, the sender", twilio.ACCOUNT_REFUSED, vonage.ACCOUNT_REFUSED),
            ("| where a message is to go", twilio.ROUTE_REFUSED, vonage.ROUTE_REFUSED),
            ("| 429; full queues", twilio.TRY_LATER, vonage.TRY_LATER),
        ):
            row = PAGE.partition(marker)[2].partition("\n")[0]
            self.assertEqual(set(map(int, re.findall(r"\b\d{5}\b", row))), of_twilio)
            self.assertEqual(set(map(int, re.findall(r"\b\d{4}\b", row))), of_vonage)


class EdgeTests(SynchronousTestCase):
    def test_served(self) -> None:
        """The node's own edge serves a provider's callback beside its own resources."""
        context = SmsContext("main", MemoryReactorClock(), lambda _: b"secret", URL, Reports())
        provider = entry_points(group="safeum_home.sms")["kannel"].load()(context, example("kannel"))
        config = parse('[node]\nname = "node.example"\nstate_dir = "/nowhere"\n')
        chain, key = self_signed(["node.example"])
        path = f"{SMS_REPORTS_PATH}main"
        self.assertEqual(f"https://node.example{path}", URL)
        edge = Edge(
            MemoryReactorClock(),
            config,
            cast(Any, SimpleNamespace(node_key="key", transfers=None)),
            ServerTls(chain, key),
            dict,
            {path: provider.callback},
        )
        root = edge.factory.site.resource
        self.assertIs(root.children[b"v1"].children[b"sms"].children[b"main"], provider.callback)
        self.assertIn(b"health", root.children)
        self.assertIn(b".well-known", root.children)
