"""The terminal client and `safeum pipe`, asleep: how they go, what is shown, and what brings them back."""

import json
from typing import Any

from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import DummyInput
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import DummyOutput
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.events import Link
from safeum_home.client.pipe.pipe import Pipe
from safeum_home.client.screen.terminal import Screen
from tests.client_desk import DeskTestCase
from tests.client_double import FakeNode

ASLEEP = 4012
SHOWN = "○ asleep: any key wakes"


class AsleepCase(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.node.answers["session.sleep"] = self.wire.answers["session.sleep"] = lambda params: {}

    def link(self) -> Link:
        return self.desk.link.link


class SleepTests(AsleepCase):
    """`/sleep`"""

    def test_leaves_until_it_is_used(self) -> None:
        """The status line says so, and that anything brings it back; the next command does."""
        self.enter("/sleep")
        self.assertEqual(self.wire.methods()[-1], "session.sleep")
        self.assertIn(SHOWN, self.status())
        self.node.clock.advance(100_000)
        self.assertEqual((self.link(), len(self.node.wires)), (Link.ASLEEP, 1))
        self.enter("/devices")
        self.assertIn("● connected", self.status())
        self.assertEqual(len(self.node.wire.of("device.list")), 1)

    def test_put_to_sleep(self) -> None:
        """The same where the node has put it to sleep."""
        self.wire.drop(ASLEEP)
        self.assertIn(SHOWN, self.status())

    def test_what_is_on_screen_stays(self) -> None:
        self.enter("/chat bob")
        self.enter("/sleep")
        self.assertIn("text 3", self.body())

    def test_over(self) -> None:
        """A session that is over does not sleep."""
        self.wire.drop(4010)
        self.enter("/sleep")
        self.assertIn("The session is over.", self.body())
        self.assertIn("session over", self.status())


class PushTests(AsleepCase):
    """`/push`"""

    def says(self, provider: str | None, *offered: str) -> str:
        self.wire.answers["push.get"] = lambda params: {"provider": provider}
        self.wire.answers["push.providers"] = lambda params: {
            "providers": [{"name": name, "kind": "webpush"} for name in offered]
        }
        self.enter("/push")
        return " ".join(self.body().split())

    def test_woken(self) -> None:
        self.assertIn("This device is woken through web when it sleeps.", self.says("web", "web"))

    def test_not_woken(self) -> None:
        shown = self.says(None, "apple", "web")
        self.assertIn("Nothing wakes this device: it stays connected, unless /sleep ends that.", shown)
        self.assertIn("Your node wakes others through apple, web.", shown)

    def test_nobody_is_woken(self) -> None:
        self.assertIn("Your node wakes nobody.", self.says(None))

    def test_names_are_shown_safely(self) -> None:
        """What a node calls its providers draws nothing on the screen."""
        for provider in (None, "\x1b[2Jweb"):
            self.assertNotIn("\x1b", self.says(provider, "\x1b]0;x\x07"))


class KeyTests(AsleepCase):
    """Any key brings it back."""

    def setUp(self) -> None:
        super().setUp()
        self.node.answers["chat.settings.set"] = lambda params: {"settings": {"draft": params["draft"]}}
        self.wire.answers |= self.node.answers
        session = create_app_session(DummyInput(), DummyOutput())
        session.__enter__()
        self.addCleanup(session.__exit__, None, None, None)
        self.screen = Screen(self.desk)
        # There is no loop that a sequence of keys could be waited for in.
        self.patch(self.screen.app.key_processor, "_start_timeout", lambda: None)
        self.addCleanup(self.desk.attention.stop)

    def press(self, key: Keys | str) -> None:
        self.screen.app.key_processor.feed(KeyPress(key))
        self.screen.app.key_processor.process_keys()

    def test_any_key(self) -> None:
        for key in (Keys.PageUp, Keys.ControlN, Keys.F1):
            self.enter("/sleep")
            self.assertEqual(self.link(), Link.ASLEEP)
            self.press(key)
            self.assertEqual(self.link(), Link.ONLINE)

    def test_the_key_that_enters_it(self) -> None:
        """It comes before the command: nothing of it wakes."""
        self.screen._input.buffer.insert_text("/sleep", fire_event=False)
        self.press(Keys.Enter)
        self.node.clock.advance(100_000)
        self.assertEqual((self.link(), len(self.node.wires)), (Link.ASLEEP, 1))

    def test_nobody_is_there(self) -> None:
        """That nobody has hit a key for a while does not wake it."""
        self.press(Keys.PageUp)
        self.enter("/sleep")
        self.node.clock.advance(1000)
        self.assertEqual(self.link(), Link.ASLEEP)

    def test_what_was_begun_is_kept_first(self) -> None:
        """A draft is told before it goes, and does not bring it back a moment later."""
        self.enter("/chat bob")
        buffer = self.screen._input.buffer
        buffer.insert_text("hello", fire_event=False)
        buffer.insert_text(" there", fire_event=False)
        self.enter("/sleep")
        self.node.clock.advance(100)
        self.assertEqual((self.link(), len(self.node.wires)), (Link.ASLEEP, 1))
        self.assertEqual(
            [each["draft"] for each in self.params("chat.settings.set")], [{"text": "hello there"}]
        )


class PipeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = FakeNode()
        self.node.login()
        self.transport = StringTransport()
        self.pipe = Pipe(self.node.client, self.node.clock)
        self.pipe.makeConnection(self.transport)

    def give(self, **request: Any) -> None:
        self.pipe.dataReceived(json.dumps(request).encode() + b"\n")

    def lines(self) -> list[Any]:
        lines = [json.loads(line) for line in self.transport.value().splitlines()]
        self.transport.clear()
        return lines

    def links(self) -> list[str]:
        return [line["params"]["link"] for line in self.lines() if line.get("method") == "client.link"]

    def test_put_to_sleep(self) -> None:
        """It says so, and the next command brings it back and is answered."""
        self.lines()
        self.node.wire.drop(ASLEEP)
        self.assertEqual(self.links(), ["asleep"])
        self.node.clock.advance(1000)
        self.assertEqual(len(self.node.wires), 1)
        self.give(method="push.get", id=1)
        self.assertEqual(self.links(), ["online"])
        self.node.wire.reply(self.node.wire.of("push.get")[0], {"provider": None})
        self.assertEqual(self.lines(), [{"jsonrpc": "2.0", "id": 1, "result": {"provider": None}}])

    def test_as_it_wishes(self) -> None:
        """`session.sleep` is a command as any other."""
        self.lines()
        self.give(method="session.sleep", id=1)
        self.node.wire.reply(self.node.wire.of("session.sleep")[0], {})
        self.node.wire.drop(ASLEEP)
        answer, link = self.lines()
        self.assertEqual((answer["result"], link["params"]["link"]), ({}, "asleep"))
        self.node.clock.advance(1000)
        self.assertEqual(len(self.node.wires), 1)
