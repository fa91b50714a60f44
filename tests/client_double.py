"""A node's end of client connections, in memory: for tests of the client's own machinery."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, structs
from nacl.signing import SigningKey
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from safeum_home.client.connection.connection import Listener
from safeum_home.client.connection.requests import Wire
from safeum_home.client.errors import Closing, Disconnected
from safeum_home.client.session import Client
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, direct_chat_id, support_account, system_account
from safeum_home.protocol.commands import Result
from safeum_home.protocol.events import METHOD_OF
from safeum_home.protocol.frames import encode_event, encode_problem, encode_result
from safeum_home.protocol.signing import encode_octets, signed_octets
from safeum_home.protocol.types import Contact, ContactState, Message, Text

ADA = "@" + "a" * 26 + ":home.test"
BOB = "@" + "b" * 26 + ":home.test"
SYSTEM = system_account("home.test")
SUPPORT = support_account("home.test")
SYSTEM_CHAT = direct_chat_id(AccountId(ADA), SYSTEM)
SUPPORT_CHAT = direct_chat_id(AccountId(ADA), SUPPORT)
NODE_KEY = SigningKey(b"the key of the node of the tests")
CHAT = direct_chat_id(AccountId(ADA), AccountId(BOB))
OTHER = "!" + "d" * 26
SELF_CHAT = "!" + "s" * 26
DEVICE = "D" + "e" * 16
TOKEN = "token-" + "t" * 30


def cursor(number: int) -> str:
    """A cursor that a test can tell from others; clients compare them for equality only."""
    return f"{number:022d}"


def message(
    number: int, text: str = "hi", sender: str = BOB, chat: str = CHAT, at: int | None = None
) -> Message:
    return Message(cursor(number), chat, sender, 1_700_000_000_000 + number if at is None else at, Text(text))


def signed(message: Message, key: SigningKey = NODE_KEY) -> Message:
    """What the node writes bears its signature."""
    signature = key.sign(signed_octets("home.test", message)).signature
    return structs.replace(message, signature=encode_octets(signature))


def contact(state: ContactState = ContactState.ACCEPTED, account: str = BOB, name: str = "Bob") -> Contact:
    return Contact(account, "bob@home.test", CHAT, state, name)


def opened(at: int = 0, token: str | None = TOKEN) -> dict[str, Any]:
    return {
        "account": ADA,
        "address": "ada@home.test",
        "device": DEVICE,
        "cursor": cursor(at),
        "token": token,
        "node_key": encode_octets(bytes(NODE_KEY.verify_key)),
        "support_chat": SUPPORT_CHAT,
    }


_BEGINNING = {"profile.get", "chat.list", "contact.list"}


def start(own: Any, chats: Any, contacts: Any) -> dict[str, Any]:
    """The answer to `sync.start`."""
    return {"own": own, "self_chat": SELF_CHAT, "chats": chats, "contacts": contacts}


class FakeWire:
    """One connection, seen from the node: `requests` is what came, `answer` and `event` go back."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.requests: list[dict[str, Any]] = []
        self.closed_with: int | None = None
        self.answers: dict[str, Callable[[dict[str, Any]], Any]] = {}

    def send(self, payload: bytes) -> None:
        request = json.loads(payload)
        self.requests.append(request)
        answer = self.answers.get(request["method"])
        if request["method"] == "sync.start" and answer is None and self.answers.keys() >= _BEGINNING:
            answer = self._start
        if answer is not None and "id" in request:
            self.reply(request, answer(request["params"]))

    def _start(self, params: dict[str, Any]) -> Any:
        """What a client begins with, as the commands that go on with it say."""
        pages = (
            ("profile.get", {"account": None}),
            ("chat.list", {"before": None}),
            ("contact.list", {"after": None}),
        )
        answers = [self.answers[method](asked) for method, asked in pages]
        refused = [answer for answer in answers if isinstance(answer, Problem)]
        return refused[0] if refused else start(*answers)

    def close(self, code: int = 1000, reason: str = "") -> None:
        if self.closed_with is None:
            self.closed_with = code
            self.listener.closed(Closing(code, reason))

    def reply(self, request: dict[str, Any], answer: Any) -> None:
        if isinstance(answer, Problem):
            self.listener.received(encode_problem(request["id"], answer))
        elif isinstance(answer, Result):
            self.listener.received(encode_result(request["id"], answer))
        else:
            result = msgspec.json.encode(answer)
            self.listener.received(b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (request["id"], result))

    def event(self, event: Struct) -> None:
        assert type(event) in METHOD_OF
        self.listener.received(encode_event(event))

    def drop(self, code: int = 1006, reason: str = "gone") -> None:
        self.closed_with = code
        self.listener.closed(Closing(code, reason))

    def methods(self) -> list[str]:
        return [request["method"] for request in self.requests]

    def of(self, method: str) -> list[dict[str, Any]]:
        return [request for request in self.requests if request["method"] == method]


class FakeNode:
    """Takes connections and remembers them. `answers` go to each new wire; `down` refuses to connect."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.wires: list[FakeWire] = []
        self.down = False
        self.refusal = Disconnected(Closing(1006, "refused"))
        """What `down` answers with."""
        self.waiting: list[Deferred[Any]] | None = None
        """Set to a list, connections are made only when the Deferreds in it are fired."""
        self.answers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "policy.get": lambda params: {"version": "1", "text": "It keeps messages."},
            "account.register": lambda params: opened(),
            "session.login": lambda params: opened() if params["password"] == "right" else WRONG,
            "session.resume": lambda params: opened(0, None) if params["token"] == TOKEN else STALE,
        }
        self.client = Client(self.dial, self.clock, lambda: 0.5)

    def dial(self, listener: Listener) -> "Deferred[Wire]":
        if self.down:
            return fail(self.refusal)
        if self.waiting is not None:
            waiting: Deferred[Any] = Deferred()
            self.waiting.append(waiting)
            return waiting.addCallback(lambda _: self.connect(listener))
        return succeed(self.connect(listener))

    def connect(self, listener: Listener) -> Wire:
        wire = FakeWire(listener)
        wire.answers = dict(self.answers)
        self.wires.append(wire)
        return wire

    @property
    def wire(self) -> FakeWire:
        return self.wires[-1]

    def login(self) -> FakeWire:
        entered: list[object] = []
        Deferred.fromCoroutine(_await(self.client.login("ada", "right"))).addBoth(entered.append)
        assert self.client.opened is not None, entered
        return self.wire


async def _await(awaitable: Any) -> Any:
    return await awaitable


WRONG = Problem(Code.BAD_CREDENTIALS)
STALE = Problem(Code.BAD_TOKEN)
