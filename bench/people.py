"""Accounts on a node: signing up, befriending, coming back. Of this only logins are measured."""

from dataclasses import dataclass
from typing import Any

import msgspec

from bench.failure import Failure
from bench.framing import frame
from bench.loop import Loop
from bench.targets import Target
from bench.wire import Line
from safeum_home.ids import AccountId, ChatId, direct_chat_id

PATH = "/v1/ws"
SUBPROTOCOL = "safeum.v1.json"
PASSWORD = "correct horse battery staple"
ANSWER = b'{"jsonrpc":"2.0","id":0,'
DEVICE = {"name": "bench", "system": "none"}


@dataclass(frozen=True, slots=True)
class Person:
    """An account and a token for its device."""

    username: str
    account: AccountId
    address: str
    token: str


async def ask(line: Line, method: str, params: dict[str, Any]) -> bytes:
    """The answer to a command, as it comes; events that come meanwhile are dropped."""
    request = {"jsonrpc": "2.0", "method": method, "params": params, "id": 0}
    line.send(frame(msgspec.json.encode(request)))
    while True:
        answer = await line.message()
        if answer.startswith(ANSWER):
            return answer


async def call(line: Line, method: str, params: dict[str, Any]) -> Any:
    """The result of a command. Raises `Failure` when refused."""
    answer = msgspec.json.decode(await ask(line, method, params))
    if "error" in answer:
        raise Failure(f"{method} was refused: {answer['error']}")
    return answer["result"]


async def connected(loop: Loop, target: Target) -> Line:
    """A connection to the node, nobody's yet."""
    line = Line(loop, target.port, target.tls)
    await open_session(line)
    return line


async def open_session(line: Line) -> None:
    """Shake hands on a line."""
    await line.open(PATH, SUBPROTOCOL)


async def show_token(line: Line, person: Person) -> None:
    """Open a session on a new line with the device's token."""
    await open_session(line)
    await call(line, "session.resume", {"token": person.token})


async def sign_up(loop: Loop, target: Target, username: str) -> tuple[Person, Line]:
    """A new account, and its open session."""
    line = await connected(loop, target)
    policy = await call(line, "policy.get", {})
    about = {"device": DEVICE, "consent": policy["version"]}
    params = {"username": username, "password": PASSWORD, **about}
    opened = await call(line, "account.register", params)
    return Person(username, opened["account"], opened["address"], opened["token"]), line


async def resume(loop: Loop, target: Target, person: Person) -> Line:
    """A session opened with the device's token."""
    line = await connected(loop, target)
    await call(line, "session.resume", {"token": person.token})
    return line


async def log_in(loop: Loop, target: Target, person: Person) -> Line:
    """A session opened with the password: a new device."""
    line = await connected(loop, target)
    params = {"username": person.username, "password": PASSWORD, "device": DEVICE}
    await call(line, "session.login", params)
    return line


async def befriend(first: Person, first_line: Line, second: Person, second_line: Line) -> ChatId:
    """Make contacts of two people; their direct chat."""
    await call(first_line, "contact.request", {"account": second.account, "address": second.address})
    await call(second_line, "contact.accept", {"account": first.account})
    return direct_chat_id(first.account, second.account)


async def befriend_across(first: Person, first_line: Line, second: Person, second_line: Line) -> ChatId:
    """The same for people of two nodes, who hear of each other with the next transactions."""
    await call(first_line, "contact.request", {"account": second.account, "address": second.address})
    await _is_contact(second_line, "incoming")
    await call(second_line, "contact.accept", {"account": first.account})
    await _is_contact(first_line, "accepted")
    return direct_chat_id(first.account, second.account)


async def _is_contact(line: Line, state: str) -> None:
    """Wait to be told that somebody is now this."""
    while True:
        told = msgspec.json.decode(await line.message())
        if told.get("method") == "contact.changed" and told["params"]["contact"]["state"] == state:
            return
