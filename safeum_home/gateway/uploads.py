"""Uploads: tus 1.0 (https://tus.io/protocols/resumable-upload), with its extensions creation, termination,
checksum and expiration.

A body is taken as it comes (`gateway.bodies`): it is on its way to the disk before the request is complete.
"""

import re
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Iterable
from email.utils import formatdate
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from safeum_home.errors import Code, Problem
from safeum_home.gateway.bodies import Body
from safeum_home.gateway.resources import respond_problem
from safeum_home.gateway.tickets import Cors, answer, problem_of, set_headers, ticket_of
from safeum_home.ids import FILE_PATTERN
from safeum_home.ports.files import Checksum, FileTransfers, UploadState
from safeum_home.protocol.files import (
    OCTETS_TYPE,
    OFFSET_TYPE,
    TUS_CHECKSUMS,
    TUS_EXTENSIONS,
    TUS_VERSION,
    TYPE_PATTERN,
    UPLOADS_PATH,
)

_PREFIX = UPLOADS_PATH.encode() + b"/"
_FILE = re.compile(FILE_PATTERN)
_TYPE = re.compile(TYPE_PATTERN)
_NUMBER = re.compile(rb"(?:0|[1-9][0-9]{0,15})\Z")
_METHODS = "OPTIONS, POST, HEAD, PATCH, DELETE"
_FIELDS = (
    "Authorization, Content-Type, Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset, "
    "Upload-Checksum, X-HTTP-Method-Override, X-Requested-With"
)
_EXPOSED = (
    "Location, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, "
    "Upload-Offset, Upload-Length, Upload-Expires, Retry-After"
)


class UploadsResource(Resource):
    """`/v1/uploads` and what is below it."""

    isLeaf = True

    def __init__(self, transfers: FileTransfers, origins: Iterable[str] = ()) -> None:
        super().__init__()
        self._transfers = transfers
        self._cors = Cors(origins, _METHODS, _FIELDS, _EXPOSED)

    def stream(self, request: Any, method: bytes, path: bytes, length: int | None) -> Body | None:
        """`gateway.bodies.Streams`: begin with a PATCH when its head is there."""
        if not path.startswith(_PREFIX) or _method(request, method) != b"PATCH":
            return None
        body = Body(request.channel, length)

        def failed(failure: Failure) -> Failure:
            problem = problem_of(failure)
            body.refuse(problem, self._headers(request))
            return Failure(problem)

        try:
            work = Deferred.fromCoroutine(self._receive(request, path, length, body))
            work.addErrback(failed).chainDeferred(body.outcome)
        except Problem as problem:
            body.refuse(problem, self._headers(request))
            body.outcome.errback(problem)
        # Nobody may be there to ask for it: a broken connection is no failure of the node's.
        body.outcome.addErrback(_Failed)
        return body

    def render(self, request: Any) -> Any:
        set_headers(request, self._headers(request))
        method = _method(request, request.method)
        if method == b"OPTIONS":
            return self._options(request)
        try:
            if request.getHeader(b"Tus-Resumable") != TUS_VERSION.encode():
                request.setHeader(b"Tus-Version", TUS_VERSION.encode())
                return respond_problem(request, Problem(Code.BAD_REQUEST, f"this is tus {TUS_VERSION}"), 412)
            self._begin(request, method)
        except Problem as problem:
            return respond_problem(request, problem)
        return NOT_DONE_YET

    def _begin(self, request: Any, method: bytes) -> None:
        """Start what is asked for; the answer follows."""
        if request.path == UPLOADS_PATH.encode():
            if method != b"POST":
                raise _not_allowed(request, b"OPTIONS, POST")
            self._create(request)
            return
        file = _file(request.path)
        if method == b"PATCH" and request.body is not None:
            answer(request, request.body.outcome, lambda outcome: self._received(request, outcome))
        elif method == b"HEAD":
            state = Deferred.fromCoroutine(self._transfers.state(ticket_of(request), file))
            answer(request, state, lambda state: self._told(request, state))
        elif method == b"DELETE":
            gone = Deferred.fromCoroutine(self._transfers.terminate(ticket_of(request), file))
            answer(request, gone, lambda _: _no_content(request))
        else:
            raise _not_allowed(request, b"OPTIONS, HEAD, PATCH, DELETE")

    def _options(self, request: Any) -> bytes:
        set_headers(request, self._cors.headers(request, preflight=True))
        set_headers(
            request,
            [
                ("Tus-Version", TUS_VERSION),
                ("Tus-Extension", ",".join(TUS_EXTENSIONS)),
                ("Tus-Max-Size", str(self._transfers.largest)),
                ("Tus-Checksum-Algorithm", ",".join(TUS_CHECKSUMS)),
            ],
        )
        return b""

    def _create(self, request: Any) -> None:
        size = _number(request, b"Upload-Length")
        kind = _type(request.getHeader(b"Upload-Metadata"))
        work = Deferred.fromCoroutine(self._transfers.create(ticket_of(request), size, kind))

        def created(state: UploadState) -> bytes:
            request.setResponseCode(201)
            request.setHeader(b"Location", f"{UPLOADS_PATH}/{state.file}".encode())
            set_headers(request, _expires(state))
            request.setHeader(b"Content-Length", b"0")
            return b""

        answer(request, work, created)

    async def _receive(self, request: Any, path: bytes, length: int | None, body: Body) -> UploadState:
        if request.getHeader(b"Tus-Resumable") != TUS_VERSION.encode():
            raise Problem(Code.BAD_REQUEST, f"this is tus {TUS_VERSION}")
        if request.getHeader(b"Content-Type") != OFFSET_TYPE.encode():
            raise Problem(Code.WRONG_CONTENT_TYPE, f"it has to be {OFFSET_TYPE}")
        offset, checksum = _number(request, b"Upload-Offset"), _checksum(request)
        return await self._transfers.receive(ticket_of(request), _file(path), offset, length, checksum, body)

    def _received(self, request: Any, outcome: "UploadState | _Failed") -> bytes:
        if isinstance(outcome, _Failed):
            raise outcome.error
        set_headers(request, [("Upload-Offset", str(outcome.offset)), *_expires(outcome)])
        return _no_content(request)

    def _told(self, request: Any, state: UploadState) -> bytes:
        fields = [("Upload-Offset", str(state.offset)), ("Upload-Length", str(state.size))]
        set_headers(request, [*fields, *_expires(state), ("Content-Length", "0")])
        return b""

    def _headers(self, request: Any) -> list[tuple[str, str]]:
        return [("Tus-Resumable", TUS_VERSION), *self._cors.headers(request)]


class _Failed:
    """What a body ended in, kept until it is asked for."""

    def __init__(self, failure: Failure) -> None:
        self.error = problem_of(failure)


def _method(request: Any, method: bytes) -> bytes:
    """The method that is meant (tus 1.0, X-HTTP-Method-Override)."""
    override: bytes | None = request.getHeader(b"X-HTTP-Method-Override")
    return method if override is None or method != b"POST" else override.upper()


def _file(path: bytes) -> str:
    file = path.removeprefix(_PREFIX).decode("ascii", "replace")
    if not _FILE.match(file):
        raise Problem(Code.NOT_FOUND)
    return file


def _number(request: Any, field: bytes) -> int:
    given = request.getHeader(field) or b""
    if not _NUMBER.match(given):
        raise Problem(Code.BAD_REQUEST, f"{field.decode()} has to be a number of octets")
    return int(given)


def _type(metadata: bytes | None) -> str:
    """The media type in the field Upload-Metadata. All else in there is not looked at: names least of all."""
    for pair in (metadata or b"").split(b","):
        key, _, value = pair.strip().partition(b" ")
        if key == b"filetype":
            try:
                kind = b64decode(value, validate=True).decode("ascii").partition(";")[0].strip()
            except (BadBase64, ValueError):
                raise Problem(Code.BAD_REQUEST, "Upload-Metadata: filetype is not base64 of a text") from None
            if kind and not _TYPE.match(kind):
                raise Problem(Code.WRONG_CONTENT_TYPE, "Upload-Metadata: filetype is no media type")
            return kind or OCTETS_TYPE
    return OCTETS_TYPE


def _checksum(request: Any) -> Checksum | None:
    given = request.getHeader(b"Upload-Checksum")
    if given is None:
        return None
    name, _, digest = given.decode("ascii", "replace").partition(" ")
    if name not in TUS_CHECKSUMS:
        raise Problem(Code.BAD_REQUEST, f"checksums are {', '.join(TUS_CHECKSUMS)}")
    try:
        return Checksum(name, b64decode(digest, validate=True))
    except (BadBase64, ValueError):
        raise Problem(Code.BAD_REQUEST, "Upload-Checksum is not base64") from None


def _expires(state: UploadState) -> list[tuple[str, str]]:
    """When the upload is thrown away (RFC 9110 section 5.6.7)."""
    return [("Upload-Expires", formatdate(state.ends, usegmt=True))]


def _no_content(request: Any) -> bytes:
    request.setResponseCode(204)
    return b""


def _not_allowed(request: Any, allowed: bytes) -> Problem:
    request.setHeader(b"Allow", allowed)
    return Problem(Code.METHOD_NOT_ALLOWED)
