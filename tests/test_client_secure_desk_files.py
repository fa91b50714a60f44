"""Files of secure chats at desks of the terminal client, over HTTPS to a node in memory."""

import os
from io import BytesIO
from pathlib import Path

from twisted.internet.defer import Deferred, succeed

from safeum_home.client.desk.phone import Phone
from safeum_home.client.secure.payloads import File
from tests.answering_case import tone
from tests.secure_desk_case import SecureDeskCase, SecureWorldDesk
from tests.secure_file_case import LIMITS, Change, NodeWeb
from tests.test_answering_process import wav
from tests.world import World


def _plays(heard: list[bytes]) -> Phone:
    """One that has sounds heard in no time."""

    def play(octets: bytes) -> "Deferred[None]":
        heard.append(octets)
        return succeed(None)

    return Phone(None, play=play)


class FileTests(SecureDeskCase):
    def setUp(self) -> None:
        super().setUp()
        self.pair()
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.octets = os.urandom(100_000)
        (self.folder / "plan.pdf").write_bytes(self.octets)
        self.web = self.use(self.ann)
        self.use(self.ben)

    def new_world(self) -> World:
        return World(files=LIMITS)

    def use(self, who: SecureWorldDesk, bend: Change | None = None) -> NodeWeb:
        web = NodeWeb(self.world, bend=bend)
        who.client._web = lambda: web  # type: ignore[method-assign, assignment, return-value]
        return web

    def test_sent_and_stored(self) -> None:
        """It stands there with its name, which the node does not learn, and is stored as it was."""
        self.say(self.ann, f"/send {self.folder}/plan.pdf the plan")
        for who in (self.ann, self.ben):
            self.assertIn("File: plan.pdf (application/pdf, 100.0 KB)", who.screen())
            self.assertIn("the plan", who.screen())
        self.assertNotIn(self.octets[:50], b"".join(self.web.sent))
        self.assertNotIn(b"plan.pdf", b"".join(self.ann.line.given))
        self.assertIn("plan.pdf (100.0 KB), Ann", self.ben.enter("/files"))
        self.say(self.ben, f"/save 1 {self.folder}/stored.pdf")
        self.assertEqual((self.folder / "stored.pdf").read_bytes(), self.octets)
        self.assertIn("Stored as", self.ben.screen())
        self.assertIn("There is a file", self.ben.enter(f"/save 1 {self.folder}/stored.pdf"))

    def test_thrown_away(self) -> None:
        """What has waited for somebody's keys for too long is to be sent anew, which is said."""
        self.ann.enter("/secure Cay")
        self.settle()
        self.say(self.ann, f"/send {self.folder}/plan.pdf")
        self.world.database.transact(lambda c: c.exec_driver_sql("DELETE FROM uploads"))
        self.cay.unlock()
        self.cay.enter("/accept Ann")
        self.settle(120)
        self.assertIn("has thrown its file away, as it waited for more than a day", self.ann.screen())

    def test_damaged(self) -> None:
        """What a node has put in its place is not stored, and said to be damaged."""
        self.say(self.ann, f"/send {self.folder}/plan.pdf")
        self.use(self.ben, bend=lambda octets: octets[:500] + b"x" + octets[501:])
        self.say(self.ben, f"/save {self.folder}/stored.pdf")
        self.assertIn("not the file that was sent", self.ben.screen())
        self.assertEqual([each.name for each in self.folder.iterdir()], ["plan.pdf"])

    def test_locked(self) -> None:
        """Nothing is uploaded."""
        self.ann.enter("/lock")
        self.say(self.ann, f"/send {self.folder}/plan.pdf")
        self.assertIn("locked here", self.ann.screen())
        self.assertEqual(self.web.asked, [])

    def test_locked_afterwards(self) -> None:
        """What the client has said of files goes from the screen with them."""
        self.say(self.ann, f"/send {self.folder}/plan.pdf")
        self.ben.enter("/files")
        self.say(self.ben, f"/save 1 {self.folder}/stored.pdf")
        self.ben.enter("/lock")
        for name in ("plan.pdf", "stored.pdf"):
            self.assertNotIn(name, self.ben.screen())
            self.assertFalse([each for each in self.ben.desk.notices if name in each.text])

    def test_from_a_file(self) -> None:
        """A sound file is sent as a voice note, without its name, and heard on the other side."""
        note = self.folder / "at home.wav"
        note.write_bytes(wav(tone(440, 1.5)))
        self.say(self.ann, f'/voice "{note}"')
        self.assertIn("voice.wav (audio/x-wav, ", self.ben.screen())
        self.assertIn(", 0:01)", self.ben.screen())
        payload = self.ben.within(self.ann).items.all[-1].payload
        assert isinstance(payload, File) and payload.voice is not None
        self.assertEqual((payload.voice.duration, len(payload.voice.wave)), (1500, 15))
        heard: list[bytes] = []
        self.ben.desk.calls.phone = _plays(heard)
        self.say(self.ben, "/play")
        self.assertIn("Playing voice.wav", self.ben.screen())
        self.assertEqual(heard, [note.read_bytes()])
        self.assertEqual([each.name for each in self.folder.iterdir()], ["plan.pdf", "at home.wav"])

    def test_no_sound(self) -> None:
        """What is none is neither sent nor played; where nothing can be heard it is said what can be done."""
        self.assertIn("there is no sound in it", self.ann.enter(f"/voice {self.folder}/plan.pdf"))
        self.assertIn("There is no file", self.ann.enter(f"/voice {self.folder}/nothing"))
        self.assertEqual(self.web.asked, [])
        self.say(self.ann, f"/send {self.folder}/plan.pdf")
        self.assertIn("There is no sound", self.ben.enter("/play"))
        self.ben.enter("/files")
        self.assertIn("plan.pdf is no sound: /save stores it", self.ben.enter("/play 1"))
        self.ann.within(self.ben).files.send_voice(BytesIO(b"sound"), 1000)
        self.settle()
        self.assertIn("/save stores it", self.ben.enter("/play"))

    def test_no_loudspeaker(self) -> None:
        """That there is none is said each time that a sound is to be heard."""
        self.ann.within(self.ben).files.send_voice(BytesIO(b"sound"), 1000)
        self.settle()
        calls = self.ben.desk.calls

        def play(octets: bytes) -> "Deferred[None]":
            for _ in range(2):
                calls.phone.trouble("No loudspeaker was found")
            return succeed(None)

        calls.take(Phone(None, play=play))
        for times in (1, 2):
            self.say(self.ben, "/play")
            self.assertEqual(self.ben.screen().count("No loudspeaker was found."), times)

    def test_play_damaged(self) -> None:
        """What a node has put in its place is not heard."""
        self.ann.within(self.ben).files.send_voice(BytesIO(b"sound" * 100), 1000)
        self.settle()
        self.use(self.ben, bend=lambda octets: octets[:200] + b"x" + octets[201:])
        heard: list[bytes] = []
        self.ben.desk.calls.phone = _plays(heard)
        self.say(self.ben, "/play")
        self.assertIn("not the file that was sent", self.ben.screen())
        self.assertEqual(heard, [])

    def test_voice(self) -> None:
        """How long a voice note is stands behind it."""
        self.ann.within(self.ben).files.send_voice(BytesIO(b"sound" * 100), 72_000)
        self.settle()
        self.assertIn("voice.ogg (audio/ogg, 500 B, 1:12)", self.ben.screen())
