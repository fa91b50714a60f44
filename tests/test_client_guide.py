"""The frames that the protocol's page shows are frames of the protocol."""

import re
from pathlib import Path

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from bridges.push.template import PAYLOADS
from safeum_home.errors import Code
from safeum_home.protocol import commands as c
from safeum_home.protocol.commands import COMMANDS
from safeum_home.protocol.events import EVENTS
from safeum_home.protocol.frames import ProblemDetails
from safeum_home.protocol.types import Message

PAGE = Path(__file__).parent.parent / "docs" / "protocol" / "README.md"


class FrameTests(SynchronousTestCase):
    def test_the_frames_shown_are_of_the_protocol(self) -> None:
        blocks = re.findall(r"^```json\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
        login, opened, send, sent, event, error, presence = [msgspec.json.decode(block) for block in blocks]
        msgspec.convert(presence["params"], EVENTS[presence["method"]].type)
        for request in (login, send):
            msgspec.convert(request["params"], COMMANDS[request["method"]].params)
        msgspec.convert(opened["result"], c.Opened)
        msgspec.convert(sent["result"], c.Sent)
        message = msgspec.convert(event["params"], Message)
        self.assertEqual((event["method"], message.id), ("chat.message", sent["result"]["id"]))
        details = msgspec.convert(error["error"]["data"], ProblemDetails)
        kind = Code.NOT_A_CONTACT.value
        self.assertTrue(all(payload.decode() in PAGE.read_text() for payload in PAYLOADS.values()))
        self.assertEqual((details.code, details.title, details.status), (kind.code, kind.title, kind.status))
        self.assertEqual((error["error"]["code"], error["error"]["message"]), (kind.rpc, kind.title))
