"""Files over HTTP, as paths of the OpenAPI document."""

from safeum_home.ids import FILE_PATTERN
from safeum_home.protocol.files import (
    DOWNLOADS_PATH,
    OCTETS_TYPE,
    OFFSET_TYPE,
    TICKET_PATTERN,
    TUS_VERSION,
    UPLOADS_PATH,
)
from safeum_home.protocol.schemas import Json

TICKET: Json = {
    "type": "http",
    "scheme": "bearer",
    "description": "A ticket of `file.upload` or `file.download`.",
}
_PROBLEM: Json = {"$ref": "#/components/responses/Problem"}
_BY_TICKET: list[Json] = [{"ticket": []}]
_TUS = "https://tus.io/protocols/resumable-upload"
_OCTETS: Json = {"type": "string", "format": "binary"}
_NUMBER: Json = {"type": "integer", "minimum": 0}
_TEXT: Json = {"type": "string"}


def file_paths() -> Json:
    """The paths, with their operations."""
    upload = _path_parameter("file", FILE_PATTERN)
    return {
        UPLOADS_PATH: {
            "options": {
                "operationId": "uploadOptions",
                "summary": f"What of tus is spoken ({_TUS})?",
                "responses": {"200": _answer("This.", "Tus-Version", "Tus-Extension", "Tus-Max-Size")},
            },
            "post": {
                "operationId": "createUpload",
                "summary": "Begin an upload.",
                "security": _BY_TICKET,
                "parameters": [
                    _version(),
                    _field("Upload-Length", _NUMBER, "Octets of the whole file."),
                    _field("Upload-Metadata", _TEXT, "`filetype` is looked at.", required=False),
                ],
                "responses": {
                    "201": _answer("It was begun.", "Location", "Upload-Expires"),
                    "default": _PROBLEM,
                },
            },
        },
        f"{UPLOADS_PATH}/{{file}}": {
            "parameters": [upload],
            "head": {
                "operationId": "uploadOffset",
                "summary": "How much of it is on disk?",
                "security": _BY_TICKET,
                "parameters": [_version()],
                "responses": {
                    "200": _answer("So much.", "Upload-Offset", "Upload-Length", "Upload-Expires"),
                    "default": _PROBLEM,
                },
            },
            "patch": {
                "operationId": "sendUpload",
                "summary": "Go on with it. What is acknowledged is on disk.",
                "security": _BY_TICKET,
                "parameters": [
                    _version(),
                    _field("Upload-Offset", _NUMBER, "Where the body goes on."),
                    _field("Upload-Checksum", _TEXT, "`sha256` or `sha1`, and base64.", required=False),
                ],
                "requestBody": {"required": True, "content": {OFFSET_TYPE: {"schema": _OCTETS}}},
                "responses": {"204": _answer("So much is on disk.", "Upload-Offset"), "default": _PROBLEM},
            },
            "delete": {
                "operationId": "terminateUpload",
                "summary": "Throw it away.",
                "security": _BY_TICKET,
                "parameters": [_version()],
                "responses": {"204": {"description": "It is gone."}, "default": _PROBLEM},
            },
        },
        DOWNLOADS_PATH: {"get": _download("downloadByField", _BY_TICKET)},
        f"{DOWNLOADS_PATH}/{{ticket}}": {
            "parameters": [_path_parameter("ticket", TICKET_PATTERN)],
            "get": _download("download", []),
        },
    }


def _download(operation: str, security: list[Json]) -> Json:
    content: Json = {OCTETS_TYPE: {"schema": _OCTETS}}
    return {
        "operationId": operation,
        "summary": "Fetch a file, or a part of it (RFC 9110 section 14).",
        "security": security,
        "parameters": [
            _field("Range", _TEXT, "One range of octets.", required=False),
            _field("If-Range", _TEXT, "The ETag of what is known of it.", required=False),
        ],
        "responses": {
            "200": {**_answer("All of it.", "ETag", "Content-Disposition"), "content": content},
            "206": {**_answer("A part.", "ETag", "Content-Range"), "content": content},
            "304": {"description": "It is known already."},
            "default": _PROBLEM,
        },
    }


def _version() -> Json:
    return _field("Tus-Resumable", {"const": TUS_VERSION}, "The version of tus.")


def _field(name: str, schema: Json, description: str, required: bool = True) -> Json:
    return {"name": name, "in": "header", "required": required, "schema": schema, "description": description}


def _path_parameter(name: str, pattern: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}


def _answer(description: str, *fields: str) -> Json:
    return {"description": description, "headers": {name: {"schema": _TEXT} for name in fields}}
