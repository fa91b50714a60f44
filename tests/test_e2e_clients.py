"""The project's own clients as people run them, on a node in production that is killed under them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from twisted.trial.unittest import SynchronousTestCase

from tests.e2e.node_process import BIN, PATIENCE, NodeProcess
from tests.e2e.people import PASSWORD, Person, befriend, resume, sign_up

GUIDE = Path(__file__).parent.parent / "docs" / "client-guide.md"


def echo_bot() -> str:
    """The program in the guide's chapter of that name."""
    chapter = GUIDE.read_text().partition("## An echo bot")[2]
    [program] = re.findall(r"```python\n(.*?)```", chapter.partition("\n## ")[0], re.S)
    return str(program)


class ClientTests(SynchronousTestCase):
    """One side is a client of the project, the other one of the tests' own."""

    def setUp(self) -> None:
        self.node = NodeProcess()
        self.addCleanup(self.node.close)
        self.node.start()
        self.errors = self.node.folder / "errors"
        self.ann, self.at_ann = sign_up(self.node, "ann")
        self.cursor = self.ann.cursor

    def tearDown(self) -> None:
        self.at_ann.close()

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        with self.errors.open("ab") as errors:
            child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            )
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        for pipe in (child.stdin, child.stdout):
            assert pipe is not None
            self.addCleanup(pipe.close)
        return child

    def _options(self) -> list[str]:
        return [f"localhost:{self.node.port}", str(self.node.folder / "chain.pem")]

    def _restart(self) -> None:
        """Kill the node, start it again, and come back."""
        self.node.kill()
        self.at_ann.close()
        self.node.start()
        self.at_ann = resume(self.node, self.ann, self.cursor)

    def _heard(self) -> dict[str, Any]:
        """The next message of the other side."""
        while True:
            message = self.at_ann.event("chat.message")
            self.cursor = message["id"]
            if message["sender"] != self.ann.account and message["body"]["kind"] == "text":
                return message

    def _say(self, chat: str, text: str) -> None:
        body = {"kind": "text", "text": text}
        self.at_ann.call("chat.send", chat=chat, client_id=text, body=body)

    def test_echo_bot(self) -> None:
        """It accepts who asks, and repeats everything once: also what is said while the node goes down."""
        program = echo_bot()
        self.assertLess(len(program.splitlines()), 30)
        bot, at_bot = sign_up(self.node, "echo")
        at_bot.close()
        running = self._start(sys.executable, "-c", program, *self._options(), bot.username)
        _type(running.stdin, PASSWORD)
        self.at_ann.call("contact.request", account=bot.account, address=bot.address)
        chat = self._accepted()
        for text in ("one", "two", "three"):
            self._say(chat, text)
        self.assertEqual([self._heard()["body"]["text"] for _ in range(3)], ["one", "two", "three"])
        said = []
        for attempt in range(3):
            for number in range(10):
                said.append(f"{attempt}.{number}")
                self._say(chat, said[-1])
            self._restart()
        self._say(chat, "last")
        self.assertEqual([self._heard()["body"]["text"] for _ in range(31)], [*said, "last"])
        self.assertIsNone(running.poll(), self.errors.read_text())

    def _accepted(self) -> str:
        while True:
            contact = self.at_ann.event("contact.changed")["contact"]
            if contact["state"] == "accepted":
                return str(contact["chat"])

    def test_pipe(self) -> None:
        """JSON lines in, answers and events out; a kill of the node in between loses and doubles nothing."""
        bob, at_bob = sign_up(self.node, "bob")
        chat = befriend(self.at_ann, at_bob, bob)
        at_bob.close()
        pipe = self._pipe(bob)
        opened = json.loads(_line(pipe.stdout))
        self.assertEqual(opened["method"], "client.opened")
        self.assertEqual(opened["params"]["account"], bob.account)

        def send(number: int) -> None:
            body = {"kind": "text", "text": f"b{number}"}
            params = {"chat": chat, "client_id": f"b{number}", "body": body}
            _type(pipe.stdin, json.dumps({"id": number, "method": "chat.send", "params": params}))

        for number in range(20):
            send(number)
            if number % 7 == 3:
                self._say(chat, f"a{number}")
                self._restart()
        _type(pipe.stdin, '{"id": 20, "method": "no.such"}')
        assert pipe.stdin is not None
        pipe.stdin.close()
        lines = [json.loads(line) for line in pipe.stdout or ()]
        self.assertEqual(pipe.wait(PATIENCE), 0, self.errors.read_text())
        answers = {line["id"]: line for line in lines if "id" in line}
        self.assertEqual(answers.pop(20)["error"]["data"]["code"], "method_not_found")
        self.assertEqual(sorted(answers), list(range(20)))
        self.assertTrue(all("result" in answer for answer in answers.values()), answers)
        heard = [self._heard() for _ in range(20)]
        self.assertEqual([message["body"]["text"] for message in heard], [f"b{n}" for n in range(20)])
        ids = [answers[number]["result"]["id"] for number in range(20)]
        self.assertEqual([message["id"] for message in heard], ids)
        # What this device wrote itself may come too, when it comes back.
        told = [line["params"] for line in lines if line.get("method") == "chat.message"]
        others = [message["body"]["text"] for message in told if message["sender"] == self.ann.account]
        self.assertEqual(others, ["a3", "a10", "a17"])
        self.assertEqual(len({message["id"] for message in told}), len(told))

    def _pipe(self, person: Person) -> subprocess.Popen[bytes]:
        node, certificate = self._options()
        options = ["--node", node, "--ca", certificate, "--login", person.username]
        pipe = self._start(str(BIN / "safeum"), "pipe", *options)
        _type(pipe.stdin, PASSWORD)
        return pipe


def _type(stream: IO[bytes] | None, text: str) -> None:
    assert stream is not None
    stream.write(text.encode() + b"\n")
    stream.flush()


def _line(stream: IO[bytes] | None) -> bytes:
    assert stream is not None
    return stream.readline()
