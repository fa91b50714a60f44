"""What is said of voice notes: how long they are, and how loud where."""

from array import array
from pathlib import Path
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc import voice_notes
from safeum_home.client.webrtc.voice_notes import POINTS, VoiceNote, voice_note
from tests.answering_case import greeting, silence, tone
from tests.test_answering_process import wav


class VoiceNoteTests(SynchronousTestCase):
    def of(self, octets: bytes) -> VoiceNote:
        path = Path(self.mktemp())
        path.write_bytes(octets)
        return voice_note(path)

    def test_loud_and_soft(self) -> None:
        """Silence is 0, what is loud is more than what is soft, and each is where it is."""
        note = self.of(wav(silence(1.0) + tone(440, 1.0, 20_000) + tone(440, 1.0, 2_000)))
        self.assertEqual((note.duration, len(note.wave)), (3000, 30))
        quiet, loud, soft = note.wave[:10], note.wave[10:20], note.wave[20:]
        self.assertEqual(max(quiet), 0)
        self.assertGreater(min(loud), 150)
        self.assertLess(max(soft), 100)
        self.assertGreater(min(soft), 40)

    def test_long(self) -> None:
        """However long it is, no more is said of it."""
        note = self.of(wav(tone(440, 60.0)))
        self.assertEqual((note.duration, len(note.wave)), (60_000, POINTS))
        self.assertGreater(min(note.wave), 0)

    def test_to_the_end(self) -> None:
        """Whatever its rate is, nothing is cut off its end: three seconds are three."""
        for rate in (16_000, 44_100, 48_000):
            note = self.of(wav(array("h", [9000, -9000] * (3 * rate // 2)), rate))
            self.assertEqual((note.duration, len(note.wave)), (3000, 30))

    def test_opus(self) -> None:
        note = self.of(greeting(700, 2.0))
        self.assertIn(note.duration, range(1950, 2051))

    def test_none(self) -> None:
        """What is no sound, has none, or has too much of it."""
        for octets in (b"", b"this is none", b"ffconcat version 1.0\nfile own.wav\n", wav(silence(0.0))):
            self.assertRaises(NoMedia, self.of, octets)
        self.assertRaises(OSError, voice_note, Path("nothing there"))
        with patch.object(voice_notes, "MOST_SECONDS", 1):
            self.assertRaises(NoMedia, self.of, wav(tone(440, 2.0)))
