"""Playing a sound file: in its time, to whoever hears calls."""

import asyncio
from array import array
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc.playback import play
from safeum_home.client.webrtc.tones import RATE, is_heard
from tests.answering_case import greeting, tone
from tests.test_answering_process import wav


class Ear:
    """`hearing.Ear`."""

    def __init__(self) -> None:
        self.heard = array("h")
        self.over: list[str] = []

    def hear(self, who: str, samples: "array[int]") -> None:
        self.heard.extend(samples)

    def gone(self, who: str) -> None:
        self.over.append(who)

    async def close(self) -> None:
        pass


class PlaybackTests(SynchronousTestCase):
    def test_played(self) -> None:
        """All of it is heard, no faster than it is, and it ends."""
        ear = Ear()

        async def whole() -> float:
            loop = asyncio.get_running_loop()
            began = loop.time()
            await play(greeting(700, 1.0), [ear])
            return loop.time() - began

        took = asyncio.run(whole())
        self.assertGreater(len(ear.heard), 0.9 * RATE)
        self.assertTrue(is_heard(ear.heard[RATE // 2 : RATE // 2 + RATE // 5], 700))
        self.assertEqual(len(ear.over), 1)
        self.assertGreater(took, 0.8)

    def test_no_playlist(self) -> None:
        """What comes from others has no other file of this computer read."""
        Path("own.wav").write_bytes(wav(tone(440, 0.2)))
        self.addCleanup(Path("own.wav").unlink)
        for playlist in (
            b"ffconcat version 1.0\nfile own.wav\n",
            b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nown.wav\n#EXT-X-ENDLIST\n",
        ):
            ear = Ear()
            with self.assertRaises(NoMedia):
                asyncio.run(play(playlist, [ear]))
            self.assertEqual(len(ear.heard), 0)

    def test_given_up(self) -> None:
        """Cancelled it ends; what is no sound is said to be none."""
        ear = Ear()

        async def whole() -> None:
            playing = asyncio.ensure_future(play(greeting(700, 30.0), [ear]))
            while not ear.heard:  # noqa: ASYNC110  # a thread decodes it
                await asyncio.sleep(0.01)
            playing.cancel()
            await asyncio.wait([playing])
            with self.assertRaises(NoMedia):
                await play(b"this is none", [ear])

        asyncio.run(whole())
        self.assertEqual(len(ear.over), 1)
        self.assertLess(len(ear.heard), 30 * RATE)
