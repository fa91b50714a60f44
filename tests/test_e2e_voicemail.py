"""Voicemail on a real trunk: SIPp calls, real Kamailio and Janus, and the node's own process answers."""

import asyncio
import os
import signal
import subprocess
from array import array
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.answering.opus import decoded
from safeum_home.answering.process import WORKER
from safeum_home.client import aio
from safeum_home.protocol.telephone_events import TelephoneIncoming, TelephoneMissed, TelephoneOver
from safeum_home.protocol.telephone_types import TelephoneEnded
from safeum_home.protocol.types import Message, Voicemail
from tests.answering_case import greeting, share
from tests.e2e import g711
from tests.e2e.node_process import PATIENCE
from tests.e2e.relay import until
from tests.e2e.sniffer import Sniffer
from tests.e2e.trunk import CARRIER_TONE, Trunk, needs

PASSWORD = "correct horse battery staple"
WORLD = "+4930123456"
NUMBERS = "first,last,country,capabilities\n+3544900001,+3544900009,IS,voice-in voice-out\n"
NODE = """
[safenum]
country = "DE"
voicemail_silence_seconds = 5
"""
GREETING_TONE = 700
FIFTH = 1600
"""Samples of a fifth of a second."""


class VoicemailTests(SynchronousTestCase):
    """One account, whose callers hear a tone as its greeting."""

    def setUp(self) -> None:
        needs()
        self.trunk = Trunk(node=NODE)
        self.addCleanup(self.trunk.close)
        self.trunk.node.start()
        numbers = self.trunk.node.folder / "numbers.csv"
        numbers.write_text(NUMBERS)
        self.admin("numbers", "load", str(numbers))
        self.trunk.kamailio.start()
        self.trunk.janus.start()
        until(lambda: "carrier: up" in self.admin("status"))

    def admin(self, *arguments: str) -> str:
        code, said = self.trunk.node.admin(*arguments)
        self.assertEqual(code, 0, said)
        return said

    async def client(self) -> aio.Client:
        certificate = (self.trunk.node.folder / "chain.pem").read_bytes()
        return await aio.connect(f"localhost:{self.trunk.node.port}", ca=certificate)

    async def signed_up(self) -> tuple[aio.Client, str]:
        """Somebody with a number, and a greeting; connected."""
        client = await self.client()
        version = (await client.policy()).version
        await client.register("ada", PASSWORD, consent=version)
        while (number := (await client.profile()).profile.safenum) is None:  # noqa: ASYNC110  # asked
            await asyncio.sleep(0.1)
        while not (await client.voicemail()).available:  # noqa: ASYNC110  # it starts with the node
            await asyncio.sleep(0.1)
        await client.set_greeting(greeting(GREETING_TONE, 1.0))
        return client, number

    async def left(self, client: aio.Client) -> tuple[Message, bytes]:
        """The message that somebody has left, once it is there, and its sound."""
        chat = (await client.voicemail()).chat
        while not (found := (await client.history(chat)).messages):  # noqa: ASYNC110  # asked
            await asyncio.sleep(0.2)
        [message] = found
        return message, await client.sound_of(message)

    def heard(self, sniffer: Sniffer, hertz: float) -> bool:
        """Whether the carrier heard a tone by now."""
        said = g711.said(tuple(sniffer.datagrams), self.trunk.edge_address, self.trunk.carrier_address)
        return _has(said, hertz)

    def wait(self, task: Any) -> None:
        asyncio.run(asyncio.wait_for(task, 3 * PATIENCE))

    def test_no_answer(self) -> None:
        """It rings for 30 seconds; then the caller hears the greeting, and what he says is in the chat."""
        self.wait(self._no_answer())

    async def _no_answer(self) -> None:
        client, number = await self.signed_up()
        events = client.events()
        with self.trunk.sniffer() as sniffer:
            caller = self.trunk.call_in(number, WORLD, seconds=6.0)
            self.assertEqual((await _next(events, TelephoneIncoming)).caller, WORLD)
            over = await _next(events, TelephoneOver)
            self.assertEqual(over.reason, TelephoneEnded.VOICEMAIL)
            self.assertEqual(await asyncio.to_thread(caller.wait), 0, caller.errors())
        self.assertTrue((await _next(events, TelephoneMissed)).voicemail)
        self.assertTrue(self.heard(sniffer, GREETING_TONE))
        self.assertTrue(self.heard(sniffer, 1000.0))
        message, sound = await self.left(client)
        body = message.body
        assert isinstance(body, Voicemail)
        self.assertEqual(body.caller, WORLD)
        self.assertGreater(body.sound.duration or 0, 2000)
        self.assertTrue(_has(decoded(sound, 60), CARRIER_TONE))
        summary = next(chat for chat in (await client.chats()).chats if chat.kind == "voicemail")
        self.assertEqual((summary.chat, summary.unread), (message.chat, 1))
        await client.read(message.chat, message.id)
        node, memory = self.trunk.node.folder, self.trunk.memory
        self.assertEqual(_files_with(b"OggS", node, memory), [])
        self.assertEqual(_files_with(WORLD.removeprefix("+").encode(), node), [])
        self.assertNotEqual(_files_with(b"SQLite format", node), [])
        await client.delete(message.chat, message.id)
        await client.close()

    def test_offline_and_killed(self) -> None:
        """Nobody is connected, and in the midst of the recording what answers is killed.

        The carrier gets BYE, what was said by then is there when the account comes back, and the next call
        is answered. Of the one after that the bridge dies, and what was said by then is there, too.
        """
        self.wait(self._offline_and_killed())

    async def _offline_and_killed(self) -> None:
        client, number = await self.signed_up()
        await client.close()
        with self.trunk.sniffer() as sniffer:
            caller = self.trunk.call_in(number, "anonymous", seconds=60.0)
            await asyncio.to_thread(until, lambda: self.heard(sniffer, GREETING_TONE))
            await asyncio.sleep(4)
            [worker] = _workers(self.trunk.node.pid)
            os.kill(worker, signal.SIGKILL)
            await asyncio.to_thread(caller.until_received, "BYE")
        again = await self.client()
        await again.login("ada", PASSWORD)
        message, sound = await self.left(again)
        body = message.body
        assert isinstance(body, Voicemail)
        self.assertIsNone(body.caller)
        self.assertTrue(_has(decoded(sound, 60), CARRIER_TONE))
        await again.delete(message.chat, message.id)
        await again.set_voicemail(always=True)
        while not (await again.voicemail()).available:  # noqa: ASYNC110  # it is started again
            await asyncio.sleep(0.2)
        caller = self.trunk.call_in(number, WORLD, seconds=5.0, port=5080)
        self.assertEqual(await asyncio.to_thread(caller.wait), 0, caller.errors())
        await self._until_left(again, 2)
        with self.trunk.sniffer() as sniffer:
            caller = self.trunk.call_in(number, WORLD, seconds=60.0, port=5090)
            await asyncio.to_thread(until, lambda: self.heard(sniffer, GREETING_TONE))
            await asyncio.sleep(4)
            await asyncio.to_thread(self.trunk.janus.kill)
        message = await self._until_left(again, 3)
        self.assertTrue(_has(decoded(await again.sound_of(message), 60), CARRIER_TONE))
        await again.close()

    async def _until_left(self, client: aio.Client, number: int) -> Message:
        """So many were left, deleted ones too; the last."""
        chat = (await client.voicemail()).chat
        while len(found := (await client.history(chat)).messages) < number:  # noqa: ASYNC110  # asked
            await asyncio.sleep(0.2)
        return found[-1]


def _files_with(octets: bytes, *places: Path) -> list[Path]:
    """Files that have this in clear."""
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    return [path for path in files if _contains(path, octets)]


def _contains(path: Path, octets: bytes) -> bool:
    try:
        return octets in path.read_bytes()
    except OSError:
        return False


def _has(samples: "array[int]", hertz: float) -> bool:
    """Whether a tone is in it, for a fifth of a second."""
    starts = range(0, len(samples) - FIFTH, FIFTH // 2)
    return any(share(samples[start : start + FIFTH], hertz) > 0.6 for start in starts)


def _workers(node: int) -> list[int]:
    """The processes that answer calls for a node."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(node)], capture_output=True, text=True, check=True
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if WORKER in line]


async def _next(events: Any, kind: type) -> Any:
    """The next event of a kind."""
    async for event in events:
        if isinstance(event, kind):
            return event
    raise AssertionError("the client was closed")
