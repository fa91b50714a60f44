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
from tests.telephone_case import ANSWER, TelephoneCase

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


class PlayedTests(TelephoneCase):
    """A node does what the page shows."""

    def setUp(self) -> None:
        super().setUp()
        self.frames = frames()

    def asked(self, method: str) -> dict[str, Any]:
        """The parameters of a command of the page."""
        found: dict[str, Any] = next(
            each["params"] for each in self.frames if "id" in each and each.get("method") == method
        )
        return found

    def told(self, method: str) -> dict[str, Any]:
        """The one event of this name that a node has told: it says what that of the page says."""
        [event] = self.ann.take(method)
        shown = next(
            each["params"] for each in self.frames if "id" not in each and each.get("method") == method
        )
        params: dict[str, Any] = event["params"]
        self.assertEqual(set(shown), set(params))
        return params

    def test_out(self) -> None:
        """Dialled, early, answered, keys both ways, paid, ended: in the page's own words."""
        params = self.asked("telephone.dial")
        answer = self.ann.call("telephone.dial", **params)
        [shown] = [each["result"] for each in self.frames if "cli" in each.get("result", {})]
        self.assertEqual((set(answer), answer["seconds"]), (set(shown), shown["seconds"]))
        line = self.carriers.calls[-1]
        line.progress(ANSWER)
        self.assertEqual(self.told("telephone.progress")["call"], params["call"])
        line.take(None)
        self.told("telephone.answered")
        [listed] = [each["result"] for each in self.frames if "calls" in each.get("result", {})]
        found = self.ann.call("telephone.list")
        self.assertEqual([set(each) for each in found["calls"]], [set(each) for each in listed["calls"]])
        self.ann.call("telephone.dtmf", **self.asked("telephone.dtmf"))
        line.press("5")
        self.assertEqual(self.told("telephone.dtmf")["digits"], "5")
        self.advance(65)
        self.told("telephone.paid")
        self.hang_up(self.ann, params["call"])
        self.world.settle()
        self.assertEqual(self.told("telephone.ended")["reason"], "hangup")

    def test_in(self) -> None:
        """It rings, and is answered; one that nobody takes is missed."""
        self.ring()
        call = self.told("telephone.incoming")["call"]
        self.ann.call("telephone.answer", **{**self.asked("telephone.answer"), "call": call})
        self.carriers.calls[-1].take(None)
        self.carriers.calls[-1].end()
        self.settle()
        self.ring().end(487)
        self.world.settle()
        self.told("telephone.missed")
