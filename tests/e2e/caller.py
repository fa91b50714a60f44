"""Somebody who calls, as a process of its own: the SDK with a tone for a voice, told what to do line by line.

`python -m tests.e2e.caller LOGIN NODE CA HERTZ` takes `{"do": ..., "with": [...]}` and answers each with
`{"result": ...}` or `{"error": ...}`. Times are of the clock that all processes here have in common.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from select import select
from time import monotonic
from typing import Any

from safeum_home.client import aio
from safeum_home.client.calling.call import Call
from safeum_home.client.calling.call_state import CallState
from safeum_home.client.webrtc.sources import Tone
from safeum_home.client.webrtc.studio import Studio
from safeum_home.protocol.types import ContactState
from tests.e2e.confers import Confers
from tests.webrtc_case import Listener, until

PASSWORD = "correct horse battery staple"
SILENT_SECONDS = 2.0
"""After which the other is not heard any more: less than programs take, so that the test does not wait."""
PATIENCE = 45.0
Make = Callable[[aio.Client, float], Any]
"""Of a client and the hertz of its voice."""


class Ear(Listener):
    """Remembers when it heard anything first since `deafen`."""

    first: float | None = None

    def hear(self, who: str, samples: Any) -> None:
        if self.first is None:
            self.first = monotonic()
        super().hear(who, samples)

    def deafen(self) -> None:
        """What was heard so far does not count."""
        self.first = None
        self.last.clear()


class Caller(Confers):
    """One method for each thing that can be done."""

    def __init__(self, client: aio.Client, hertz: float) -> None:
        self._client = client
        self._ear = Ear()
        self._rang: list[Call] = []
        self.states: list[str] = []
        self._studio = Studio(Tone(hertz), ears=[self._ear], silent_seconds=SILENT_SECONDS)

    async def sign_up(self, login: str, hides: bool) -> str:
        version = (await self._client.policy()).version
        opened = await self._client.register(login, PASSWORD, consent=version)
        await self._client.load()
        self._client.take_calls(self._studio, relay_only=hides)
        self._client.on_call(self._rang.append)
        return opened.account

    async def ask(self, account: str, address: str) -> None:
        await self._client.request(account, address)

    async def accept(self, account: str) -> None:
        await until(lambda: self._stands(account, ContactState.INCOMING))
        await self._client.accept(account)
        await until(lambda: self._stands(account, ContactState.ACCEPTED))

    def _stands(self, account: str, state: ContactState) -> bool:
        contact = self._client.state.contacts.get(account)
        return contact is not None and contact.state is state

    async def call(self, account: str) -> None:
        await until(lambda: self._stands(account, ContactState.ACCEPTED))
        self._follow(await self._client.start_call(account))
        await self._call.reached(CallState.RINGING)

    async def answer(self) -> float:
        """When it was answered."""
        await until(lambda: self._rang and self._rang[-1].state is CallState.RINGING)
        self._follow(self._rang[-1])
        self._ear.deafen()
        answered = monotonic()
        self._call.answer()
        return answered

    def _follow(self, call: Call) -> None:
        self._call = call
        self.states.clear()
        call.listen(lambda each: self.states.append(each.state.value))

    async def active(self) -> list[str]:
        """Until it is; the states on the way, and the words."""
        await self._call.reached(CallState.ACTIVE)
        return [self._call.state.value, str(self._call.words)]

    async def hears(self, hertz: float) -> float:
        """Until this tone is heard from now on; when anything was heard first since the answer."""
        first = self._ear.first
        self._ear.last.clear()
        await until(lambda: self._ear.hears(hertz))
        return first or self._ear.first or 0.0

    async def broken(self) -> None:
        """Until the connection was broken."""
        await until(lambda: "connecting" in self.states[-8:])

    async def watch(self) -> None:
        """What the call was in before does not count."""
        self.states.clear()

    async def offline(self) -> None:
        await until(lambda: not self._client._client._calls.open)

    async def online(self) -> None:
        self._client.retry()
        await until(lambda: self._client._client._calls.open)

    async def hang_up(self) -> None:
        self._call.hang_up()

    async def ended(self) -> str | None:
        await self._call.reached(CallState.ENDED)
        return None if self._call.why is None else self._call.why.value

    async def log(self, least: int) -> int:
        """How long the last call was, once it is in the log that it was so long at least."""
        while True:
            seconds = (await self._client.call_log()).calls[0].seconds
            if seconds >= least:
                return seconds
            await asyncio.sleep(0.1)


async def serve(make: Make, login: str, node: str, ca: bytes, hertz: float) -> None:
    """Do what is asked for, with what `make` makes: it has `states`."""
    client = await aio.connect(node, ca=ca)
    caller = make(client, hertz)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        try:
            async with asyncio.timeout(PATIENCE):
                answer = {"result": await getattr(caller, asked["do"])(*asked["with"])}
        except Exception as error:
            answer = {"error": f"{login}: {asked}: {error!r}, {caller.states}"}
        print(json.dumps(answer), flush=True)
    await client.close()


def main(make: Make) -> None:
    """Of the program."""
    login, node, ca, hertz = sys.argv[1:]
    asyncio.run(serve(make, login, node, Path(ca).read_bytes(), float(hertz)))


class CallerProcess:
    """The process, for a test."""

    module = "tests.e2e.caller"

    def __init__(self, inside: Sequence[str], login: str, node: str, ca: Path, hertz: float) -> None:
        self.login = login
        self.hertz = hertz
        command = [*inside, sys.executable, "-m", self.module, login, node, str(ca), str(hertz)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent.parent
        )
        self.account = ""

    def begin(self, do: str, *what: object) -> None:
        """Have it do something; `done` waits for that."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, "with": what}).encode() + b"\n")
        self._process.stdin.flush()

    def done(self) -> Any:
        stream = self._process.stdout
        assert stream is not None
        ready, _, _ = select([stream], [], [], PATIENCE + 15)
        answer = json.loads(stream.readline() if ready else b'{"error": "no answer"}')
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["result"]

    def do(self, do: str, *what: object) -> Any:
        self.begin(do, *what)
        return self.done()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)


if __name__ == "__main__":
    main(Caller)
