"""What is played, heard, mixed and recorded in calls: with real files."""

import asyncio
from array import array
from pathlib import Path
from threading import Event
from typing import NamedTuple

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc.feed import WAITING, Feed, empty
from safeum_home.client.webrtc.hearing import listen, mono
from safeum_home.client.webrtc.mixer import FIRST, MOST, Mixer
from safeum_home.client.webrtc.recorder import Recorder
from safeum_home.client.webrtc.sources import Camera, File, MovingPicture
from safeum_home.client.webrtc.tones import SAMPLES, ToneTrack, frame_of, is_heard, share
from tests.webrtc_case import tone, until


class ToneTests(SynchronousTestCase):
    def test_share(self) -> None:
        """A tone is heard where it is most of what is heard, and silence is no tone."""
        self.assertGreater(share(tone(440), 440), 0.99)
        self.assertLess(share(tone(440), 880), 0.01)
        both = array("h", [a + b for a, b in zip(tone(440), tone(880), strict=True)])
        self.assertAlmostEqual(share(both, 440), 0.5, places=2)
        quiet = array("h", [each // 200 for each in tone(440)])
        heard = [is_heard(each, 440) for each in (tone(440), tone(450), quiet, array("h", bytes(9600)))]
        self.assertEqual(heard, [True, False, False, False])

    def test_mono(self) -> None:
        """Two channels become one."""
        frame = AudioFrame(format="s16", layout="stereo", samples=SAMPLES)
        frame.planes[0].update(array("h", [100, 300] * SAMPLES).tobytes())
        self.assertEqual(mono(frame), array("h", [200] * SAMPLES))
        self.assertEqual(mono(frame_of(tone(440), 0)), tone(440))

    def test_empty(self) -> None:
        """Silence and black, as long and as large."""
        quiet = empty(frame_of(tone(440), 7))
        assert isinstance(quiet, AudioFrame)
        self.assertEqual((quiet.samples, quiet.pts, set(mono(quiet))), (len(tone(440)), 7, {0}))
        picture = VideoFrame(320, 240, "yuv420p")
        picture.pts, picture.time_base = 5, quiet.time_base
        black = empty(picture)
        assert isinstance(black, VideoFrame)
        self.assertEqual((black.width, black.height, black.pts), (320, 240, 5))
        self.assertEqual([set(bytes(plane)) for plane in black.planes], [{16}, {128}, {128}])


class MixerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.mixer = Mixer()

    def test_sum(self) -> None:
        """All at once, no louder than can be; who has gone is not heard."""
        self.mixer.add("a", array("h", [20_000] * FIRST))
        self.assertEqual(set(self.mixer.take(SAMPLES)), {20_000})
        self.mixer.add("b", array("h", [20_000] * FIRST))
        self.assertEqual(set(self.mixer.take(SAMPLES)), {32_767})
        self.mixer.drop("b")
        self.mixer.add("a", array("h", [-5] * FIRST))
        self.assertEqual(set(self.mixer.take(FIRST)), {-5})
        self.mixer.drop("a")
        self.assertTrue(self.mixer.empty)

    def test_gap(self) -> None:
        """After one there is silence until there is enough again."""
        self.mixer.add("a", array("h", [1] * (FIRST - 1)))
        self.assertEqual(set(self.mixer.take(SAMPLES)), {0})
        self.mixer.add("a", array("h", [1]))
        self.assertEqual(list(self.mixer.take(FIRST + 1)), [1] * FIRST + [0])
        self.mixer.add("a", array("h", [1]))
        self.assertEqual(set(self.mixer.take(1)), {0})

    def test_bound(self) -> None:
        """Of what nobody takes the oldest is dropped."""
        for value in range(100):
            self.mixer.add("a", array("h", [value] * SAMPLES))
        left = self.mixer.take(MOST)
        self.assertEqual((left[0], left[-1]), (100 - MOST // SAMPLES, 99))


class _Endless(MediaStreamTrack):
    """As fast as it is asked."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.given = 0

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(0)
        if self.given == 1000:
            raise MediaStreamError
        self.given += 1
        return frame_of(array("h", [self.given] * SAMPLES), self.given * SAMPLES)


class _Source(NamedTuple):
    tracks: list[MediaStreamTrack]
    kind: str = "audio"

    def open(self) -> MediaStreamTrack:
        self.tracks.append(_Endless())
        return self.tracks[-1]


class _Filming(NamedTuple):
    tracks: list[MediaStreamTrack]
    kind: str = "video"

    def open(self) -> MediaStreamTrack:
        self.tracks.append(MovingPicture().open())
        return self.tracks[-1]


class _Slow(NamedTuple):
    tracks: list[MediaStreamTrack]
    asked: Event
    ready: Event
    kind: str = "audio"

    def open(self) -> MediaStreamTrack:
        self.asked.set()
        self.ready.wait(30)
        self.tracks.append(_Endless())
        return self.tracks[-1]


class FeedTests(SynchronousTestCase):
    def test_branches(self) -> None:
        """One is opened for all, closed with the last, and opened anew for who comes later."""
        source = _Source([])

        async def test() -> None:
            feed = Feed(source, self.fail)
            first, second = feed.branch(), feed.branch()
            await asyncio.gather(first.recv(), second.recv())
            self.assertEqual(len(source.tracks), 1)
            first.stop()
            await second.recv()
            self.assertEqual(source.tracks[0].readyState, "live")
            second.stop()
            await until(lambda: source.tracks[0].readyState == "ended")
            third = feed.branch()
            await third.recv()
            self.assertEqual(len(source.tracks), 2)
            third.stop()

        asyncio.run(test())

    def test_slow(self) -> None:
        """Who does not keep up gets the newest, and at last the end."""
        source = _Source([])

        async def test() -> None:
            branch = Feed(source, self.fail).branch()
            await branch.recv()
            await until(lambda: source.tracks[0].readyState == "ended")
            left = [piece[0] for piece in await _rest(branch)]
            self.assertEqual(left, list(range(1002 - WAITING, 1001)))

        asyncio.run(test())

    def test_stopped_while_it_opens(self) -> None:
        """What was opened for nobody is closed."""
        source = _Slow([], Event(), Event())

        async def test() -> None:
            branch = Feed(source, self.fail).branch()
            waiting = asyncio.ensure_future(branch.recv())
            await until(source.asked.is_set)
            branch.stop()
            waiting.cancel()
            source.ready.set()
            await until(lambda: [track.readyState for track in source.tracks] == ["ended"])

        asyncio.run(test())

    def test_no_camera_for_black(self) -> None:
        """While nothing is to be shown the camera is off, from the beginning and later on."""
        source = _Filming([])

        async def test() -> None:
            branch = Feed(source, self.fail).branch()
            branch.muted = True
            first = await branch.recv()
            self.assertEqual(source.tracks, [])
            branch.muted = False
            shown = await branch.recv()
            self.assertEqual(len(source.tracks), 1)
            branch.muted = True
            black = await branch.recv()
            assert isinstance(shown, VideoFrame) and isinstance(black, VideoFrame)
            await until(lambda: source.tracks[0].readyState == "ended")
            self.assertEqual((black.width, set(bytes(black.planes[0]))), (shown.width, {16}))
            times = [each.pts or 0 for each in (first, shown, black)]
            self.assertEqual(times, sorted(times))
            branch.stop()

        asyncio.run(test())

    def test_trouble(self) -> None:
        """A source that cannot be had is told in words, and what went off it ends."""
        for source, said in (
            (File(Path("/nowhere/x.wav")), "/nowhere/x.wav: No such file or directory"),
            (
                File(Path(__file__)),
                f"{__file__} cannot be played: Invalid data found when processing input",
            ),
            (Camera("/dev/nothing"), "/dev/nothing cannot be played: No such file or directory"),
        ):
            told: list[str] = []

            async def test(source: File | Camera = source, told: list[str] = told) -> None:
                with self.assertRaises(MediaStreamError):
                    await Feed(source, told.append).branch().recv()

            asyncio.run(test())
            self.assertEqual(told, [said])


async def _rest(track: MediaStreamTrack) -> "list[array[int]]":
    """All that comes of it."""
    pieces = []
    try:
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            pieces.append(mono(frame))
    except MediaStreamError:
        return pieces


class RecordTests(SynchronousTestCase):
    def test_files(self) -> None:
        """What is recorded is heard when the file is played: each of two who spoke at once."""
        folder = Path(self.mktemp())
        folder.mkdir()

        async def test(path: Path) -> None:
            recorder = Recorder(path)
            first, second = ToneTrack(440), ToneTrack(880)
            tasks = [asyncio.ensure_future(listen(each, [recorder])) for each in (first, second)]
            await asyncio.sleep(0.6)
            for track in (first, second):
                track.stop()
            await asyncio.wait(tasks)
            await recorder.close()
            with self.assertRaises(NoMedia):
                File(path, "video").open()
            pieces = await _rest(Feed(File(path), self.fail).branch())
            heard = array("h", b"".join(piece.tobytes() for piece in pieces))
            end = heard[-9600 - 2 * SAMPLES : -2 * SAMPLES]
            self.assertTrue(all(0.4 < share(end, hertz) < 0.6 for hertz in (440, 880)))

        for name in ("call.wav", "call.ogg"):
            asyncio.run(test(folder / name))
            self.assertEqual((folder / name).stat().st_mode & 0o777, 0o600)

    def test_refused(self) -> None:
        """Other kinds of files, where none can be made, and never over one; nothing said, nothing made."""
        path = Path(self.mktemp()).with_suffix(".ogg")
        self.assertRaises(NoMedia, Recorder, Path("call.mp3"))
        self.assertRaises(NoMedia, Recorder, Path("/nowhere/call.wav"))
        asyncio.run(Recorder(path).close())
        self.assertFalse(path.exists())
        path.write_bytes(b"something")
        self.assertRaises(NoMedia, Recorder, path)
        self.assertEqual(path.read_bytes(), b"something")

    def test_somebody_was_faster(self) -> None:
        """A file that has come meanwhile is left alone, and that is told."""
        path, told = Path(self.mktemp()).with_suffix(".wav"), list[str]()
        recorder = Recorder(path, told.append)
        path.write_bytes(b"something")

        async def test() -> None:
            recorder.hear("somebody", tone(440))
            await until(lambda: told)
            await recorder.close()

        asyncio.run(test())
        self.assertEqual(
            (told, path.read_bytes()), ([f"{path} cannot be written: File exists"], b"something")
        )
