"""Calls of the SDK and the terminal against a node, over TLS, with tones for voices."""

import asyncio
import subprocess
import sys
from array import array
from pathlib import Path

from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from safeum_home.client import aio
from safeum_home.client.calling.call import Call
from safeum_home.client.calling.call_state import CallState
from safeum_home.client.webrtc.hearing import mono
from safeum_home.client.webrtc.sources import File, Tone
from safeum_home.client.webrtc.studio import Studio
from safeum_home.client.webrtc.tones import share
from tests.client_node_case import PASSWORD, SECONDS, NodeCase
from tests.client_node_case import until as until_said
from tests.test_client_node import guide_block
from tests.webrtc_case import Listener, until

RECORDED = 80_000
"""Octets that are heard in less than a second."""


class CallTests(NodeCase):
    """Ada answers, with a tone of 880 Hz."""

    def setUp(self) -> None:
        super().setUp()
        for login in ("ada", "ben"):
            self.register(login)

    async def ada(self, client: aio.Client, ear: Listener) -> list[Call]:
        """Those who call her: once she and Ben know each other."""
        rang: list[Call] = []
        await client.login("ada", PASSWORD)
        await client.load()
        async with await self.connect() as ben:
            await ben.login("ben", PASSWORD)
            found = await ben.find("ada")
            await ben.request(found.account, found.address)
            await client.accept((await client.find("ben")).account)
        client.take_calls(Studio(Tone(880), ears=[ear]))
        client.on_call(rang.append)
        return rang

    def test_the_call_of_the_guide(self) -> None:
        """It is heard, it hears, and what it has recorded is that."""
        script, record = self.box / "call.py", self.box / "heard.wav"
        script.write_text(guide_block("Recorder(Path(record))"))

        async def test() -> tuple[str, str]:
            ear = Listener()
            async with await self.connect() as client:
                rang = await self.ada(client, ear)
                about = (self.address, str(self.ca), "ben", "ada", "tone", str(record))
                pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
                process = self.start(sys.executable, str(script), *about, **pipes)
                assert process.stdin is not None
                process.stdin.write(f"{PASSWORD}\n".encode())
                process.stdin.close()
                process.stdin = None
                await until(lambda: rang)
                rang[0].answer()
                await until(lambda: ear.hears(440))
                words = str(rang[0].words)
                await until(lambda: record.stat().st_size > RECORDED)
                rang[0].hang_up()
                loop = asyncio.get_running_loop()
                said, _ = await loop.run_in_executor(None, lambda: process.communicate(timeout=SECONDS))
                return words, said.decode()

        words, said = asyncio.run(asyncio.wait_for(test(), 2 * SECONDS))
        self.assertEqual(said, f"Compare: {words}\nCallEnd.HANGUP\n")
        self.assertGreater(asyncio.run(_loudest(record, 880)), 0.9)

    def test_the_terminal(self) -> None:
        """/call, with a tone in place of a microphone; the words, and the end."""

        record = self.box / "heard.wav"

        async def test() -> bytes:
            ear, loop = Listener(), asyncio.get_running_loop()
            async with await self.connect() as client:
                rang = await self.ada(client, ear)
                voice = ("--call-audio", "tone:440", "--call-record", str(record))
                with self.chat("--login", "ben", *voice) as (screen, process):

                    async def see(wanted: bytes) -> bytes:
                        return await loop.run_in_executor(None, until_said, screen, wanted)

                    await see(b"Password:")
                    screen.write(f"{PASSWORD}\r".encode())
                    await see(b"connected")
                    screen.write(b"/call ada\r")
                    await until(lambda: rang and rang[0].state is CallState.RINGING)
                    rang[0].answer()
                    await until(lambda: ear.hears(440))
                    seen = await see(b"Compare with ada")
                    await until(lambda: record.stat().st_size > RECORDED)
                    screen.write(b"/hangup\r")
                    await rang[0].reached(CallState.ENDED)
                    await see(b"is over, after")
                    screen.write(b"/quit\r")
                    await loop.run_in_executor(None, lambda: process.wait(SECONDS))
                    return seen

        self.assertIn(b"connected with ada", asyncio.run(asyncio.wait_for(test(), 2 * SECONDS)))
        self.assertGreater(asyncio.run(_loudest(record, 880)), 0.9)


async def _loudest(path: Path, hertz: float) -> float:
    """How much of a tone is in a file, in its loudest fifth of a second."""
    track, heard = File(path).open(), array("h")
    try:
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            heard.extend(mono(frame))
    except MediaStreamError:
        return max(share(heard[at : at + 9600], hertz) for at in range(0, len(heard) - 9600, 9600))
