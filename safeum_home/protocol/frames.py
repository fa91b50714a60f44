"""JSON-RPC 2.0 frames: octets to typed values and back, strictly, in one pass where all is well."""

from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from safeum_home.errors import Code, Problem
from safeum_home.protocol.carried import NotCarried, carried
from safeum_home.protocol.commands import COMMANDS, Command, Params
from safeum_home.protocol.events import METHOD_OF

RequestId = int | str
MAX_REQUEST_ID = 2**53 - 1
MAX_REQUEST_ID_TEXT = 64
_Identifier = (
    Annotated[int, msgspec.Meta(ge=-MAX_REQUEST_ID, le=MAX_REQUEST_ID)]
    | Annotated[str, msgspec.Meta(max_length=MAX_REQUEST_ID_TEXT)]
)


class BadFrame(Exception):
    """A frame that is refused: the problem, and the request's id as far as it could be read."""

    def __init__(self, problem: Problem, request_id: RequestId | None = None) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.request_id = request_id


class Call(NamedTuple):
    """A decoded request. `request_id` is None for a notification, which gets no answer."""

    command: Command
    params: Params
    request_id: RequestId | None


class _Envelope(Struct, frozen=True):
    """What can be salvaged of a request that is not well-formed, to answer it with its own id."""

    id: Any = None
    method: Any = None


class _Error(Struct, frozen=True):
    code: int
    message: str
    data: "ProblemDetails"


class ProblemDetails(Struct, frozen=True, omit_defaults=True):
    """RFC 9457 members, with `code` (act on this one) and `retry_after` in seconds."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    retry_after: float | None = None


def request_type(command: Command) -> type[Struct]:
    """The frame of a request to `command`, as it is decoded and documented."""
    required = any(field.required for field in msgspec.structs.fields(command.params))
    params: Any = ("params", command.params)
    if not required:
        params = (*params, msgspec.field(default_factory=command.params))
    return msgspec.defstruct(
        command.params.__name__ + "Request",
        [("jsonrpc", Literal["2.0"]), params, ("id", _Identifier | UnsetType, UNSET)],
        tag_field="method",
        tag=command.method,
        frozen=True,
        forbid_unknown_fields=True,
        kw_only=True,
    )


@cache
def _decoder() -> tuple[msgspec.json.Decoder[Any], dict[type, Command]]:
    types = {request_type(command): command for command in COMMANDS.values()}
    union: Any = None
    for struct in types:
        union = struct if union is None else union | struct
    return msgspec.json.Decoder(union), types


_envelope = msgspec.json.Decoder(_Envelope)
_encoder = msgspec.json.Encoder()


def decode(payload: bytes) -> Call:
    """Octets of one WebSocket message as a call; raises `BadFrame`.

    Of two equal keys in one JSON object (RFC 8259 section 4 leaves that open) the last one counts, and
    two different `method` are refused. A frame is read by this one decoder only, so that no two readers
    can come to different ends.
    """
    decoder, types = _decoder()
    try:
        request = decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        try:
            call = _carrying(payload, error)
        except NotCarried as reason:
            raise _diagnose(payload, ValueError(f"{reason} - at `$.params.body`")) from None
        if call is None:
            raise _diagnose(payload, error) from None
        return call
    return Call(types[type(request)], request.params, None if request.id is UNSET else request.id)


class _Carrier(NamedTuple):
    """A command that can carry a body of an unknown kind, and how its frame is read then."""

    command: Command
    decoder: msgspec.json.Decoder[Any]


@cache
def _carriers() -> dict[str, _Carrier]:
    found = {}
    for command in COMMANDS.values():
        if "body" in command.params.__struct_fields__:
            plain = _with_plain_body(command.params)
            frame = request_type(replace(command, params=plain))
            found[command.method] = _Carrier(command, msgspec.json.Decoder(frame))
    return found


def _with_plain_body(params: type[Params]) -> type[Params]:
    """The parameters with any object for a body."""
    fields: list[Any] = []
    for each in msgspec.structs.fields(params):
        kind: Any = dict[str, Any] if each.name == "body" else each.type
        required = each.required or each.name == "body"
        fields.append((each.name, kind) if required else (each.name, kind, each.default))
    return msgspec.defstruct(  # type: ignore[return-value]  # of the base that it is given
        params.__name__, fields, bases=(Params,), frozen=True, forbid_unknown_fields=True, kw_only=True
    )


def _carrying(payload: bytes, error: Exception) -> Call | None:
    """The call that was refused for its body alone, which is of a kind not known here; None for others.

    Raises `NotCarried` where that kind is all that the decoder saw, and there is more that is wrong.
    """
    if not isinstance(error, msgspec.ValidationError) or "$.params.body" not in str(error):
        return None
    try:
        envelope = _envelope.decode(payload)
        carrier = _carriers()[envelope.method]
        request = carrier.decoder.decode(payload)
        body = carried(request.params.body)
    except NotCarried:
        raise
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    params = carrier.command.params
    values = {name: getattr(request.params, name) for name in params.__struct_fields__}
    values["body"] = body
    return Call(carrier.command, params(**values), None if request.id is UNSET else request.id)


def _diagnose(payload: bytes, error: Exception) -> BadFrame:
    """Why the one-pass decoder refused: only now is it worth a second look."""
    # What is no UTF-8 inside a text the second look would pass over; versions of msgspec name it differently.
    ill_formed = isinstance(error, msgspec.DecodeError) and not isinstance(error, msgspec.ValidationError)
    if ill_formed or isinstance(error, UnicodeDecodeError):
        return BadFrame(Problem(Code.PARSE_ERROR))
    try:
        envelope = _envelope.decode(payload)
    except msgspec.ValidationError:
        return BadFrame(Problem(Code.INVALID_REQUEST))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return BadFrame(Problem(Code.PARSE_ERROR))
    request_id = envelope.id if _is_request_id(envelope.id) else None
    detail = str(error)[:200]
    if not isinstance(envelope.method, str) or (envelope.id is not None and request_id is None):
        return BadFrame(Problem(Code.INVALID_REQUEST), request_id)
    if envelope.method not in COMMANDS:
        return BadFrame(Problem(Code.METHOD_NOT_FOUND), request_id)
    if "`$.params" in detail:
        return BadFrame(Problem(Code.INVALID_PARAMS, detail), request_id)
    return BadFrame(Problem(Code.INVALID_REQUEST, detail), request_id)


def _is_request_id(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return abs(value) <= MAX_REQUEST_ID
    return isinstance(value, str) and len(value) <= MAX_REQUEST_ID_TEXT


def encode_result(request_id: RequestId, result: Struct | Raw) -> bytes:
    """The frame that answers a request."""
    if type(request_id) is int:
        return b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (request_id, _encoder.encode(result))
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (_encoder.encode(request_id), _encoder.encode(result))


def problem_details(problem: Problem) -> ProblemDetails:
    """A problem as RFC 9457 members."""
    kind = problem.code.value
    return ProblemDetails(
        type=f"urn:safeum:problem:{kind.code}",
        title=kind.title,
        status=kind.status,
        code=kind.code,
        detail=problem.detail,
        retry_after=problem.retry_after,
    )


def encode_problem(request_id: RequestId | None, problem: Problem) -> bytes:
    """The frame that refuses a request; `request_id` is None where it could not be read."""
    kind = problem.code.value
    error = _Error(kind.rpc, kind.title, problem_details(problem))
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (_encoder.encode(request_id), _encoder.encode(error))


def encode_params(event: Struct) -> bytes:
    """An event's parameters alone: what `notification` wraps, and what is kept of a message, sealed."""
    return _encoder.encode(event)


def notification(method: str, params: bytes) -> bytes:
    """The frame of an event whose parameters are encoded already."""
    return b'{"jsonrpc":"2.0","method":"%b","params":%b}' % (method.encode("ascii"), params)


def encode_event(event: Struct) -> bytes:
    """The frame of an event."""
    return notification(METHOD_OF[type(event)], _encoder.encode(event))


def text_frame(payload: bytes) -> bytes:
    """One WebSocket text message in one unmasked frame (RFC 6455 section 5.2), as a server writes it."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload
