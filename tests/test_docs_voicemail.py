"""docs/voicemail.md: its frames are of the protocol, and its tables have all that there is."""

import ast
import re
from pathlib import Path
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.methods.methods import Methods
from safeum_home.client.session import Client
from safeum_home.config_safenum import SafenumSection
from safeum_home.errors import Code
from safeum_home.protocol.commands import COMMANDS
from safeum_home.protocol.events import EVENTS
from safeum_home.protocol.voicemail_types import VoicemailRule

PAGE = (Path(__file__).parent.parent / "docs" / "voicemail.md").read_text()


def frames() -> list[dict[str, Any]]:
    """All frames of the page, in their order."""
    return [msgspec.json.decode(block) for block in re.findall(r"^```json\n(.*?)^```$", PAGE, re.M | re.S)]


def rows(heading: str) -> set[str]:
    """What stands in code in the first column of the tables below a heading."""
    _, _, text = PAGE.partition(f"\n## {heading}\n")
    firsts = [line.split("|")[1] for line in text.split("\n## ")[0].split("\n") if line.startswith("| ")]
    return set(re.findall(r"`([a-z_]+)`", " ".join(firsts)))


class PageTests(SynchronousTestCase):
    def test_frames(self) -> None:
        """Each is a command, the result of the one before, or a message, and strictly so."""
        asked: dict[int, str] = {}
        seen = set()
        for frame in frames():
            if "result" in frame:
                msgspec.convert(frame["result"], COMMANDS[asked[frame["id"]]].result, str_keys=True)
                continue
            method, params = frame["method"], frame["params"]
            seen.add(method)
            if "id" in frame:
                asked[frame["id"]] = method
                msgspec.json.decode(msgspec.json.encode(params), type=COMMANDS[method].params)
            else:
                msgspec.convert(params, EVENTS[method].type)
        methods = {method for method in COMMANDS if method.startswith("voicemail.")}
        self.assertEqual(methods - seen, set())

    def test_tables(self) -> None:
        """Rules and settings are all there, and refusals are codes."""
        self.assertEqual(rows("When it takes a call"), set(VoicemailRule.__struct_fields__))
        settings = {name for name in SafenumSection.__struct_fields__ if name.startswith("voicemail_")}
        self.assertEqual(rows("Setting it up"), settings)
        self.assertEqual(rows("For authors of clients") - {code.code for code in Code}, set())

    def test_settings(self) -> None:
        """The sample is what holds without it."""
        [text] = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.M | re.S)
        given = msgspec.toml.decode(text)["safenum"]
        self.assertEqual(msgspec.convert(given, SafenumSection), SafenumSection())

    def test_sdk(self) -> None:
        """What it calls is there."""
        [code] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
        tree = ast.parse(f"async def main():\n{re.sub('^', '    ', code, flags=re.M)}")
        called = {
            node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        self.assertEqual({name for name in called if not hasattr(Client, name)}, set())
        self.assertTrue(issubclass(Client, Methods))
