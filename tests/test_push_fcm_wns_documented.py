"""docs/push.md says of FCM and WNS what the code does, and its examples are taken."""

import json
import re
from pathlib import Path
from typing import Any

from msgspec import convert
from msgspec.structs import fields
from twisted.trial.unittest import SynchronousTestCase

from bridges.breaker import LONGEST
from bridges.push.fcm import FcmSettings, fcm
from bridges.push.origins import FAILURES, SECONDS
from bridges.push.wns import WnsSettings, wns
from safeum_home.config import parse
from safeum_home.ports.push import Accepted, Gone, Outcome, PushAddress, Refused, Temporary
from safeum_home.protocol.commands.push import PushSet
from tests.push_bridge_case import PushBridgeCase
from tests.test_push_fcm import FcmCase
from tests.test_push_wns import WnsCase, channel

PAGE = (Path(__file__).parent.parent / "docs" / "push.md").read_text()
KINDS: tuple[tuple[str, Any, Any], ...] = (("fcm", fcm, FcmSettings), ("wns", wns, WnsSettings))


def section(kind: str) -> str:
    return PAGE.partition(f"### {kind}\n")[2].partition("\n### ")[0]


def block(kind: str, language: str) -> str:
    return section(kind).partition(f"```{language}\n")[2].partition("```")[0]


class ExampleTests(PushBridgeCase):
    def test_examples(self) -> None:
        """The settings make a provider, and it takes the address that a client registers."""
        for kind, bridge, _ in KINDS:
            text = '[node]\nname = "node.example"\nstate_dir = "/nowhere"\n' + block(kind, "toml")
            (provider,) = parse(text).push.providers
            self.assertEqual(provider.kind, kind)
            bridge.check(provider.name, provider.settings)
            made = bridge(self.context(), provider.settings)
            registered = convert(json.loads(block(kind, "json")), PushSet)
            self.assertEqual(registered.provider, provider.name)
            made.check(PushAddress(registered.token))
            self.successResultOf(made.stop())

    def test_settings(self) -> None:
        """The table has every setting, with its default, and no other."""
        for kind, _, settings in KINDS:
            table = section(kind).partition("| setting |")[2].partition("\n\n")[0]
            cells = re.findall(r"^\| `(\w+)` \|([^|]*)\|", table, re.M)
            documented = {name: told.strip() for name, told in cells}
            self.assertEqual(set(documented), set(settings.__struct_fields__))
            needed = {each.name for each in fields(settings) if each.required}
            self.assertEqual({name for name, told in documented.items() if not told}, needed)
            made = settings(**dict.fromkeys(needed, "x"))
            for name, told in documented.items():
                if told.startswith("`"):
                    default = getattr(made, name)
                    said = json.loads(told.strip("`"))
                    self.assertEqual(said, list(default) if isinstance(default, tuple) else default, name)

    def test_secrets(self) -> None:
        """The command that feeds the credentials names what the settings name."""
        for kind, _, _ in KINDS:
            (fed,) = re.findall(r"`safeum-home secret set (\w+)", section(kind))
            self.assertIn(f'"secret:{fed}"', block(kind, "toml"))


def kind_of(outcome: Outcome) -> str:
    """As the tables begin what they say of an outcome."""
    match outcome:
        case Accepted():
            return "taken"
        case Gone():
            return "gone"
        case Temporary():
            return "tried again later"
        case Refused(account_refused=True):
            return "the account is refused"
    return "refused"


class FcmTableTests(FcmCase):
    def test_table(self) -> None:
        """What the table says of FCM's errors is what becomes of them."""
        table = section("fcm").partition("| answer | outcome |")[2].partition("\n\n")[0]
        rows = re.findall(r"^\| (.+) \| (.+) \|$", table, re.M)
        for name, words in (
            ("unregistered", "404 `UNREGISTERED`"),
            ("bad-token", "names `message.token` alone"),
            ("bad-token-short", "names another field or none"),
            ("bad-field", "names another field or none"),
            ("quota", "429 `QUOTA_EXCEEDED`"),
            ("quota-device", "429 `QUOTA_EXCEEDED`"),
            ("internal", "500 `INTERNAL`"),
            ("unavailable", "503 `UNAVAILABLE`"),
            ("no-role", "403 without a code"),
            ("other-sender", "403 `SENDER_ID_MISMATCH`"),
            ("third-party", "401 `THIRD_PARTY_AUTH_ERROR`"),
            ("unspecified", "400 `UNSPECIFIED_ERROR`"),
            ("not-found", "404 without a code"),
        ):
            (told,) = (outcome for answer, outcome in rows if words in answer)
            provider = self.provider()
            self.woken(provider, "x" * 40)
            found = kind_of(self.woken(provider, f"{name}:{'x' * 40}"))
            self.assertTrue(told.startswith(found), (name, told, found))


class WnsTableTests(WnsCase):
    def test_table(self) -> None:
        """What the table says of WNS's answers is what becomes of them."""
        table = section("wns").partition("| answer | outcome |")[2].partition("\n\n")[0]
        rows = re.findall(r"^\| (.+) \| (.+) \|$", table, re.M)
        for name, words in (
            ("received", "200, `received`"),
            ("dropped-away", "the device being away"),
            ("dropped", "200, `dropped`"),
            ("channel", "`channelthrottled`"),
            ("unknown", "404; 410"),
            ("expired", "404; 410"),
            ("blocked", "`Domain Blocked`"),
            ("other-app", "403"),
            ("throttled", "406, 429"),
            ("failed", "408, 500"),
            ("busy", "408, 500"),
            ("header", "400, 405, 413"),
            ("method", "400, 405, 413"),
            ("large", "400, 405, 413"),
        ):
            told = [outcome for answer, outcome in rows if answer.endswith(words) or words in answer][-1]
            found = kind_of(self.woken(self.provider(), channel(name)))
            self.assertTrue(told.startswith(found), (name, told, found))


class NumberTests(SynchronousTestCase):
    def test_hosts(self) -> None:
        """The numbers of the hosts that are in trouble."""
        self.assertEqual((FAILURES, SECONDS, LONGEST * SECONDS), (5, 15, 240))
        told = section("wns").partition("**A host that fails is left alone.**")[2].partition("\n\n")[0]
        for words in (
            "five times\nin a row",
            "15 seconds at first and four minutes at the most",
            "is as with [webpush](#webpush)",
        ):
            self.assertIn(words, told)


class BothTests(SynchronousTestCase):
    def test_sections(self) -> None:
        """Neither is empty: the tests above would say nothing."""
        for kind, _, _ in KINDS:
            self.assertGreater(len(section(kind)), 1000)
