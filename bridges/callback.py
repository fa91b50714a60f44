"""Resources that providers call back: strict about what comes, silent about what it was."""

from collections.abc import Callable
from urllib.parse import parse_qsl

import msgspec
from twisted.web.error import UnsupportedMethod
from twisted.web.resource import Resource
from twisted.web.server import Request

from safeum_home.errors import Code, Problem, Tampered
from safeum_home.protocol.frames import problem_details

MOST_FIELDS = 64


class Forged(Exception):
    """The call is not signed as it must be, or not at all."""


class Malformed(Exception):
    """The call is not what the provider's documents describe."""


class Callback(Resource):
    """A leaf that answers 200 for a call that is well-formed and signed, whether or not anything comes of it.

    Else 403 (the signature), 400 (the form), 404 (a path below) or 503 (no secret to check it with).
    """

    isLeaf = True

    def __init__(self, take: Callable[[Request, bytes], None]) -> None:
        """`take` gets the request and its body; it raises `Forged`, `Malformed`, or `Problem`."""
        super().__init__()
        self._take = take

    def answer(self, request: Request, body: bytes) -> bytes:
        if request.postpath:
            return _problem(request, Problem(Code.NOT_FOUND))
        try:
            self._take(request, body)
        except Forged:
            return _problem(request, Problem(Code.BAD_TOKEN, "The signature is not valid."), 403)
        except Malformed:
            return _problem(request, Problem(Code.BAD_REQUEST))
        except (Problem, Tampered):
            return _problem(request, Problem(Code.SMS_UNAVAILABLE))
        request.setHeader(b"Content-Type", b"text/plain")
        return b""


class PostCallback(Callback):
    """One that is called with POST."""

    allowedMethods = (b"POST",)

    def render_HEAD(self, request: Request) -> bytes:
        # The one that is inherited counts on there being a `render_GET`.
        raise UnsupportedMethod(self.allowedMethods)

    def render_POST(self, request: Request) -> bytes:
        return self.answer(request, request.content.read() if request.content is not None else b"")


class GetCallback(Callback):
    """One that is called with GET: all that it says is in the query."""

    def render_GET(self, request: Request) -> bytes:
        return self.answer(request, b"")


def _problem(request: Request, problem: Problem, status: int | None = None) -> bytes:
    details = problem_details(problem)
    if status is not None:
        details = msgspec.structs.replace(details, status=status)
    request.setResponseCode(details.status)
    request.setHeader(b"Content-Type", b"application/problem+json")
    return msgspec.json.encode(details)


def header(request: Request, name: str) -> str:
    """The one header field of that name, as ISO 8859-1; empty where there is none, or more than one."""
    values = request.requestHeaders.getRawHeaders(name.encode(), [])
    return values[0].decode("latin-1") if len(values) == 1 else ""


def form(octets: bytes) -> list[tuple[str, str]]:
    """Names and values of a form (WHATWG URL, application/x-www-form-urlencoded); raises `Malformed`."""
    try:
        return parse_qsl(
            octets.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise Malformed from None
