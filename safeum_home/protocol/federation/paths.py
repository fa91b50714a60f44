"""What nodes ask each other over HTTP, as OpenAPI 3.1 has it."""

from msgspec import Struct

from safeum_home.protocol.federation.files import FILES_PATH, FetchFile
from safeum_home.protocol.federation.keys import KeyDocument
from safeum_home.protocol.federation.now import NOW_PATH, Now, Taken
from safeum_home.protocol.federation.questions import QUESTIONS
from safeum_home.protocol.federation.transactions import (
    ASK_PATH,
    HELLO_PATH,
    STREAM,
    TRANSACTIONS_PATH,
    Hello,
    Received,
    Transaction,
)
from safeum_home.protocol.files import OCTETS_TYPE
from safeum_home.protocol.http import NODE_KEYS_PATH
from safeum_home.protocol.schemas import Json, reference

SIGNED = {
    "type": "http",
    "scheme": "signature",
    "description": "RFC 9421, with the tag `safeum-federation`, by a key of the node that asks.",
}
TYPES: list[type[Struct]] = [KeyDocument, Transaction, Received, Hello, FetchFile, Now, Taken]


def federation_paths() -> Json:
    """The paths, each with its operations."""
    stream = {"type": "string", "pattern": f"^{STREAM}$"}
    number = {"type": "integer", "minimum": 1}
    put = _operation("transaction", "Take these events, after all that came before.", Transaction, Received)
    put["parameters"] = [_parameter("stream", stream), _parameter("number", number)]
    put["responses"]["409"] = {"$ref": "#/components/responses/Problem"}
    question = {"type": "string", "enum": sorted(QUESTIONS)}
    ask = _operation("ask", "Answer a question.", None, None)
    ask["parameters"] = [_parameter("name", question)]
    files = _operation("fetchFile", "The rest of a file of a message, from an octet on.", FetchFile, None)
    files["responses"]["200"]["content"] = {OCTETS_TYPE: {"schema": {"type": "string", "format": "binary"}}}
    files["responses"]["404"] = {"$ref": "#/components/responses/Problem"}
    files["responses"]["410"] = {"$ref": "#/components/responses/Problem"}
    return {
        NODE_KEYS_PATH: {
            "get": {
                "operationId": "nodeKeys",
                "summary": "Which keys does this node sign with?",
                "responses": {"200": _content("Its keys, in canonical JSON.", reference(KeyDocument))},
            }
        },
        f"{TRANSACTIONS_PATH}{{stream}}/{{number}}": {"put": put},
        f"{ASK_PATH}{{name}}": {"post": ask},
        FILES_PATH: {"post": files},
        NOW_PATH: {"post": _operation("now", "Take what is of use for a moment alone.", Now, Taken)},
        HELLO_PATH: {"post": _operation("hello", "The node that asks is there again.", Hello, Hello)},
    }


def _operation(name: str, summary: str, asked: type | None, answered: type | None) -> Json:
    problem = {"$ref": "#/components/responses/Problem"}
    body = {"type": "object"} if asked is None else reference(asked)
    answer = {"type": "object"} if answered is None else reference(answered)
    return {
        "operationId": name,
        "summary": summary,
        "security": [{"node": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": _content("Done.", answer),
            **dict.fromkeys(("400", "401", "403", "413", "421", "429", "502", "503"), problem),
        },
    }


def _parameter(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _content(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
