"""The WSS protocol as an AsyncAPI 3.0 document, made from the types.

`python -m safeum_home.protocol.asyncapi` prints it; `docs/protocol/asyncapi.json` holds it.
"""

import inspect
import sys
from typing import Any, Literal

import msgspec
from msgspec import Struct

from safeum_home.errors import Code
from safeum_home.protocol import MAX_FRAME, SUBPROTOCOL, WEBSOCKET_PATH
from safeum_home.protocol.command import Command
from safeum_home.protocol.commands import COMMANDS
from safeum_home.protocol.events import EVENTS, Event
from safeum_home.protocol.frames import ProblemDetails, RequestId, request_type
from safeum_home.protocol.schemas import Json, reference, schemas

CHANNEL = "session"
DESCRIPTION = f"""JSON-RPC 2.0 over WebSocket, subprotocol `{SUBPROTOCOL}`: one request, answer or event
in each WebSocket message, of at most {MAX_FRAME} octets. The document describes the node's side: it receives
commands and sends events."""


class ErrorObject(Struct, frozen=True):
    """A JSON-RPC error; `data` holds RFC 9457 problem details. Act on `data.code` alone."""

    code: int
    message: str
    data: ProblemDetails


class Refusal(Struct, frozen=True):
    """The answer to a command that was refused. `id` is null where the request's id could not be read."""

    jsonrpc: Literal["2.0"]
    id: RequestId | None
    error: ErrorObject


def _result_type(command: Command) -> type[Struct]:
    name = command.params.__name__ + "Response"
    return msgspec.defstruct(
        name, [("jsonrpc", Literal["2.0"]), ("id", RequestId), ("result", command.result)]
    )


def _event_type(event: Event) -> type[Struct]:
    method: Any = Literal[event.method]
    name = event.type.__name__ + "Event"
    return msgspec.defstruct(name, [("jsonrpc", Literal["2.0"]), ("method", method), ("params", event.type)])


def document() -> Json:
    """The whole document."""
    requests = {method: request_type(command) for method, command in COMMANDS.items()}
    results = {method: _result_type(command) for method, command in COMMANDS.items()}
    events = {method: _event_type(event) for method, event in EVENTS.items()}

    messages: dict[str, Json] = {}
    operations: dict[str, Json] = {}
    for method, command in COMMANDS.items():
        messages[f"{method}.request"] = _message(requests[method], command.params, f"{method}: request")
        messages[f"{method}.result"] = _message(results[method], command.result, f"{method}: result")
        operations[method] = _command_operation(command)
    for method, event in EVENTS.items():
        messages[method] = _message(events[method], event.type, f"{method}: event")
        operations[method + ".event"] = _event_operation(event)
    messages["error"] = _message(Refusal, Refusal, "error: answer to a refused command")

    parts = [command.params for command in COMMANDS.values()]
    answers = [command.result for command in COMMANDS.values()]
    kinds = [event.type for event in EVENTS.values()]
    components = schemas(
        dict.fromkeys(
            [*requests.values(), *results.values(), *events.values(), *parts, *answers, *kinds, Refusal]
        )
    )
    components["ProblemDetails"]["properties"]["code"]["enum"] = [code.code for code in Code]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "SafeUM Home, clients' protocol",
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "node": {
                "host": "{node}",
                "protocol": "wss",
                "description": "A node; find its address with `GET /.well-known/safeum/client`.",
                "variables": {"node": {"default": "localhost:8443", "description": "Host and port."}},
            }
        },
        "channels": {CHANNEL: _channel(messages)},
        "operations": operations,
        "components": {"messages": messages, "schemas": components},
        "x-problems": [
            {"code": code.code, "rpc": code.value.rpc, "status": code.value.status, "title": code.value.title}
            for code in Code
        ],
    }


def _channel(messages: dict[str, Json]) -> Json:
    return {
        "address": WEBSOCKET_PATH,
        "description": f"One connection of one device; subprotocol `{SUBPROTOCOL}`.",
        "servers": [{"$ref": "#/servers/node"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "ws": {
                "method": "GET",
                "headers": {
                    "type": "object",
                    "properties": {"Sec-WebSocket-Protocol": {"type": "string", "const": SUBPROTOCOL}},
                    "required": ["Sec-WebSocket-Protocol"],
                },
                "bindingVersion": "0.1.0",
            }
        },
    }


def _message(payload: type[Struct], described: type[Struct], title: str) -> Json:
    return {
        "name": title.partition(":")[0],
        "title": title,
        "summary": _first_line(described),
        "contentType": "application/json",
        "payload": reference(payload),
    }


def _command_operation(command: Command) -> Json:
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{CHANNEL}"},
        "title": command.method,
        "summary": _first_line(command.params),
        "description": inspect.getdoc(command.params) or "",
        "messages": [_in_channel(f"{command.method}.request")],
        "reply": {
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "messages": [_in_channel(f"{command.method}.result"), _in_channel("error")],
        },
        "x-phase": command.phase.value,
    }


def _event_operation(event: Event) -> Json:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{CHANNEL}"},
        "title": event.method,
        "summary": _first_line(event.type),
        "description": inspect.getdoc(event.type) or "",
        "messages": [_in_channel(event.method)],
        "x-durable": event.durable,
    }


def _in_channel(message: str) -> Json:
    return {"$ref": f"#/channels/{CHANNEL}/messages/{message}"}


def _first_line(struct: type[Struct]) -> str:
    return (inspect.getdoc(struct) or "").partition("\n")[0]


def text() -> str:
    """The document as it is kept."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
