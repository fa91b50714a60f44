"""What a node answers over HTTP as an OpenAPI 3.1 document, made from the types.

`python -m safeum_home.protocol.openapi` prints it; `docs/protocol/openapi.json` holds it.
"""

import sys

import msgspec

from safeum_home.errors import Code
from safeum_home.protocol import SUBPROTOCOL, WEBSOCKET_PATH
from safeum_home.protocol.federation.paths import SIGNED, TYPES, federation_paths
from safeum_home.protocol.file_paths import TICKET, file_paths
from safeum_home.protocol.frames import ProblemDetails
from safeum_home.protocol.http import (
    DISCOVERY_PATH,
    HEALTH_PATH,
    NODE_DISCOVERY_PATH,
    Discovery,
    Health,
    NodeDiscovery,
)
from safeum_home.protocol.invites import GROUP_PATH, INVITE_PATH
from safeum_home.protocol.schemas import Json, reference, schemas


def document() -> Json:
    """The whole document."""
    components = schemas([Health, Discovery, NodeDiscovery, ProblemDetails, *TYPES])
    components["ProblemDetails"]["properties"]["code"]["enum"] = [code.code for code in Code]
    problem = _response("RFC 9457 problem details", reference(ProblemDetails), "application/problem+json")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SafeUM Home over HTTP",
            "version": "1.0.0",
            "description": "Discovery, health, files, and what nodes tell each other; all else goes over"
            " WebSocket (asyncapi.json).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {"url": "https://{node}", "variables": {"node": {"default": "localhost:8443"}}},
        ],
        "security": [],
        "paths": {
            HEALTH_PATH: {
                "get": {
                    "operationId": "health",
                    "summary": "Does the node serve?",
                    "responses": {
                        "200": _response("It serves.", reference(Health)),
                        "503": _response("It does not (yet, or any more).", reference(Health)),
                    },
                }
            },
            DISCOVERY_PATH: {
                "get": {
                    "operationId": "discover",
                    "summary": "Where and how do clients connect?",
                    "responses": {
                        "200": _response("Where and how.", reference(Discovery)),
                        "503": {"$ref": "#/components/responses/Problem"},
                    },
                }
            },
            NODE_DISCOVERY_PATH: {
                "get": {
                    "operationId": "discoverNode",
                    "summary": "Where is this node served to other nodes, if that is not at its name?",
                    "responses": {
                        "200": _response("There.", reference(NodeDiscovery)),
                        "404": {"$ref": "#/components/responses/Problem"},
                    },
                }
            },
            INVITE_PATH: {
                "get": {
                    "operationId": "invite",
                    "summary": "How is an invite used? Its code is the fragment of the link: not sent.",
                    "responses": {
                        "200": _response("A page for people.", {"type": "string"}, "text/html"),
                    },
                }
            },
            GROUP_PATH: {
                "get": {
                    "operationId": "group",
                    "summary": "How is a group's link used? Its code is the fragment of the link: not sent.",
                    "responses": {
                        "200": _response("A page for people.", {"type": "string"}, "text/html"),
                    },
                }
            },
            **file_paths(),
            **federation_paths(),
            WEBSOCKET_PATH: {
                "get": {
                    "operationId": "connect",
                    "summary": f"Open a WebSocket with subprotocol `{SUBPROTOCOL}` (RFC 6455 section 4).",
                    "responses": {
                        "101": {"description": "The WebSocket is open."},
                        "400": {"description": "The handshake is not one."},
                    },
                }
            },
        },
        "components": {
            "schemas": components,
            "responses": {"Problem": problem},
            "securitySchemes": {"ticket": TICKET, "node": SIGNED},
        },
    }


def _response(description: str, schema: Json, content_type: str = "application/json") -> Json:
    return {"description": description, "content": {content_type: {"schema": schema}}}


def text() -> str:
    """The document as it is kept."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
