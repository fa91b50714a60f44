"""The line for typing: drafts go into it and come out of it, and nothing of what is gone is offered."""

from prompt_toolkit.application import create_app_session
from prompt_toolkit.document import Document
from prompt_toolkit.input import DummyInput
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import DummyOutput

from safeum_home.client.screen.terminal import Screen, _Completer
from safeum_home.protocol.events import SettingsChanged
from safeum_home.protocol.message_types import ChatSettings, Draft
from tests.client_desk import DeskTestCase
from tests.client_double import CHAT, cursor


class ScreenTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.node.answers["chat.settings.set"] = lambda params: {"settings": {"draft": params["draft"]}}
        session = create_app_session(DummyInput(), DummyOutput())
        session.__enter__()
        self.addCleanup(session.__exit__, None, None, None)
        self.screen = Screen(self.desk)
        self.buffer = self.screen._input.buffer

    def type(self, text: str) -> None:
        """As with keys, but that nothing is offered: that takes a running application."""
        self.buffer.insert_text(text, fire_event=False)

    def kept(self) -> list[object]:
        self.node.clock.advance(3)
        return [params.get("draft") for params in self.params("chat.settings.set")]

    def test_typing_is_kept_once(self) -> None:
        """A moment after the last key; erasing all of it drops the draft; a command is none."""
        self.enter("/chat bob")
        for key in "hello":
            self.type(key)
        self.assertEqual(self.kept(), [{"text": "hello"}])
        self.buffer.text = ""
        self.assertEqual(self.kept(), [{"text": "hello"}, None])
        self.type("/he")
        self.buffer.text = ""
        self.assertEqual(len(self.kept()), 2)

    def test_a_draft_of_another_device(self) -> None:
        """It stands in the line when its chat is opened, is not told back, and goes with the chat."""
        self.wire.event(SettingsChanged(cursor(70), CHAT, ChatSettings(draft=Draft("begun"))))
        self.enter("/chat bob")
        self.assertEqual((self.buffer.text, self.kept()), ("begun", []))
        self.enter("/chat")
        self.assertEqual((self.buffer.text, self.kept()), ("", []))
        self.type("/help")
        self.enter("/chat bob")
        self.assertEqual(self.buffer.text, "/help", "a command that is being typed stays")

    def test_a_draft_that_was_not_in_the_line(self) -> None:
        """What another device began goes when it is sent, and not with something else."""
        self.wire.event(SettingsChanged(cursor(70), CHAT, ChatSettings(draft=Draft("begun"))))
        self.type("/help")
        self.enter("/chat bob")
        self.screen._submit("hello")
        self.assertEqual(self.kept(), [], "what was never in the line was not sent")
        self.enter("/chat")
        self.enter("/chat bob")
        self.screen._submit(self.buffer.text)
        self.assertEqual(self.kept(), [None])

    def test_what_was_typed_is_forgotten(self) -> None:
        """Where something was erased, the lines entered before are not offered again; what is typed stays."""
        self.type("a secret")
        self.buffer.append_to_history()
        self.buffer.reset()
        self.type("now")
        self.desk.wiped()
        self.assertEqual(list(self.buffer.history.get_strings()), [])
        self.assertEqual((self.buffer.text, list(self.buffer._working_lines)), ("now", ["now"]))

    def test_hidden(self) -> None:
        """What is asked for and not shown is in no history, no clipboard, no draft, and not offered again."""
        self.enter("/chat bob")
        asked = self.desk.questions.ask("Passphrase", hidden=True)
        self.type("a very secret passphrase")
        self.screen.app.clipboard.set_text("a very secret")  # as Ctrl-W does
        [enter] = [each for each in self.screen._keys().bindings if each.keys == (Keys.ControlM,)]
        enter.handler(None)  # type: ignore[arg-type]
        self.assertEqual(self.successResultOf(asked), "a very secret passphrase")
        self.assertEqual(list(self.buffer.history.get_strings()), [])
        self.assertEqual((self.buffer.text, list(self.buffer._working_lines)), ("", [""]))
        self.assertEqual((self.screen._was, self.desk.numbers._line), ("", ""))
        self.assertEqual(self.screen.app.clipboard.get_data().text, "")
        self.buffer.undo()
        self.assertEqual(self.buffer.text, "")
        self.assertEqual(self.kept(), [])

    def test_completion_stands_in_its_place(self) -> None:
        """Of a command's argument, from behind its first blank on."""
        found = list(_Completer(self.desk).get_completions(Document("/chat Bo"), None))  # type: ignore[arg-type]
        self.assertIn(("Bob", -2), [(each.text, each.start_position) for each in found])
