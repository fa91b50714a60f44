"""Secure chats through `safeum pipe`: lines between programs, on a node in memory."""

import json
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.testing import StringTransport

from safeum_home.client import pipe_secure
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.pipe import Pipe
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.errors import Code
from tests.secure_sdk_case import SecureDevice, SecureSdkCase, key_of


class PipeTests(SecureSdkCase):
    def setUp(self) -> None:
        super().setUp()
        self.transport, self.pipe = self.plug(self.ann)
        self.ids = 0

    def plug(self, device: SecureDevice) -> tuple[StringTransport, Pipe]:
        transport, pipe = StringTransport(), Pipe(device.client, self.world.clock)
        pipe.makeConnection(transport)
        return transport, pipe

    def lines(self, method: str | None = None) -> list[Any]:
        lines = [json.loads(line) for line in self.transport.value().splitlines()]
        return [line for line in lines if method is None or line.get("method") == method]

    def ask(self, method: str, **params: Any) -> Any:
        """The answer."""
        self.ids += 1
        self.pipe.dataReceived(
            json.dumps({"method": method, "params": params, "id": self.ids}).encode() + b"\n"
        )
        self.settle()
        [answer] = [line for line in self.lines() if line.get("id") == self.ids]
        return answer.get("result", answer.get("error"))

    def test_talk(self) -> None:
        """Begun, said, answered and read; and the node is given none of it."""
        chat = self.ask("client.secure.start", accounts=[self.ben.account])["chat"]
        self.ben.do(self.ben.secure.accept(chat))
        self.settle()
        item = self.ask("client.secure.send", chat=chat, text="hello")["item"]
        self.assertEqual((item["sender"], item["payload"]["text"]), (self.ann.account, "hello"))
        self.say(self.ben, chat, "hello Ann")
        told = [line["params"] for line in self.lines("client.secure.changed")]
        self.assertEqual((told[-1]["chat"], told[-1]["item"]["payload"]["text"]), (chat, "hello Ann"))
        answered = told[-1]["item"]["hash"]
        self.ask("client.secure.send", chat=chat, text="well", reply=answered)
        items = self.ask("client.secure.items", chat=chat, earlier=True)["items"]
        self.assertEqual([each["payload"]["text"] for each in items], ["hello", "hello Ann", "well"])
        self.assertEqual(items[-1]["payload"]["reply"]["hash"], answered)
        self.assertEqual(self.said_by_ben(chat), ["hello", "hello Ann", "well"])

    def said_by_ben(self, chat: str) -> list[str]:
        return self.ben.said(chat)

    def test_accepted(self) -> None:
        chat = self.ben.do(self.ben.secure.start([self.ann.account])).id
        self.settle()
        self.assertEqual(self.ask("client.secure.accept", chat=chat), {"chat": chat})

    def test_warned(self) -> None:
        """Another key of somebody is a line of its own."""
        chat = self.ask("client.secure.start", accounts=[self.ben.account])["chat"]
        self.ben.do(self.ben.secure.accept(chat))
        thief = self.device().login("ben").unlock(1)
        thief.do(thief.secure.replace_keys())
        self.settle(5)
        kinds = [line["params"]["kind"] for line in self.lines("client.secure.warning")]
        self.assertIn("KeysChanged", kinds)
        thief.client.close()

    def test_locked(self) -> None:
        """It is said so, and nothing is done in clear instead."""
        self.ann.client.lock()
        self.settle()
        answer = self.ask("client.secure.start", accounts=[self.ben.account])
        self.assertEqual(answer["data"]["code"], Code.SECURE_ONLY.value.code)

    def test_what_cannot_be_said(self) -> None:
        chat = self.ask("client.secure.start", accounts=[self.ben.account])["chat"]
        for text in ("", "x" * 9000):
            answer = self.ask("client.secure.send", chat=chat, text=text)
            self.assertEqual(answer["data"]["code"], Code.INVALID_PARAMS.value.code, text[:9])


class UnlockTests(SecureSdkCase):
    def unlock(self, device: SecureDevice, version: int) -> None:
        def key(account: str) -> "Deferred[UniqueKey]":
            return succeed(key_of(account, version))

        device.do(pipe_secure.unlock(device.client, key))

    def test_by_a_descriptor(self) -> None:
        """The passphrase of the account opens; another one does not, and publishes nothing."""
        other = self.device().login("ben")
        self.assertTrue(self.assertRaises(RemoteProblem, self.unlock, other, 1).of(Code.KEY_MISMATCH))
        self.assertIsNone(other.client.secure)
        self.unlock(other, 0)
        self.assertIsNotNone(other.client.secure)
        other.client.close()

    def test_no_first_one(self) -> None:
        """What may be mistyped is not taken for the account's from then on."""
        dan = self.device().register("dan")
        self.assertTrue(self.assertRaises(RemoteProblem, self.unlock, dan, 0).of(Code.KEY_MISMATCH))
        self.assertIsNone(dan.client.secure)
        dan.client.close()
