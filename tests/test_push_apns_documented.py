"""docs/push.md says of APNs what the code does, and its example is one."""

import re
import tomllib
from pathlib import Path
from typing import Any

from msgspec.structs import fields

from bridges.push.apns import HOSTS, ApnsSettings, apns
from bridges.push.apns_answers import REASONS
from bridges.push.apns_jwt import LEAST
from bridges.push.apns_requests import LOC_KEY
from safeum_home.ports.push import Gone, Refused
from tests.push_bridge_case import PushBridgeCase

PAGE = (Path(__file__).parent.parent / "docs" / "push.md").read_text()
SECTION = PAGE.partition("### apns\n")[2].partition("\n### ")[0]


def rows(heading: str) -> list[list[str]]:
    """The cells of the table that begins with this."""
    table = SECTION.partition(heading)[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


class DocumentTests(PushBridgeCase):
    def test_example(self) -> None:
        """It is a provider."""
        example = SECTION.partition("```toml\n")[2].partition("```")[0]
        (provider,) = tomllib.loads(example)["push"]["providers"]
        self.assertEqual(provider["kind"], "apns")
        apns.check(provider["name"], provider["settings"])  # type: ignore[attr-defined]
        self.successResultOf(apns(self.context(), provider["settings"]).stop())

    def test_settings(self) -> None:
        """All are told, with their defaults."""
        told = {cells[0].strip("`"): cells[1].strip("`") for cells in rows("| setting |")}
        known = {each.name: each for each in fields(ApnsSettings)}
        self.assertEqual(list(told), list(known))
        for name, default in told.items():
            real: Any = known[name].default
            if known[name].required:
                self.assertEqual(default, "", name)
            elif real is not None:
                self.assertEqual(tomllib.loads(f"x = {default}")["x"], real, name)
        self.assertEqual(set(HOSTS), set(re.findall(r'"(production|sandbox)"', SECTION)))

    def test_reasons(self) -> None:
        """What becomes of each that is named."""
        named = {
            reason: cells[1]
            for cells in rows("| APNs says |")
            for reason in re.findall(r"`([A-Za-z]+)`", cells[0])
        }
        for reason, outcome in REASONS.items():
            if isinstance(outcome, Gone):
                self.assertIn("forgotten", named[reason])
            if isinstance(outcome, Refused) and outcome.account_refused and reason in named:
                self.assertIn("the node is refused", named[reason])
        self.assertIn(f"older than {LEAST / 60:.0f} minutes", SECTION)
        self.assertIn(f"`{LOC_KEY}`", SECTION)
