"""Microphones and loudspeakers of calls: PortAudio and ALSA, with files in place of the hardware."""

import asyncio
import contextlib
import os
import subprocess
import sys
from array import array
from ctypes.util import find_library
from pathlib import Path
from threading import Event, Thread
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc import devices
from safeum_home.client.webrtc.tones import is_heard
from tests.e2e.needs import apt, missing
from tests.webrtc_case import tone, until

ALSA = """\
pcm.!default {{
  type file
  slave.pcm "null"
  file "{folder}/played"
  infile "{folder}/spoken"
  format "raw"
}}
"""

SPEAK = """
import asyncio
from array import array
from pathlib import Path
from threading import Event, Thread
from safeum_home.client.webrtc.devices import Microphone, Speaker, missing
from safeum_home.client.webrtc.hearing import mono
from tests.webrtc_case import tone, until

async def main():
    print(missing(), missing(output=True))
    track = await asyncio.get_running_loop().run_in_executor(None, Microphone().open)
    heard = array("h")
    while len(heard) < 9600:
        heard.extend(mono(await track.recv()))
    track.stop()
    Path("heard").write_bytes(heard.tobytes())
    speaker = Speaker(trouble=print)
    speaker.hear("somebody", tone(880))
    await until(lambda: not any(speaker._mixer._waiting["somebody"]))
    speaker.gone("somebody")
    await speaker.close()

asyncio.run(main())
"""


class DeviceTests(SynchronousTestCase):
    def test_devices(self) -> None:
        """Through PortAudio and ALSA, with files in place of the hardware."""
        if find_library("portaudio") is None and (os.geteuid() != 0 or apt("libportaudio2") is not None):
            missing("libportaudio2 is not installed, and only root can install it")
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        (folder / "alsa.conf").write_text(ALSA.format(folder=folder))
        os.mkfifo(folder / "spoken")
        over = Event()
        speaking = Thread(target=_speak, args=(folder / "spoken", over))
        speaking.start()
        self.addCleanup(speaking.join)
        self.addCleanup(over.set)
        root = Path(__file__).parent.parent
        done = subprocess.run(
            [sys.executable, "-c", SPEAK],
            cwd=folder,
            env={
                **os.environ,
                "ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{folder}/alsa.conf",
                "PYTHONPATH": str(root),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual((done.returncode, done.stdout), (0, "None None\n"), done.stderr)
        self.assertTrue(is_heard(_samples(folder / "heard"), 450))
        played = _samples(folder / "played")
        begin = next(at for at, each in enumerate(played) if each)
        self.assertTrue(is_heard(played[begin : begin + 4800], 880))

    def test_missing(self) -> None:
        """It is said what is missing, and neither is opened."""
        with patch.dict(sys.modules, {"sounddevice": None}):
            self.assertEqual(
                devices.missing(), "No microphone: the Python package sounddevice is not installed"
            )
            self.assertRaises(NoMedia, devices.Microphone().open)
        told: list[str] = []

        async def test() -> None:
            speaker = devices.Speaker(trouble=told.append)
            speaker.hear("somebody", tone(880))
            await until(lambda: told)
            speaker.gone("somebody")
            await speaker.close()

        with patch.dict(sys.modules, {"sounddevice": None}):
            asyncio.run(test())
        self.assertEqual(told, ["No loudspeaker: the Python package sounddevice is not installed"])


def _speak(path: Path, over: Event) -> None:
    """Into a microphone, as fast as people do: what takes the place of the hardware has no clock."""
    piece = tone(450, 0.02).tobytes()  # 9 waves
    with contextlib.suppress(OSError), os.fdopen(_writable(path, over), "wb", buffering=0) as microphone:
        while not over.wait(0.02):
            microphone.write(piece)


def _writable(path: Path, over: Event) -> int:
    """Once somebody reads it."""
    while not over.wait(0.01):
        with contextlib.suppress(OSError):
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    return os.open(os.devnull, os.O_WRONLY)


def _samples(path: Path) -> "array[int]":
    octets = path.read_bytes()
    return array("h", octets[: len(octets) // 2 * 2])
