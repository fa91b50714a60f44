"""`python -m tests.e2e.secure_program`: the SDK in a process of its own, told what to do in lines of JSON.

Each line is `[whose, method, arguments]`, with a method of `Program`, its client, or what that has opened,
and is answered by one line. What is answered says nothing of keys.
"""

import asyncio
import json
import os
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from safeum_home.accounts.policy import standard
from safeum_home.client import aio
from safeum_home.client.unlocked.conversation import Conversation

_WRITTEN = ("/tmp", "/dev/shm", "/run", "/var/tmp", "/root", "/home", ".")
"""Where a program might write something."""


class Program:
    """A client, and what of it is asked for."""

    def __init__(self) -> None:
        self.client: aio.Client

    async def connect(self, node: str, ca: str) -> None:
        self.client = await aio.connect(node, ca=ca.encode())

    async def register(self, name: str, password: str) -> None:
        await self.client.register(name, password, consent=standard().version)
        await self.client.load()

    def writable(self) -> list[str]:
        """Folders of those above in which something can be written."""
        found = []
        for each in _WRITTEN:
            path = Path(each, f".written-{os.getpid()}")
            try:
                path.write_bytes(b"x")
            except OSError:
                continue
            path.unlink()
            found.append(each)
        return found

    def account(self) -> str:
        assert self.client.opened is not None
        return self.client.opened.account

    def texts(self, chat: str) -> list[str]:
        return [item.text for item in self._chat(chat).items.all]

    def say(self, chat: str, text: str) -> None:
        self._chat(chat).send(text)

    async def send(self, chat: str, content: str) -> None:
        await self._chat(chat).files.send(BytesIO(content.encode()), name="a.txt")

    async def fetch(self, chat: str) -> str:
        """The file that was said last."""
        conversation, into = self._chat(chat), BytesIO()
        await conversation.files.save(conversation.items.all[-1], into)
        return into.getvalue().decode()

    def keep(self, chat: str, text: str) -> None:
        assert self.client.secure is not None
        self.client.secure.drafts.set(chat, text)

    def _chat(self, chat: str) -> Conversation:
        assert self.client.secure is not None
        return self.client.secure.chats[chat]

    async def do(self, whose: str, method: str, arguments: list[Any]) -> Any:
        of: Any = self
        if whose != "program":
            of = self.client if whose == "client" else self.client.secure
        result = getattr(of, method)(*arguments)
        if asyncio.isfuture(result) or asyncio.iscoroutine(result):
            result = await result
        return result if isinstance(result, str | list | None) else None


async def main() -> None:
    loop, program = asyncio.get_running_loop(), Program()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        answer = await program.do(*json.loads(line))
        del line
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
