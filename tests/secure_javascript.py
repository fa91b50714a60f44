"""A program in JavaScript, of safeum_home/web/secure, that takes part as `secure_case.Program` does."""

import json
import subprocess
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from twisted.internet.task import Clock

from safeum_home.client.secure import events, payloads
from safeum_home.client.secure.chat import Step
from safeum_home.client.secure.chat_memory import ChatMemory
from safeum_home.client.secure.payloads import Payload
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.roster import Change
from safeum_home.client.secure.succession import Line
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.protocol.signing import decode_octets
from tests.e2e.registries import node, npm
from tests.secure_case import CHAT, Program, account, unique_key

WEB = Path(__file__).parent / "web"
PACKAGES = ("libsodium-wrappers-sumo@0.8.4", "zxcvbn@4.4.2")


def install() -> str:
    """The program to run, with all that the tests in JavaScript need."""
    npm("secure", *PACKAGES)
    return node()


def master(number: int, version: int = 0) -> bytes:
    """What `secure_case.unique_key` is made of."""
    return bytes([number, version]).ljust(32, b"k")


def _hash(text: str) -> bytes:
    octets = decode_octets(text, 32)
    assert octets is not None
    return octets


def event(value: dict[str, Any]) -> events.Event:
    """An event of JavaScript as one of Python."""
    name = value.pop("is")
    kind: Any = getattr(events, "".join(part.capitalize() for part in name.split("_")))
    for member in ("hash", "before", "after"):
        if member in value:
            value[member] = _hash(value[member])
    if "reason" in value:
        value["reason"] = Reason(value["reason"])
    if "payload" in value:
        unknown = value["payload"].get("unknown")
        text = value["payload"].get("text", "")
        encoded = msgspec.json.encode(value["payload"])
        value["payload"] = payloads.Unknown(unknown, text) if unknown else payloads.decode(encoded)
    if "change" in value:
        value["change"] = Change(**{name: tuple(each) for name, each in value["change"].items()})
    if "accounts" in value:
        value["accounts"] = tuple(value["accounts"])
    made: events.Event = kind(**value)
    return made


class Process:
    """`node` with tests/web/peer.mjs."""

    def __init__(self) -> None:
        command = [install(), str(WEB / "peer.mjs")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, command: str, **parameters: Any) -> Any:
        """What it answers; raises `Refused` as it does."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, **parameters}).encode() + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "refused" in answer:
            raise Refused(Reason(answer["refused"]))
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class ForeignChat:
    """What `SecureChat` is, in another process."""

    def __init__(self, process: Process, clock: Clock) -> None:
        self._process = process
        self._clock = clock

    def _step(self, command: str, **parameters: Any) -> Step:
        self._process.ask("time", now=int(self._clock.seconds() * 1000))
        result = self._process.ask(command, **parameters)
        posts = [
            events.Post(each["data"], each["quiet"], _hash(each["hash"]), each["reference"])
            for each in result["posts"]
        ]
        return Step([event(each) for each in result["events"]], posts)

    def take(self, told: events.Told) -> Step:
        return self._step("take", told=_told(told))

    def past(self, page: Iterable[events.Told]) -> Step:
        return self._step("past", page=[_told(each) for each in page])

    def say(self, payload: Payload, reference: str) -> Step:
        return self._step("say", payload=json.loads(payloads.encode(payload)), reference=reference)

    def admit(self, accounts: Iterable[str]) -> Step:
        return self._step("admit", accounts=list(accounts))

    def dismiss(self, accounts: Iterable[str]) -> Step:
        return self._step("dismiss", accounts=list(accounts))

    def succeed(self, new: UniqueKey, line: Line | None = None) -> Step:
        """`new` is one of `unique_key`."""
        made = product(range(26), range(1, 10))
        number, version = next(each for each in made if unique_key(*each).hash == new.hash)
        return self._step("succeed", master=master(number, version).hex(), line=line and line.text)

    def tell(self, line: Line) -> Step:
        return self._step("tell", line=line.text)

    def know(self, line: Line) -> None:
        self._process.ask("know", line=line.text)

    def members_told(self, accounts: Iterable[str]) -> Step:
        return self._step("members_told", accounts=list(accounts))

    def keys_told(self, account: str, keys: PublicKeys) -> Step:
        sign, box = keys.texts()
        return self._step("keys_told", account=account, keys={"sign": sign, "box": box})

    def renew(self, refused: str | None = None) -> None:
        self._process.ask("renew", refused=refused)

    def memory(self) -> ChatMemory:
        return msgspec.convert(self._process.ask("memory"), ChatMemory)

    def restore(self, memory: ChatMemory) -> None:
        self._process.ask("restore", memory=msgspec.to_builtins(memory))

    @property
    def _room(self) -> Any:
        """What tests look into."""
        head = _hash(self._process.ask("memory")["roster"])
        former = SimpleNamespace(clear=lambda: self._process.ask("forget"))
        return SimpleNamespace(
            roster=SimpleNamespace(head=head),
            former=former,
            now=lambda: int(self._clock.seconds() * 1000),
        )

    def tick(self) -> Step:
        return self._step("tick")

    @property
    def members(self) -> dict[str, bytes]:
        return {each: _hash(hash) for each, hash in self._process.ask("members").items()}


def _told(told: events.Told) -> dict[str, Any]:
    return {"sender": told.sender, "id": told.id, "data": told.data, "quiet": told.quiet}


class ForeignProgram(Program):
    """A `Program` whose chat is in JavaScript."""

    def __init__(
        self, number: int, clock: Clock, process: Process, peer: int | None = None, version: int = 0
    ) -> None:
        self.process = process
        self.version = version
        super().__init__(number, clock, peer, version)

    def open(self, chat: str) -> None:
        now = int(self.clock.seconds() * 1000)
        opened = {"account": account(self.number), "master": master(self.number, self.version).hex()}
        opened["chat"] = CHAT
        self.identity = self.process.ask("open", **opened, peer=self.peer, now=now)
        self.chat: Any = ForeignChat(self.process, self.clock)

    def knows(self, *others: UniqueKey) -> "ForeignProgram":
        for key in others:
            identity = msgspec.to_builtins(key.identity(1))
            self.process.ask("knows", account=key.account, identity=identity)
        return self
