"""The process that answers calls, against a real WebRTC peer: what is played, recorded, and refused."""

import json
import socket
import subprocess
from array import array
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.answering.hearing import PIECE, Keys, is_silence
from safeum_home.answering.launching import command, environment
from safeum_home.answering.opus import decoded
from safeum_home.answering.prompt import BEEP_HERTZ
from safeum_home.answering.recording import Recording
from safeum_home.answering.wire import Answer, Ended, Malformed, Press, Stop, Unframing, Why, framed, to_node
from tests.answering_case import AnsweringCase, Caller, Process, both, greeting, share, silence, tone, until


class CallTests(AnsweringCase):
    """Calls, from the greeting to the recording."""

    def test_whole(self) -> None:
        """The caller hears greeting and tone; what he says then is in the recording, and nothing before."""

        async def test(process: Process) -> None:
            caller = await self.call(process)
            caller.voice.says = tone(450, 0.5)
            await until(lambda: caller.hears(BEEP_HERTZ))
            self.assertTrue(caller.hears(700))
            caller.voice.says = silence(0.3) + tone(620, 1.5) + silence(0.5)
            await until(lambda: not caller.voice.says)
            process.say(Stop(1))
            octets, last, ended = await process.rest(1)
            self.assertEqual(ended, Ended(1, Why.HANGUP))
            samples = decoded(octets, 60)
            assert last is not None
            self.assertLess(abs(len(samples) / 8 - last.milliseconds), 100)
            self.assertLess(last.heard, last.milliseconds)
            loud = [
                samples[start : start + 1600]
                for start in range(0, len(samples) - 1600, 800)
                if not is_silence(samples[start : start + 1600])
            ]
            self.assertGreaterEqual(len(loud), 10)
            self.assertTrue(any(share(piece, 620) > 0.9 for piece in loud))
            self.assertFalse(any(share(piece, 450) > 0.2 for piece in loud))

        self.run_in_loop(test)

    def test_ends(self) -> None:
        """By # in the sound, by # that was signalled, by silence, by the time: each at a call of its own."""

        async def ended(process: Process, number: int, **options: int) -> Why | None:
            caller = await self.call(process, number, play=greeting(700, 0.2), **options)
            await until(lambda: caller.hears(BEEP_HERTZ))
            if number == 1:
                caller.voice.says = tone(620, 0.5) + both(941, 1477, 0.2)
            if number == 2:
                process.say(Press(2, "1#"))
            if number in (3, 4):
                caller.voice.says = tone(620, 20 if number == 4 else 0.5)
            _, _, end = await process.rest(number)
            return None if end is None else end.why

        async def test(process: Process) -> None:
            self.assertIs(await ended(process, 1), Why.KEY)
            self.assertIs(await ended(process, 2), Why.KEY)
            self.assertIs(await ended(process, 3, quiet=1), Why.SILENCE)
            self.assertIs(await ended(process, 4, seconds=2), Why.TIME)

        self.run_in_loop(test)

    def test_greeting_left_out(self) -> None:
        """Who presses # while the greeting is played hears the tone at once, and is recorded."""

        async def test(process: Process) -> None:
            caller = await self.call(process, play=greeting(700, 30))
            await until(lambda: caller.hears(700))
            process.say(Press(1, "#"))
            await until(lambda: caller.hears(BEEP_HERTZ))
            self.assertLess(len(caller.heard), 25 * 8000)
            process.say(Stop(1))
            self.assertEqual((await process.rest(1))[2], Ended(1, Why.HANGUP))

        self.run_in_loop(test)

    def test_two_at_once(self) -> None:
        """Each has its own sound; and one whose bridge closes the way of the sound is handed over."""

        async def test(process: Process) -> None:
            first, second = await self.call(process, 1), await self.call(process, 2)
            await until(lambda: first.hears(BEEP_HERTZ) and second.hears(BEEP_HERTZ))
            first.voice.says, second.voice.says = tone(450, 1), tone(620, 1)
            await until(lambda: not first.voice.says and not second.voice.says)
            process.say(Stop(1))
            octets, _, _ = await process.rest(1)
            self.assertGreater(share(_middle(decoded(octets, 60)), 450), 0.8)
            await second.close()
            octets, _, ended = await process.rest(2)
            # What came while the first was waited for was read with it.
            self.assertEqual(ended, Ended(2, Why.HANGUP))

        self.run_in_loop(test)

    def test_killed(self) -> None:
        """What was recorded until then was handed over, and can be played."""

        async def test(process: Process) -> None:
            caller = await self.call(process)
            await until(lambda: caller.hears(BEEP_HERTZ))
            caller.voice.says = tone(620, 3)
            await until(lambda: not caller.voice.says)
            process.kill()
            octets, last, ended = await process.rest(1)
            assert last is not None
            self.assertIsNone(ended)
            self.assertGreater(len(decoded(octets, 60)), 8000)
            self.assertGreater(share(_middle(decoded(octets, 60)), 620), 0.8)

        self.run_in_loop(test)

    def test_hostile(self) -> None:
        """Descriptions of all kinds are refused; the process goes on, and others are answered."""

        async def test(process: Process) -> None:
            caller = await self.call(process, 1)
            await until(lambda: caller.hears(700))
            good = await self._offer()
            for number, offer in enumerate(_spoilt(good), 10):
                process.say(Answer(number, offer, greeting(), 5, 5))
                message = await process.hear()
                self.assertEqual(message, Ended(number, Why.REFUSED), offer)
            process.say(Answer(9, good, b"no greeting", 5, 5), Stop(8), Press(8, "#"))
            self.assertEqual(await process.hear(), Ended(9, Why.REFUSED))
            await until(lambda: caller.hears(BEEP_HERTZ))
            process.say(Stop(1))
            self.assertEqual((await process.rest(1))[2], Ended(1, Why.HANGUP))

        self.run_in_loop(test)

    def test_malformed(self) -> None:
        """What the node would not say ends the process, as the end of the pipe does."""

        async def test(process: Process) -> None:
            process.octets(b"\x00\x00\x00\x05hello")
            self.assertIsNone(await process.hear())
            self.assertEqual(await process.end(), 2)

        self.run_in_loop(test)

    def test_confined(self) -> None:
        """It has no privileges left, writes no file, and there is no way to any for it."""

        async def test(process: Process) -> None:
            proc = Path(f"/proc/{process.pid}")
            status = dict(line.split(":", 1) for line in _lines(proc / "status"))
            self.assertEqual(status["NoNewPrivs"].strip(), "1")
            [size] = [line for line in _lines(proc / "limits") if line.startswith("Max file size")]
            self.assertEqual(size.split()[3:5], ["0", "0"])
            self.assertIn("writing", self.ready.shut)
            self.assertIn("privileges", self.ready.shut)

        self.run_in_loop(test)

    async def _offer(self) -> str:
        caller = Caller()
        self.callers.append(caller)
        return await caller.offer()


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def _spoilt(good: str) -> list[str]:
    """What is none, has too much, or leaves out what is needed."""
    audio = good[good.index("m=audio") :]
    return [
        "",
        "v=0\r\n",
        "\x00" * 100,
        good.replace("m=audio", "m=video"),
        good + audio,
        good.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        good + "a=x\r\n" * 300,
        good.replace("a=fingerprint", "a=x"),
        good.replace("a=ice-ufrag", "a=x"),
        good.replace("a=rtpmap:0 PCMU/8000", "a=rtpmap:0 X/1").replace("a=rtpmap:8 PCMA", "a=rtpmap:8 Y"),
        good.replace("a=setup:actpass", "a=setup:" + "9" * 500),
        good.replace(" 0 8\r\n", " " + "9" * 11 + "\r\n"),
        good + "a=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\n" * 40,
    ]


class HearingTests(AnsweringCase):
    """Sound, without a call."""

    def test_hash(self) -> None:
        """# is heard as soon as a key can be pressed, and neither another key, nor a voice, nor a tone."""

        def pressed(samples: "array[int]") -> bool:
            keys = Keys()
            pieces = [samples[at : at + PIECE] for at in range(0, len(samples) - PIECE + 1, PIECE)]
            return any(keys.pressed(piece) for piece in pieces)

        self.assertTrue(pressed(both(941, 1477, 0.06)))
        self.assertTrue(pressed(tone(300, 0.1) + both(950, 1465, 0.1)))
        others = [(941, 1336), (941, 1209), (852, 1477), (770, 1477), (941, 1633), (697, 1209)]
        for low, high in others:
            self.assertFalse(pressed(both(low, high, 0.2)), (low, high))
        self.assertFalse(pressed(tone(941, 0.2)) or pressed(tone(1477, 0.2)) or pressed(silence(0.2)))
        words = decoded((Path(__file__).parent.parent / GREETING).read_bytes(), 30)
        self.assertFalse(pressed(words))

    def test_frames(self) -> None:
        """Messages come in any pieces; what is too long, or of another form, is refused."""
        octets = framed(Ended(1, Why.KEY)) + framed(Ended(2, Why.TIME))
        unframing = Unframing(to_node)
        heard = [message for at in range(len(octets)) for message in unframing.take(octets[at : at + 1])]
        self.assertEqual(heard, [Ended(1, Why.KEY), Ended(2, Why.TIME)])
        for bad in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\x00", framed(Stop(1))):
            self.assertRaises(Malformed, list, Unframing(to_node).take(bad))


GREETING = "safeum_home/safenum/voicemail/greeting.ogg"


def _middle(samples: "array[int]") -> "array[int]":
    """A fifth of a second out of the loud part."""
    loud = [at for at in range(0, len(samples) - PIECE, PIECE) if not is_silence(samples[at : at + PIECE])]
    start = loud[len(loud) // 2]
    return samples[start : start + 1600]


class RecordingTests(SynchronousTestCase):
    """What a sender says with its packets is not taken for the truth."""

    def setUp(self) -> None:
        self.recording = Recording(10, 5, 100.0)

    def add(self, seconds: float, at: int | None, now: float) -> Why | None:
        return self.recording.add(tone(620, seconds), at, 100.0 + now)

    def test_gaps(self) -> None:
        """What is lost on the way is silence, so that the rest stays in time; a clock that jumps is not."""
        self.add(1, 0, 1)
        self.add(1, 16_000, 3)
        self.assertEqual(self.recording.milliseconds, 3000)
        self.add(1, 4_000_000_000, 4)
        self.assertEqual(self.recording.milliseconds, 4000)
        self.add(1, 5, 5)
        self.assertEqual(self.recording.milliseconds, 5000)

    def test_flood(self) -> None:
        """Sound that comes faster than time goes by is left out: no more is kept than can have been said."""
        for number in range(50):
            self.add(1, number * 8000, 0.1)
        self.assertLess(self.recording.milliseconds, 2500)
        self.add(1, 0, 4)
        self.assertLess(self.recording.milliseconds, 3600)

    def test_ends(self) -> None:
        """With the time, be it that of the clock or of the sound; and with silence, heard or not."""
        self.assertIsNone(self.add(1, 0, 1))
        self.assertIs(self.recording.due(110.0), Why.TIME)
        self.assertIsNone(self.recording.due(105.9))
        self.assertIs(self.recording.due(106.1), Why.SILENCE)
        self.assertIs(self.recording.add(silence(0.1), None, 106.2), Why.SILENCE)
        self.assertEqual(self.recording.heard, 1000)
        self.setUp()
        for number in range(9):
            self.assertIsNone(self.add(1, number * 8000, number + 1))
        self.assertIs(self.add(1, 9 * 8000, 9.5), Why.TIME)
        self.assertEqual(self.recording.milliseconds, 10_000)


TRIES = """
import json, os, socket, sys
from safeum_home.answering.confining import confine
given = sys.argv[1]
before = open(given, "rb").read(1)
shut = confine(32) if sys.argv[2] == "confined" else ()
done = {}

def attempt(name, do):
    try:
        do()
        done[name] = True
    except (OSError, PermissionError):
        done[name] = False

def write():
    with open(given, "ab", buffering=0) as file:
        file.write(b"x")

def make():
    os.close(os.open(given + ".new", os.O_CREAT | os.O_WRONLY))

def connect():
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[3])), 5).close()
    except ConnectionRefusedError:
        pass

import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
attempt("read", lambda: open(given, "rb").read(1))
attempt("write", write)
attempt("make", make)
attempt("connect", connect)
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)))
attempt("import", lambda: __import__("colorsys"))
print(json.dumps({"shut": shut, "done": done}))
"""


class ConfinedTests(SynchronousTestCase):
    """What a process can do that has given up what it does not need, and is started as those are."""

    def tries(self, how: str) -> tuple[list[str], dict[str, bool]]:
        box, code = Path(mkdtemp(prefix="safeum-")), Path(mkdtemp(prefix="safeum-"))
        for each in (box, code):
            self.addCleanup(rmtree, each)
        given = box / "secret"
        given.write_bytes(b"secret")
        (code / "tries.py").write_text(TRIES)
        around = environment()
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = str(server.getsockname()[1])
            done = subprocess.run(
                [*command("tries"), str(given), how, port],
                capture_output=True,
                env={**around, "PYTHONPATH": f"{around['PYTHONPATH']}:{code}"},
                cwd="/",
                check=True,
            )
        answer = json.loads(done.stdout)
        return answer["shut"], answer["done"]

    def test_before(self) -> None:
        """Another one can do all of it: so what is tried can be done."""
        self.assertEqual(set(self.tries("free")[1].values()), {True})

    def test_confined(self) -> None:
        """No octet goes into a file; where the kernel can, no file is read or made, and nothing is connected.

        What it says is shut is shut; UDP and what may still have to be loaded are not.
        """
        shut, done = self.tries("confined")
        self.assertIn("writing", shut)
        self.assertFalse(done["write"])
        self.assertEqual("files" not in shut, done["read"])
        self.assertEqual("files" not in shut, done["make"])
        self.assertEqual("tcp" not in shut, done["connect"])
        self.assertTrue(done["udp"] and done["import"])
