"""Support on a node in production: a person's client on one side, the operator's commands on the other."""

import asyncio
import json
import signal
import subprocess
from typing import Any
from urllib.request import urlopen

import msgspec
from msgspec import structs
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.caller import call
from safeum_home.admin.wire import Params, Status
from safeum_home.client import aio
from safeum_home.protocol.signing import decode_octets, fingerprint
from safeum_home.protocol.types import LoginAlert, Message, Text
from tests.e2e import warm
from tests.e2e.node_process import BIN, PATIENCE, NodeProcess

PASSWORD = "correct horse battery staple"
QUESTION = "My screen is quite dark. \x1b[31mWhy?"
ANSWER = "Light a candle.\nOr two."


class SupportTests(SynchronousTestCase):
    """From the sign-up to the answer, and what a person's client makes of a forged one."""

    def setUp(self) -> None:
        self.node = NodeProcess()
        self.addCleanup(self.node.close)
        self.node.start()

    def operate(self, *arguments: str, text: str = "", code: int = 0) -> str:
        """`safeum-home support`, as the staff runs it; what it prints."""
        socket = str(self.node.state / "admin.sock")
        done = warm.run(["safeum-home", "support", *arguments, "--socket", socket], text.encode())
        said = (done.stdout + done.stderr).decode()
        self.assertEqual(done.returncode, code, said)
        return said

    def _status(self) -> str:
        command = ["safeum-home", "status", "--socket", str(self.node.state / "admin.sock")]
        return warm.run(command).stdout.decode()

    async def connect(self) -> aio.Client:
        return await aio.connect(f"localhost:{self.node.port}", ca=self.node.certificate)

    async def _answer(self, events: Any, account: str) -> Message:
        async for event in events:
            if isinstance(event, Message) and isinstance(event.body, Text) and event.sender != account:
                return event
        raise AssertionError("the session ended")

    def _published_key(self) -> str:
        """The key, as anybody is told it over HTTPS."""
        url = f"https://localhost:{self.node.port}/.well-known/safeum/client"
        with urlopen(url, context=self.node.tls, timeout=PATIENCE) as answer:
            return str(json.load(answer)["node_key"])

    def test_support(self) -> None:
        """A question is listed, read and answered; the answer verifies, and nothing that was changed."""
        asyncio.run(asyncio.wait_for(self._ask_and_be_answered(), PATIENCE))
        self.node.kill()
        self.node.start()
        asyncio.run(asyncio.wait_for(self._look_again(), PATIENCE))
        written = b"".join(path.read_bytes() for path in self.node.folder.rglob("*") if path.is_file())
        for text in (QUESTION, ANSWER):
            self.assertNotIn(text[:12].encode(), written)

    async def _ask_and_be_answered(self) -> None:
        client = await self.connect()
        events = client.events()
        consent = (await client.policy()).version
        opened = await client.register("ada", PASSWORD, consent=consent)
        await client.load()
        self.assertIn("No conversation is open.", await asyncio.to_thread(self.operate, "list"))
        refusal = await asyncio.to_thread(self.operate, "reply", "ada", text="Buy this", code=1)
        self.assertIn("written to support", refusal)
        assert client.support_chat is not None
        await client.send(client.support_chat, QUESTION)

        await asyncio.to_thread(self._work_as_staff, opened.account)
        answer = await asyncio.wait_for(self._answer(events, opened.account), PATIENCE)
        self.assertEqual((answer.chat, answer.body), (client.support_chat, Text(ANSWER)))
        self._verify(client, answer)
        self.assertEqual(self._published_key(), opened.node_key)
        status = call(str(self.node.state / "admin.sock"), "status", Params(), Status)
        shown = fingerprint(decode_octets(opened.node_key or "", 32) or b"")
        self.assertEqual((status.node_key, client.state.voice.fingerprint), (shown, shown))
        self.assertIn(f"node key      {shown}", await asyncio.to_thread(self._status))
        await client.close()

    def _watch(self) -> None:
        """`support watch` shows what waits, and ends with Ctrl-C."""
        socket = str(self.node.state / "admin.sock")
        command = [str(BIN / "safeum-home"), "support", "watch", "--socket", socket]
        # A test that runs in the background is deaf to Ctrl-C, and so would be what it starts.
        hearing = ["env", "--default-signal=INT", *command]
        with subprocess.Popen(hearing, stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            try:
                self.assertRegex(watching.stdout.readline(), r"^ada +UNANSWERED")
                watching.send_signal(signal.SIGINT)
                self.assertEqual(watching.wait(PATIENCE), 0)
            finally:
                watching.kill()

    def _work_as_staff(self, account: str) -> None:
        self._watch()
        shown = self.operate("list")
        self.assertRegex(
            shown, r"(?m)^ada +UNANSWERED for 0 h 0 min +My screen is quite dark\. \ufffd\[31mWhy\?$"
        )
        shown = self.operate("read", "ada")
        self.assertIn(account, shown)
        self.assertIn("My screen is quite dark", shown)
        self.assertNotIn("\x1b", shown)
        page = json.loads(self.operate("read", account, "--json"))
        self.assertEqual([message["text"] for message in page["messages"]], [QUESTION])
        self.operate("reply", "ada", text=" \n", code=1)
        self.operate("reply", "ada", text="x" * 8193, code=1)
        self.operate("reply", "ada", text=ANSWER + "\n")
        [found] = json.loads(self.operate("list", "--json"))["conversations"]
        self.assertEqual(
            (found["login"], found["waiting_since"], found["last"]["text"]), ("ada", None, ANSWER)
        )
        self.assertRegex(self.operate("list"), r"(?m)^ada +answered +you: Light a candle\. Or two\.$")
        self.operate("close", "ada")
        self.assertIn("No conversation is open.", self.operate("list"))

    def _verify(self, client: aio.Client, answer: Message) -> None:
        """It is the node's; with one octet changed, wherever, it is not."""
        authentic = client.state.authentic
        self.assertIs(authentic(answer), True)
        encoded = msgspec.json.encode(answer)
        for part in (answer.signature or "", "candle"):
            start = encoded.index(part.encode())
            for place in range(start, start + len(part)):
                flipped = encoded[:place] + bytes([encoded[place] ^ 1]) + encoded[place + 1 :]
                try:
                    changed = msgspec.json.decode(flipped, type=Message)
                except msgspec.ValidationError:
                    continue  # not even the form of a signature
                self.assertNotEqual(changed, answer)
                self.assertIs(authentic(changed), False, flipped)
        self.assertIs(authentic(structs.replace(answer, signature=None)), False)

    async def _look_again(self) -> None:
        """After a restart the same key, and a history that verifies."""
        client = await self.connect()
        await client.login("ada", PASSWORD)
        await client.load()
        assert client.support_chat is not None
        question, answer = (await client.history(client.support_chat)).messages
        self.assertIsNone(client.state.authentic(question))
        self._verify(client, answer)
        [system] = [chat for chat in (await client.chats()).chats if chat.kind == "system"]
        alerts = (await client.history(system.chat)).messages
        self.assertEqual([type(alert.body) for alert in alerts], [LoginAlert, LoginAlert])
        self.assertTrue(all(client.state.authentic(alert) for alert in alerts))
        await client.logout()
        await client.close()
