"""Conferences: what people do in them, and what their devices are told."""

from itertools import count
from typing import Any

from tests.world import Client

_numbers = count(1)


def call_id(number: int | None = None) -> str:
    """The id of a call; another one each time."""
    return f"{number or next(_numbers):022d}"


def start(client: Client, chat: str, call: str = "", hello: str = "", **more: Any) -> dict[str, Any]:
    """Begin a conference; what the device is answered."""
    params = {"call": call or call_id(), "chat": chat, "media": "audio", "hello": hello or client.device}
    return client.call("conference.start", **{**params, **more})


def join(client: Client, chat: str, call: str, hello: str = "") -> dict[str, Any]:
    return client.call("conference.join", call=call, chat=chat, hello=hello or client.device)


def names(joined: dict[str, Any], *clients: Client) -> list[str]:
    """Who is in it, in their order, as their names."""
    known = {client.account: client.address.partition("@")[0] for client in clients}
    return [known.get(each["account"], "a stranger") for each in joined["participants"]]


def told(client: Client) -> list[tuple[str, str]]:
    """What a device was told of conferences: the event, and of whom or why."""
    found = []
    for event in client.take():
        method, params = event["method"], event["params"]
        if method.startswith(("conference.", "call.")):
            found.append((method.partition(".")[2], params.get("account") or params.get("reason")))
    return found
