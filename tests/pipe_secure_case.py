"""Secure chats through `safeum pipe`: lines between programs, on a node in memory."""

import json
from typing import Any

from twisted.internet.testing import StringTransport

from safeum_home.client.pipe.pipe import Pipe
from tests.secure_file_case import SecureFileCase
from tests.secure_sdk_case import SecureDevice


class PipeCase(SecureFileCase):
    """Ann is a program at a pipe."""

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

    def give(self, method: str, **params: Any) -> int:
        """A command; by what its answer is known."""
        self.ids += 1
        line = json.dumps({"method": method, "params": params, "id": self.ids})
        self.pipe.dataReceived(line.encode() + b"\n")
        self.settle()
        return self.ids

    def answer(self, id: int) -> Any:
        [answer] = [line for line in self.lines() if line.get("id") == id]
        return answer.get("result", answer.get("error"))

    def ask(self, method: str, **params: Any) -> Any:
        """The answer."""
        return self.answer(self.give(method, **params))

    def refused(self, method: str, **params: Any) -> str:
        """The code of what is refused."""
        code: str = self.ask(method, **params)["data"]["code"]
        return code

    def pair(self) -> str:
        """A secure chat of Ann and Ben."""
        chat: str = self.ask("client.secure.start", accounts=[self.ben.account])["chat"]
        self.ben.do(self.ben.secure.accept(chat))
        self.settle()
        return chat

    def told(self, method: str) -> Any:
        """What was told last."""
        return self.lines(method)[-1]["params"]
