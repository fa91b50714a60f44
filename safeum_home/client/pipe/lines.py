"""The lines of `safeum pipe`: what one that comes in asks for, and how what goes out is written."""

from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from safeum_home.client.errors import BadAnswer, ClientError, RemoteProblem, SessionEnded, TimedOut, local
from safeum_home.client.pipe.files import FILE_METHODS
from safeum_home.client.pipe.secure import SECURE_METHODS
from safeum_home.errors import Code
from safeum_home.protocol.commands import COMMANDS, ContactFound, Params, Phase, Result
from safeum_home.protocol.frames import BadFrame, ProblemDetails, RequestId, decode

_FIND_CONTACTS = "client.find_contacts"


class _Line(Struct, frozen=True, forbid_unknown_fields=True):
    method: str
    params: Raw = Raw(b"{}")
    id: RequestId | None = None
    jsonrpc: Literal["2.0"] = "2.0"


class FindContacts(Params, frozen=True):
    """`client.find_contacts`: done by the client, since the node must not see the numbers."""

    numbers: list[str]


_OWN: dict[str, type[Params]] = {_FIND_CONTACTS: FindContacts, **FILE_METHODS, **SECURE_METHODS}
"""What the client does itself."""


class FoundContacts(Result, frozen=True):
    """Number -> account and address."""

    found: dict[str, ContactFound]


class _Error(Struct, frozen=True):
    code: int
    message: str
    data: ProblemDetails


def _problem(error: ClientError) -> _Error:
    if isinstance(error, RemoteProblem):
        return _Error(error.rpc, error.title, error.details)
    kinds = {TimedOut: "timed_out", BadAnswer: "bad_answer", SessionEnded: "session_ended"}
    code = kinds.get(type(error), "disconnected")
    return _Error(-32099, str(error), ProblemDetails(f"urn:safeum:client:{code}", str(error), 504, code))


def response(request_id: RequestId | None, answer: Result | ClientError) -> bytes:
    """The line that answers a request."""
    if isinstance(answer, ClientError):
        return msgspec.json.encode({"jsonrpc": "2.0", "id": request_id, "error": _problem(answer)})
    return msgspec.json.encode({"jsonrpc": "2.0", "id": request_id, "result": answer})


def notice(method: str, **params: Any) -> bytes:
    """A notification of the client itself."""
    return msgspec.json.encode({"jsonrpc": "2.0", "method": method, "params": params})


def parse(line: bytes) -> tuple[RequestId | None, Params | RemoteProblem]:
    """A line as a command, or as the refusal that the node would have answered."""
    try:
        request = msgspec.json.decode(line, type=_Line)
    except msgspec.ValidationError as error:
        return None, local(Code.INVALID_REQUEST, str(error)[:200])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, local(Code.PARSE_ERROR, "One line is one object: method, params, id.")
    command = COMMANDS.get(request.method)
    if command is None and request.method not in _OWN:
        return request.id, local(Code.METHOD_NOT_FOUND)
    if command is not None and command.phase is Phase.GREETING:
        return request.id, local(Code.WRONG_STATE, "The session is open already.")
    try:
        kind = _OWN[request.method] if command is None else command.params
        return request.id, msgspec.json.decode(request.params, type=kind)
    except msgspec.ValidationError as error:
        return request.id, _carrying(request, str(error)[:200])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return request.id, local(Code.INVALID_PARAMS, str(error)[:200])


def _carrying(request: _Line, refusal: str) -> Params | RemoteProblem:
    """The command, where it is only the kind of a body that is not known here: the node carries that."""
    method = msgspec.json.encode(request.method)
    try:
        return decode(b'{"jsonrpc":"2.0","method":%b,"params":%b}' % (method, request.params)).params
    except BadFrame:
        return local(Code.INVALID_PARAMS, refusal)
