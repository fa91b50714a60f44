"""Voicemail in the terminal client: listed, played, saved, deleted; rules and greetings."""

import os
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from msgspec import structs, to_builtins
from twisted.internet.defer import Deferred, succeed

from safeum_home.answering.opus import decoded
from safeum_home.client.desk.desk_events import FORGED
from safeum_home.client.desk.phone import Phone
from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc.playback import greeting
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, direct_chat_id, voicemail_account
from safeum_home.node.voicemail import GREETING
from safeum_home.protocol.files import File
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import ChatSummary, Message, Voicemail
from safeum_home.protocol.voicemail_types import MAX_GREETING
from tests.answering_case import silence, tone
from tests.client_desk import NOW, DeskTestCase
from tests.client_double import ADA, CHAT, SYSTEM, cursor, signed
from tests.test_answering_process import wav

VOICEMAIL_CHAT = direct_chat_id(AccountId(ADA), voicemail_account("home.test"))
DAY = 86_400_000
CALLER = "+4930123456"


def left(number: int, caller: str | None = CALLER, until: int = NOW + 3 * DAY, size: int = 3) -> Message:
    sound = File("F" + "a" * 26, "voicemail.ogg", size, "audio/ogg", duration=23_400)
    body = Voicemail(sound, NOW - number * 60_000, until, caller)
    return signed(Message(cursor(number), VOICEMAIL_CHAT, SYSTEM, NOW - number * 60_000, body))


class VoicemailTests(DeskTestCase):
    """Two are kept, one is over, one was deleted."""

    def setUp(self) -> None:
        self.rule: dict[str, Any] = {}
        self.available = self.own = True
        self.kept = [
            left(90, until=NOW - 1),
            signed(Message(cursor(91), VOICEMAIL_CHAT, SYSTEM, NOW, Deleted(ADA, NOW))),
            left(92, "+442079460123"),
            left(93, None),
        ]
        self.played: list[bytes] = []
        self.playing: Deferred[None] = succeed(None)
        super().setUp()
        self.desk.calls.phone = Phone(None, play=self.play)
        self.patch(type(self.node.client), "sound_of", lambda client, message: succeed(message.id.encode()))
        self.box = Path(mkdtemp())
        self.addCleanup(os.rmdir, self.box)

    def begin(self) -> None:
        newest = self.kept[-1]
        voicemail = ChatSummary(VOICEMAIL_CHAT, "voicemail", None, "", "", newest, 1, None, None, None)
        self.chats = [voicemail, *self.chats]
        others = self.node.answers["chat.history"]
        self.node.answers |= {
            "voicemail.get": self.state,
            "voicemail.set": self.state,
            "voicemail.greeting.set": lambda params: {"data": params["data"]},
            "voicemail.greeting.get": lambda params: {"data": "c3RhbmRhcmQ="},
            "voicemail.greeting.remove": lambda params: {},
            "message.delete": lambda params: {"at": NOW},
            "chat.history": lambda params: (
                {"messages": to_builtins(self.kept), "more": False}
                if params["chat"] == VOICEMAIL_CHAT
                else others(params)
            ),
        }
        super().begin()

    def state(self, params: dict[str, Any]) -> dict[str, Any]:
        self.rule |= params
        return {
            "rule": self.rule,
            "greeting": self.own,
            "chat": VOICEMAIL_CHAT,
            "available": self.available,
            "seconds": 120,
            "days": 30,
        }

    def play(self, octets: bytes) -> "Deferred[None]":
        self.played.append(octets)
        return self.playing

    def text(self) -> str:
        return " ".join(self.body(55, 40).split())

    def test_list(self) -> None:
        """The newest first, with numbers as people read them; what is not kept any more is not among them."""
        self.enter("/voicemail")
        text = self.text()
        self.assertIn("takes a call where nobody answers, or you are in a call", text)
        self.assertIn("1 20:50 a withheld number, 0:23; kept for 3 days more", text.replace("  ", " "))
        self.assertIn("2 20:51 +44 20 7946 0123, 0:23", text)
        self.assertNotIn(
            "3 ", text.partition("0123, 0:23")[2].partition("/voicemail")[0].replace("3 days", "")
        )

    def test_play(self) -> None:
        """It is heard here, and counts as read on all devices then; /stop ends it."""
        self.playing = Deferred()
        self.enter("/voicemail play 2")
        self.assertEqual(self.played, [cursor(92).encode()])
        self.assertEqual(self.params("chat.read"), [])
        self.playing.callback(None)
        self.assertEqual(self.params("chat.read"), [{"chat": VOICEMAIL_CHAT, "upto": cursor(92)}])
        self.playing = Deferred()
        self.enter("/voicemail play 1")
        self.enter("/stop")
        self.assertIn("Not played any further.", self.text())
        self.assertEqual(self.params("chat.read")[-1]["upto"], cursor(93))

    def test_play_nowhere(self) -> None:
        """Without what plays it is said what to do."""
        self.desk.calls.phone = Phone(None, "No loudspeaker")
        self.enter("/voicemail play 1")
        self.assertIn("/voicemail save stores it", self.text())

    def test_save_and_delete(self) -> None:
        """A name that says who has called and when, and nothing is replaced."""
        stored: list[tuple[str, Any]] = []

        def download(client: object, message: Message, target: Any) -> "Deferred[int]":
            stored.append((message.id, target))
            return succeed(3)

        self.patch(type(self.node.client), "download", download)
        self.enter(f"/voicemail save 2 {self.box}")
        self.assertEqual(stored, [(cursor(92), self.box / "voicemail-2023-11-14-2051-+442079460123.ogg")])
        self.enter("/voicemail delete 1")
        self.assertEqual(self.params("message.delete"), [{"chat": VOICEMAIL_CHAT, "message": cursor(93)}])
        for wrong in ("3", "0", "x", ""):
            self.enter(f"/voicemail play {wrong}")
        self.assertEqual(self.text().count("Which one? /voicemail numbers them."), 4)

    def test_rules(self) -> None:
        """Each is switched alone, and told back in words."""
        for line, given, words in (
            ("off", {"enabled": False}, "is off"),
            ("on", {"enabled": True}, "takes a call where nobody answers"),
            ("no-answer off", {"no_answer": False}, "takes a call where you are in a call"),
            ("always on", {"always": True}, "takes each call at once, with your greeting"),
        ):
            self.enter(f"/voicemail {line}")
            self.assertEqual(self.params("voicemail.set")[-1], given)
            self.assertIn(words, self.text())
        self.available = False
        self.enter("/voicemail busy on")
        self.assertIn("Nothing answers calls on your node now.", self.text())
        self.enter("/voicemail busy perhaps")
        self.assertIn("Which? /voicemail play", self.text())

    def test_greeting(self) -> None:
        """A sound file is made small and sent; the node's refusal is said in words."""
        path = self.box / "hello.wav"
        path.write_bytes(wav(tone(700, 2)))
        self.addCleanup(path.unlink)
        self.enter(f"/voicemail greeting {path}")
        [sent] = self.params("voicemail.greeting.set")
        self.assertLess(len(sent["data"]), 8000)
        self.enter("/voicemail greeting play")
        self.assertEqual(self.played, [b"standard"])
        self.enter("/voicemail greeting standard")
        self.assertEqual(self.params("voicemail.greeting.remove"), [{}])
        self.wire.answers["voicemail.greeting.set"] = _refused
        self.enter(f"/voicemail greeting {path}")
        self.assertIn("This is no greeting", self.text())
        self.enter("/voicemail greeting /nowhere/at.all")
        self.assertIn("No such file", self.text())

    def test_chat(self) -> None:
        """The chat stands with the node's, says what to do, takes no answers, and is of the node's voice."""
        self.assertIn("Voicemail", self.sidebar())
        self.desk.open(VOICEMAIL_CHAT)
        self.assertIn("what callers have left", self.header())
        text = self.text()
        self.assertIn("Voicemail of a withheld number, 0:23", text)
        self.assertIn("it is not kept any more", text)
        self.enter("who is there?")
        self.assertIn("Nobody reads answers here", self.text())
        self.assertEqual(self.params("chat.send"), [])
        forged = Message(cursor(99), CHAT, SYSTEM, NOW, self.kept[-1].body)
        self.assertFalse(self.desk.state.authentic(forged))
        self.assertTrue(self.desk.state.authentic(self.kept[-1]))


class FirstTests(DeskTestCase):
    """Nobody has left anything yet."""

    def test_comes(self) -> None:
        """The first one makes the chat, and is told; one that the node has not signed is not taken for it."""
        self.assertNotIn("Voicemail", self.sidebar())
        self.wire.event(left(90))
        self.assertIn("Voicemail", self.sidebar())
        self.assertIn("Voicemail", self.desk.banner)
        view = self.desk.state.chat(VOICEMAIL_CHAT)
        assert view is not None
        self.assertEqual((view.kind, view.unread), ("voicemail", 1))
        self.wire.event(structs.replace(left(91), signature=None))
        self.assertEqual(self.desk.banner, FORGED)


class GreetingTests(DeskTestCase):
    """What the client makes of a file."""

    def test_made(self) -> None:
        """Small enough for a frame at its longest; what is none, or too long, is refused."""
        speech = decoded(GREETING.read_bytes(), 30) * 4
        self.assertLess(len(greeting(wav(speech[: 29 * 8000]))), MAX_GREETING)
        for octets in (b"", b"x" * 100, wav(silence(31))):
            self.assertRaises(NoMedia, greeting, octets)


def _refused(_params: Any) -> Any:
    return Problem(Code.BAD_GREETING)
