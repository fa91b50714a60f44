"""docs/telephone.md: its frames are of the protocol, and its tables have all that there is."""

import re
from pathlib import Path
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.telephony.ending import TelephoneEnd
from safeum_home.errors import Code
from safeum_home.protocol.commands import COMMANDS
from safeum_home.protocol.commands.telephone import TelephoneDial
from safeum_home.protocol.events import EVENTS
from safeum_home.protocol.telephone_types import TelephoneEnded

PAGE = (Path(__file__).parent.parent / "docs" / "telephone.md").read_text()
SDP = "o=- 1 1 IN IP4 192.0.2.1"
"""In place of what the page leaves out."""


def frames() -> list[dict[str, Any]]:
    """All frames of the page, in their order."""
    blocks = re.findall(r"^```json\n(.*?)^```$", PAGE, re.M | re.S)
    return [msgspec.json.decode(block.replace("…", SDP)) for block in blocks]


def rows(heading: str) -> set[str]:
    """What stands in code in the first column of the tables below a heading."""
    _, _, text = PAGE.partition(f"\n## {heading}\n")
    text = text.split("\n## ")[0]
    firsts = [line.split("|")[1] for line in text.split("\n") if line.startswith("| ")]
    return set(re.findall(r"`([a-z_]+)`", " ".join(firsts)))


class PageTests(SynchronousTestCase):
    def test_frames(self) -> None:
        """Each is a command, the result of the one before, or an event, and strictly so."""
        asked: dict[int, str] = {4: "telephone.list"}
        seen = set()
        for frame in frames():
            if "result" in frame:
                msgspec.convert(frame["result"], COMMANDS[asked[frame["id"]]].result)
                continue
            method, params = frame["method"], frame["params"]
            seen.add(method)
            if "id" in frame:
                asked[frame["id"]] = method
                msgspec.convert(params, COMMANDS[method].params)
            else:
                msgspec.convert(params, EVENTS[method].type)
                self.assertEqual(set(params) - set(EVENTS[method].type.__struct_fields__), set())
        events = {method for method in EVENTS if method.startswith("telephone.")}
        self.assertEqual(events - seen, set())

    def test_commands(self) -> None:
        """The page has all of them."""
        methods = [method for method in COMMANDS if method.startswith("telephone.")]
        self.assertEqual([method for method in methods if f"`{method}`" not in PAGE], [])

    def test_reasons(self) -> None:
        """All, and those that the SDK adds."""
        self.assertEqual(rows("How a call ends"), {each.value for each in TelephoneEnded})
        _, _, text = PAGE.partition("The SDK adds ")
        added = {each.value for each in TelephoneEnd} - {each.value for each in TelephoneEnded}
        self.assertEqual(set(re.findall(r"`([a-z_]+)`", text.split("\n")[0])), added)

    def test_refusals(self) -> None:
        """What the command says of itself, and nothing that is no code."""
        said = set(re.findall(r"`([a-z_]+)`", TelephoneDial.__doc__ or ""))
        self.assertEqual(said - rows("Refusals"), set())
        self.assertEqual(rows("Refusals") - {code.code for code in Code}, set())
