"""People with accounts on a node."""

from dataclasses import dataclass, replace
from typing import Any

from tests.e2e.node_process import NodeProcess
from tests.e2e.wire import RawClient

DEVICE = {"name": "a device", "system": "a system"}
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Person:
    """An account, and the token of a device of it."""

    username: str
    account: str
    address: str
    token: str
    cursor: str


def connect(node: NodeProcess, **options: Any) -> RawClient:
    """A connection that is nobody's yet."""
    return RawClient(node.connect(**options))


def sign_up(
    node: NodeProcess,
    username: str,
    password: str = PASSWORD,
    device: dict[str, str] = DEVICE,
    **options: Any,
) -> tuple[Person, RawClient]:
    """A new account, and its open session."""
    client = connect(node, **options)
    about = {"username": username, "password": password, "device": device, "consent": consent(client)}
    opened = client.call("account.register", **about)
    return Person(username, opened["account"], opened["address"], opened["token"], opened["cursor"]), client


def consent(client: RawClient) -> str:
    """What somebody agrees to who signs up on this connection."""
    return str(client.call("policy.get")["version"])


def resume(node: NodeProcess, person: Person, since: str | None = None, **options: Any) -> RawClient:
    """A session of the device that `person` has a token of."""
    client = connect(node, **options)
    client.call("session.resume", token=person.token, since=since)
    return client


def another_device(node: NodeProcess, person: Person) -> Person:
    """The same person with a new device."""
    with connect(node) as client:
        opened = client.call("session.login", username=person.username, password=PASSWORD, device=DEVICE)
    return replace(person, token=opened["token"], cursor=opened["cursor"])


def befriend(first: RawClient, second: RawClient, other: Person) -> str:
    """Make contacts of the people behind two sessions, `other` being behind the second; their chat."""
    first.call("contact.request", account=other.account, address=other.address)
    asking = second.event("contact.changed")["contact"]
    second.call("contact.accept", account=asking["account"])
    while True:
        contact: dict[str, Any] = first.event("contact.changed")["contact"]
        if contact["state"] == "accepted":
            return str(contact["chat"])


def pair(
    node: NodeProcess, first: str, second: str, **options: Any
) -> tuple[Person, RawClient, Person, RawClient, str]:
    """Two new accounts that can write to each other: with their sessions, and the chat."""
    a, at_a = sign_up(node, first, **options)
    b, at_b = sign_up(node, second, **options)
    return a, at_a, b, at_b, befriend(at_a, at_b, b)


def history(client: RawClient, chat: str) -> list[dict[str, Any]]:
    """All messages of a chat, oldest first."""
    pages: list[list[dict[str, Any]]] = []
    before: str | None = None
    while True:
        page = client.call("chat.history", chat=chat, limit=200, before=before)
        pages.append(page["messages"])
        if not page["more"]:
            return [message for page in reversed(pages) for message in page]
        before = page["messages"][0]["id"]
